"""What the logs of a compliance test say themselves, where the official tools believe the text that a submitter wrote.

LoadGen writes the settings that it used into every log, so a test that was not made is seen; and the figures of the test
and of the result are there to be compared again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from assay.loadgen.audit import FIRST_PART, SECOND_PART, audit_of, family
from assay.loadgen.compliance import figure, verify_speed
from assay.loadgen.logs import DetailLog
from assay.loadgen.names import DETAIL
from assay.loadgen.scan import DetailScan
from assay.submission.checks.context import EntryContext, shown
from assay.submission.checks.run import JudgedRun
from assay.submission.issue import Issue

_HEEDED = {
    "TEST01": ("effective_accuracy_log_sampling_target", "effective_accuracy_log_probability"),
    "TEST04": ("effective_performance_issue_same",),
    FIRST_PART: ("effective_performance_issue_unique",),
    SECOND_PART: ("effective_performance_issue_same",),
}
"""Of the keys of a test's log one is on; how many answers TEST01 keeps is the submitter's choice."""


def from_logs(context: EntryContext, path: str, runs: Mapping[str, JudgedRun], plain: JudgedRun) -> Iterator[Issue]:
    """Where the logs of an entry's tests say something else than the texts beside them.

    Args:
        path: of the entry's compliance folder.
        runs: test to its judged run.
        plain: the run of the result.
    """
    for test, run in runs.items():
        if run.log is None or not run.judged or test not in context.benchmark.compliance:
            continue
        place = f"{path}/{test}/performance/run_1/{DETAIL}"
        keys = _HEEDED.get(test, ())
        if keys and not any(run.log.get(key) for key in keys):
            found = shown(run.log.get(keys[0]))
            yield Issue("audit-unheeded", place, "", keys[0], found, "on", run.log.line_of(keys[0]))
            continue
        against = runs.get(FIRST_PART) if test == SECOND_PART else plain
        if test != FIRST_PART and against is not None:
            yield from _speed(context, test, place, run, against)


def _speed(context: EntryContext, test: str, place: str, run: JudgedRun, against: JudgedRun) -> Iterator[Issue]:
    if against.log is None or run.log is None or not against.judged or run.measured is not against.measured:
        return
    if run.measured is None or family(test) not in context.rules.compliance.tolerances:
        return
    before, after = (_detail(log, place) for log in (against.log, run.log))
    if not all(figure(log, run.measured, context.rules.compliance) for log in (before, after)):
        return
    audit = audit_of(test, context.benchmark, context.round)
    verified = verify_speed(audit, before, after, run.measured, context.round, with_="result")
    for item in verified.constraints:
        if item.name == f"{test} speed" and not item.met:
            yield Issue("compliance-speed", place, found=item.measured, expected=item.limit)


def _detail(log: DetailScan, place: str) -> DetailLog:
    return DetailLog(Path(place), _Values(log), (), (), complete=True)


class _Values(Mapping[str, Any]):
    """First values of a log, decoded when asked for."""

    def __init__(self, log: DetailScan) -> None:
        self._log = log

    def __getitem__(self, key: str) -> Any:
        if key not in self._log:
            raise KeyError(key)
        return self._log.get(key)

    def __iter__(self) -> Iterator[str]:
        return self._log.keys()

    def __len__(self) -> int:
        return len(list(self))
