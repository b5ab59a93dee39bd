"""Sessions: a secret in a browser's cookie, of which only the hash is kept."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session as Transaction

from assay.errors import MachineError
from assay.playground.accounts.database import Database
from assay.playground.accounts.entrance import viewer_of
from assay.playground.accounts.hashes import digest, id_of, new_secret
from assay.playground.accounts.people import key_of
from assay.playground.accounts.settings import Clock
from assay.playground.accounts.tables import AccountRow, MembershipRow, SessionRow
from assay.playground.accounts.viewer import Session, Via, Viewer

MOST_EACH = 20
SEEN_EVERY = timedelta(minutes=10)
_SHORT = 16


@dataclass(frozen=True, slots=True)
class Browser:
    """A browser that is signed in.

    Attributes:
        id: names it in lists: the beginning of the hash of its secret.
        created: when it signed in, UTC.
        last_seen: within ten minutes, UTC.
        expires: when the session ends, UTC.
        current: it is the one that asks.
    """

    id: str
    created: datetime
    last_seen: datetime
    expires: datetime
    current: bool


class Sessions:
    """The sessions of a server."""

    def __init__(self, database: Database, clock: Clock, hours: float) -> None:
        self._database, self._clock, self._length = database, clock, timedelta(hours=hours)

    def begin(self, transaction: Transaction, row: AccountRow) -> Session:
        """Begin a session in a transaction; those that have ended and the oldest beyond 20 are forgotten."""
        now, cookie, csrf = self._clock(), new_secret(), new_secret()
        transaction.execute(delete(SessionRow).where(SessionRow.expires <= now))
        oldest = (
            select(SessionRow.digest)
            .where(SessionRow.account_id == row.id)
            .order_by(SessionRow.created.desc(), SessionRow.digest)
            .offset(MOST_EACH - 1)
        )
        transaction.execute(delete(SessionRow).where(SessionRow.digest.in_(list(transaction.scalars(oldest)))))
        expires = now + self._length
        transaction.add(
            SessionRow(digest=digest(cookie), account_id=row.id, csrf=csrf, created=now, expires=expires, last_seen=now)
        )
        challenges = transaction.scalars(select(MembershipRow.challenge).where(MembershipRow.account_id == row.id))
        viewer = viewer_of(row, list(challenges), via=Via.SESSION, csrf_source=lambda: csrf)
        return Session(cookie, viewer, expires)

    def viewer(self, cookie: str) -> Viewer | None:
        """Whose session a cookie is; None when it is nobody's, has ended, or its account is locked out.

        Raises:
            MachineError: when the database fails.
        """
        key = digest(cookie)
        query = (
            select(SessionRow, AccountRow, MembershipRow.challenge)
            .join(AccountRow, AccountRow.id == SessionRow.account_id)
            .outerjoin(MembershipRow, MembershipRow.account_id == AccountRow.id)
            .where(SessionRow.digest == key)
        )
        with self._database.reading() as transaction:
            found = transaction.execute(query).all()
        now = self._clock()
        if not found:
            return None
        session, account, _ = found[0]
        if session.expires <= now or account.disabled is not None or account.deleted is not None:
            return None
        if now - session.last_seen >= SEEN_EVERY:
            self._seen(key, now)
        csrf = session.csrf
        return viewer_of(account, [each[2] for each in found], via=Via.SESSION, csrf_source=lambda: csrf)

    def end(self, cookie: str) -> str | None:
        """End a session; returns the name of whose it was."""
        key = digest(cookie)
        query = (
            select(AccountRow.name)
            .join(SessionRow, SessionRow.account_id == AccountRow.id)
            .where(SessionRow.digest == key)
        )
        with self._database.writing() as transaction:
            name = transaction.scalar(query)
            transaction.execute(delete(SessionRow).where(SessionRow.digest == key))
            return name

    def browsers(self, name: str, *, cookie: str = "") -> list[Browser]:
        """Where an account is signed in, the one that was seen last first.

        Args:
            name: of the account.
            cookie: of the browser that asks.
        """
        query = (
            select(SessionRow)
            .join(AccountRow, AccountRow.id == SessionRow.account_id)
            .where(AccountRow.key == key_of(name), SessionRow.expires > self._clock())
            .order_by(SessionRow.last_seen.desc(), SessionRow.digest)
        )
        own = digest(cookie)
        with self._database.reading() as transaction:
            return [
                Browser(row.digest[:_SHORT], row.created, row.last_seen, row.expires, row.digest == own)
                for row in transaction.scalars(query)
            ]

    def end_others(self, name: str, cookie: str, *, only: str = "") -> int:
        """End an account's sessions, but not the one that asks; returns how many.

        Args:
            name: of the account.
            cookie: of the browser that asks.
            only: the id of a single one; empty for all.
        """
        account = select(AccountRow.id).where(AccountRow.key == key_of(name)).scalar_subquery()
        query = delete(SessionRow).where(SessionRow.account_id == account, SessionRow.digest != digest(cookie))
        if only:
            query = query.where(SessionRow.digest.startswith(id_of(only) or "-", autoescape=True))
        with self._database.writing() as transaction:
            return len(transaction.execute(query.returning(SessionRow.digest)).all())

    def count(self, name: str) -> int:
        """In how many browsers an account is signed in."""
        query = (
            select(SessionRow.expires)
            .join(AccountRow, AccountRow.id == SessionRow.account_id)
            .where(AccountRow.key == key_of(name), SessionRow.expires > self._clock())
        )
        with self._database.reading() as transaction:
            return len(transaction.scalars(query).all())

    def _seen(self, key: str, now: datetime) -> None:
        # Nobody is kept out because this could not be noted.
        with contextlib.suppress(MachineError), self._database.writing() as transaction:
            transaction.execute(update(SessionRow).where(SessionRow.digest == key).values(last_seen=now))
