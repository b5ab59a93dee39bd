"""Verifies a compliance test from LoadGen's logs: was it made as asked, and how fast was it beside the plain run.

A test is a performance run under other settings (:mod:`assay.loadgen.audit`). TEST01 keeps answers, which costs little;
TEST04 repeats one sample, which may not be faster; TEST05 takes other seeds, which may not matter. The answers of TEST01
are the matter of :mod:`assay.loadgen.compliance_answers`.

Source: verify_performance.py in compliance/nvidia/<test> of mlcommons/inference, v2.0 to v3.1. They read LoadGen's
summary, whose words change with its version; here the same figures are read from the detail log.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from assay.base.units import format_duration, format_rate
from assay.errors import InvalidInputError
from assay.loadgen.audit import Audit, family
from assay.loadgen.logs import DetailLog
from assay.loadgen.verdict import Constraint, Verdict
from assay.rules.model import Round, Scenario
from assay.rules.submission import ComplianceRules, Tolerance

SCOPE = "compliance"
_STREAMS = (Scenario.SINGLE_STREAM, Scenario.MULTI_STREAM)
_PLAIN_FIGURES = {
    Scenario.SINGLE_STREAM: ("result_90.00_percentile_latency_ns",),
    Scenario.MULTI_STREAM: ("result_99.00_percentile_per_query_latency_ns", "result_99.00_percentile_latency_ns"),
    Scenario.SERVER: ("result_scheduled_samples_per_sec",),
    Scenario.OFFLINE: ("result_samples_per_second",),
}
_FIGURES = {
    **_PLAIN_FIGURES,
    Scenario.SINGLE_STREAM: ("early_stopping_latency_ss",),
    Scenario.MULTI_STREAM: ("early_stopping_latency_ms",),
    Scenario.SERVER: ("result_completed_samples_per_sec",),
}
_SETTING = (
    "effective_scenario",
    "effective_target_latency_ns",
    "effective_target_latency_percentile",
    "effective_min_duration_ms",
    "effective_target_qps",
    "effective_performance_sample_count",
    "effective_sample_concatenate_permutation",
)
_UNHEEDED = "hand LoadGen the audit.config of the test: it looks for it in the folder that the program is started in"
_SEEDS = (
    "build the program with the round's LoadGen, or pass the seeds on in its manifest: LoadGen from v5.0 on reads none from "
    "audit.config"
)
_SLOW_BEFORE = (
    "make the plain run again: it is the slower one, though it does less, so that something held it up; in a campaign: "
    "--again SCENARIO/performance"
)
FIXES = {
    "TEST01": "answer in performance mode as in accuracy mode, and as fast when answers are kept",
    "TEST04": "compute every sample, also one that was seen before",
    "TEST05": "let nothing depend on the order of the samples; on a busy machine, run the plain run and the test again",
    "TEST06": "report every token, the first one as it comes, with use_token_latencies, and nothing after the end of a text",
}


@dataclass(frozen=True, slots=True)
class Verified:
    """What was found about one side of a test, its speed or its answers.

    Attributes:
        constraints: what was asked and found, each of scope ``compliance``.
        text: of ``verify_performance.txt`` or ``verify_accuracy.txt``.
    """

    constraints: tuple[Constraint, ...]
    text: str

    @property
    def passed(self) -> bool:
        """Whether everything asked was found."""
        return all(item.met for item in self.constraints)


def passed(verdict: Verdict | None) -> bool | None:
    """Whether a run passed its compliance test; None for one that is none, or was not judged."""
    own = [item for item in verdict.constraints if item.scope == SCOPE] if verdict is not None else []
    return all(item.met for item in own) if own else None


def with_test(verdict: Verdict, constraints: Iterable[Constraint]) -> Verdict:
    """The verdict of a run with that of its compliance test; LoadGen's own word stays."""
    found = tuple(constraints)
    failed = [item for item in found if not item.met]
    reasons = tuple(f"{item.name}: {item.measured}, {item.limit} asked ({item.source})" for item in failed)
    return replace(
        verdict,
        accepted=verdict.accepted and not failed,
        constraints=verdict.constraints + found,
        reasons=reasons + verdict.reasons,
        advice=tuple(dict.fromkeys([item.fix for item in failed if item.fix] + list(verdict.advice))),
    )


def verify_speed(
    audit: Audit, compared: DetailLog, tested: DetailLog, scenario: Scenario, round_: Round, *, with_: str = "plain run"
) -> Verified:
    """Verify that the test was made as asked, and its speed against another run.

    Args:
        audit: settings of the test.
        compared: log of the run to compare with: the plain one, or that of the test's other part.
        tested: log of the test.
        scenario: of both.
        round_: whose tolerances hold.
        with_: what the other run is, in words.

    Raises:
        InvalidInputError: when the round has no rules for the test.
    """
    source = f"{audit.test} of round {round_.name}"
    alone = audit.test == family(audit.test)
    setting = list(made(audit, tested, source)) + list(_same_setting(compared, tested, audit, with_))
    if alone:
        setting += [_valid(with_, compared, source), _valid("test", tested, source)]
    rules, tolerance = _rules(audit.test, round_)
    before, after = (figure(log, scenario, rules) for log in (compared, tested))
    speed = _speed(audit.test, tolerance, scenario, before, after, with_, source)
    constraints = (*setting, speed)
    lines = ["Verifying performance.", f"reference score = {_score(before)}", f"test score = {_score(after)}"]
    return Verified(constraints, _text(lines, constraints))


