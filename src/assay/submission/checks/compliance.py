"""The compliance folder of an entry as the official tool of a round looks at it.

It trusts the files that the verification scripts wrote; :mod:`assay.submission.checks.compliance_logs` looks at the logs.
Source: ``check_compliance_dir``, ``check_compliance_perf_dir``, ``check_compliance_acc_dir`` of submission_checker.py.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from assay.submission.checks.accuracy import metric_pattern
from assay.submission.checks.compliance_logs import from_logs
from assay.submission.checks.context import EntryContext, read_text
from assay.submission.checks.files import file_list
from assay.submission.checks.run import JudgedRun, judge_run
from assay.submission.issue import Issue
from assay.submission.tree import Folder

_PASSED = "TEST PASS"


@dataclass(slots=True)
class JudgedCompliance:
    """What the compliance folder gave.

    Attributes:
        passed: the official tool of the round lets it pass.
        runs: test to its judged run.
    """

    issues: list[Issue] = field(default_factory=list)
    passed: bool = False
    runs: dict[str, JudgedRun] = field(default_factory=dict)


def judge_compliance(context: EntryContext, folder: Folder | None, plain: JudgedRun) -> JudgedCompliance:
    """Judge the compliance folder of a closed or network entry, beside the run of its result."""
    found = JudgedCompliance()
    path = f"{context.submitter_path}/compliance/{context.system}/{context.model}/{context.directory}"
    rules = context.rules.compliance
    if folder is None:
        if any(part in context.model for part in rules.optional_for) and not context.benchmark.compliance:
            found.passed = True
        else:
            found.issues.append(Issue("compliance-missing", path))
        return found
    if not context.benchmark.compliance:
        found.passed = True
        return found
    performance = _Performance(context, folder, path, found)
    for test in context.benchmark.compliance:
        performance.test(test)
    accuracy: list[Issue] = []
    if "TEST01" in context.benchmark.compliance:
        accuracy += _accuracy(context, folder.at("TEST01"), f"{path}/TEST01")
    for test, lines in rules.verify_lines.items():
        if test in context.benchmark.compliance:
            accuracy += _outcome(context, folder.at(test), f"{path}/{test}", lines)
    found.issues += accuracy
    found.issues += from_logs(context, path, found.runs, plain)
    refused = any(context.levels.refuses(issue.code) for issue in accuracy)
    if rules.compares_accuracy:
        found.passed = performance.passed and not refused
    else:
        found.passed = performance.passed and not any(issue.code in _MISSING for issue in accuracy)
    return found


_MISSING = ("verify-missing", "compliance-accuracy-missing")


class _Performance:
    """The tests' performance, one after another, with the official tool's memory of the test before."""

    def __init__(self, context: EntryContext, folder: Folder, path: str, found: JudgedCompliance) -> None:
        self._context = context
        self._folder = folder
        self._path = path
        self._found = found
        self._before: bool | None = None
        self.passed = True

    def test(self, name: str) -> None:
        context, rules = self._context, self._context.rules.compliance
        folder, path = self._folder.folders.get(name), f"{self._path}/{name}"
        if folder is None:
            self._found.issues.append(Issue("compliance-test-missing", path))
            self.passed = False
            return
        if name in rules.verify_lines:
            return
        run_ok = self._judge(name, folder, path) if rules.judges_runs else True
        issues = list(_performance_files(context, folder, path, needs_verify=name not in rules.without_verify))
        self._found.issues += issues
        if not rules.judges_runs:
            # The tool of v2.0 asks for the verification's outcome and for the run, and passes over lists of files.
            failed = any(issue.code != "compliance-files" for issue in issues) or name in rules.without_verify
            self.passed = not failed if rules.last_test_decides else self.passed and not failed
            return
        self.passed = self.passed and run_ok and not any(context.levels.refuses(issue.code) for issue in issues)

    def _judge(self, name: str, folder: Folder, path: str) -> bool:
        run_path = f"{path}/performance/run_1"
        run = self._found.runs[name] = judge_run(self._context, folder.at("performance", "run_1") or Folder(), run_path)
        if not run.judged and self._before:
            # The tool logs its exception and goes on with the outcome of the test before.
            broken = run.issues[-1]
            run.issues[-1] = Issue(
                "compliance-run-unjudged", broken.path, broken.detail, broken.field, broken.found, "", broken.line
            )
            self._found.issues += run.issues
            return True
        self._found.issues += run.issues
        self._before = run.judged and not any(self._context.levels.refuses(issue.code) for issue in run.issues)
        return self._before


def _performance_files(context: EntryContext, folder: Folder, path: str, *, needs_verify: bool) -> Iterator[Issue]:
    rules = context.rules
    if needs_verify:
        yield from _verified(context, folder, path, "verify_performance.txt", "verify-failed")
    run = folder.at("performance", "run_1")
    if run is None:
        yield Issue("compliance-run-missing", f"{path}/performance/run_1")
        return
    compliance = rules.compliance
    yield from file_list(
        "compliance-files",
        f"{path}/performance/run_1",
        run,
        compliance.performance_files,
        compliance.performance_optional,
        rules.files,
    )


def _verified(context: EntryContext, folder: Folder, path: str, name: str, failed: str) -> Iterator[Issue]:
    place = f"{path}/{name}"
    if not folder.exists(name):
        yield Issue("verify-missing", place)
        return
    text, problem = read_text(context.full(place))
    if text is None:
        yield Issue("verify-missing", place, detail=problem)
    elif _PASSED not in text:
        yield Issue(failed, place, expected=_PASSED)


def _accuracy(context: EntryContext, folder: Folder | None, path: str) -> Iterator[Issue]:
    """TEST01's accuracy: equal outputs, or two accuracies that are close."""
    if folder is None:
        yield Issue("verify-missing", f"{path}/verify_accuracy.txt")
        return
    issues = list(_verified(context, folder, path, "verify_accuracy.txt", "verify-inexact"))
    yield from issues
    if any(issue.code == "verify-missing" for issue in issues):
        return
    inner = folder.at("accuracy")
    if inner is None:
        yield Issue("compliance-accuracy-missing", f"{path}/accuracy")
        return
    exact, rules = not issues, context.rules
    asked = rules.compliance.accuracy_files if exact else rules.compliance.accuracy_files_inexact
    different = file_list("compliance-files", f"{path}/accuracy", inner, asked, (), rules.files)
    yield from different
    if not exact and not different:
        yield from _close(context, f"{path}/accuracy")


