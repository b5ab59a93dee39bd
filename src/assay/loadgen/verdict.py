"""Why a performance run is valid or not, in words: every constraint with its limit, its source and what was measured.

Two questions are answered apart. *LoadGen's verdict*: did the run hold the settings it was given (``result_validity``)?
*The round's verdict*: would the round take it (no weaker settings, the round's seeds, no error in the log)? A run of ten
seconds can be VALID to LoadGen and never to the round.

Source: loadgen/results.cc (mlcommons/inference v3.1); submission_checker.py v3.1 for what the round reads from the log.
"""

from __future__ import annotations

from dataclasses import dataclass

from assay.base.units import format_count, format_duration
from assay.loadgen.logs import DetailLog
from assay.loadgen.settings import Deviation
from assay.loadgen.statistics import queries_needed, within_needed
from assay.rules.model import Benchmark, Mode, Round, Scenario

_RAN_OUT = "Ran out of generated queries"


@dataclass(frozen=True, slots=True)
class Constraint:
    """One thing a run has to hold.

    Attributes:
        name: such as ``minimum duration``.
        met: whether it holds.
        limit: what is asked, with its unit.
        measured: what was found, with its unit.
        source: where the limit comes from.
        fix: what to change, empty when met.
        scope: ``loadgen`` (LoadGen's own verdict) or ``round`` (what the round asks besides).
    """

    name: str
    met: bool
    limit: str
    measured: str
    source: str
    fix: str = ""
    scope: str = "loadgen"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of a run.

    Attributes:
        valid: LoadGen's verdict on the settings the run was given; in accuracy mode, that the log is whole.
        accepted: whether the round would take it: valid, and nothing weaker than the round asks.
        constraints: every constraint, met or not.
        reasons: one sentence for each that is not met.
        advice: what to change, one step each, most effective first; never two that contradict each other.
    """

    valid: bool
    accepted: bool
    constraints: tuple[Constraint, ...]
    reasons: tuple[str, ...]
    advice: tuple[str, ...]

    @property
    def word(self) -> str:
        """LoadGen's word for it."""
        return "VALID" if self.valid else "INVALID"


def judge(
    detail: DetailLog,
    round_: Round,
    benchmark: Benchmark,
    scenario: Scenario,
    mode: Mode,
    deviations: tuple[Deviation, ...] = (),
) -> Verdict:
    """Judge one run by its own log and the round.

    Args:
        detail: the run's detail log.
        round_: whose seeds have to be used.
        benchmark: whose limits hold.
        scenario: of the run.
        mode: of the run.
        deviations: settings weaker than the round's.
    """
    parts = [_whole(detail), _errors(detail), *_seeds(detail, round_)]
    if mode is Mode.PERFORMANCE:
        parts += _performance(detail, benchmark, scenario)
        parts += [_deviation(item, round_) for item in deviations]
    constraints = tuple(part for part in parts if part is not None)
    failed = [item for item in constraints if not item.met]
    own = [item for item in failed if item.scope == "loadgen"]
    reported = detail.values.get("result_validity")
    valid = not own and (mode is Mode.ACCURACY or reported == "VALID")
    if not valid and not own:
        own.append(
            Constraint(
                "LoadGen's verdict",
                False,
                "VALID",
                str(reported),
                "result_validity",
                str(detail.values.get("result_invalid_reason", "")),
            )
        )
        constraints += (own[0],)
        failed.append(own[0])
    return Verdict(
        valid=valid,
        accepted=valid and not failed,
        constraints=constraints,
        reasons=tuple(f"{item.name}: {item.measured}, {item.limit} asked ({item.source})" for item in failed),
        advice=tuple(dict.fromkeys(item.fix for item in own + failed if item.fix)),
    )


def _performance(detail: DetailLog, benchmark: Benchmark, scenario: Scenario) -> list[Constraint | None]:
    return [
        _duration(detail, scenario),
        _queries(detail, scenario),
        _latency(detail, benchmark, scenario),
        _early_stopping(detail, scenario),
    ]


def _whole(detail: DetailLog) -> Constraint | None:
    # Every test ends with power_end; a log without it was cut off.
    if detail.complete and "power_end" in detail.values:
        return None
    return Constraint(
        "complete log",
        False,
        "the test's end",
        "the log stops before it",
        detail.path.name,
        "run it again: LoadGen was stopped before its end",
    )


