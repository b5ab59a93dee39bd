"""Who takes part in which challenge; a private challenge is seen by its members."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, select

from assay.cm.meta import is_uid
from assay.errors import InvalidInputError
from assay.playground.accounts.audit import Actor, Audit
from assay.playground.accounts.database import Database
from assay.playground.accounts.people import key_of, row_of
from assay.playground.accounts.settings import Clock
from assay.playground.accounts.tables import AccountRow, MembershipRow


@dataclass(frozen=True, slots=True)
class Membership:
    """An account that takes part in a challenge.

    Attributes:
        account: its name.
        challenge: uid of the challenge.
        since: when it began, UTC.
        admitted_by: who let it in; None when it joined by itself.
    """

    account: str
    challenge: str
    since: datetime
    admitted_by: str | None


class Memberships:
    """Who takes part in which challenge."""

    def __init__(self, database: Database, audit: Audit, clock: Clock) -> None:
        self._database, self._audit, self._clock = database, audit, clock

    def admit(self, name: str, challenge: str, *, by: Actor) -> Membership:
        """Let an account take part; nothing happens when it does already.

        Raises:
            NotFoundError: when there is no such account.
            InvalidInputError: when the challenge is no uid.
        """
        uid = check_challenge(challenge)
        with self._database.writing() as session:
            account = row_of(session, name, lock=True)
            row = session.get(MembershipRow, (account.id, uid))
            if row is None:
                own = by.name is not None and by.name.casefold() == account.key
                row = MembershipRow(
                    account_id=account.id, challenge=uid, since=self._clock(), admitted_by=None if own else by.name
                )
                session.add(row)
                self._audit.write(session, "membership.admit", account.name, by=by, detail={"challenge": uid})
            return Membership(account.name, uid, row.since, row.admitted_by)

    def leave(self, name: str, challenge: str, *, by: Actor) -> None:
        """End an account's part; nothing happens when it has none.

        Raises:
            NotFoundError: when there is no such account.
            InvalidInputError: when the challenge is no uid.
        """
        uid = check_challenge(challenge)
        with self._database.writing() as session:
            account = row_of(session, name)
            gone = session.execute(
                delete(MembershipRow)
                .where(MembershipRow.account_id == account.id, MembershipRow.challenge == uid)
                .returning(MembershipRow.challenge)
            ).all()
            if gone:
                self._audit.write(session, "membership.leave", account.name, by=by, detail={"challenge": uid})

    def members(self, challenge: str) -> list[Membership]:
        """Who takes part in a challenge, in the order in which they came."""
        return self._list(MembershipRow.challenge == challenge)

    def of(self, name: str) -> list[Membership]:
        """What an account takes part in."""
        return self._list(AccountRow.key == key_of(name))

    def _list(self, condition: object) -> list[Membership]:
        query = (
            select(MembershipRow, AccountRow.name)
            .join(AccountRow, AccountRow.id == MembershipRow.account_id)
            .where(condition)  # type: ignore[arg-type]
            .order_by(MembershipRow.since, AccountRow.key)
        )
        with self._database.reading() as session:
            return [Membership(name, row.challenge, row.since, row.admitted_by) for row, name in session.execute(query)]


def check_challenge(challenge: str) -> str:
    """The uid of a challenge.

    Raises:
        InvalidInputError: when it is none.
    """
    uid = challenge.strip().lower()
    if not is_uid(uid):
        raise InvalidInputError("not a challenge", expected="its uid of 16 hex digits", found=challenge[:40])
    return uid
