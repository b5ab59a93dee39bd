"""The official ``verify_performance.py`` of a test, as it reads two summaries and what it prints.

Everything is kept as it is, to the letter of its output: the last score line counts, a score is compared as it is
printed, a run that is not valid ends the script without a word on its output, whatever it cannot read ends it with an
exception. Only a text that says ``TEST PASS`` passes, wherever in it.
Source: compliance/nvidia/TEST01, TEST04 and TEST05, verify_performance.py; TEST04-A, verify_test4_performance.py (v2.0).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from assay.rules.model import Scenario
from assay.submission.compliance.facts import ComplianceFacts, ScriptForm, TestFacts

MARK = "TEST PASS"
_FAILED = "TEST FAIL: Test score invalid"
_SLOWER = "Note: TEST04-B is significantly slower than TEST04-A"
_RUNS = ("reference", "test")
_STREAMS = (Scenario.SINGLE_STREAM.value, Scenario.MULTI_STREAM.value)
_ERRORS = re.compile(r"\d+ ERROR")
_NS_PER_S = 1e9


@dataclass(slots=True)
class Summary:
    """What the script takes from a summary.

    Attributes:
        scenario: as the summary names it; empty when it does not.
        score: text of the score as the script would print it; ``0`` when there is none.
        raw: the score as the summary prints it; None when there is none.
        line: line of the score, from 1.
        valid: False when the summary says that the result is not.
        target_latency: what stands at the line that the script takes for the Server's target latency.
    """

    scenario: str = ""
    score: str = "0"
    raw: str | None = None
    line: int | None = None
    valid: bool = True
    target_latency: str | None = None


@dataclass(slots=True)
class ScriptRun:
    """What running the script gives.

    Attributes:
        text: its output, which is the content of ``verify_performance.txt``.
        passed: that text says ``TEST PASS``.
        stopped: why it ended before it compared; empty when it did compare.
        threshold: the threshold it used; None when it did not compare.
        reference: what it took from the summary of the reference run.
        test: what it took from the summary of the test run.
    """

    text: str = ""
    passed: bool = False
    stopped: str = ""
    threshold: float | None = None
    reference: Summary = field(default_factory=Summary)
    test: Summary = field(default_factory=Summary)


class _StopError(Exception):
    """The script ends here."""


def run_script(
    test: TestFacts, facts: ComplianceFacts, reference_lines: Sequence[str], test_lines: Sequence[str]
) -> ScriptRun:
    """Compare two summaries as the script of a test does.

    Args:
        test: the test.
        facts: of the round.
        reference_lines: lines of the reference run's ``mlperf_log_summary.txt``, without their ends.
        test_lines: the same of the test's run.
    """
    run = ScriptRun()
    printed = ["Verifying performance."]
    try:
        _compare(_Script(test, facts, printed), run, reference_lines, test_lines)
    except _StopError as stop:
        run.stopped = str(stop)
    except ZeroDivisionError:
        run.stopped = "a latency is 0"
    except ValueError:
        run.stopped = "a score is no number"
    run.text = "\n".join(printed) + "\n"
    run.passed = MARK in run.text
    return run


def compared_text(labels: tuple[str, str], reference: str, test: str, *, passed: bool) -> str:
    """Text of ``verify_performance.txt`` as the script writes it for two runs that it could compare."""
    outcome = MARK if passed else _FAILED
    return f"Verifying performance.\n{labels[0]} = {reference}\n{labels[1]} = {test}\n{outcome}\n"


class _Script:
    """One run of a script."""

    def __init__(self, test: TestFacts, facts: ComplianceFacts, printed: list[str]) -> None:
        self.test = test
        self.facts = facts
        self.printed = printed
        self.lines: Mapping[str, re.Pattern[str]] = {
            scenario.value: re.compile(pattern) for scenario, pattern in facts.score_lines.items()
        }
        self._latency = re.compile(facts.target_latency_line) if facts.target_latency_line else None

    def read(self, number: int, lines: Sequence[str], found: Summary, other: Summary | None) -> None:
        """Take in a summary; ``other`` is the reference's when it is the test's."""
        stops_at = self.test.stops_at[number]
        for index, line in enumerate(lines, 1):
            if line.startswith("Scenario"):
                found.scenario = _after_colon(line)
            elif self._score(line, index, found) or self._target_latency(line, found, other):
                continue
            elif self.test.checks_validity and line.startswith("Result is"):
                if _after_colon(line) == "INVALID":
                    found.valid = False
                    raise _StopError(f"the {_RUNS[number]} run is not valid")
            elif _ERRORS.match(line):
                where = self.test.labels[number].removesuffix(" score")
                self.printed.append(f"WARNING: {line.split(' ', 1)[0].strip()} ERROR reported in {where} results")
            elif stops_at and line.startswith(stops_at):
                if _after_colon(line) == "false":
                    raise _StopError(f"the summary of the {_RUNS[number]} run says {stops_at} : false")
                return

    def _score(self, line: str, index: int, found: Summary) -> bool:
        pattern = self.lines.get(found.scenario)
        if pattern is None or not pattern.match(line):
            return False
        found.raw, found.line = _after_colon(line), index
        found.score = found.raw
        if self.test.rates and found.scenario in _STREAMS:
            found.score = str(_NS_PER_S / float(found.raw))
        return True

    def _target_latency(self, line: str, found: Summary, other: Summary | None) -> bool:
        if self._latency is None or found.scenario != Scenario.SERVER or not self._latency.match(line):
            return False
        found.target_latency = _after_colon(line)
        if other is None:
            return True
        if other.target_latency is None:
            raise _StopError("only the test names a target latency")
        if found.target_latency != other.target_latency:
            self.printed.append("TEST FAIL: Server target latency mismatch")
            raise _StopError("the target latencies are not the same")
        return True

    def threshold(self, scenario: str, reference: str) -> float:
        """The threshold, relaxed for a reference that is short (or, with rates, slow)."""
        for each, limit in self.facts.relaxed_below.items():
            if each.value == scenario and float(reference) <= limit:
                return self.facts.relaxed_threshold
        return self.test.threshold


def _compare(script: _Script, run: ScriptRun, reference_lines: Sequence[str], test_lines: Sequence[str]) -> None:
    reference, test, labels = run.reference, run.test, script.test.labels
    script.read(0, reference_lines, reference, None)
    script.read(1, test_lines, test, reference)
    if test.scenario != reference.scenario:
        raise _StopError("the scenarios are not the same")
    script.printed.append(f"{labels[0]} = {reference.score}")
    script.printed.append(f"{labels[1]} = {test.score}")
    threshold = script.threshold(reference.scenario, reference.score)
    passed = _decide(script.test.form, reference.scenario, reference.score, test.score, threshold)
    run.threshold = threshold
    script.printed.append(MARK if passed else _FAILED)
    if passed and script.test.form is ScriptForm.SAME_SAMPLE:
        if not _within(float(reference.score), float(test.score), threshold):
            script.printed.append(_SLOWER)


def _decide(form: ScriptForm, scenario: str, reference_text: str, test_text: str, threshold: float) -> bool:
    if form is ScriptForm.BY_SCENARIO and scenario != Scenario.OFFLINE and "Stream" not in scenario:
        # The script of v3.1 has no case for Server, and does not even read the scores as numbers.
        return False
    test, reference = float(test_text), float(reference_text)
    if form is ScriptForm.BELOW:
        return test < reference * (1 + threshold)
    if form is ScriptForm.BY_SCENARIO:
        if scenario == Scenario.OFFLINE:
            return test > reference * (1 - threshold)
        return test < reference * (1 + threshold)
    if form is ScriptForm.SAME_SAMPLE and not _within(reference, test, threshold):
        return test > reference if scenario == Scenario.SINGLE_STREAM else test < reference
    return _within(reference, test, threshold)


def _within(reference: float, test: float, threshold: float) -> bool:
    return reference * (1 - threshold) < test < reference * (1 + threshold)


def _after_colon(line: str) -> str:
    """What the script takes for the value of a line.

    Raises:
        _StopError: for a line without one, at which the script has an exception.
    """
    _, colon, value = line.partition(": ")
    if not colon:
        raise _StopError(f"no value in the line {line[:60]!r}")
    return value.strip()
