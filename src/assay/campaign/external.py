"""Runs of a program that is not assay's: planned like ours, started from its manifest, taken in from LoadGen's logs."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from assay import __version__
from assay.assets.catalogue import load_catalogue
from assay.assets.store import AssetStore
from assay.backends.protocol import NO_FILE
from assay.base.files import machine_errors, write_atomic, write_json
from assay.base.progress import Progress
from assay.base.settings import Settings
from assay.campaign.companions import complete_recipe
from assay.campaign.execute import first_record, loadgen_settings, run_spec
from assay.campaign.external_plan import ExternalPlan, command_of
from assay.campaign.external_probe import Broken, Found, known_target, probe_program
from assay.campaign.external_words import MLPERF_CONF, described, invocation_of, kept
from assay.campaign.finish import Finished, finish
from assay.campaign.material import Material, count_samples, dataset_on_disk, described_data, model_on_disk
from assay.campaign.plan import PlannedRun
from assay.campaign.power import Powered, with_power
from assay.campaign.told import as_logged
from assay.campaign.turns import in_turn, kept_if_it_breaks, require_room
from assay.errors import AssayError
from assay.harness.external.command import Invocation
from assay.harness.external.process import execute_foreign
from assay.harness.outcome import Ending, Failure, Outcome
from assay.harness.spec import USER_CONF
from assay.loadgen.conf import round_conf, run_conf
from assay.loadgen.logs import read_detail
from assay.loadgen.names import DETAIL
from assay.loadgen.record import Artefact, Label, RunRecord
from assay.loadgen.runs import RunCatalogue, RunFolder
from assay.loadgen.settings import LoadgenSettings, Overrides
from assay.rules.model import Mode, Scenario

INVOCATION_FILE = "invocation.json"
MANIFEST_COPY = "implementation.yaml"
"""The program's manifest as it was used, in the run's folder and in the tree of a submission."""


def carry_out_external(external: ExternalPlan, settings: Settings, progress: Progress) -> list[RunRecord]:
    """Carry an external plan out; returns the record of every run, in order.

    Raises:
        AssayError: what went wrong before a run could begin, or a run that broke (its record is kept).
        KeyboardInterrupt: after an interrupted run has been kept as such.
    """
    require_room(settings)
    material = gather_external(external, settings, progress)

    def one(planned: PlannedRun, group: str) -> Finished:
        return _Run(external, planned, material, settings, progress, group).carry_out()

    return in_turn(external.plan.runs, one, settings)


def gather_external(external: ExternalPlan, settings: Settings, progress: Progress) -> Material:
    """What the program is given, on this machine; and names for what it has of its own.

    Raises:
        NotFoundError: what cannot be had, and how to get it.
        InvalidInputError: what was had and is wrong.
    """
    plan, subject = external.plan, external.plan.subject
    store = AssetStore(settings, load_catalogue(settings))
    data = dataset_on_disk(subject.dataset, store, progress) if subject.dataset and external.sees_data else None
    labels = list(subject.model.labels if subject.model_file is None else ())
    recipe = complete_recipe(subject, store, progress) if external.sees_data else subject.recipe
    if not (external.sees_model and external.sees_data):
        labels.append(Label.UNSEEN_MATERIAL.value)
    if subject.model_file is not None or external.sees_model:
        model, info = model_on_disk(subject, store, progress)
    else:
        model, info = NO_FILE, Artefact(subject.model.name, None)
    if subject.model_file is not None:
        labels.append(Label.CUSTOM_MODEL.value)
    found = described_data(subject, data)
    labels += found.labels if found else ()
    dataset = found.info if found else _own_data(external)
    path = found.path if found else None
    # The program prepares its samples itself: ours are opened only where nothing else says how many there are.
    counted = data is not None and dataset.count > 0
    count = dataset.count if counted else count_samples(path, dataset, model, recipe, plan, settings, progress)
    return Material(model, info, path, dataset, count, tuple(dict.fromkeys(labels)), recipe)


def _own_data(external: ExternalPlan) -> Artefact:
    """Whatever the program loads: nothing is set over the round's count."""
    subject = external.plan.subject
    name = subject.dataset.name if subject.dataset else f"of {external.chosen.implementation.name}"
    return Artefact(name, None, subject.benchmark.limits[Scenario.OFFLINE].performance_sample_count)


