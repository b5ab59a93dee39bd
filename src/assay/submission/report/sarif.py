"""A report as SARIF 2.1.0, the form that code hosts and editors show beside the files.

A result's level follows the official verdict: what its tool refuses is an ``error``, what it flags a ``warning``.
What only the written rules refuse is a ``warning``, too, so that a tree that the official tool takes has no error; both
levels stand in ``properties``. Paths are relative to the base ``TREE``, the root of the tree. The same findings give
the same bytes, whatever the order the disk gave them in.

Source: SARIF 2.1.0, OASIS Standard (https://docs.oasis-open.org/sarif/sarif/v2.1.0/).
"""

from __future__ import annotations

import hashlib
import json
import os
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from urllib.parse import quote

from assay import __version__
from assay.base.files import write_atomic
from assay.rules.submission import Level
from assay.submission.model import CheckReport, Finding
from assay.submission.report.words import CodeGroup, by_code, facts, plain

_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_BASE = "TREE"
_ERROR, _WARNING, _NOTE = "error", "warning", "note"


def write(report: CheckReport, path: Path) -> None:
    """Write a report as SARIF.

    Raises:
        MachineError: when the file cannot be written.
    """
    write_atomic(path, encoded(report))


def encoded(report: CheckReport) -> bytes:
    """The file's content."""
    return (json.dumps(document(report), indent=2, ensure_ascii=False) + "\n").encode()


def document(report: CheckReport) -> dict[str, Any]:
    """The SARIF log of a report."""
    groups = sorted(by_code(report.findings), key=lambda group: group.code)
    numbers = {group.code: number for number, group in enumerate(groups)}
    return {
        "$schema": _SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "assay",
                        "version": __version__,
                        "shortDescription": {"text": "Checks MLPerf Inference submissions."},
                        "rules": [_rule(group) for group in groups],
                    }
                },
                "automationDetails": {"id": f"assay-check/{plain(report.round)}/"},
                "columnKind": "utf16CodeUnits",
                "originalUriBaseIds": {
                    _BASE: {
                        "uri": _root_uri(report.root),
                        "description": {"text": "The root of the submission tree."},
                    }
                },
                "properties": _verdicts(report),
                "results": _results(report.findings, numbers),
            }
        ],
    }


def level_of(official: Level, strict: Level) -> str:
    """The SARIF level of a finding's two levels."""
    if official is Level.REJECT:
        return _ERROR
    grave = (Level.WARN, Level.FLAG, Level.REJECT)
    return _WARNING if official in grave or strict in grave else _NOTE


def _rule(group: CodeGroup) -> dict[str, Any]:
    explain = group.explain or f"{group.title}."
    return {
        "id": group.code,
        "name": "".join(part.capitalize() for part in group.code.split("-")),
        "shortDescription": {"text": f"{group.title[:1].upper()}{group.title[1:]}."},
        "fullDescription": {"text": explain},
        "help": {
            "text": f"{explain}\n\nWhat to do: {group.fix}\n\nSource: {group.source}",
            "markdown": f"{explain}\n\n**What to do:** {group.fix}\n\n**Source:** {group.source}\n\n`assay explain {group.code}`",
        },
        "defaultConfiguration": {"level": level_of(group.official, group.strict)},
        "properties": {"official": group.official.value, "strict": group.strict.value, "tags": _tags(group)},
    }


def _tags(group: CodeGroup) -> list[str]:
    return sorted({"mlperf", *(finding.part.value for finding in group.findings)})


def _results(findings: Iterable[Finding], numbers: dict[str, int]) -> list[dict[str, Any]]:
    seen: Counter[tuple[str, ...]] = Counter()
    found = []
    for finding in sorted(findings, key=_order):
        what = (finding.code, finding.path, finding.field, finding.result)
        found.append(_result(finding, numbers[finding.code], _fingerprint(what, seen[what])))
        seen[what] += 1
    return found


def _order(finding: Finding) -> tuple[object, ...]:
    return (
        finding.path,
        finding.line or 0,
        finding.code,
        finding.field,
        finding.found,
        finding.expected,
        finding.detail,
        finding.result,
    )


def _fingerprint(what: tuple[str, ...], number: int) -> str:
    """Stays the same when the figure or the line changes: the finding is the same one until it is gone."""
    raw = "\0".join((*what, str(number))).encode("utf-8", "surrogateescape")
    return hashlib.sha256(raw).hexdigest()[:32]


def _result(finding: Finding, number: int, fingerprint: str) -> dict[str, Any]:
    physical: dict[str, Any] = {"artifactLocation": {"uri": relative_uri(finding.path), "uriBaseId": _BASE}}
    if finding.line is not None and finding.line > 0:
        physical["region"] = {"startLine": finding.line}
    location: dict[str, Any] = {"physicalLocation": physical}
    if finding.result:
        result = plain(finding.result)
        location["logicalLocations"] = [
            {"name": result.rpartition("/")[2], "fullyQualifiedName": result, "kind": "resource"}
        ]
    properties = {
        "official": finding.official.value,
        "strict": finding.strict.value,
        "part": finding.part.value,
        **{
            name: plain(getattr(finding, name))
            for name in ("result", "field", "found", "expected", "detail")
            if getattr(finding, name)
        },
    }
    return {
        "ruleId": finding.code,
        "ruleIndex": number,
        "level": level_of(finding.official, finding.strict),
        "message": {"text": _message(finding)},
        "locations": [location],
        "partialFingerprints": {"assayFinding/v1": fingerprint},
        "properties": properties,
    }


def _message(finding: Finding) -> str:
    title, seen = plain(finding.title), facts(finding)
    return f"{title[:1].upper()}{title[1:]}{f' ({seen})' if seen else ''}. {plain(finding.fix)}"


def relative_uri(path: str) -> str:
    """A path below the root as a relative URI reference; the root itself is ``./``."""
    # As bytes: a name that is no UTF-8 keeps the bytes that it has on the disk.
    return quote(os.fsencode(path)) if path else "./"


def _root_uri(root: str) -> str:
    return "file://" + quote(os.fsencode(os.path.abspath(root).rstrip("/"))) + "/"


def _verdicts(report: CheckReport) -> dict[str, Any]:
    return {
        "round": plain(report.round),
        "officialTool": plain(report.tool),
        "results": len(report.results),
        **{
            name: {"ok": outcome.ok, "accepted": outcome.accepted, "refused": [plain(each) for each in outcome.refused]}
            for name, outcome in (("official", report.official), ("strict", report.strict))
        },
    }