def _outcome(
    context: EntryContext, folder: Folder | None, path: str, groups: tuple[tuple[str, ...], ...]
) -> Iterator[Issue]:
    """What the verification of a test wrote, line by line."""
    place = f"{path}/verify_accuracy.txt"
    if folder is None or not folder.exists("verify_accuracy.txt"):
        yield Issue("verify-missing", place)
        return
    text, problem = read_text(context.full(place))
    if text is None:
        yield Issue("verify-missing", place, detail=problem)
        return
    there = {line.strip() for line in text.split("\n")}
    for group in groups:
        if there.isdisjoint(group):
            yield Issue("verify-failed", place, expected=" or ".join(group))


def _close(context: EntryContext, path: str) -> Iterator[Issue]:
    """Whether the accuracies with and without the test are close; the tool of v3.1 asks it of every metric."""
    rules = context.rules
    targets = context.benchmark.quality if rules.accuracy.every_line else context.benchmark.quality[:1]
    limit = rules.compliance.max_delta_percent
    if "99.9" in context.benchmark.name:
        limit = rules.compliance.max_delta_percent_tight
    for target in targets:
        baseline, compliance = (
            _last_figure(context, f"{path}/{name}", metric_pattern(context, target))
            for name in ("baseline_accuracy.txt", "compliance_accuracy.txt")
        )
        if not baseline or not compliance:
            name = "compliance_accuracy.txt" if baseline else "baseline_accuracy.txt"
            yield Issue("compliance-accuracy-unreadable", f"{path}/{name}", field=target.metric)
            continue
        delta = abs(1 - baseline / compliance) * 100
        if not delta <= limit:
            yield Issue(
                "compliance-accuracy-differs",
                f"{path}/compliance_accuracy.txt",
                field=target.metric,
                found=f"{compliance} against {baseline}: {delta:.3g} %",
                expected=f"at most {limit} %",
            )


def _last_figure(context: EntryContext, place: str, pattern: re.Pattern[str]) -> float | None:
    text, _ = read_text(context.full(place))
    found: float | None = None
    for line in (text or "").split("\n"):
        if match := pattern.match(line):
            try:
                found = float(match[1])
            except ValueError:
                return None
    return found
