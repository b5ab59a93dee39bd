"""Carries a plan out: fetch, probe, run, score, judge, record. Each run is whole on disk before the next begins."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from assay.assets.catalogue import load_catalogue
from assay.assets.store import AssetStore
from assay.backends.protocol import BackendOptions, Precision
from assay.base.files import require_space
from assay.base.progress import Progress
from assay.base.settings import Settings
from assay.campaign.finish import Finished, finish
from assay.campaign.plan import PROBE_S, Plan, PlannedRun
from assay.campaign.targets import targets_from
from assay.errors import RunFailedError
from assay.harness.outcome import Ending, Outcome, Probe
from assay.harness.run import execute
from assay.harness.spec import RunSpec
from assay.loadgen.runs import RunCatalogue, RunFolder, RunRecord
from assay.loadgen.settings import LoadgenSettings, Overrides, resolve
from assay.models.build import materialise
from assay.rules.model import Mode, Scenario

_SPACE = 256 << 20


@dataclass(frozen=True, slots=True)
class Material:
    """What a plan runs on, as files."""

    model: Path
    model_sha256: str
    dataset: Path | None
    dataset_sha256: str | None
    samples: int


def carry_out(plan: Plan, settings: Settings, progress: Progress) -> list[RunRecord]:
    """Carry a plan out; returns the record of every run, in order.

    Raises:
        AssayError: what went wrong before a run could begin, or a run that broke (its record is kept).
        KeyboardInterrupt: after an interrupted run has been kept as such.
    """
    require_space(settings.runs_dir, _SPACE)
    material = fetch(plan, settings, progress)
    catalogue = RunCatalogue(settings.runs_dir)
    records: list[RunRecord] = []
    group = catalogue.new_group()
    for planned in plan.runs:
        probe = _probe(plan, planned, material, settings, progress) if planned.probe else None
        finished = run_one(plan, planned, material, settings, progress, probe=probe, group=group)
        records.append(finished.record)
        if finished.outcome.ending is Ending.INTERRUPTED:
            raise KeyboardInterrupt
        if finished.outcome.failure is not None:
            error = finished.outcome.failure.error()
            error.hint = error.hint or f"assay runs show {finished.record.id}"
            raise error
    return records