def _errors(detail: DetailLog) -> Constraint | None:
    shown = [error for error in detail.errors if _RAN_OUT not in error.text]
    if not shown:
        return None
    first = shown[0]
    return Constraint(
        "no LoadGen errors",
        False,
        "0 errors",
        f"{len(shown)}, first: {first.text}",
        f"{detail.path.name}:{first.line}",
        "remove the setting or the fault that the message names",
        scope="round",
    )


def _seeds(detail: DetailLog, round_: Round) -> list[Constraint | None]:
    found: list[Constraint | None] = []
    wanted = {
        "qsl": round_.seeds.qsl,
        "sample_index": round_.seeds.sample_index,
        "schedule": round_.seeds.schedule,
    }
    for name, seed in wanted.items():
        used = detail.integer(f"effective_{name}_rng_seed")
        if used is not None and used != seed:
            found.append(
                Constraint(
                    f"{name} seed",
                    False,
                    str(seed),
                    str(used),
                    f"round {round_.name}",
                    f"use the seeds of round {round_.name}",
                    scope="round",
                )
            )
    return found


def _duration(detail: DetailLog, scenario: Scenario) -> Constraint:
    wanted = (detail.number("effective_min_duration_ms") or 0) * 1e6
    lasted = duration_ns(detail, scenario)
    met = detail.values.get("result_min_duration_met") is not False
    return Constraint(
        "minimum duration",
        met,
        format_duration(wanted),
        format_duration(lasted) if lasted is not None else "not known",
        "min_duration of the run",
        "" if met else _longer(detail, scenario, wanted, lasted),
    )


def _longer(detail: DetailLog, scenario: Scenario, wanted_ns: float, lasted_ns: float | None) -> str:
    """How to make a run last: one target, with a number."""
    if scenario is Scenario.OFFLINE:
        rate = detail.number("result_samples_per_second") or 0.0
        return f"raise the planned rate to what the system reaches: --target-qps {_nice(rate * 1.05)}"
    if scenario is Scenario.SERVER:
        return "run it again with a longer --duration: the schedule ended too early"
    mean = detail.number("result_mean_query_latency_ns") or detail.number("result_mean_latency_ns") or lasted_ns or 1.0
    return f"lower the expected latency, so that LoadGen makes enough queries: --target-latency {_duration_option(mean * 0.5)}"


def _queries(detail: DetailLog, scenario: Scenario) -> Constraint:
    noun = "samples" if scenario is Scenario.OFFLINE else "queries"
    key = "effective_min_sample_count" if scenario is Scenario.OFFLINE else "effective_min_query_count"
    wanted = detail.integer(key) or 0
    done = (
        detail.integer("effective_samples_per_query")
        if scenario is Scenario.OFFLINE
        else detail.integer("result_query_count")
    )
    met = detail.values.get("result_min_queries_met") is not False
    fix = (
        ""
        if met
        else f"let it run until {format_count(wanted)} {noun} are done: a longer --duration, or a lower --target-latency"
    )
    return Constraint(
        f"minimum {noun}",
        met,
        format_count(wanted),
        format_count(done or 0),
        "min_query_count of the run",
        fix,
    )


def _latency(detail: DetailLog, benchmark: Benchmark, scenario: Scenario) -> Constraint | None:
    if scenario is not Scenario.SERVER:
        return None
    bound = detail.number("effective_target_latency_ns") or 0.0
    percentile = detail.number("effective_target_latency_percentile") or benchmark.limits[scenario].percentile or 0.99
    measured = detail.number(f"result_{percentile * 100:.2f}_percentile_latency_ns") or 0.0
    met = detail.values.get("result_perf_constraints_met") is not False
    return Constraint(
        f"p{percentile * 100:g} latency",
        met,
        f"at most {format_duration(bound)}",
        format_duration(measured),
        f"{benchmark.conf_model}.Server.target_latency",
        "" if met else _slower(detail, bound),
    )