def figure(log: DetailLog, scenario: Scenario, rules: ComplianceRules) -> float | None:
    """The figure that tests compare: a latency in nanoseconds in streams, else a rate per second."""
    keys = (_PLAIN_FIGURES if rules.plain_figures else _FIGURES)[scenario]
    return next((value for key in keys if (value := log.number(key)) is not None), None)


def _rules(test: str, round_: Round) -> tuple[ComplianceRules, Tolerance]:
    rules = round_.submission.compliance if round_.submission is not None else None
    tolerance = rules.tolerances.get(family(test)) if rules is not None else None
    if rules is None or tolerance is None:
        raise InvalidInputError(f"round {round_.name} says nothing of the speed of {test}")
    return rules, tolerance


def made(audit: Audit, tested: DetailLog, source: str) -> Iterator[Constraint]:
    """The log shows the test's settings, so LoadGen has read them; one constraint for each that it does not show."""
    for key, wanted in audit.effective().items():
        found = tested.values.get(key)
        # A log of others may hold anything.
        if not isinstance(found, int) or found != wanted:
            name = key.removeprefix("effective_")
            fix = _SEEDS if key.endswith("_rng_seed") and audit.attributes else _UNHEEDED
            yield Constraint(f"{audit.test} setting", False, f"{name} {wanted}", str(found), source, fix, SCOPE)


def _same_setting(compared: DetailLog, tested: DetailLog, audit: Audit, with_: str) -> Iterator[Constraint]:
    """Beside the test's own settings both runs have the same; in Offline the expected rate only says how many samples."""
    offline = compared.values.get("effective_scenario") == Scenario.OFFLINE.value
    for key in _SETTING:
        if offline and key == "effective_target_qps":
            continue
        one, other = compared.values.get(key), tested.values.get(key)
        if one is not None and one != other:
            name = key.removeprefix("effective_")
            fix = "run the test with the settings of the run it is compared with"
            yield Constraint(f"setting of the {with_}", False, f"{name} {one}", str(other), audit.test, fix, SCOPE)


def _valid(which: str, log: DetailLog, source: str) -> Constraint:
    found = log.text("result_validity")
    return Constraint(f"{which} VALID", found == "VALID", "VALID", str(found), source, "see why it is not", SCOPE)


def _speed(
    test: str,
    tolerance: Tolerance,
    scenario: Scenario,
    before: float | None,
    after: float | None,
    with_: str,
    source: str,
) -> Constraint:
    share = _share(tolerance, scenario, before)
    percent = f"{share * 100:g}%"
    both = tolerance.better_fails and tolerance.worse_fails
    limit = f"within {percent}" if both else f"at most {percent} {'faster' if tolerance.better_fails else 'slower'}"
    name = f"{test} speed"
    if not before or not after:
        missing = with_ if not before else "test"
        fix = "run longer, so that LoadGen gives an estimate"
        return Constraint(name, False, limit, f"the {missing} has no figure", source, fix, SCOPE)
    faster, slower = _beyond(before, after, share, rising=scenario not in _STREAMS, as_rate=tolerance.as_rate)
    met = not (faster and tolerance.better_fails) and not (slower and tolerance.worse_fails)
    change = after / before - 1 if scenario not in _STREAMS else before / after - 1
    how = f"{abs(change) * 100:.1f}% {'faster' if change > 0 else 'slower'}"
    measured = f"{_shown(after, scenario)} against {_shown(before, scenario)} of the {with_}: {how}"
    fix = _SLOW_BEFORE if faster and family(test) == "TEST01" else FIXES[family(test)]
    return Constraint(name, met, limit, measured, source, "" if met else fix, SCOPE)


def _share(tolerance: Tolerance, scenario: Scenario, before: float | None) -> float:
    if before and before <= tolerance.short_ns.get(scenario.value, 0):
        return tolerance.short_share
    if scenario in _STREAMS and tolerance.stream_share is not None:
        return tolerance.stream_share
    return tolerance.share


def _beyond(before: float, after: float, share: float, *, rising: bool, as_rate: bool) -> tuple[bool, bool]:
    """Whether a figure is better, and worse, by more than a share; in streams the lower one is the better."""
    if not rising and as_rate:
        return _beyond(1e9 / before, 1e9 / after, share, rising=True, as_rate=False)
    above, below = not after < before * (1 + share), not after > before * (1 - share)
    return (above, below) if rising else (below, above)


def _shown(value: float, scenario: Scenario) -> str:
    return format_duration(value) if scenario in _STREAMS else format_rate(value, "samples")


def _score(value: float | None) -> str:
    return "0" if value is None else f"{value:.12g}"


def _text(lines: list[str], constraints: Iterable[Constraint]) -> str:
    failed = [f"TEST FAIL: {item.name}: {item.measured}; {item.limit} asked" for item in constraints if not item.met]
    return "\n".join([*lines, *(failed or ["TEST PASS"])]) + "\n"
