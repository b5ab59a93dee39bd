"""A finished run into the local repository: an experiment for each task and scenario, a row for each result.

``experiment/local--mlperf-inference--v3.1--edge--open--image-classification--offline/2026-11-23.20-15-00.123456/cm-result.json``
holds one row. The accuracy run and the performance run of one command share it; recording a run again changes
nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from assay.base.files import read_json
from assay.base.settings import Settings
from assay.cm.artifact import EXPERIMENT, Artifact
from assay.cm.repository import local_repository
from assay.errors import AssayError, InvalidInputError
from assay.loadgen.runs import RunFolder
from assay.results.cm_row import result_from_row, row_of
from assay.results.from_run import belong_together, joined, result_of
from assay.results.model import Result

RESULT_FILE = "cm-result.json"
_MAX_ROW_BYTES = 4 << 20


@dataclass(frozen=True, slots=True)
class Recorded:
    """Where a run went.

    Attributes:
        artifact: the experiment.
        path: the file with the row.
        result: what the row holds now.
        added: False when the row was there already and was completed or confirmed.
    """

    artifact: Artifact
    path: Path
    result: Result
    added: bool


def record_run(folder: Path, settings: Settings) -> Recorded:
    """Record a finished run in the local CM repository; a run that is there already is not added again.

    Args:
        folder: the run's folder, with its ``run.json``.
        settings: say where the repository is.

    Raises:
        NotFoundError: when the folder holds no record.
        InvalidInputError: for a run that has not finished, which has no result.
        MachineError: when the repository cannot be written.
    """
    record = RunFolder(folder).read()
    new = result_of(record)
    with local_repository(settings).editing() as edit:
        artifact = edit.ensure(EXPERIMENT, alias_of(new), tags=tags_of(new))
        found = _row_for(artifact, new)
        name, whole = (
            (_fresh_name(artifact, new, record.created), new) if found is None else (found[0], joined(found[1], new))
        )
        main = whole.source("performance") or whole.sources[0]
        row = row_of(whole, location=f"{folder.parent.name}/{main.run}")
        path = edit.write_file(artifact, f"{name}/{RESULT_FILE}", [row])
    return Recorded(artifact, path, whole, found is None)


def alias_of(result: Result) -> str:
    """The experiment's alias; ``local--`` keeps it apart from the published ones, whose names it follows."""
    return (
        f"local--mlperf-inference--{result.round}--{result.category}--{result.division}"
        f"--{result.task}--{result.scenario.lower()}"
    )


def tags_of(result: Result) -> tuple[str, ...]:
    """Tags of the experiment: what can be looked for with ``a,b,-c``."""
    plain = (
        "mlperf", "inference", "local", result.round, result.category, result.division, result.task,
        result.benchmark, result.scenario.lower(), Path(result.model).name, result.backend, *result.labels,
    )  # fmt: skip
    return tuple(dict.fromkeys(tag.replace(",", "_").replace(" ", "-") for tag in plain if tag))


def results_in(settings: Settings) -> list[tuple[Path, Result]]:
    """Every result of ours in the local repository with the file that holds it, oldest first."""
    found: list[tuple[Path, Result]] = []
    for artifact in local_repository(settings).find(EXPERIMENT):
        found += [(artifact.path / name / RESULT_FILE, result) for name, result in _rows(artifact)]
    return sorted(found, key=lambda pair: (pair[0].parent.name, pair[0]))


def _row_for(artifact: Artifact, new: Result) -> tuple[str, Result] | None:
    """The row that a result completes or repeats: its folder and what it holds."""
    if not new.group:
        return None
    return next(
        ((name, old) for name, old in _rows(artifact, containing=new.group) if belong_together(old, new)),
        None,
    )


def _rows(artifact: Artifact, *, containing: str = "") -> list[tuple[str, Result]]:
    """Rows of an experiment that assay wrote, newest first: the name of the folder, and the result."""
    rows: list[tuple[str, Result]] = []
    for path in sorted(artifact.path.glob(f"*/{RESULT_FILE}"), reverse=True):
        try:
            raw = read_json(path, max_bytes=_MAX_ROW_BYTES)
            result = (
                result_from_row(raw[0], where=str(path))
                if isinstance(raw, list) and len(raw) == 1 and isinstance(raw[0], dict)
                else None
            )
        except AssayError:
            # Somebody else's file, or one of a later version: not ours to touch, and no reason not to record.
            continue
        if result is not None and (
            not containing or containing in (result.group, *(source.run for source in result.sources))
        ):
            rows.append((path.parent.name, result))
    return rows


def _fresh_name(artifact: Artifact, result: Result, created: str) -> str:
    """CM's name for a set of results, the time; its microseconds come from the uid, so that it is stable."""
    try:
        moment = datetime.fromisoformat(created).astimezone(UTC)
    except ValueError as error:
        raise InvalidInputError(
            "the run has no time", where=result.uid, expected="an ISO time", found=created
        ) from error
    name = moment.replace(microsecond=int(result.uid, 16) % 1_000_000).strftime("%Y-%m-%d.%H-%M-%S.%f")
    number = 0
    while (artifact.path / (name if not number else f"{name}.{number}")).exists():
        number += 1
    return name if not number else f"{name}.{number}"
