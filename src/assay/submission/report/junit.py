"""A report as JUnit XML, the form that every CI server shows.

A suite is a system (or whatever folder a refused place is in), a case is a result or a folder that was refused as a
whole. A case fails when the **official** verdict refuses it, so that failures go with the exit code of ``assay check``;
what only the written rules refuse passes, and says why in its ``system-out``. Both verdicts are properties of the
case; with ``--strict`` the exit code follows the property ``strict``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from xml.etree import ElementTree as ET

from assay.base.files import write_atomic
from assay.rules.submission import Level
from assay.submission.model import CheckReport, Finding, ResultReport
from assay.submission.report.words import Place, by_code, line_of, places, plain, result_path

# Lines of findings in one case; a folder can have thousands and CI servers show cases, not files.
_MAX_LINES = 200
_REFUSES = (Level.FLAG, Level.REJECT)


def write(report: CheckReport, path: Path) -> None:
    """Write a report as JUnit XML.

    Raises:
        MachineError: when the file cannot be written.
    """
    write_atomic(path, encoded(report))


def encoded(report: CheckReport) -> bytes:
    """The file's content."""
    root = document(report)
    ET.indent(root)
    return bytes(ET.tostring(root, encoding="utf-8", xml_declaration=True)) + b"\n"


def document(report: CheckReport) -> ET.Element:
    """The ``testsuites`` element of a report."""
    found = places(report)
    suites: dict[str, list[Place]] = {}
    for place in found:
        suites.setdefault(suite_of(place.path), []).append(place)
    root = ET.Element("testsuites")
    _set(root, name=f"assay check {report.root} ({report.round})", **_counts(found), time=f"{report.seconds:.3f}")
    for name, cases in suites.items():
        suite = ET.SubElement(root, "testsuite")
        _set(suite, name=name, **_counts(cases), time="0")
        _properties(suite, [("round", report.round), ("official-tool", report.tool)])
        for case in cases:
            _case(suite, name, case)
    return root


def suite_of(path: str) -> str:
    """The suite of a place: division, submitter and system, as far as it has them."""
    parts = result_path(path).split("/")
    if len(parts) > 3 and parts[2] == "results":
        return "/".join((*parts[:2], parts[3]))
    return "/".join(parts[:2]) or "tree"


def case_of(path: str) -> str:
    """The name of a place inside its suite: model and scenario directory, and what it is when it is no result."""
    parts = path.split("/")
    if len(parts) > 3 and parts[2] in ("results", "measurements", "compliance"):
        rest = "/".join(parts[4:])
        kind = "" if parts[2] == "results" else parts[2]
        kind = kind or {4: "system", 5: "model"}.get(len(parts), "")
        return f"{rest} ({kind})".strip() if kind else rest
    kind = {"root": "tree"}.get(path, "division") if len(parts) == 1 else "submitter" if len(parts) == 2 else ""
    return f"({kind})" if kind else "/".join(parts[2:])


def _counts(cases: Sequence[Place]) -> dict[str, str]:
    failed = sum(not case.official for case in cases)
    return {"tests": str(len(cases)), "failures": str(failed), "errors": "0", "skipped": "0"}


def _case(suite: ET.Element, name: str, place: Place) -> None:
    case = ET.SubElement(suite, "testcase")
    _set(case, classname=name, name=case_of(place.path), time="0")
    _properties(case, [*_verdicts(place), *(_figures(place.result) if place.result else ())])
    if not place.official:
        blamed = _blamed(place, "official")
        failure = ET.SubElement(case, "failure")
        _set(failure, type="official", message=_message(blamed))
        failure.text = plain(_listing(place, blamed, "official"))
    if not place.strict:
        said = "Refused by the written rules (strict):\n" + _listing(place, _blamed(place, "strict"), "strict")
        ET.SubElement(case, "system-out").text = plain(said)


def _blamed(place: Place, verdict: str) -> list[Finding]:
    """Findings that refuse a place: its own, and those that refuse a folder that it is in."""
    at = result_path(place.path)
    own = [each for each in place.findings if each.result == at and getattr(each, verdict) in _REFUSES]
    above = [each for each in place.findings if each.result != at and getattr(each, verdict) is Level.REJECT]
    return own + above


def _verdicts(place: Place) -> list[tuple[str, str]]:
    return [
        ("path", place.path),
        ("official", "accepted" if place.official else "refused"),
        ("strict", "accepted" if place.strict else "refused"),
    ]


def _figures(result: ResultReport) -> Iterable[tuple[str, str]]:
    facts = {
        "benchmark": result.benchmark,
        "scenario": result.scenario,
        "result": "" if result.value is None else f"{result.value} {result.unit}",
        "accuracy": result.accuracy or "",
        "power": "" if result.power is None else f"{result.power} {result.power_unit}",
        "inferred": "yes" if result.inferred else "",
    }
    return [(name, value) for name, value in facts.items() if value]


def _message(blamed: Sequence[Finding]) -> str:
    codes = list(dict.fromkeys(each.code for each in blamed))
    if not codes:
        return "refused by the official tool"
    more = f" and {len(codes) - 5} more" if len(codes) > 5 else ""
    return f"refused by the official tool: {', '.join(codes[:5])}{more}"


def _listing(place: Place, blamed: Sequence[Finding], verdict: str) -> str:
    """The findings that refuse a place: its own one by one, those of a folder that it is in by code."""
    at = result_path(place.path)
    own = [each for each in blamed if each.result == at]
    lines: list[str] = []
    for group in by_code(own[:_MAX_LINES]):
        lines += [line_of(each, verdict) for each in group.findings]
        lines.append(f"    what to do: {group.fix} (assay explain {group.code})")
    if len(own) > _MAX_LINES:
        lines.append(f"... and {len(own) - _MAX_LINES} more findings (assay check --json has them all)")
    above = Counter((each.result, each.code, each.title) for each in blamed if each.result != at)
    for (folder, code, title), count in above.items():
        times = f" ({count} times)" if count > 1 else ""
        lines.append(f"reject: {code}: {title}{times}, which refuses all of {folder or 'the tree'}")
    if lines:
        return "\n".join(lines)
    if place.result is None:
        return f"{place.path}: no finding of its own; something in it is refused."
    return f"{place.path}: no finding of its own; it has no figure, or a folder that it is in is refused."


def _properties(parent: ET.Element, pairs: Iterable[tuple[str, str]]) -> None:
    element = ET.SubElement(parent, "properties")
    for name, value in pairs:
        _set(ET.SubElement(element, "property"), name=name, value=value)


def _set(element: ET.Element, **attributes: str) -> None:
    for name, value in attributes.items():
        element.set(name, plain(value))
