"""What an examined upload gives: results that could be taken, those that cannot, and what was seen."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from assay.community.evidence import Evidence
from assay.community.outcome import Refusal, UploadFinding
from assay.results.row import Row
from assay.rules.submission import Level
from assay.submission.model import Finding

MOST_FINDINGS = 5000


@dataclass(frozen=True, slots=True)
class Candidate:
    """A result that passed.

    Attributes:
        row: all that its logs say; whose it is and where it goes is not in it yet.
        path: where it lies in the upload.
        digest: SHA-256 of the log that its figure comes from: what makes it this result and no other.
        evidence: files to keep.
    """

    row: Row
    path: str
    digest: str
    evidence: tuple[Evidence, ...]


@dataclass(frozen=True, slots=True)
class Examined:
    """An upload, examined.

    Attributes:
        candidates: results that passed.
        refused: results that did not.
        findings: what was seen, gravest first, at most :data:`MOST_FINDINGS`.
        findings_total: how much was seen.
        round: whose rules a tree was checked by; empty for runs.
    """

    candidates: tuple[Candidate, ...]
    refused: tuple[Refusal, ...]
    findings: tuple[UploadFinding, ...]
    findings_total: int
    round: str = ""


def told(finding: Finding) -> UploadFinding:
    """A finding of the checker in the form that uploads are answered in."""
    return UploadFinding(
        code=finding.code,
        title=finding.title,
        file=finding.path,
        line=finding.line,
        field=finding.field,
        found=finding.found,
        expected=finding.expected,
        fix=finding.fix,
        detail=finding.detail,
        official=finding.official.value,
        strict=finding.strict.value,
        result=finding.result,
    )


def gravest(findings: Iterable[UploadFinding]) -> tuple[UploadFinding, ...]:
    """Findings, gravest first, in their order otherwise; no more than are shown."""
    return tuple(sorted(findings, key=lambda each: -_rank(each))[:MOST_FINDINGS])


def _rank(finding: UploadFinding) -> int:
    return max((Level(each).rank for each in (finding.official, finding.strict) if each), default=0)
