"""Why a run is valid or not, in words: every constraint with its limit, its source and what was measured.

Two questions are answered apart. *LoadGen's verdict*: did the run hold the settings it was given (``result_validity``)?
*The round's verdict*: would the round take it (no weaker settings, the round's seeds, no error in the log)? A run of ten
seconds can be VALID to LoadGen and never to the round.

Source: loadgen/results.cc (mlcommons/inference v3.1); submission_checker.py v3.1 for what the round reads from the log.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from assay.base.units import format_count, format_duration
from assay.loadgen.advice import Advice, advise
from assay.loadgen.audit import settings_left
from assay.loadgen.logs import DetailLog
from assay.loadgen.measured import Measured, Stopped, asked_of, duration_ns, measure
from assay.loadgen.settings import Deviation, weaker
from assay.loadgen.statistics import queries_needed
from assay.loadgen.tokens import weaker_tokens
from assay.rules.model import Benchmark, Mode, Round, Scenario

__all__ = ["Constraint", "Verdict", "duration_ns", "judge"]

_MODES = {
    Mode.PERFORMANCE: ("PerformanceOnly", "SubmissionRun"),
    Mode.ACCURACY: ("AccuracyOnly", "SubmissionRun"),
}
_MOST_ERRORS = 5
_STOPPING = "early stopping, inference_rules appendix"


@dataclass(frozen=True, slots=True)
class Constraint:
    """One thing a run has to hold.

    Attributes:
        name: such as ``minimum duration``.
        met: whether it holds.
        limit: what is asked, with its unit.
        measured: what was found, with its unit.
        source: where the limit comes from.
        fix: what to change, empty when met; constraints that fail from one cause share one fix.
        scope: ``loadgen`` (LoadGen's own verdict), ``round`` (what the round asks besides) or ``compliance`` (what a
            compliance test compares).
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
        reported: whether LoadGen printed VALID; None when it printed no verdict (accuracy mode, a killed run).
    """

    valid: bool
    accepted: bool
    constraints: tuple[Constraint, ...]
    reasons: tuple[str, ...]
    advice: tuple[str, ...]
    reported: bool | None = None

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
    *,
    test: str = "",
) -> Verdict:
    """Judge one run by its own log and the round.

    Settings weaker than the round's are found in the log; those given by the caller count where the log is silent.

    Args:
        detail: the run's detail log.
        round_: whose seeds have to be used.
        benchmark: whose limits hold.
        scenario: of the run.
        mode: of the run.
        deviations: settings known to be weaker than the round's.
        test: the compliance test that the run is, whose settings are its own; empty for a plain run.

    Raises:
        InvalidInputError: for a log whose values are none, or a scenario that the benchmark does not have.
    """
    parts = [*_whole(detail), *_what_ran(detail, scenario, mode), *_seeds(detail, round_)]
    advice = Advice()
    if mode is Mode.PERFORMANCE:
        parts += [] if test else list(_plain(detail))
        run = measure(detail, benchmark.limits[scenario], scenario)
        advice = advise(run)
        parts += _performance(run, benchmark, advice)
        asked = asked_of(detail, scenario)
        found = deviations if asked is None else weaker(asked, benchmark.limits[scenario])
        total = detail.integer("qsl_reported_total_count") or 0
        parts += [_deviation(item, round_, whole=total >= benchmark.dataset_size) for item in found]
        parts += _weaker_tokens(detail, benchmark, scenario, round_)
    else:
        parts += _whole_dataset(detail, benchmark, round_)
    parts += _errors(detail, advice)
    return _verdict(parts, detail, mode)


def _verdict(parts: list[Constraint], detail: DetailLog, mode: Mode) -> Verdict:
    printed = detail.text("result_validity")
    reported = None if printed is None else printed == "VALID"
    own = [item for item in parts if not item.met and item.scope == "loadgen"]
    if mode is Mode.PERFORMANCE and not reported and not own:
        reason = detail.text("result_invalid_reason") or "see LoadGen's summary"
        own = [Constraint("LoadGen's verdict", False, "VALID", str(printed), "result_validity", reason)]
        parts = parts + own
    failed = [item for item in parts if not item.met]
    valid = not own
    return Verdict(
        valid=valid,
        accepted=valid and not failed,
        constraints=tuple(parts),
        reasons=tuple(f"{item.name}: {item.measured}, {item.limit} asked ({item.source})" for item in failed),
        advice=_advice(own, failed),
        reported=reported,
    )


def _advice(own: list[Constraint], failed: list[Constraint]) -> tuple[str, ...]:
    """Steps to take: LoadGen's verdict first; while that fails, nothing that would take its options away again."""
    if any(item.name == _WHOLE for item in own):
        # Whatever else a log says that stops in the middle, it says of half a test.
        return tuple(item.fix for item in own if item.name == _WHOLE)
    steps = [item.fix for item in own if item.fix]
    rest = [item.fix for item in failed if item.fix and not (steps and "leave out" in item.fix)]
    return tuple(dict.fromkeys(steps + rest))


