"""Invitations: a code that lets one person make an account, shown once and kept as a hash."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from assay.errors import InvalidInputError, NotFoundError
from assay.playground.accounts.audit import Actor, Audit
from assay.playground.accounts.database import Database
from assay.playground.accounts.hashes import digest, id_of, new_id, new_secret
from assay.playground.accounts.people import check_text
from assay.playground.accounts.refusals import DeniedError
from assay.playground.accounts.settings import Clock
from assay.playground.accounts.tables import AccountRow, InvitationRow
from assay.playground.accounts.viewer import Role

_LONGEST_DAYS = 366


@dataclass(frozen=True, slots=True)
class Invitation:
    """An invitation, without its code.

    Attributes:
        id: public, for lists and for revoking.
        role: that the account will have.
        note: whom it is for.
        made_by: name of who invited.
        created: UTC.
        expires: UTC.
        used: when it was used; None when it was not.
        revoked: since when it does not hold; None when it was not revoked.
        used_by: name of the account; None when it was not used.
    """

    id: str
    role: Role
    note: str
    made_by: str
    created: datetime
    expires: datetime
    used: datetime | None
    revoked: datetime | None
    used_by: str | None


@dataclass(frozen=True, slots=True)
class NewInvitation:
    """An invitation that was just made; its code is shown once."""

    code: str = field(repr=False)
    invitation: Invitation


class Invitations:
    """The invitations of a server."""

    def __init__(self, database: Database, audit: Audit, clock: Clock, days: int) -> None:
        self._database, self._audit, self._clock, self._days = database, audit, clock, days

    def create(
        self, *, by: Actor, role: Role = Role.CONTRIBUTOR, note: str = "", days: int | None = None
    ) -> NewInvitation:
        """Make an invitation.

        Raises:
            InvalidInputError: for too many days, or a note that is too long.
        """
        lasting = self._days if days is None else days
        if not 1 <= lasting <= _LONGEST_DAYS:
            raise InvalidInputError("an invitation cannot hold so long", expected=f"1 to {_LONGEST_DAYS} days")
        code, now = new_secret(), self._clock()
        row = InvitationRow(
            id=new_id(),
            digest=digest(code),
            role=role.value,
            note=check_text("note", note, 120) or "",
            made_by=by.name or "",
            created=now,
            expires=now + timedelta(days=lasting),
        )
        with self._database.writing() as session:
            session.add(row)
            self._audit.write(session, "invitation.create", row.id, by=by, detail={"role": role.value})
        return NewInvitation(code, _invitation_of(row, None))

    def list(self, *, limit: int = 200) -> list[Invitation]:
        """Invitations, the newest first."""
        query = (
            select(InvitationRow, AccountRow.name)
            .outerjoin(AccountRow, AccountRow.id == InvitationRow.used_by)
            .order_by(InvitationRow.created.desc(), InvitationRow.id)
            .limit(limit)
        )
        with self._database.reading() as session:
            return [_invitation_of(row, name) for row, name in session.execute(query)]

    def revoke(self, invitation_id: str, *, by: Actor) -> None:
        """Make an invitation hold no longer.

        Raises:
            NotFoundError: when there is none.
        """
        with self._database.writing() as session:
            row = session.get(InvitationRow, id_of(invitation_id))
            if row is None:
                raise NotFoundError(f"no invitation {invitation_id[:16]!a}")
            if row.revoked is None:
                row.revoked = self._clock()
                self._audit.write(session, "invitation.revoke", row.id, by=by)

    def open(self, session: Session, code: str) -> InvitationRow:
        """The invitation of a code, locked until the transaction ends.

        Raises:
            DeniedError: when it does not hold; why is not said.
        """
        query = select(InvitationRow).where(InvitationRow.digest == digest(code.strip()[:200])).with_for_update()
        row = session.scalar(query)
        if row is None or row.used is not None or row.revoked is not None or row.expires <= self._clock():
            raise DeniedError("this invitation does not hold", hint="ask for another one")
        return row

    def use(self, row: InvitationRow, account: AccountRow) -> None:
        """Note whose account an invitation became, in the transaction it was opened in."""
        row.used_by, row.used = account.id, self._clock()


def _invitation_of(row: InvitationRow, used_by: str | None) -> Invitation:
    return Invitation(
        row.id, Role(row.role), row.note, row.made_by, row.created, row.expires, row.used, row.revoked, used_by
    )
