"""The accuracy run of an entry: its figure, its hash and its logs.

Source: ``check_accuracy_dir`` of submission_checker.py; ``inference_rules.adoc`` for what only the rules ask.
"""

from __future__ import annotations

import functools
import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from assay.loadgen.names import ACCURACY, DETAIL
from assay.loadgen.scan import DetailScan
from assay.rules.model import QualityTarget, Scenario
from assay.submission.checks.context import EntryContext, names, read_text, shown
from assay.submission.checks.files import file_list
from assay.submission.issue import Issue
from assay.submission.tree import Folder

ACCURACY_TEXT = "accuracy.txt"
_NOT_MET = ("accuracy-below-target", "accuracy-unreadable")
_ACCURACY_MODES = ("AccuracyOnly", "SubmissionRun")


@dataclass(slots=True)
class JudgedAccuracy:
    """What the accuracy run gave.

    Attributes:
        figure: text of the official accuracy column; None when there is none.
        figures: metric to text.
    """

    issues: list[Issue] = field(default_factory=list)
    figure: str | None = None
    figures: dict[str, str] = field(default_factory=dict)


def judge_accuracy(
    context: EntryContext, folder: Folder | None, measured: Scenario | None, sut_name: object
) -> JudgedAccuracy:
    """Judge the accuracy folder of an entry.

    Args:
        measured: the scenario of the performance run, None when it is not known.
        sut_name: the SUT's name in the performance run.
    """
    found = JudgedAccuracy()
    path = f"{context.result_path}/accuracy"
    if folder is None or not folder.exists(ACCURACY_TEXT):
        found.issues.append(Issue("accuracy-missing", f"{path}/{ACCURACY_TEXT}"))
        return found
    rules = context.rules
    found.issues += file_list("accuracy-files", path, folder, rules.files.accuracy, (), rules.files)
    found.issues += _figures(context, f"{path}/{ACCURACY_TEXT}", found, folder)
    found.issues += _outputs(context, folder, path)
    found.issues += _log(context, folder, path)
    found.issues += _run(context, folder, path, measured, sut_name)
    return found


@functools.cache
def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(text)


def _figures(context: EntryContext, place: str, found: JudgedAccuracy, folder: Folder) -> Iterator[Issue]:
    text, problem = read_text(context.full(place))
    if text is None:
        yield Issue("accuracy-unreadable", place, detail=problem)
        return
    lines = text.split("\n")
    reader = _every_line if context.rules.accuracy.every_line else _last_before_both
    issues, hash_seen = reader(context, lines, place, found)
    yield from issues
    if hash_seen is None:
        yield Issue("accuracy-hash-missing", place, expected="a line hash=<64 hexadecimal digits>")
    elif wrong := _hash_problem(context, folder, place, hash_seen):
        yield wrong


def _last_before_both(
    context: EntryContext, lines: list[str], place: str, found: JudgedAccuracy
) -> tuple[list[Issue], str | None]:
    """One metric; the last figure before both figure and hash were found (tools before v3.1)."""
    target = context.benchmark.quality[0]
    pattern, hash_pattern = metric_pattern(context, target), _hash_pattern(context)
    figure = hash_value = None
    for line in lines:
        if match := pattern.match(line):
            figure = match[1]
        if match := hash_pattern.match(line):
            hash_value = match[1]
        if figure and hash_value:
            break
    found.figure = figure
    if figure is None:
        return [Issue("accuracy-absent", place, field=target.metric, expected=pattern.pattern)], hash_value
    found.figures[target.metric] = figure
    return list(_against(target, figure, place)), hash_value


def _every_line(
    context: EntryContext, lines: list[str], place: str, found: JudgedAccuracy
) -> tuple[list[Issue], str | None]:
    """All metrics; every matching line counts until all were met and the hash was seen (tools since v3.1)."""
    issues: list[Issue] = []
    met: set[str] = set()
    hash_value = None
    for line in lines:
        for target in context.benchmark.quality:
            pattern, hash_pattern = metric_pattern(context, target), _hash_pattern(context)
            if match := hash_pattern.match(line):
                hash_value = match[1]
            if match := pattern.match(line):
                found.figures[target.metric] = match[1]
                below = list(_against(target, match[1], place))
                issues += below
                # A figure above its limit is refused, and ends the reading like one that is met.
                met |= set() if any(issue.code in _NOT_MET for issue in below) else {target.metric}
        if hash_value and len(met) == len(context.benchmark.quality):
            break
    for target in context.benchmark.quality:
        if target.metric not in found.figures:
            issues.append(
                Issue("accuracy-absent", place, field=target.metric, expected=metric_pattern(context, target).pattern)
            )
    found.figure = found.figures.get(context.benchmark.quality[0].metric)
    return issues, hash_value