_WHOLE = "complete log"


def _whole(detail: DetailLog) -> Iterator[Constraint]:
    # Every test ends with power_end; a log without it was cut off.
    if not detail.complete or "power_end" not in detail.values:
        yield Constraint(
            _WHOLE,
            False,
            "the test's end",
            "the log stops before it",
            detail.path.name,
            "run it again: LoadGen was stopped before its end",
        )


def _what_ran(detail: DetailLog, scenario: Scenario, mode: Mode) -> Iterator[Constraint]:
    """A log of another scenario or mode proves nothing about this one."""
    name = detail.path.name
    ran = detail.text("effective_scenario")
    if ran is not None and ran.replace(" ", "") != scenario.value:
        yield Constraint("scenario", False, scenario.value, ran, name, f"run the {scenario.value} scenario", "round")
    how = detail.text("effective_test_mode")
    if how is not None and how not in _MODES[mode]:
        yield Constraint("mode", False, _MODES[mode][0], how, name, f"run it with --mode {mode.value}", "round")


PLAIN_SETTINGS = "plain settings"


def _plain(detail: DetailLog) -> Iterator[Constraint]:
    """A run whose samples are repeated, or whose answers are kept, is a compliance test and no result."""
    for name, value in settings_left(detail.values.get):
        yield Constraint(
            PLAIN_SETTINGS,
            False,
            f"{name} off",
            f"{name} {value}",
            detail.path.name,
            "take the audit.config away from the folder that the program was started in, and run again",
            "round",
        )


def audited(verdict: Verdict | None) -> bool:
    """Whether a plain run was made under settings of a compliance test."""
    return verdict is not None and any(item.name == PLAIN_SETTINGS and not item.met for item in verdict.constraints)


def _errors(detail: DetailLog, advice: Advice) -> Iterator[Constraint]:
    """One constraint for each error; a round rejects a run with any."""
    texts = dict.fromkeys(error.text for error in detail.errors)
    for number, text in enumerate(texts):
        if number == _MOST_ERRORS:
            more = f"{len(texts) - number} more"
            yield Constraint("no LoadGen errors", False, "0 errors", more, detail.path.name, "", "round")
            return
        line = next(error.line for error in detail.errors if error.text == text)
        where = f"{detail.path.name}:{line}"
        yield Constraint("no LoadGen errors", False, "0 errors", text, where, _error_fix(text, advice), "round")


_ERROR_FIXES = (
    (Stopped.MAX_QUERIES.value, "take the upper bound of the query count away: it ended the test"),
    (Stopped.MAX_DURATION.value, "take the upper bound of the duration away: it ended the test"),
    (Stopped.TOO_MANY_OUTSTANDING.value, "lower --target-qps: queries came faster than they were answered"),
    (Stopped.RAN_OUT.value, "set --target-latency to what a query takes, so that LoadGen makes enough of them"),
    ("as number of tokens", "count the tokens of every answer, and let it have some: LoadGen takes no answer without"),
    ("tokens need to be greater than 1", "let every answer have two tokens at least: LoadGen takes none of one"),
    ("first token latency", "tell LoadGen the first token of every answer before the answer"),
    ("PerfClock", "measure on a machine with a steady clock: LoadGen's two clocks disagree"),
)


def _error_fix(text: str, advice: Advice) -> str:
    for part, fix in _ERROR_FIXES:
        if part in text:
            # What the failed check says has a number in it.
            return advice.duration or advice.latency or advice.stopping or fix
    return "remove the setting or the fault that the message names"


def _seeds(detail: DetailLog, round_: Round) -> Iterator[Constraint]:
    seeds = round_.seeds
    for name, seed in (("qsl", seeds.qsl), ("sample_index", seeds.sample_index), ("schedule", seeds.schedule)):
        used = detail.integer(f"effective_{name}_rng_seed")
        if used is not None and used != seed:
            fix = f"use the seeds of round {round_.name}"
            yield Constraint(f"{name} seed", False, str(seed), str(used), f"round {round_.name}", fix, "round")


def _whole_dataset(detail: DetailLog, benchmark: Benchmark, round_: Round) -> Iterator[Constraint]:
    """An accuracy counts over the whole dataset only (inference_rules.adoc, accuracy mode)."""
    counts = [detail.integer(key) for key in ("qsl_reported_total_count", "effective_accuracy_sample_count")]
    known = [count for count in counts if count is not None]
    if known and min(known) < benchmark.dataset_size:
        yield Constraint(
            "samples of the round",
            False,
            format_count(benchmark.dataset_size),
            format_count(min(known)),
            f"round {round_.name}, {benchmark.dataset}",
            "take the whole dataset of the benchmark for a result that counts",
            "round",
        )


