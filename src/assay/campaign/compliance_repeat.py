"""A plain run made again under the settings of a compliance test, by assay's own harness."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Protocol

from assay import __version__
from assay.base.progress import Progress
from assay.base.settings import Settings
from assay.campaign.compliance_reference import read_plain_spec
from assay.campaign.execute import versions
from assay.campaign.finish import Finished, finish
from assay.campaign.targets import OFFLINE_MARGIN
from assay.harness.run import execute
from assay.harness.spec import RunSpec
from assay.loadgen.audit import Audit
from assay.loadgen.record import Figures, Label, RunRecord, RunStatus
from assay.loadgen.runs import RunCatalogue
from assay.rules.model import Benchmark, Round, Scenario
from assay.system.summary import host_facts

_EXPECTED = "offline_expected_qps"
_OF_POWER = frozenset({Label.SIMULATED_POWER, Label.UNOFFICIAL_POWER})


@dataclass(frozen=True, slots=True)
class Trial:
    """What the record of a test's run says of it.

    Attributes:
        audit: the test's settings.
        against: ids of the runs that it is judged against.
        command: the command that makes it again.
        group: shared by the runs of one call.
    """

    audit: Audit
    against: tuple[str, ...]
    command: str
    group: str


class Repeats(Protocol):
    """A plain run that can be made again."""

    @property
    def spec(self) -> RunSpec:
        """The plain run as scoring wants it."""

    def run(self, trial: Trial, progress: Progress) -> Finished:
        """Make it again under a test's settings; the record is written, and not yet judged by the test."""


class OwnRuns:
    """Runs of assay's own harness, repeated from the specification of the plain one.

    Args:
        performance: the plain run.
        round_: whose rules hold.
        benchmark: of the run.
        settings: where runs are kept.
    """

    def __init__(self, performance: RunRecord, round_: Round, benchmark: Benchmark, settings: Settings) -> None:
        self._plain = performance
        self._round = round_
        self._benchmark = benchmark
        self._catalogue = RunCatalogue(settings.runs_dir)
        self._spec = read_plain_spec(self._catalogue.folder / performance.id)

    @property
    def spec(self) -> RunSpec:
        """That of the plain run."""
        return self._spec

    def run(self, trial: Trial, progress: Progress) -> Finished:
        """Run LoadGen with the test's settings over those of the plain run."""
        audit = trial.audit
        attributes = {**self._spec.attributes, **enough_samples(self._plain, self._spec), **audit.attributes}
        spec = replace(self._spec, audit=audit.text(), attributes=attributes)
        record = replace(
            first_record(self._plain, trial, self._catalogue),
            settings={**spec.attributes, **{key: value for key, value in audit.keys.items() if key != "mode"}},
            versions=versions(),
        )
        folder = self._catalogue.create(record)
        label = f"{record.scenario} {audit.test}"
        try:
            outcome = execute(spec, folder.path, label=label, progress=progress)
        except BaseException:
            folder.write(replace(record, status=RunStatus.FAILED, failure="the run could not be started"))
            raise
        round_ = round_of(audit, self._round)
        return finish(record, folder, spec, outcome, round_, self._benchmark, progress)


def enough_samples(plain: RunRecord, spec: RunSpec) -> dict[str, float]:
    """Offline: the expected rate that gives samples enough where the test is a little faster than the plain run was.

    The expected rate is no rule of the round; the plain run's may have been just enough for itself.
    """
    # The official figure of some benchmarks counts tokens.
    rate = plain.figures.samples_per_second or plain.figures.value
    if plain.scenario != Scenario.OFFLINE.value or not rate:
        return {}
    expected = float(spec.attributes.get(_EXPECTED, 0.0))
    return {_EXPECTED: max(expected, rate * OFFLINE_MARGIN)}


def first_record(plain: RunRecord, trial: Trial, catalogue: RunCatalogue) -> RunRecord:
    """What is known of a test's run before it begins: what is known of the plain one."""
    test = trial.audit.test
    return replace(
        plain,
        id=catalogue.new_id(plain.model.name, plain.scenario, test.lower()),
        group=trial.group,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        status=RunStatus.RUNNING,
        command=trial.command,
        versions={**plain.versions, "assay": __version__},
        failure=None,
        host=host_facts(),
        timings_s={},
        peak_memory=0,
        skipped={},
        failed_queries=0,
        failed_samples=0,
        figures=Figures(),
        verdict=None,
        logs={},
        compliance=test,
        judged_against=trial.against,
        # Nobody measures the power of a test.
        power=None,
        labels=tuple(label for label in plain.labels if label not in _OF_POWER),
        extra={},
    )


def round_of(audit: Audit, round_: Round) -> Round:
    """The round whose seeds a test's run is held to: TEST05 has its own."""
    return replace(round_, seeds=round_.test05_seeds) if audit.attributes else round_
