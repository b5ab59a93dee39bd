"""How a check report is shown to people and programs, and written to files."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from assay.base.files import write_atomic
from assay.base.units import format_count
from assay.cli.render import Output
from assay.errors import UsageError
from assay.rules.submission import Level
from assay.submission.model import CheckReport, Finding, Outcome, ResultReport

_PLACES = 4
_REASONS = 4
_GRAVE = (Level.FLAG, Level.REJECT)
_FORMS = ("csv", "sarif", "junit", "html", "xlsx")
_STDOUT = Path("-")


def printed_form(given: Mapping[str, Any], out: Output) -> str | None:
    """The form that goes to standard output (``--csv -``) in place of what people read; None when none does.

    Raises:
        UsageError: for two of them at once, and for a form that is no text.
    """
    found = [form for form in _FORMS if given[f"{form}_path"] == _STDOUT]
    if "xlsx" in found:
        raise UsageError("a workbook does not go to standard output", hint="give a file: --xlsx final.xlsx")
    options = [f"--{form} -" for form in found] + (["--json"] if found and out.as_json else [])
    if len(options) > 1:
        raise UsageError(
            "one form only can go to standard output", found=", ".join(options), hint="give files for the others"
        )
    return found[0] if found else None


def write_files(report: CheckReport, given: Mapping[str, Any], out: Output) -> None:
    """Write the report in the forms that were asked for."""
    for form in _FORMS:
        path = given[f"{form}_path"]
        if path is not None:
            _write(form, report, path, out)


def _write(form: str, report: CheckReport, path: Path, out: Output) -> None:
    if form == "csv":
        content = csv_text(report).encode("utf-8", "surrogateescape")
        out.raw(content) if path == _STDOUT else write_atomic(path, content)
        return
    from assay.submission import report as forms

    if path == _STDOUT:
        out.raw(forms.encoded(form, report))
    else:
        forms.write(form, report, path)


def csv_text(report: CheckReport) -> str:
    """The official ``summary.csv``."""
    return "\n".join((report.header, *report.rows)) + "\n"


def show_report(report: CheckReport, out: Output, *, everything: bool) -> None:
    """Print a report."""
    if out.as_json:
        out.json(report_document(report))
        return
    grave = [each for each in report.findings if each.official in _GRAVE or each.strict in _GRAVE]
    _show_findings(report.findings if everything else grave, out, everything=everything)
    rest = len(report.findings) - len(grave)
    if rest and not everything:
        out.text(f"{_plural(rest, 'note')} more, which refuse nothing (--all shows them)")
        out.text()
    for line in verdict_lines(report):
        out.text(line)
    reused = f", {_plural(report.reused, 'system')} unchanged" if report.reused else ""
    out.remark(
        f"{_plural(len(report.results), 'result')} of {_plural(report.systems, 'system')}, "
        f"{format_count(report.files)} files, {report.seconds:.1f} s{reused}"
    )


def verdict_lines(report: CheckReport) -> list[str]:
    """Both verdicts, and the most frequent reasons of the strict one."""
    lines = [
        _verdict(f"official, {report.tool}", report.official),
        _verdict(f"strict, the written rules of {report.round}", report.strict),
    ]
    reasons = strict_reasons(report)
    if reasons:
        (code, count), *rest = reasons[:_REASONS]
        most = "".join(f", {code} {format_count(count)}" for code, count in rest)
        more = f" and {len(reasons) - _REASONS} more" if len(reasons) > _REASONS else ""
        lines.append(f"          strictly refused, by reason: {code} {_plural(count, 'result')}{most}{more}")
    return lines


def strict_reasons(report: CheckReport) -> list[tuple[str, int]]:
    """Why results are refused strictly: code, and in how many refused results it is; the most frequent first.

    A finding about a submitter or a system refuses every result below it; one about a model directory (a scenario that
    is missing) refuses the submission and leaves the results there as they are.
    """
    above: dict[str, set[str]] = {}
    for finding in report.findings:
        if finding.strict is Level.REJECT:
            above.setdefault(finding.result, set()).add(finding.code)
    found: Counter[str] = Counter()
    for result in report.results:
        if not result.strict:
            submitter, system = ("/".join(result.path.split("/")[:depth]) for depth in (2, 4))
            found.update(set().union(*(above.get(path, ()) for path in (submitter, system, result.path))))
    return sorted(found.items(), key=lambda item: (-item[1], item[0]))


def _verdict(name: str, outcome: Outcome) -> str:
    refused = f", {_plural(len(outcome.refused), 'place')} refused" if outcome.refused else ""
    return f"{'accepted' if outcome.ok else 'REFUSED '}  {_plural(outcome.accepted, 'result')} taken{refused} ({name})"


def _show_findings(findings: Iterable[Finding], out: Output, *, everything: bool) -> None:
    """Findings by code, the gravest first."""
    by_code: dict[str, list[Finding]] = {}
    for finding in findings:
        by_code.setdefault(finding.code, []).append(finding)
    ordered = sorted(
        by_code.items(),
        key=lambda item: (
            -max(each.official.rank for each in item[1]),
            -max(each.strict.rank for each in item[1]),
            item[0],
        ),
    )
    for code, found in ordered:
        first = found[0]
        official, strict = (
            max((getattr(each, name) for each in found), key=lambda level: level.rank)
            for name in ("official", "strict")
        )
        out.text(f"{code}: {first.title}  [official: {official}, strict: {strict}]  {_plural(len(found), 'place')}")
        for each in found if everything else found[:_PLACES]:
            out.text(f"  {each.place}{_facts(each)}")
        if len(found) > _PLACES and not everything:
            out.text(f"  ... and {_plural(len(found) - _PLACES, 'place')} more")
        out.text(f"  what to do: {first.fix}")
        out.text()


def _facts(finding: Finding) -> str:
    parts = []
    if finding.field:
        parts.append(finding.field)
    if finding.found:
        parts.append(f"found {finding.found}")
    if finding.expected:
        parts.append(f"expected {finding.expected}")
    if finding.detail:
        parts.append(finding.detail)
    return f"  ({'; '.join(parts)})" if parts else ""


def _plural(count: int, noun: str) -> str:
    return f"{format_count(count)} {noun}{'' if count == 1 else 's'}"


def report_document(report: CheckReport) -> dict[str, Any]:
    """The report as one JSON document; a result's findings are told by their numbers in ``findings``."""
    numbers = {id(finding): number for number, finding in enumerate(report.findings)}
    return {
        "format": 1,
        "round": report.round,
        "tool": report.tool,
        "root": report.root,
        "official": _outcome(report.official),
        "strict": _outcome(report.strict),
        "systems": report.systems,
        "files": report.files,
        "bytes": report.bytes,
        "seconds": round(report.seconds, 3),
        "reused_systems": report.reused,
        "results": [_result(each, numbers) for each in report.results],
        "findings": [_finding(each) for each in report.findings],
    }


def _outcome(outcome: Outcome) -> dict[str, Any]:
    return {"ok": outcome.ok, "accepted": outcome.accepted, "refused": list(outcome.refused)}


def _result(result: ResultReport, numbers: Mapping[int, int]) -> dict[str, Any]:
    fields = {
        field.name: getattr(result, field.name)
        for field in dataclasses.fields(result)
        if field.name not in ("findings", "facts")
    }
    return {
        **fields,
        "findings": [numbers[id(each)] for each in result.findings if id(each) in numbers],
        "log": dict(result.facts),
    }


def _finding(finding: Finding) -> dict[str, Any]:
    return {field.name: getattr(finding, field.name) for field in dataclasses.fields(finding)}
