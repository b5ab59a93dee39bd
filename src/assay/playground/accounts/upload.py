"""An upload as it is kept, by whatever keeps it: what was sent in, how far it is, and who may see it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from assay.playground.accounts.viewer import Viewer


class UploadState(StrEnum):
    """How far an upload is."""

    RECEIVED = "received"
    CHECKING = "checking"
    ACCEPTED = "accepted"
    REFUSED = "refused"
    FAILED = "failed"

    @property
    def done(self) -> bool:
        """Whether nothing more will happen to it."""
        return not NEXT[self]


NEXT = {
    UploadState.RECEIVED: {UploadState.CHECKING, UploadState.FAILED},
    UploadState.CHECKING: {UploadState.ACCEPTED, UploadState.REFUSED, UploadState.FAILED},
    UploadState.ACCEPTED: set[UploadState](),
    UploadState.REFUSED: set[UploadState](),
    UploadState.FAILED: set[UploadState](),
}


@dataclass(frozen=True, slots=True)
class Upload:
    """Something that was sent in.

    Attributes:
        id: public and not to be guessed, 16 hex digits.
        account: name of who sent it; of the single user where there are no accounts.
        created: UTC.
        changed: when its state last changed, UTC.
        file_name: as it was sent, without a folder.
        size: bytes as it was sent.
        sha256: of those bytes.
        state: how far it is.
        challenges: uids of those it is for.
        private: seen by its account and its challenges only.
        embargo: until when it is private, UTC; None for ever.
        outcome: findings and results, as JSON.
        commit: of the repository it went to.
    """

    id: str
    account: str
    created: datetime
    changed: datetime
    file_name: str
    size: int
    sha256: str
    state: UploadState
    challenges: tuple[str, ...]
    private: bool
    embargo: datetime | None
    outcome: Mapping[str, Any]
    commit: str | None

    def seen_by(self, viewer: Viewer, now: datetime) -> bool:
        """Whether somebody may see it: its account, maintainers, and everybody once it is accepted and public."""
        if viewer.audience.everything:
            return True
        if viewer.name is not None and viewer.name.casefold() == self.account.casefold():
            return True
        if self.state is not UploadState.ACCEPTED:
            return False
        if not self.private or (self.embargo is not None and self.embargo <= now):
            return True
        return any(f"challenge:{uid}" in viewer.audience.names for uid in self.challenges)
