"""One performance run, judged from its detail log: that of a result, or that of a compliance test.

Source: ``check_performance_dir`` and ``get_inferred_result`` of submission_checker.py, ``inference_rules.adoc``
for what only the written rules ask.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from assay.loadgen.audit import settings_left
from assay.loadgen.names import DETAIL
from assay.loadgen.scan import DetailScan
from assay.rules.model import Scenario, TokenLatency
from assay.submission.checks.context import EntryContext, shown
from assay.submission.issue import Issue
from assay.submission.tree import Folder

_NS_PER_MS = 1_000_000
_MULTISTREAM_SAMPLES = 8
_STREAMS = (Scenario.SINGLE_STREAM, Scenario.MULTI_STREAM)
_TTFT = "result_first_token_99.00_percentile_latency_ns"
_TPOT = "result_time_per_output_token_99.00_percentile_ns"
_PERFORMANCE_MODES = ("PerformanceOnly", "SubmissionRun")


@dataclass(slots=True)
class JudgedRun:
    """What a run gave.

    Attributes:
        issues: what was seen, in the order of the official tool.
        judged: the official tool could judge it; False where it would have raised.
        value: the figure in the official unit, None when there is none.
        measured: the scenario that was run.
        inferred: the figure is computed for another scenario.
        log: the detail log, None when there is none.
    """

    issues: list[Issue] = field(default_factory=list)
    judged: bool = False
    value: Any = None
    measured: Scenario | None = None
    inferred: bool = False
    log: DetailScan | None = None


class _CannotJudgeError(Exception):
    """The official tool would raise here; the issue says why."""

    def __init__(self, issue: Issue) -> None:
        super().__init__(issue.code)
        self.issue = issue


def judge_run(context: EntryContext, folder: Folder, path: str) -> JudgedRun:
    """Judge the run in a folder against the entry's benchmark and scenario."""
    run = JudgedRun()
    try:
        _judge(context, folder, path, run)
        run.judged = True
    except _CannotJudgeError as stop:
        run.issues.append(stop.issue)
        run.value = None
    return run


def _judge(context: EntryContext, folder: Folder, path: str, run: JudgedRun) -> None:
    place = f"{path}/{DETAIL}"
    log = run.log = _read(context, folder, place)
    look = _Log(log, place)
    bounds = context.benchmark.token_latency
    if log.get("result_validity") != "VALID":
        # Where tokens have bounds, the outcome of these takes the place of LoadGen's.
        code = "result-invalid" if bounds is None else "result-invalid-unheeded"
        run.issues.append(look.issue(code, "result_validity", expected="VALID"))
    measured = context.scenario_of(log.get("effective_scenario"))
    if measured is None:
        raise _CannotJudgeError(look.issue("detail-value", "effective_scenario", expected="a scenario"))
    run.measured = measured
    facts = context.round.scenarios[measured]
    value = look.as_float(facts.result_field)
    if own := context.benchmark.figures.get(measured):
        value = look.as_float(own.result_field)
    if bounds is not None:
        run.issues.extend(_token_latency(context, look, bounds))
    run.issues.extend(_errors(log, place))
    run.issues.extend(_sample_count(context, look))
    run.issues.extend(_seeds(context, look))
    if measured in _STREAMS:
        value /= facts.divide_by
    run.issues.extend(_limits(context, look, measured))
    run.value, run.inferred = value, False
    if context.scenario != measured.value:
        run.issues.extend(_infer(context, look, run, measured))
    if context.network:
        run.issues.extend(_network_name(context, look))
    run.issues.extend(_written_rules(context, look, measured, run.inferred))
    if path.startswith(f"{context.result_path}/"):
        run.issues.extend(_plain_settings(look))