def metric_pattern(context: EntryContext, target: QualityTarget) -> re.Pattern[str]:
    """The form of a line of ``accuracy.txt`` with this metric; group 1 is the figure."""
    return _pattern(context.rules.accuracy.patterns[target.metric])


def _hash_pattern(context: EntryContext) -> re.Pattern[str]:
    return _pattern(context.rules.accuracy.hash_pattern)


def _against(target: QualityTarget, figure: str, place: str) -> Iterator[Issue]:
    try:
        number = float(figure)
    except ValueError:
        yield Issue("accuracy-unreadable", place, field=target.metric, found=shown(figure), expected="a number")
        return
    if number < target.target:
        expected = f"at least {target.target:.10g}"
        yield Issue("accuracy-below-target", place, field=target.metric, found=figure, expected=expected)
    if target.upper_limit is not None and number > target.upper_limit:
        expected = f"at most {target.upper_limit:.10g}"
        yield Issue("accuracy-above-limit", place, field=target.metric, found=figure, expected=expected)


def _hash_problem(context: EntryContext, folder: Folder, place: str, hash_seen: str) -> Issue | None:
    """A log that stands there whole has to have the hash that the score names."""
    path = place.replace(ACCURACY_TEXT, ACCURACY)
    identity = folder.files.get(ACCURACY)
    if identity is None or identity[0] > context.rules.files.accuracy_log_max_bytes:
        return None
    try:
        raw = Path(context.full(path)).read_bytes()
    except (OSError, ValueError):
        return None
    if b"..." in raw or not raw.rstrip().endswith(b"]"):
        return None
    actual = hashlib.sha256(raw).hexdigest()
    if actual == hash_seen.lower():
        return None
    return Issue("accuracy-hash-wrong", place, field="hash", found=shown(hash_seen), expected=actual)


def _outputs(context: EntryContext, folder: Folder, path: str) -> Iterator[Issue]:
    """Outputs of the model that are handed in with the run; the ending of a file does not matter."""
    for name, outputs in context.benchmark.outputs.items():
        inner = folder.at(name)
        there = set() if inner is None else {each.partition(".")[0] for each in inner.files}
        for code, asked in (
            ("accuracy-output-missing", outputs.required),
            ("accuracy-extra-missing", outputs.expected),
        ):
            if missing := set(asked) - there:
                yield Issue(code, f"{path}/{name}", found=f"missing: {names(missing)}", expected=", ".join(asked))


def _log(context: EntryContext, folder: Folder, path: str) -> Iterator[Issue]:
    limit = context.rules.files.accuracy_log_max_bytes
    identity = folder.files.get(ACCURACY)
    if identity is None:
        yield Issue("accuracy-log-missing", f"{path}/{ACCURACY}")
    elif identity[0] > limit:
        yield Issue(
            "accuracy-log-untruncated",
            f"{path}/{ACCURACY}",
            found=f"{identity[0]} bytes",
            expected=f"at most {limit} bytes",
        )


def _run(
    context: EntryContext, folder: Folder, path: str, measured: Scenario | None, sut_name: object
) -> Iterator[Issue]:
    place = f"{path}/{DETAIL}"
    if DETAIL not in folder.files:
        yield Issue("accuracy-detail-missing", place)
        return
    try:
        log = context.logs.read(context.full(place))
    except (OSError, ValueError) as error:
        yield Issue("accuracy-detail-missing", place, detail=str(error))
        return
    if log.broken is not None:
        broken = log.broken
        yield Issue("accuracy-detail-malformed", place, broken.problem, found=shown(broken.shown), line=broken.line)
        return
    for logged in log.errors[:5]:
        yield Issue("accuracy-run-error", place, found=shown(logged.text), line=logged.line)
    yield from _written_rules(context, log, place, measured, sut_name)


def _written_rules(
    context: EntryContext, log: DetailScan, place: str, measured: Scenario | None, sut_name: object
) -> Iterator[Issue]:
    """What the rules ask and no official tool looks at."""

    def issue(code: str, key: str, expected: object) -> Issue:
        return Issue(code, place, "", key, shown(log.get(key)), str(expected), log.line_of(key))

    if log.get("effective_test_mode") not in _ACCURACY_MODES:
        yield issue("accuracy-mode", "effective_test_mode", "AccuracyOnly")
    scenarios = {context.scenario, *([] if measured is None else [measured.value])}
    if log.get("effective_scenario") not in scenarios:
        yield issue("accuracy-scenario", "effective_scenario", " or ".join(sorted(scenarios)))
    total = log.get("qsl_reported_total_count")
    if context.closed and (not isinstance(total, int) or total < context.benchmark.dataset_size):
        yield issue("accuracy-samples", "qsl_reported_total_count", context.benchmark.dataset_size)
    if isinstance(sut_name, str) and log.get("sut_name") not in (None, sut_name):
        yield issue("accuracy-sut", "sut_name", shown(sut_name))
