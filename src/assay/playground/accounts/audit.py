"""The audit log: who did what, to what, from which network, and when. Append only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from assay.playground.accounts.actor import CONSOLE, Actor
from assay.playground.accounts.database import Database
from assay.playground.accounts.network import truncated
from assay.playground.accounts.settings import Clock
from assay.playground.accounts.tables import AuditRow

_LONGEST = 500


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One line of the log."""

    id: int
    moment: datetime
    account: str | None
    action: str
    target: str
    address: str | None
    detail: Mapping[str, Any]


class Audit:
    """The audit log."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database, self._clock = database, clock

    def add(self, action: str, target: str = "", *, by: Actor, detail: Mapping[str, Any] | None = None) -> None:
        """Write a line in a transaction of its own.

        Raises:
            MachineError: when the database fails.
        """
        with self._database.writing() as session:
            self.write(session, action, target, by=by, detail=detail)

    def write(
        self, session: Session, action: str, target: str = "", *, by: Actor, detail: Mapping[str, Any] | None = None
    ) -> None:
        """Write a line in the transaction of what it tells about: both are kept, or neither."""
        session.add(
            AuditRow(
                moment=self._clock(),
                account=by.name,
                action=action,
                target=_storable(target),
                address=None if by.address is None else truncated(by.address),
                detail=dict(detail or {}),
            )
        )

    def entries(
        self,
        *,
        account: str | None = None,
        action: str | None = None,
        target: str | None = None,
        before: int | None = None,
        limit: int = 100,
    ) -> list[AuditEntry]:
        """Lines, the newest first.

        Args:
            account: only what this account did.
            action: only this.
            target: only what was done to this.
            before: only lines before that of this id, for the next page.
            limit: how many at most, up to 1000.
        """
        query = select(AuditRow).order_by(AuditRow.id.desc()).limit(max(1, min(limit, 1000)))
        for column, wanted in ((AuditRow.account, account), (AuditRow.action, action), (AuditRow.target, target)):
            if wanted is not None:
                query = query.where(column == _storable(wanted))
        if before is not None:
            query = query.where(AuditRow.id < before)
        with self._database.reading() as session:
            return [
                AuditEntry(row.id, row.moment, row.account, row.action, row.target, row.address, row.detail)
                for row in session.scalars(query)
            ]


def _storable(text: str) -> str:
    """A text that every database takes: no half characters, no zero bytes, not too long."""
    return text[:_LONGEST].encode("utf-8", "replace").decode().replace("\0", "?")


__all__ = ["CONSOLE", "Actor", "Audit", "AuditEntry"]