class _Log:
    """A detail log and its place, for issues."""

    def __init__(self, log: DetailScan, place: str) -> None:
        self.log = log
        self.place = place

    def issue(self, code: str, key: str, expected: object = "", detail: str = "") -> Issue:
        found = shown(self.log.get(key)) if key in self.log else "nothing"
        return Issue(code, self.place, detail, key, found, str(expected), self.log.line_of(key))

    def as_float(self, key: str) -> float:
        """A value that Python's ``float`` takes."""
        try:
            return float(self.log.get(key))
        except (TypeError, ValueError, OverflowError):
            raise _CannotJudgeError(self.issue("detail-value", key, expected="a number")) from None

    def number(self, key: str) -> int | float:
        """A value that can be compared with a number."""
        value = self.log.get(key)
        if isinstance(value, int | float):
            return value
        raise _CannotJudgeError(self.issue("detail-value", key, expected="a number"))


def _read(context: EntryContext, folder: Folder, place: str) -> DetailScan:
    if DETAIL not in folder.files:
        raise _CannotJudgeError(Issue("detail-missing", place))
    try:
        log = context.logs.read(context.full(place))
    except (OSError, ValueError) as error:
        raise _CannotJudgeError(Issue("detail-missing", place, detail=str(error))) from None
    if log.broken is not None:
        broken = log.broken
        raise _CannotJudgeError(
            Issue("detail-malformed", place, broken.problem, found=shown(broken.shown), line=broken.line)
        )
    return log


def _token_latency(context: EntryContext, look: _Log, bounds: TokenLatency) -> Iterator[Issue]:
    """Tokens were timed, and all but one in a hundred were fast enough."""
    if not look.log.get("requested_use_token_latencies"):
        yield look.issue("token-latency-off", "requested_use_token_latencies", expected=True)
        return
    if context.scenario == Scenario.OFFLINE:
        return
    for key, asked, bound in (
        (_TTFT, "requested_server_ttft_latency", bounds.first_token_ns),
        (_TPOT, "requested_server_tpot_latency", bounds.per_token_ns),
    ):
        if not look.number(key) < bound:
            yield look.issue("token-latency", key, expected=f"less than {bound}")
            return
        used = look.log.get(asked)
        if not isinstance(used, int | float) or used > bound:
            yield look.issue("token-latency-weak", asked, expected=f"at most {bound}")


def _errors(log: DetailScan, place: str) -> Iterator[Issue]:
    for error in log.errors[:5]:
        yield Issue("run-error", place, found=shown(error.text), line=error.line)
    if log.error_count > 5:
        yield Issue("run-error", place, detail=f"{log.error_count} messages marked as errors in all")


def _sample_count(context: EntryContext, look: _Log) -> Iterator[Issue]:
    required = context.benchmark.limits[Scenario.OFFLINE].performance_sample_count
    if look.number("effective_performance_sample_count") < required:
        yield look.issue("sample-count-low", "effective_performance_sample_count", expected=f"at least {required}")


def _seeds(context: EntryContext, look: _Log) -> Iterator[Issue]:
    # The official tools tell TEST05 by the text in the path, wherever in it.
    seeds = context.round.test05_seeds if "TEST05" in look.place else context.round.seeds
    for key, wanted in (
        ("effective_qsl_rng_seed", seeds.qsl),
        ("effective_sample_index_rng_seed", seeds.sample_index),
        ("effective_schedule_rng_seed", seeds.schedule),
    ):
        if look.log.get(key) != wanted:
            yield look.issue("seed-wrong", key, expected=wanted)


def _limits(context: EntryContext, look: _Log, measured: Scenario) -> Iterator[Issue]:
    rules = context.rules
    if context.round.scenarios[measured].uses_early_stopping:
        if not look.log.get("early_stopping_met"):
            detail = shown(look.log.get("early_stopping_result") or "")
            yield look.issue("early-stopping-unmet", "early_stopping_met", expected=True, detail=detail)
        bound = _latency_bound(context, measured)
        if bound and look.number("effective_target_latency_ns") > bound:
            yield look.issue("latency-bound", "effective_target_latency_ns", expected=f"at most {bound}")
    if measured is Scenario.OFFLINE:
        if look.number("effective_min_query_count") < rules.offline_min_queries:
            expected = f"at least {rules.offline_min_queries}"
            yield look.issue("offline-queries", "effective_min_query_count", expected=expected)
        fewest = min(rules.offline_min_samples, context.benchmark.limits[Scenario.OFFLINE].min_query_count)
        if look.number("effective_samples_per_query") < fewest:
            expected = f"at least {fewest}"
            yield look.issue("offline-samples", "effective_samples_per_query", expected=expected)
    if look.number("effective_min_duration_ms") < rules.min_duration_ms:
        yield look.issue("duration-short", "effective_min_duration_ms", expected=f"at least {rules.min_duration_ms}")


