"""What a compliance test will do: which tests, beside which runs of the same setting, and which of these are missing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from assay.base.settings import Settings
from assay.base.units import format_duration
from assay.campaign.compliance_done import done_before
from assay.campaign.compliance_reference import find_reference
from assay.campaign.external_plan import ExternalPlan, ExternalRequest, make_external_plan
from assay.campaign.plan import Plan, PlannedRun, make_plan
from assay.campaign.request import RunRequest
from assay.errors import UsageError
from assay.loadgen.audit import SAME_INDEX, asked_tests, audit_of, family
from assay.loadgen.record import RunRecord
from assay.loadgen.runs import RunCatalogue
from assay.rules.model import Mode, Scenario

_NS_PER_MS = 1_000_000
_POWER = ("power", "power_ntp", "power_official")
_WHAT = {
    "TEST01": "keeps answers of a performance run and compares them with those of the accuracy run",
    "TEST04": f"repeats sample {SAME_INDEX} of the loaded set",
    "TEST04-A": "sends every loaded sample once",
    "TEST04-B": f"repeats sample {SAME_INDEX} of the loaded set",
    "TEST05": "takes other seeds",
    "TEST06": "keeps the tokens of a hundred samples and compares them with what LoadGen was told of them",
}


@dataclass(frozen=True, slots=True)
class ComplianceRequest:
    """Compliance tests of one setting.

    Attributes:
        run: the setting: one scenario of one model on one engine.
        tests: tests to run; all that the round asks when empty.
        performance: id of the plain performance run to compare with; the latest that fits when empty.
        accuracy: the same of the accuracy run.
        again: run also those that were passed before.
        program: runs it in place of assay's own harness.
    """

    run: RunRequest
    tests: tuple[str, ...] = ()
    performance: str = ""
    accuracy: str = ""
    again: bool = False
    program: ExternalRequest | None = None


@dataclass(frozen=True, slots=True)
class CompliancePlan:
    """Tests, and the runs that they are judged against.

    Attributes:
        plan: of the runs that are still missing, else of the performance run as asked for.
        tests: in the order in which they are run.
        performance: the plain run; None when it is run first.
        accuracy: the accuracy run; None when it is run first, or no test needs it.
        missing: modes that are run first.
        done: tests that were passed before, beside the same plain runs.
        program: plan of the performance run, where it is not assay's own harness that runs it.
        programs: plans of the missing runs then.
    """

    request: ComplianceRequest
    plan: Plan
    tests: tuple[str, ...]
    performance: RunRecord | None
    accuracy: RunRecord | None
    missing: tuple[Mode, ...]
    done: Mapping[str, RunRecord] = field(default_factory=dict)
    program: ExternalPlan | None = None
    programs: tuple[ExternalPlan, ...] = ()

    @property
    def scenario(self) -> Scenario:
        """The one scenario."""
        return self.request.run.scenarios[0]

    @property
    def seconds(self) -> float:
        """Shortest time of everything together."""
        run = self.plan.runs[-1]
        short = ("TEST04-A", "TEST06", *self.done)
        tests = sum(self._duration_ns(run) for test in self.tests if test not in short) / 1e9
        return tests + (self.plan.seconds if self.missing else 0.0)

    def _duration_ns(self, run: PlannedRun) -> float:
        if self.performance is None:
            return run.duration_ns
        return float(self.performance.settings.get("min_duration_ms", 0)) * _NS_PER_MS

    def lines(self) -> list[str]:
        """The plan for a person."""
        subject = self.plan.subject
        lines = [
            f"{subject.benchmark.name} of round {subject.round.name}, {self.scenario.value}, model {subject.model.name}: "
            + ", ".join(self.tests)
        ]
        for mode, record in ((Mode.ACCURACY, self.accuracy), (Mode.PERFORMANCE, self.performance)):
            if record is not None:
                lines.append(f"  beside the {mode.value} run {record.id}")
            elif mode in self.missing:
                lines.append(f"  no {mode.value} run of this setting: it is run first")
        lines += [f"  {test}: {self._told(test)}" for test in self.tests]
        if not self.missing and set(self.tests) <= set(self.done):
            return [*lines, "  nothing is left to do"]
        return [*lines, f"  together at least {format_duration(self.seconds * 1e9)}"]

    def _told(self, test: str) -> str:
        before = self.done.get(test)
        return f"passed before: {before.id} (--again runs it anew)" if before is not None else _WHAT[test]

    def to_dict(self) -> dict[str, object]:
        """The plan as one JSON document."""
        subject = self.plan.subject
        return {
            "round": subject.round.name,
            "benchmark": subject.benchmark.name,
            "model": subject.model.name,
            "scenario": self.scenario.value,
            "tests": list(self.tests),
            "performance": self.performance.id if self.performance else None,
            "accuracy": self.accuracy.id if self.accuracy else None,
            "run_first": [mode.value for mode in self.missing],
            "passed_before": {test: record.id for test, record in self.done.items()},
            "seconds": self.seconds,
        }


def plan_compliance(request: ComplianceRequest, settings: Settings) -> CompliancePlan:
    """Resolve a request and find the runs that its tests are judged against.

    Raises:
        UsageError: for more than one scenario, a test that the round does not ask, or a named run that does not fit.
        NotFoundError: for an unknown name or run.
    """
    if len(request.run.scenarios) != 1:
        raise UsageError("compliance tests are of one scenario", hint="give one --scenario")
    asked = missing_request(request.run, (Mode.PERFORMANCE,))
    program = make_external_plan(asked, request.program, settings) if request.program else None
    wanted = program.plan if program else make_plan(asked, settings)
    subject = wanted.subject
    tests = asked_tests(request.tests, subject.benchmark, subject.round)
    catalogue = RunCatalogue(settings.runs_dir)
    performance = find_reference(wanted, Mode.PERFORMANCE, request.performance, catalogue, program=program)
    accuracy = None
    missing = () if performance else (Mode.PERFORMANCE,)
    if "TEST01" in tests:
        accuracy = find_reference(
            wanted, Mode.ACCURACY, request.accuracy, catalogue, beside=performance, program=program
        )
        missing = missing if accuracy else (Mode.ACCURACY, *missing)
    programs = tuple(_program(request, mode, settings) for mode in missing) if program else ()
    plan = make_plan(missing_request(request.run, missing), settings) if missing and not program else wanted
    if performance is not None:
        _check_samples(performance, tests)
    for test in tests:
        audit_of(test, subject.benchmark, subject.round)
    done = done_before(tests, performance, accuracy, catalogue) if performance and not request.again else {}
    return CompliancePlan(request, plan, tests, performance, accuracy, missing, done, program, programs)


def _program(request: ComplianceRequest, mode: Mode, settings: Settings) -> ExternalPlan:
    assert request.program is not None
    return make_external_plan(missing_request(request.run, (mode,)), request.program, settings)


def missing_request(request: RunRequest, missing: tuple[Mode, ...]) -> RunRequest:
    """The request for the runs that are not there yet."""
    if len(missing) > 1:
        return request.model_copy(update={"mode": "both"})
    if missing == (Mode.PERFORMANCE,):
        return request.model_copy(update={"mode": "performance"})
    untimed = dict.fromkeys(("duration_ns", "samples", "target_qps", "target_latency_ns", *_POWER))
    return request.model_copy(update={"mode": "accuracy", "quick": False, **untimed})


def _check_samples(performance: RunRecord, tests: tuple[str, ...]) -> None:
    loaded = int(performance.settings.get("performance_sample_count_override", 0)) or performance.dataset.count
    if any(family(test) == "TEST04" for test in tests) and loaded <= SAME_INDEX:
        raise UsageError(
            f"TEST04 repeats sample {SAME_INDEX} of the loaded set",
            expected=f"at least {SAME_INDEX + 1} samples",
            found=str(loaded),
            hint="take a larger dataset",
        )
