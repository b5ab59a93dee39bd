"""What the forms of a report share: hostile text made harmless, findings grouped by code, places and their verdicts."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from assay.rules.findings import FindingKind, catalogue
from assay.rules.submission import Level
from assay.submission.model import CheckReport, Finding, ResultReport

# Controls and noncharacters that XML 1.0 cannot hold, halves of surrogate pairs (how an undecodable byte of a name
# arrives), and the marks that make a terminal or a browser show a text in another order than it stands in.
_UNPRINTABLE = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\u202a-\u202e\u2066-\u2069\ufdd0-\ufdef\ufffe\uffff]"
)


def plain(text: str) -> str:
    """A text that every form can hold: each character that XML cannot, or that reorders text, becomes U+FFFD."""
    return text if text.isascii() and text.isprintable() else _UNPRINTABLE.sub("\ufffd", text)


@dataclass(frozen=True, slots=True)
class CodeGroup:
    """All findings of one code.

    Attributes:
        official: the gravest level among them under the official tool.
        strict: the same under the written rules.
    """

    code: str
    title: str
    explain: str
    fix: str
    source: str
    official: Level
    strict: Level
    findings: tuple[Finding, ...]


def by_code(findings: Iterable[Finding]) -> list[CodeGroup]:
    """Findings by code, the gravest first; inside a code in the order given."""
    found: dict[str, list[Finding]] = {}
    for finding in findings:
        found.setdefault(finding.code, []).append(finding)
    kinds = catalogue()
    groups = [_group(code, each, kinds.get(code)) for code, each in found.items()]
    return sorted(groups, key=lambda group: (-group.official.rank, -group.strict.rank, group.code))


def _group(code: str, findings: list[Finding], kind: FindingKind | None) -> CodeGroup:
    first = findings[0]
    return CodeGroup(
        code=code,
        title=first.title,
        explain=kind.explain if kind is not None else "",
        fix=first.fix,
        source=first.source,
        official=max((each.official for each in findings), key=lambda level: level.rank),
        strict=max((each.strict for each in findings), key=lambda level: level.rank),
        findings=tuple(findings),
    )


def facts(finding: Finding) -> str:
    """What a finding saw, in one line: field, found, expected, detail; empty when it says nothing of them."""
    seen = " ".join(
        part
        for part in (
            f"{finding.field}:" if finding.field and (finding.found or finding.expected) else finding.field,
            f"found {finding.found}" + ("," if finding.expected else "") if finding.found else "",
            f"expected {finding.expected}" if finding.expected else "",
        )
        if part
    )
    return plain("; ".join(part for part in (seen, finding.detail) if part))


def line_of(finding: Finding, verdict: str) -> str:
    """A finding in one line of text.

    Args:
        finding: the finding.
        verdict: ``official`` or ``strict``: whose level stands at the front.
    """
    seen = facts(finding)
    level = getattr(finding, verdict)
    return f"{level}: {finding.code}: {plain(finding.title)} at {plain(finding.place)}{f' ({seen})' if seen else ''}"


@dataclass(frozen=True, slots=True)
class Place:
    """Something that has a verdict: a result, or a folder that was refused as a whole.

    Attributes:
        result: the result; None for a folder.
        official: not refused by the official tool.
        strict: not refused by the written rules.
        findings: what was seen of it and of the folders that it is in, the nearest first.
    """

    path: str
    result: ResultReport | None
    official: bool
    strict: bool
    findings: tuple[Finding, ...]


def places(report: CheckReport) -> list[Place]:
    """Every result, and every refused folder that is none, in the order of their paths."""
    above: dict[str, list[Finding]] = {}
    for finding in report.findings:
        above.setdefault(finding.result, []).append(finding)
    official, strict = set(report.official.refused), set(report.strict.refused)
    results = {each.path: each for each in report.results}
    found = []
    for path in sorted({*results, *official, *strict}):
        result = results.get(path)
        found.append(
            Place(
                path=path,
                result=result,
                official=(result is None or result.official) and not _refused(path, official),
                strict=(result is None or result.strict) and not _refused(path, strict),
                findings=tuple(_seen_of(path, above)),
            )
        )
    return found


def _refused(path: str, refused: AbstractSet[str]) -> bool:
    """Whether a place or the submitter or system that it is in is refused; a model is only where it lacks a scenario."""
    parts = path.split("/")
    above = ("root", parts[0], "/".join(parts[:2]), "/".join(parts[:4]), path)
    return any(each in refused for each in above)


def _seen_of(path: str, above: Mapping[str, list[Finding]]) -> Iterable[Finding]:
    """Findings of a place and of what it is in; the tool tells the tree as ``root``, findings as nothing."""
    at = result_path(path)
    yield from above.get(at, ())
    while at:
        at = at.rpartition("/")[0]
        yield from above.get(at, ())


def result_path(path: str) -> str:
    """The path under which findings of a refused place are kept: its results folder, empty for the tree."""
    parts = path.split("/")
    if len(parts) > 2 and parts[2] in ("measurements", "compliance"):
        parts[2] = "results"
    return "" if path == "root" else "/".join(parts)