def _performance(run: Measured, benchmark: Benchmark, advice: Advice) -> Iterator[Constraint]:
    lasted = format_duration(run.lasted_ns) if run.lasted_ns is not None else "not known"
    yield Constraint(
        "minimum duration",
        run.duration_met,
        format_duration(run.asked_ns),
        lasted,
        "min_duration of the run",
        advice.duration,
    )
    noun = "samples" if run.scenario is Scenario.OFFLINE else "queries"
    yield Constraint(
        f"minimum {noun}",
        run.queries_met,
        format_count(run.asked),
        format_count(run.done),
        "min_query_count of the run",
        advice.queries,
    )
    if run.tokens:
        yield from _token_times(run, benchmark, advice)
    elif run.scenario is Scenario.SERVER:
        at = "not known" if run.at_percentile_ns is None else format_duration(run.at_percentile_ns)
        yield Constraint(
            f"p{run.percentile * 100:g} latency",
            run.latency_met,
            f"at most {format_duration(run.bound_ns)}",
            at,
            f"{benchmark.conf_model}.Server.target_latency",
            advice.latency,
        )
    if run.scenario is not Scenario.OFFLINE:
        yield _early_stopping(run, advice)


def _token_times(run: Measured, benchmark: Benchmark, advice: Advice) -> Iterator[Constraint]:
    """LoadGen says of both bounds together whether they were held."""
    for bound in run.tokens:
        yield Constraint(
            f"p{run.percentile * 100:g} {bound.name}",
            bound.met or run.latency_met,
            f"at most {format_duration(bound.bound_ns)}",
            "not known" if bound.at_percentile_ns is None else format_duration(bound.at_percentile_ns),
            f"{benchmark.conf_model}.Server.{'ttft' if 'first' in bound.name else 'tpot'}_latency",
            "" if bound.met or run.latency_met else advice.latency,
        )


def _weaker_tokens(detail: DetailLog, benchmark: Benchmark, scenario: Scenario, round_: Round) -> Iterator[Constraint]:
    source = f"round {round_.name}, {round_.conf_source.rsplit(',', 1)[-1].strip()}"
    for name, most, used in weaker_tokens(detail, benchmark.token_latency, scenario):
        rule = "on" if most is None else format_duration(most)
        found = "off" if most is None else format_duration(used)
        fix = "let LoadGen time tokens (use_token_latencies), and tell it each first one and their number"
        fix = fix if most is None else f"keep the round's {rule} for a result that counts"
        yield Constraint(f"{name} of the round", False, rule, found, source, fix, "round")


def _early_stopping(run: Measured, advice: Advice) -> Constraint:
    if run.tokens:
        # How many answers were late by either bound is not in the log.
        fewest = f"at least {format_count(queries_needed(0, run.percentile))} queries, more for each one that is late"
        done = format_count(run.done)
        return Constraint("early stopping", run.stopping_met, fewest, done, _STOPPING, advice.stopping)
    server = run.scenario is Scenario.SERVER
    needed = queries_needed(run.late if server else 1, run.percentile)
    late = f" with {format_count(run.late)} late" if server else ""
    return Constraint(
        "early stopping",
        run.stopping_met,
        f"at least {format_count(needed)} queries{late}",
        format_count(run.done),
        _STOPPING,
        advice.stopping,
    )


_FULL_SCALE = {
    "min_duration": "run for {rule} for a result that counts: leave out --duration and --quick",
    "min_query_count": "run {rule} queries for a result that counts: leave out --samples, --duration and --quick",
    "max_query_count": "run without an upper bound of queries for a result that counts",
    "max_duration": "run without an upper bound of the duration for a result that counts",
    "target_latency": "hold the round's latency bound of {rule} for a result that counts: leave out --target-latency",
    "performance_sample_count": "take a dataset of at least {rule} samples for a result that counts",
}


_LOADED_FEW = "load {rule} samples for a result that counts: leave out --samples, --duration and --quick"


def _deviation(item: Deviation, round_: Round, *, whole: bool) -> Constraint:
    """A setting weaker than the round's, as a constraint that is not met.

    Args:
        whole: whether the dataset has as many samples as the round's.
    """
    source = round_.conf_source.rsplit(",", 1)[-1].strip()
    advice = _FULL_SCALE.get(item.name, "keep the round's {rule} for a result that counts")
    if item.name == "performance_sample_count" and whole:
        advice = _LOADED_FEW
    fix = advice.format(rule=item.rule)
    name = f"{item.name} of the round"
    return Constraint(name, False, item.rule, item.used, f"round {round_.name}, {source}", fix, "round")