@dataclass(frozen=True, slots=True)
class _Run:
    """One run of the program."""

    external: ExternalPlan
    planned: PlannedRun
    material: Material
    settings: Settings
    progress: Progress
    group: str

    @property
    def _label(self) -> str:
        return f"{self.planned.scenario.value} {self.planned.mode.value}"

    def carry_out(self) -> Finished:
        """Begin its record, find its target where there is none, run it, and finish the record."""
        resolved = self._resolved(Overrides())
        record = self._begun(resolved, Overrides())
        path = self.settings.runs_dir / record.id
        # The words before the folder: what cannot be said must leave no run behind.
        invocation = invocation_of(self.external, self.planned, self.material, resolved, path)
        record = replace(record, backend=described(self.external, invocation))
        folder = RunCatalogue(self.settings.runs_dir).create(record)
        found = kept_if_it_breaks(record, folder, lambda: self._target(record, folder))
        if isinstance(found, Broken):
            return self._finish(record, folder, resolved, replace(found.outcome, backend=record.backend))
        if found is not None:
            self.progress.message(f"{self._label}: {found.how}")
            resolved = self._resolved(found.overrides)
            begun = self._begun(resolved, found.overrides)
            record = replace(begun, id=record.id, created=record.created, backend=record.backend)
            folder.write(record)
        done = kept_if_it_breaks(record, folder, lambda: self._executed(record, folder, resolved, found))
        outcome = done.outcome
        if outcome.ending is Ending.FINISHED:
            record, outcome = self._as_logged(record, folder, outcome)
        return self._finish(done.noted(record), folder, resolved, outcome)

    def _resolved(self, found: Overrides) -> LoadgenSettings:
        return loadgen_settings(self.external.plan, self.planned, self.material, found)

    def _begun(self, resolved: LoadgenSettings, found: Overrides) -> RunRecord:
        first = first_record(self.external.plan, self.planned, self.material, self.settings, resolved, self.group)
        # Of assay's own libraries none had a part in the figure.
        return replace(first, command=command_of(self.external, self.planned, found), versions={"assay": __version__})

    def _target(self, record: RunRecord, folder: RunFolder) -> Found | Broken | None:
        """The target that nobody gave; None where it was given, or the program cannot be told one."""
        if not self.planned.probe:
            return None
        limits = self.external.plan.subject.benchmark.limits[self.planned.scenario]
        known = known_target(RunCatalogue(self.settings.runs_dir).records(), record, limits)
        return known or probe_program(self.external, self.planned, self.material, folder.path, self.progress)

    def _executed(
        self, record: RunRecord, folder: RunFolder, resolved: LoadgenSettings, found: Found | None
    ) -> Powered:
        """Run the program, its power measured where that is asked for, and keep what it was started from."""
        manifest = self.external.chosen.implementation.path
        with machine_errors(manifest):
            text = manifest.read_bytes()
        write_atomic(folder.path / MANIFEST_COPY, text)
        invocation = self._told(folder.path, resolved, found)
        write_json(folder.path / INVOCATION_FILE, kept(self.external, self.material, invocation))
        plan = self.external.plan
        done = with_power(
            plan.power if self.planned.mode is Mode.PERFORMANCE else None,
            lambda place, note: self._load(place, note, resolved, found),
            folder.path,
            plan.subject.round,
            self.progress,
        )
        # What a container's image is can be asked only once it is here.
        backend = {**record.backend, **described(self.external, invocation)}
        return replace(done, outcome=replace(done.outcome, backend=backend))

    def _load(self, place: Path, note: str, resolved: LoadgenSettings, found: Found | None) -> Outcome:
        """Run the program once in a folder.

        Args:
            note: for whoever watches.
        """
        invocation = self._told(place, resolved, found)
        return execute_foreign(invocation, place, label=self._label + note, progress=self.progress)

    def _told(self, place: Path, resolved: LoadgenSettings, found: Found | None) -> Invocation:
        """Write what the program reads; the words that start it, made afterwards: a container gets what is there."""
        subject, more = self.external.plan.subject, _found_settings(found)
        write_atomic(place / USER_CONF, run_conf(resolved))
        write_atomic(place / MLPERF_CONF, round_conf(subject.round, subject.benchmark, self.planned.scenario))
        return invocation_of(self.external, self.planned, self.material, resolved, place, more=more)

    def _as_logged(self, record: RunRecord, folder: RunFolder, outcome: Outcome) -> tuple[RunRecord, Outcome]:
        """The record with what the log says; a log that cannot be read is a run that failed."""
        try:
            detail = read_detail(folder.path / DETAIL)
        except AssayError as error:
            return record, replace(outcome, ending=Ending.FAILED, failure=Failure.of(error))
        return as_logged(record, detail, self.external.plan.subject.benchmark, self.material.labels), outcome

    def _finish(self, record: RunRecord, folder: RunFolder, resolved: LoadgenSettings, outcome: Outcome) -> Finished:
        """Scored and judged as a run of assay's own harness is; no engine is ever opened with these orders."""
        plan, subject = self.external.plan, self.external.plan.subject
        orders = run_spec(plan, self.planned, self.material, self.settings, resolved)
        spec = replace(orders, user_conf=run_conf(resolved), trace=False)
        # What a compliance test, which makes the run again, scores with.
        spec.write(folder.path)
        return finish(record, folder, spec, outcome, subject.round, subject.benchmark, self.progress)


def _found_settings(found: Found | None) -> frozenset[str]:
    """Settings that are passed on because they were found."""
    if found is None:
        return frozenset()
    values = {"target_qps": found.overrides.target_qps, "target_latency": found.overrides.target_latency_ns}
    return frozenset(name for name, value in values.items() if value is not None)
