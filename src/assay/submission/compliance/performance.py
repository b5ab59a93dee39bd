"""The performance of a compliance test against that of its reference run: as the script decides and as the text says.

The written text of each test is its README.md (compliance/nvidia/<test>/README.md): TEST01 and TEST05 ask that the
performance is that of the result within 10 % and 5 %, TEST04 that it is at most 10 % faster. Short latencies may
differ by 20 %. The text is taken at its word: faster means less latency or a higher rate, short means a latency.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from assay.loadgen.logs import DETAIL, SUMMARY
from assay.loadgen.scan import DetailScan, LogReader
from assay.rules.model import Scenario
from assay.submission.checks.context import shown
from assay.submission.compliance.facts import ComplianceFacts, Meaning, TestFacts
from assay.submission.compliance.reading import read_lines
from assay.submission.compliance.script import ScriptRun, Summary, run_script
from assay.submission.issue import Issue

_STREAMS = (Scenario.SINGLE_STREAM, Scenario.MULTI_STREAM)
# The detail log prints six significant digits.
_SAME = 1e-5


@dataclass(frozen=True, slots=True)
class Run:
    """A run on the disk: its folder, the path of that in the tree, and what its detail log says.

    Attributes:
        detail: None when it cannot be read.
        problem: why not.
    """

    folder: str
    path: str
    detail: DetailScan | None
    problem: str = ""

    def value(self, key: str) -> object:
        """First value of a key of the detail log; None when it is not there."""
        return None if self.detail is None else self.detail.get(key)

    def line_of(self, key: str) -> int | None:
        """Line of it."""
        return None if self.detail is None else self.detail.line_of(key)


@dataclass(frozen=True, slots=True)
class Score:
    """A score and where it stands.

    Attributes:
        text: as the script prints it.
        value: the figure of the run in the unit of its log (nanoseconds, or samples per second), from the detail log
            where that has it, else from the summary; None when neither has one.
        path: the summary that the script reads.
        line: line of the score there, from 1; None when there is none.
        key: key of the same figure in the detail log.
        detail_value: the figure there; None when there is none.
        detail_line: line of it, from 1.
    """

    text: str
    value: float | None
    path: str
    line: int | None
    key: str
    detail_value: float | None
    detail_line: int | None


@dataclass(frozen=True, slots=True)
class Comparison:
    """A compliance test's performance, judged.

    Attributes:
        reference: score of the reference run.
        test: score of the test's run.
        scenario: that of the reference run; None when its logs name none.
        script_passes: the official script lets the test pass.
        script_threshold: the threshold that it used, as a fraction; None when it did not come to compare.
        script_stopped: why it ended before; empty when it compared.
        text_passes: the written text lets the test pass; None when there is nothing to compare.
        text_threshold: the threshold of the written text.
        faster: by what share the test is faster than its reference (negative: slower); None when not known.
        output: what the script prints: the content that ``verify_performance.txt`` should have.
    """

    reference: Score
    test: Score
    scenario: Scenario | None
    script_passes: bool
    script_threshold: float | None
    script_stopped: str
    text_passes: bool | None
    text_threshold: float
    faster: float | None
    output: str


def read_run(logs: LogReader, folder: str, path: str) -> Run:
    """Read the detail log of a run.

    Args:
        folder: on the disk.
        path: the same in the tree.
    """
    try:
        detail = logs.read(f"{folder}/{DETAIL}")
    except FileNotFoundError:
        return Run(folder, path, None, "not there")
    except (OSError, ValueError) as error:
        return Run(folder, path, None, getattr(error, "strerror", None) or str(error))
    if detail.broken is not None:
        return Run(folder, path, None, f"line {detail.broken.line}: {detail.broken.problem}")
    return Run(folder, path, detail)


def compare(test: TestFacts, facts: ComplianceFacts, reference: Run, run: Run) -> tuple[Comparison | None, list[Issue]]:
    """Compare the runs; None (and an issue) when a summary cannot be read.

    Reads both summaries, 8 MiB of each at most.
    """
    texts: list[list[str]] = []
    for each in (reference, run):
        lines, problem = read_lines(f"{each.folder}/{SUMMARY}")
        if lines is None:
            return None, [Issue("compliance-not-compared", f"{each.path}/{SUMMARY}", detail=problem)]
        texts.append(lines)
    script = run_script(test, facts, *texts)
    comparison = _judge(test, facts, script, reference, run)
    return comparison, [
        *_differing_logs(comparison),
        *_target_latency(comparison, reference, run),
        *_outcome(test, comparison, run),
    ]


def _judge(test: TestFacts, facts: ComplianceFacts, script: ScriptRun, reference: Run, run: Run) -> Comparison:
    # A script that stopped at the reference did not read the test's scenario; the logs have it nevertheless.
    scenario = _scenario(reference.value("effective_scenario")) or _scenario(script.reference.scenario)
    key = facts.score_keys.get(scenario, "") if scenario is not None else ""
    scores = [_score(each, place, key) for each, place in ((script.reference, reference), (script.test, run))]
    faster = _faster(scenario, scores[0].value, scores[1].value)
    threshold = _text_threshold(test, facts, scenario, scores[0].value)
    same = scenario is not None and _scenario(run.value("effective_scenario")) in (None, scenario)
    passes: bool | None = None
    if faster is not None and same:
        passes = _text_passes(test, scenario, scores[0].value, scores[1].value, threshold)
    if test.checks_validity and not all(_valid(each, place) for each, place in _pairs(script, reference, run)):
        passes = False
    return Comparison(
        scores[0],
        scores[1],
        scenario,
        script.passed,
        script.threshold,
        script.stopped,
        False if not same else passes,
        threshold,
        faster,
        script.text,
    )


def _pairs(script: ScriptRun, reference: Run, run: Run) -> tuple[tuple[Summary, Run], tuple[Summary, Run]]:
    return (script.reference, reference), (script.test, run)


def _valid(summary: Summary, run: Run) -> bool:
    return summary.valid and run.value("result_validity") in (None, "VALID")


def _scenario(name: object) -> Scenario | None:
    return next((each for each in Scenario if each.value == name), None)


def _score(summary: Summary, run: Run, key: str) -> Score:
    detail = as_number(run.value(key)) if key else None
    value = detail if detail is not None else as_number(summary.raw)
    line = run.line_of(key) if key else None
    return Score(summary.score, value, f"{run.path}/{SUMMARY}", summary.line, key, detail, line)


def as_number(value: object) -> float | None:
    """A finite number, also one that stands there as text; None when it is none."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def _faster(scenario: Scenario | None, reference: float | None, test: float | None) -> float | None:
    """By what share the test is faster: more rate, or more queries per time for a latency."""
    if scenario is None or reference is None or test is None or reference <= 0 or test <= 0:
        return None
    faster = reference / test - 1 if scenario in _STREAMS else test / reference - 1
    return faster if math.isfinite(faster) else None


