"""How a check report is shown to people and programs, and written to files."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from assay.base.files import write_atomic
from assay.base.units import format_count
from assay.cli.render import Output
from assay.rules.submission import Level
from assay.submission.model import CheckReport, Finding, Outcome, ResultReport

_PLACES = 4
_GRAVE = (Level.FLAG, Level.REJECT)


def write_files(report: CheckReport, given: Mapping[str, Any]) -> None:
    """Write the report in the forms that were asked for."""
    if path := given["csv_path"]:
        write_atomic(path, csv_text(report).encode("utf-8", "surrogateescape"))
    for form in ("sarif", "junit", "html", "xlsx"):
        path = given[f"{form}_path"]
        if path is not None:
            _write(form, report, path)


def _write(form: str, report: CheckReport, path: Path) -> None:
    from assay.submission import report as forms

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
    _verdict(f"official, {report.tool}", report.official, report, out)
    _verdict(f"strict, the written rules of {report.round}", report.strict, report, out)
    reused = f", {_plural(report.reused, 'system')} unchanged" if report.reused else ""
    out.remark(
        f"{_plural(len(report.results), 'result')} of {_plural(report.systems, 'system')}, "
        f"{format_count(report.files)} files, {report.seconds:.1f} s{reused}"
    )


def _verdict(name: str, outcome: Outcome, report: CheckReport, out: Output) -> None:
    refused = f", {_plural(len(outcome.refused), 'place')} refused" if outcome.refused else ""
    out.text(
        f"{'accepted' if outcome.ok else 'REFUSED '}  {_plural(outcome.accepted, 'result')} taken{refused} ({name})"
    )
    del report


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