def _slower(detail: DetailLog, bound_ns: float) -> str:
    """A lower rate that is worth a try; or that no rate will do."""
    target = detail.number("effective_target_qps") or 1.0
    fastest = detail.number("result_min_latency_ns") or 0.0
    if fastest > bound_ns:
        return (
            f"no rate will do: even the fastest query took {format_duration(fastest)}; take a faster --backend or "
            "--precision, more --threads, or a smaller --batch-size"
        )
    completed = detail.number("result_completed_samples_per_sec") or target
    return f"lower the rate: --target-qps {_nice(min(target, completed) * 0.8)}"


def _early_stopping(detail: DetailLog, scenario: Scenario) -> Constraint | None:
    if scenario is Scenario.OFFLINE:
        return None
    percentile = detail.number("effective_target_latency_percentile") or 0.99
    done = detail.integer("result_query_count") or 0
    met = detail.values.get("early_stopping_met") is not False
    source = "early stopping, inference_rules appendix"
    if scenario is not Scenario.SERVER:
        needed = queries_needed(1, percentile)
        fix = (
            "" if met else f"let at least {format_count(needed)} queries finish: {_time_for(detail, scenario, needed)}"
        )
        return Constraint(
            "early stopping", met, f"at least {format_count(needed)} queries", format_count(done), source, fix
        )
    late = detail.integer("result_overlatency_query_count") or 0
    needed = queries_needed(late, percentile)
    fix = "" if met else _server_early_stopping(detail, late, done, percentile)
    return Constraint(
        "early stopping",
        met,
        f"at least {format_count(needed)} queries with {format_count(late)} late",
        format_count(done),
        source,
        fix,
    )


def _server_early_stopping(detail: DetailLog, late: int, done: int, percentile: float) -> str:
    if done and late / done > 1 - percentile:
        # More queries would bring more late ones: only a lower rate helps, and the latency constraint says so.
        return _slower(detail, detail.number("effective_target_latency_ns") or 0.0)
    needed = within_needed(late, percentile) + late
    return f"let at least {format_count(needed)} queries finish: {_time_for(detail, Scenario.SERVER, needed)}"


def _time_for(detail: DetailLog, scenario: Scenario, queries: int) -> str:
    done, lasted = detail.integer("result_query_count") or 0, duration_ns(detail, scenario)
    if not done or not lasted:
        return "a longer --duration"
    return f"--duration {_duration_option(lasted * queries / done * 1.1)} at this rate, or --samples {queries}"


_FULL_SCALE = {
    "min_duration": "run for {rule} for a result that counts: leave out --duration and --quick",
    "min_query_count": "run {rule} queries for a result that counts: leave out --samples, --duration and --quick",
    "max_query_count": "run without an upper bound of queries for a result that counts",
    "target_latency": "hold the round's latency bound of {rule} for a result that counts: leave out --target-latency",
    "performance_sample_count": "take a dataset of at least {rule} samples for a result that counts",
}


def _deviation(item: Deviation, round_: Round) -> Constraint:
    return Constraint(
        f"{item.name} of the round",
        False,
        item.rule,
        item.used,
        f"round {round_.name}, {round_.conf_source.rsplit(',', 1)[-1].strip()}",
        _FULL_SCALE[item.name].format(rule=item.rule),
        scope="round",
    )


def duration_ns(detail: DetailLog, scenario: Scenario) -> float | None:
    """How long the test lasted; None when the log does not say."""
    count = detail.number("result_query_count")
    if scenario is Scenario.OFFLINE:
        return detail.number("result_max_latency_ns")
    if scenario is Scenario.SERVER:
        rate = detail.number("result_completed_samples_per_sec")
        return None if not rate or not count else (count - 1) / rate * 1e9
    with_overhead = detail.number("result_qps_with_loadgen_overhead")
    if with_overhead and count:
        return count / with_overhead * 1e9
    mean = detail.number("result_mean_query_latency_ns") or detail.number("result_mean_latency_ns")
    return None if not mean or not count else count * mean


def _nice(value: float) -> str:
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"


def _duration_option(nanoseconds: float) -> str:
    """A duration as an option wants it."""
    for unit, size in (("s", 1e9), ("ms", 1e6), ("us", 1e3)):
        if nanoseconds >= size:
            return f"{nanoseconds / size:.3g}{unit}" if nanoseconds < 1000 * size else f"{nanoseconds / size:.0f}{unit}"
    return f"{max(nanoseconds, 1):.0f}ns"
