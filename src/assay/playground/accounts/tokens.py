"""Tokens of the interface: shown once, kept as a hash, with scopes and an end."""

from __future__ import annotations

import contextlib
import hmac
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import func, select, update

from assay.errors import InvalidInputError, MachineError, NotFoundError
from assay.playground.accounts.audit import Actor, Audit
from assay.playground.accounts.database import Database
from assay.playground.accounts.entrance import viewer_of
from assay.playground.accounts.hashes import digest, id_of, new_id, new_secret
from assay.playground.accounts.people import check_text, row_of
from assay.playground.accounts.settings import AccountSettings, Clock
from assay.playground.accounts.tables import AccountRow, MembershipRow, TokenRow
from assay.playground.accounts.viewer import Role, Scope, Via, Viewer

_FORM = re.compile(r"assay_([0-9a-f]{16})_([0-9a-f]{48})")
_USED_EVERY = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Token:
    """A token, without its secret.

    Attributes:
        id: public, for lists and for revoking.
        account: whose it is.
        label: what it is for.
        scopes: what it may do, as long as its account may.
        created: UTC.
        expires: UTC.
        last_used: within ten minutes; None for never.
        revoked: since when it does not hold; None when it was not revoked.
    """

    id: str
    account: str
    label: str
    scopes: frozenset[Scope]
    created: datetime
    expires: datetime
    last_used: datetime | None
    revoked: datetime | None

    def holds(self, now: datetime) -> bool:
        """Whether it can be used."""
        return self.revoked is None and self.expires > now


@dataclass(frozen=True, slots=True)
class NewToken:
    """A token that was just made; its text is shown once."""

    text: str = field(repr=False)
    token: Token


class Tokens:
    """The tokens of a server."""

    def __init__(self, database: Database, audit: Audit, clock: Clock, settings: AccountSettings) -> None:
        self._database, self._audit, self._clock, self._settings = database, audit, clock, settings

    def create(self, name: str, label: str, scopes: Iterable[Scope], *, by: Actor, days: int | None = None) -> NewToken:
        """Make a token.

        Args:
            name: whose it is.
            label: what it is for.
            scopes: what it may do; no more than its account.
            by: who makes it.
            days: how long it holds; None for as long as the server allows.

        Raises:
            NotFoundError: when there is no such account.
            InvalidInputError: for scopes the account has not, too many days, or too many tokens.
        """
        wanted, longest = frozenset(scopes), self._settings.token_days
        lasting = longest if days is None else days
        if not 1 <= lasting <= longest:
            raise InvalidInputError("a token cannot hold so long", expected=f"1 to {longest} days", found=str(days))
        text = check_text("label", label, 80) or "token"
        with self._database.writing() as session:
            account = row_of(session, name, lock=True)
            allowed = Role(account.role).scopes
            if not wanted or not wanted <= allowed:
                raise InvalidInputError(
                    "a token cannot do what its account cannot" if wanted else "a token needs something it may do",
                    expected=", ".join(sorted(allowed)),
                    found=", ".join(sorted(wanted)) or "nothing",
                )
            now = self._clock()
            holding = select(func.count()).where(
                TokenRow.account_id == account.id, TokenRow.revoked.is_(None), TokenRow.expires > now
            )
            if (session.scalar(holding) or 0) >= self._settings.tokens_each:
                raise InvalidInputError(
                    "there are too many tokens",
                    expected=f"at most {self._settings.tokens_each} that hold",
                    hint="revoke some first",
                )
            secret = new_secret()
            row = TokenRow(
                id=new_id(),
                digest=digest(secret),
                account_id=account.id,
                label=text,
                scopes=sorted(wanted),
                created=now,
                expires=now + timedelta(days=lasting),
            )
            session.add(row)
            detail = {"account": account.name, "scopes": sorted(wanted), "days": lasting}
            self._audit.write(session, "token.create", row.id, by=by, detail=detail)
            session.flush()
            return NewToken(f"assay_{row.id}_{secret}", _token_of(row, account.name))

    def list(self, name: str) -> list[Token]:
        """An account's tokens, the newest first.

        Raises:
            NotFoundError: when there is no such account.
        """
        with self._database.reading() as session:
            account = row_of(session, name)
            query = (
                select(TokenRow).where(TokenRow.account_id == account.id).order_by(TokenRow.created.desc(), TokenRow.id)
            )
            return [_token_of(row, account.name) for row in session.scalars(query)]

    def revoke(self, token_id: str, *, by: Actor, name: str | None = None) -> Token:
        """Make a token hold no longer; nothing happens when it does not already.

        Args:
            token_id: the public part.
            by: who does it.
            name: only a token of this account.

        Raises:
            NotFoundError: when there is none, or it is another account's.
        """
        query = (
            select(TokenRow, AccountRow)
            .join(AccountRow, AccountRow.id == TokenRow.account_id)
            .where(TokenRow.id == id_of(token_id))
        )
        with self._database.writing() as session:
            found = session.execute(query).one_or_none()
            if found is None or (name is not None and found[1].key != name.casefold()):
                raise NotFoundError(f"no token {token_id[:16]!a}")
            row, account = found
            if row.revoked is None:
                row.revoked = self._clock()
                self._audit.write(session, "token.revoke", row.id, by=by, detail={"account": account.name})
            return _token_of(row, account.name)

    def viewer(self, text: str) -> Viewer | None:
        """Whose token a text is; None when it does not hold, or its account is locked out.

        Raises:
            MachineError: when the database fails.
        """
        match = _FORM.fullmatch(text)
        if match is None:
            return None
        query = (
            select(TokenRow, AccountRow, MembershipRow.challenge)
            .join(AccountRow, AccountRow.id == TokenRow.account_id)
            .outerjoin(MembershipRow, MembershipRow.account_id == AccountRow.id)
            .where(TokenRow.id == match[1])
        )
        with self._database.reading() as session:
            found = session.execute(query).all()
        if not found or not hmac.compare_digest(found[0][0].digest, digest(match[2])):
            return None
        row, account, _ = found[0]
        now = self._clock()
        if row.revoked is not None or row.expires <= now or account.disabled is not None or account.deleted is not None:
            return None
        if row.last_used is None or now - row.last_used >= _USED_EVERY:
            # Nobody is kept out because this could not be noted.
            with contextlib.suppress(MachineError), self._database.writing() as session:
                session.execute(update(TokenRow).where(TokenRow.id == row.id).values(last_used=now))
        scopes = frozenset(Scope(scope) for scope in row.scopes)
        return viewer_of(account, [each[2] for each in found], via=Via.TOKEN, scopes=scopes)


def _token_of(row: TokenRow, account: str) -> Token:
    return Token(
        row.id,
        account,
        row.label,
        frozenset(Scope(scope) for scope in row.scopes),
        row.created,
        row.expires,
        row.last_used,
        row.revoked,
    )
