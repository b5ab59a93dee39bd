"""What became of an upload: results that were taken, results that were not and why, and every finding."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class UploadKind(StrEnum):
    """What an upload holds."""

    TREE = "submission tree"
    RUNS = "runs"


@dataclass(frozen=True, slots=True)
class UploadFinding:
    """Something that the check saw.

    Attributes:
        code: stable name; see ``assay explain``.
        title: one sentence.
        file: path in the upload; empty for the upload as a whole.
        line: of the file, None where there is none.
        field: key that it is about.
        found: what is there.
        expected: what should be.
        fix: what to do.
        official: level under the round's official tool: ignore, warn, flag, reject.
        strict: level under the written rules.
        result: path of the result that it is about, or of a folder whose results it is about.
    """

    code: str
    title: str
    file: str = ""
    line: int | None = None
    field: str = ""
    found: str = ""
    expected: str = ""
    fix: str = ""
    detail: str = ""
    official: str = ""
    strict: str = ""
    result: str = ""


@dataclass(frozen=True, slots=True)
class AcceptedResult:
    """A result that was taken.

    Attributes:
        uid: that it has from now on.
        path: where it lay in the upload.
        known: it was there already and nothing changed.
        official: the official checker takes it; None where it was not asked.
        strict: the written rules take it; None where they were not asked.
    """

    uid: str
    path: str
    round: str
    benchmark: str
    scenario: str
    division: str
    value: float | None = None
    unit: str | None = None
    official: bool | None = None
    strict: bool | None = None
    labels: tuple[str, ...] = ()
    known: bool = False


@dataclass(frozen=True, slots=True)
class Refusal:
    """A result that was not taken, and why."""

    path: str
    reason: str
    benchmark: str = ""
    scenario: str = ""
    codes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of an upload.

    Attributes:
        kind: what it was.
        accepted: results that are taken, those that were there already included.
        refused: results that are not.
        findings: of the check, gravest first; at most some thousands.
        findings_total: how many there were.
        commit: of the server's repository; None when nothing changed.
        round: whose rules it was checked by; empty for runs of several.
    """

    kind: UploadKind
    accepted: tuple[AcceptedResult, ...] = ()
    refused: tuple[Refusal, ...] = ()
    findings: tuple[UploadFinding, ...] = ()
    findings_total: int = 0
    commit: str | None = None
    round: str = ""

    @property
    def ok(self) -> bool:
        """Something was taken, and nothing refused."""
        return bool(self.accepted) and not self.refused

    @property
    def unchanged(self) -> bool:
        """All of it was there already."""
        return bool(self.accepted) and all(each.known for each in self.accepted)

    @property
    def message(self) -> str:
        """The outcome in a sentence."""
        new = sum(not each.known for each in self.accepted)
        known = len(self.accepted) - new
        parts = [f"{new} {'result' if new == 1 else 'results'} accepted"] if new else []
        parts += [f"{known} already there, nothing changed"] if known else []
        parts += [f"{len(self.refused)} refused"] if self.refused else []
        return ", ".join(parts) or "nothing in it is a result"