def _text_threshold(
    test: TestFacts, facts: ComplianceFacts, scenario: Scenario | None, reference: float | None
) -> float:
    limit = facts.relaxed_below.get(scenario) if scenario is not None else None
    short = limit is not None and reference is not None and reference <= limit
    return facts.relaxed_threshold if short else test.threshold


def _text_passes(
    test: TestFacts, scenario: Scenario | None, reference: float | None, score: float | None, threshold: float
) -> bool:
    """Whether the test passes at the word of its description; "within 10 %" holds 10 %."""
    assert reference is not None
    assert score is not None
    if test.meaning is Meaning.SIMILAR:
        return reference * (1 - threshold) <= score <= reference * (1 + threshold)
    if scenario in _STREAMS:
        return reference <= score * (1 + threshold)
    return score <= reference * (1 + threshold)


def _differing_logs(comparison: Comparison) -> Iterator[Issue]:
    """A summary that does not say what the detail log of the same run says was not written by that run."""
    for score in (comparison.reference, comparison.test):
        raw = as_number(score.text)
        if raw is None or score.line is None or score.detail_value is None:
            continue
        if comparison.script_stopped and raw == 0:
            continue
        expected = score.detail_value
        if not (_same(raw, expected) or (expected > 0 and _same(raw, 1e9 / expected))):
            yield Issue(
                "compliance-logs-differ", score.path, "", score.key, shown(score.text), shown(expected), score.line
            )


def _same(one: float, other: float) -> bool:
    return math.isclose(one, other, rel_tol=_SAME, abs_tol=1e-12)


def _target_latency(comparison: Comparison, reference: Run, run: Run) -> Iterator[Issue]:
    """Server: the script means to compare the bounds of both runs, and looks for a line that is never there."""
    key = "effective_target_latency_ns"
    if comparison.scenario is not Scenario.SERVER or run.value(key) is None or reference.value(key) is None:
        return
    if run.value(key) != reference.value(key):
        expected = shown(reference.value(key))
        place = f"{run.path}/{DETAIL}"
        yield Issue("compliance-latency-bound", place, "", key, shown(run.value(key)), expected, run.line_of(key))


def _outcome(test: TestFacts, comparison: Comparison, run: Run) -> Iterator[Issue]:
    """What follows from both verdicts."""
    place = f"{run.path}/{SUMMARY}"
    found, expected, line = comparison.test.text, _expected(test, comparison), comparison.test.line
    if comparison.text_passes is None:
        detail = comparison.script_stopped or "the logs hold no score to compare"
        yield Issue("compliance-not-compared", place, detail)
    elif not comparison.text_passes:
        code = "compliance-passes-by-flaw" if comparison.script_passes else "compliance-test-fails"
        yield Issue(code, place, _detail(comparison), "score", shown(found), expected, line)
    elif not comparison.script_passes:
        yield Issue("compliance-script-fails", place, _detail(comparison), "score", shown(found), expected, line)


def _detail(comparison: Comparison) -> str:
    if comparison.script_stopped:
        return comparison.script_stopped
    if comparison.faster is None:
        return ""
    direction = "faster" if comparison.faster >= 0 else "slower"
    return f"the test is {abs(comparison.faster):.1%} {direction} than {comparison.reference.path}"


def _expected(test: TestFacts, comparison: Comparison) -> str:
    limit = f"{comparison.text_threshold:.0%}"
    reference = shown(comparison.reference.text)
    return f"{reference}, at most {limit} faster" if test.meaning is Meaning.NOT_FASTER else f"{reference} within {limit}"