def _latency_bound(context: EntryContext, measured: Scenario) -> int | None:
    """Only Server has one, and only for benchmarks that have Server."""
    if measured is not Scenario.SERVER:
        return None
    benchmark = context.benchmark
    has_server = any(Scenario.SERVER in benchmark.scenarios(category) for category in benchmark.categories())
    return benchmark.limits[Scenario.SERVER].target_latency_ns if has_server else None


def _infer(context: EntryContext, look: _Log, run: JudgedRun, measured: Scenario) -> Iterator[Issue]:
    """Compute the figure of the directory's scenario, where one follows from the measured one."""
    log, pair = look.log, (context.scenario, measured)
    if pair == (Scenario.OFFLINE, Scenario.SINGLE_STREAM):
        rate = log.get("result_qps_without_loadgen_overhead")
        run.value, run.inferred = rate, True
        if isinstance(rate, bool) or not isinstance(rate, int | float):
            # The tools write whatever stands there into the row; without a number there is no result here.
            run.value = None
            yield look.issue("result-absent", "result_qps_without_loadgen_overhead", expected="a rate")
    elif pair == (Scenario.OFFLINE, Scenario.MULTI_STREAM):
        mean = look.number("result_mean_query_latency_ns")
        if mean == 0:
            raise _CannotJudgeError(
                look.issue("detail-value", "result_mean_query_latency_ns", expected="a latency above 0")
            )
        run.value = look.number("effective_samples_per_query") * 1000 / (mean / _NS_PER_MS)
        run.inferred = True
    elif pair == (Scenario.MULTI_STREAM, Scenario.SINGLE_STREAM):
        estimate = look.number("early_stopping_latency_ms")
        if estimate == 0:
            yield look.issue("inferred-no-estimate", "early_stopping_latency_ms", expected="an estimate above 0")
        run.value, run.inferred = (estimate * _MULTISTREAM_SAMPLES) / _NS_PER_MS, True
    else:
        yield look.issue("scenario-mismatch", "effective_scenario", expected=context.scenario)


def _network_name(context: EntryContext, look: _Log) -> Iterator[Issue]:
    name = look.log.get("sut_name")
    if not isinstance(name, str):
        raise _CannotJudgeError(look.issue("detail-value", "sut_name", expected="text"))
    if context.rules.system.network_sut_name not in name:
        yield look.issue("sut-name", "sut_name", expected=f"a name with {context.rules.system.network_sut_name!r}")


def _plain_settings(look: _Log) -> Iterator[Issue]:
    """The run of a result was made without the settings of a compliance test."""
    for name, _ in settings_left(look.log.get):
        yield look.issue("audit-settings", f"effective_{name}", expected="off")


def _written_rules(context: EntryContext, look: _Log, measured: Scenario, inferred: bool) -> Iterator[Issue]:
    """What the rules ask and no official tool looks at."""
    log, facts = look.log, context.round.scenarios[measured]
    if log.get("result_min_duration_met") is False:
        yield look.issue("duration-unmet", "result_min_duration_met", expected=True)
    if log.get("effective_test_mode") not in _PERFORMANCE_MODES:
        yield look.issue("test-mode", "effective_test_mode", expected="PerformanceOnly")
    if facts.percentile is not None and log.get("effective_target_latency_percentile") != facts.percentile:
        yield look.issue("percentile-wrong", "effective_target_latency_percentile", expected=facts.percentile)
    if facts.samples_per_query is not None and log.get("effective_samples_per_query") != facts.samples_per_query:
        yield look.issue("query-size-wrong", "effective_samples_per_query", expected=facts.samples_per_query)
    if inferred and not context.edge:
        yield look.issue("inferred-category", "effective_scenario", expected=f"a {context.scenario} run")
    for key, line in log.repeated.items():
        yield Issue("duplicate-run", look.place, field=key, found="another value", line=line)
