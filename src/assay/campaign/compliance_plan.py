"""What a compliance test will do: which tests, beside which runs of the same setting, and which of these are missing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from assay.assets.store import content_hash, quick_identity
from assay.base.settings import Settings
from assay.base.units import format_duration
from assay.campaign.plan import Plan, PlannedRun, make_plan
from assay.campaign.request import RunRequest
from assay.errors import AssayError, InvalidInputError, UsageError
from assay.harness.spec import RunSpec
from assay.loadgen.audit import SAME_INDEX, asked_tests, audit_of, family
from assay.loadgen.record import Label, RunRecord, RunStatus
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
}


@dataclass(frozen=True, slots=True)
class ComplianceRequest:
    """Compliance tests of one setting.

    Attributes:
        run: the setting: one scenario of one model on one engine.
        tests: tests to run; all that the round asks when empty.
        performance: id of the plain performance run to compare with; the latest that fits when empty.
        accuracy: the same of the accuracy run.
    """

    run: RunRequest
    tests: tuple[str, ...] = ()
    performance: str = ""
    accuracy: str = ""


@dataclass(frozen=True, slots=True)
class CompliancePlan:
    """Tests, and the runs that they are judged against.

    Attributes:
        plan: of the runs that are still missing, else of the performance run as asked for.
        tests: in the order in which they are run.
        performance: the plain run; None when it is run first.
        accuracy: the accuracy run; None when it is run first, or no test needs it.
        missing: modes that are run first.
    """

    request: ComplianceRequest
    plan: Plan
    tests: tuple[str, ...]
    performance: RunRecord | None
    accuracy: RunRecord | None
    missing: tuple[Mode, ...]

    @property
    def scenario(self) -> Scenario:
        """The one scenario."""
        return self.request.run.scenarios[0]

    @property
    def seconds(self) -> float:
        """Shortest time of everything together."""
        run = self.plan.runs[-1]
        tests = sum(self._duration_ns(run) for test in self.tests if test != "TEST04-A") / 1e9
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
        lines += [f"  {test}: {_WHAT[test]}" for test in self.tests]
        return [*lines, f"  together at least {format_duration(self.seconds * 1e9)}"]

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
    wanted = make_plan(request.run.model_copy(update={"mode": "performance"}), settings)
    subject = wanted.subject
    tests = asked_tests(request.tests, subject.benchmark, subject.round)
    catalogue = RunCatalogue(settings.runs_dir)
    performance = _reference(wanted, Mode.PERFORMANCE, request.performance, catalogue, None)
    accuracy = None
    missing = () if performance else (Mode.PERFORMANCE,)
    if "TEST01" in tests:
        accuracy = _reference(wanted, Mode.ACCURACY, request.accuracy, catalogue, performance)
        missing = missing if accuracy else (Mode.ACCURACY, *missing)
    plan = make_plan(missing_request(request.run, missing), settings) if missing else wanted
    if performance is not None:
        _check_samples(performance, tests)
    for test in tests:
        audit_of(test, subject.benchmark, subject.round)
    return CompliancePlan(request, plan, tests, performance, accuracy, missing)


def missing_request(request: RunRequest, missing: tuple[Mode, ...]) -> RunRequest:
    """The request for the runs that are not there yet."""
    if len(missing) > 1:
        return request.model_copy(update={"mode": "both"})
    if missing == (Mode.PERFORMANCE,):
        return request.model_copy(update={"mode": "performance"})
    untimed = dict.fromkeys(("duration_ns", "samples", "target_qps", "target_latency_ns", *_POWER))
    return request.model_copy(update={"mode": "accuracy", "quick": False, **untimed})


def check_reference(record: RunRecord) -> None:
    """A test means something only beside a valid run.

    Raises:
        UsageError: when the run has not finished, is INVALID, or is a compliance test itself.
    """
    problem = _unfit(record)
    if problem:
        raise UsageError(
            f"the {record.mode} run {record.id} {problem}",
            expected="a finished, VALID run",
            hint=f"assay runs show {record.id}",
        )


def check_together(performance: RunRecord, accuracy: RunRecord) -> None:
    """Both plain runs are of one model on one engine.

    Raises:
        UsageError: saying what is another.
    """
    wrong = list(_other_model(accuracy, performance))
    if wrong:
        raise UsageError(
            f"the accuracy run {accuracy.id} does not belong to the performance run",
            found="; ".join(wrong),
            hint="give the options of the performance run, or name another with --accuracy",
        )


def _check_samples(performance: RunRecord, tests: tuple[str, ...]) -> None:
    loaded = int(performance.settings.get("performance_sample_count_override", 0)) or performance.dataset.count
    if any(family(test) == "TEST04" for test in tests) and loaded <= SAME_INDEX:
        raise UsageError(
            f"TEST04 repeats sample {SAME_INDEX} of the loaded set",
            expected=f"at least {SAME_INDEX + 1} samples",
            found=str(loaded),
            hint="take a larger dataset",
        )


def _reference(
    wanted: Plan, mode: Mode, name: str, catalogue: RunCatalogue, beside: RunRecord | None
) -> RunRecord | None:
    """The run of a mode to judge against: the one named, else the latest that fits, else None."""
    if name:
        record = catalogue.read(name)
        check_reference(record)
        wrong = [*_other_benchmark(wanted, record, mode), *_other_model(record, beside)]
        if wrong:
            raise UsageError(f"the run {record.id} is no {mode.value} run of this setting", found="; ".join(wrong))
        return record
    for record in catalogue.records():
        if _unfit(record) or any(_other_benchmark(wanted, record, mode)) or Label.PARTIAL_DATASET in record.labels:
            continue
        # A plain run that is there already says more of the setting than the options do.
        if beside is not None and any(_other_model(record, beside)):
            continue
        if beside is None and any(_other_setting(wanted, wanted.runs[0], record, catalogue.folder / record.id)):
            continue
        return record
    return None


def _unfit(record: RunRecord) -> str:
    if record.compliance:
        return f"is a compliance test itself ({record.compliance})"
    if record.status is not RunStatus.FINISHED:
        return f"is {record.status.value}"
    return "" if record.verdict is not None and record.verdict.valid else "is INVALID"


def _other_benchmark(wanted: Plan, record: RunRecord, mode: Mode) -> Iterator[str]:
    subject = wanted.subject
    model = str(subject.model_file or subject.model.name)
    for what, asked, found in (
        ("mode", mode.value, record.mode),
        ("scenario", wanted.request.scenarios[0].value, record.scenario),
        ("round", subject.round.name, record.round),
        ("benchmark", subject.benchmark.name, record.benchmark),
        ("model", model, record.model.name),
    ):
        if asked != found:
            yield f"{what} {found}, not {asked}"


def _other_model(record: RunRecord, beside: RunRecord | None) -> Iterator[str]:
    """Both runs are of one model, on the same data, in one format on one engine."""
    if beside is None:
        return
    for what, one, other in (
        ("model", beside.model.sha256, record.model.sha256),
        ("data", beside.dataset.sha256, record.dataset.sha256),
        ("engine", beside.backend_name, record.backend_name),
        ("precision", beside.precision, record.precision),
    ):
        if one != other:
            yield f"another {what} than in {beside.id}"


def _other_setting(wanted: Plan, planned: PlannedRun, record: RunRecord, folder: Path) -> Iterator[str]:
    """Where a run was made with other options than those asked for; looked at from the cheap to the dear."""
    request = wanted.request
    for what, asked, found in (
        ("engine", request.backend, record.backend_name),
        ("precision", wanted.precision.value, record.precision),
        ("batch size", planned.batch_size, record.batch_size),
        ("streams", planned.streams, record.streams),
        ("threads", request.threads, record.threads),
    ):
        if asked != found:
            yield f"{what} {found}, not {asked}"
    if record.mode == Mode.PERFORMANCE.value:
        yield from _other_timing(request, planned, record)
    yield from _other_files(wanted, record)
    yield from _other_options(request, folder)


def _other_timing(request: RunRequest, planned: PlannedRun, record: RunRecord) -> Iterator[str]:
    used = record.settings
    shortest = -(-planned.duration_ns // _NS_PER_MS)
    if used.get("min_duration_ms") != shortest:
        yield f"duration {used.get('min_duration_ms')} ms, not {shortest} ms"
    if request.samples is not None and used.get("min_query_count") != request.samples:
        yield f"at least {used.get('min_query_count')} queries, not {request.samples}"
    for asked, names in (
        (request.target_qps, ("server_target_qps", "offline_expected_qps")),
        (
            request.target_latency_ns,
            ("server_target_latency_ns", "single_stream_expected_latency_ns", "multi_stream_expected_latency_ns"),
        ),
    ):
        found = next((used[name] for name in names if name in used), None)
        if asked is not None and found is not None and asked != found:
            yield f"target {found}, not {asked}"


def _other_files(wanted: Plan, record: RunRecord) -> Iterator[str]:
    subject = wanted.subject
    if subject.model_file is not None and content_hash(subject.model_file) != record.model.sha256:
        yield "the model's file has changed"
    path = subject.dataset_path
    data = str(path) if path is not None else subject.dataset.name if subject.dataset else "synthetic"
    if data != record.dataset.name:
        yield f"data {record.dataset.name}, not {data}"
    elif path is not None:
        identity = quick_identity(path) if path.is_dir() else content_hash(path)
        if identity != record.dataset.sha256:
            yield "the data have changed"


def _other_options(request: RunRequest, folder: Path) -> Iterator[str]:
    try:
        spec = RunSpec.read(folder)
    except AssayError as error:
        yield f"no specification: {error}"
        return
    if dict(spec.options.extra) != request.backend_options:
        yield "other options of the engine"
    if spec.batch_wait_us != (request.batch_wait_ns or 0) // 1000:
        yield "another --batch-wait"
    if spec.skip_bad != request.skip_bad:
        yield "another --skip-bad"
    if any(spec.recipe.get(key) != value for key, value in request.recipe.items()):
        yield "another recipe"


def read_plain_spec(folder: Path) -> RunSpec:
    """The specification of the run that a test repeats.

    Raises:
        InvalidInputError: for a run that assay did not make itself.
    """
    try:
        return RunSpec.read(folder)
    except AssayError as error:
        raise InvalidInputError(
            f"the run cannot be repeated as a compliance test: {error.what}",
            where=folder,
            hint="compliance tests need a run that assay run made",
        ) from error
