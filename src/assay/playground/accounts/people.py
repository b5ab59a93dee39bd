"""People: their accounts, roles and passwords."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from assay.cm.meta import is_uid
from assay.errors import InvalidInputError, NotFoundError
from assay.playground.accounts.audit import Actor, Audit
from assay.playground.accounts.database import Database, TakenError
from assay.playground.accounts.passwords import Passwords, check_new
from assay.playground.accounts.settings import Clock
from assay.playground.accounts.tables import AccountRow, MembershipRow, SessionRow, TokenRow
from assay.playground.accounts.viewer import Role

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{1,38}")
_EMAIL = re.compile(r"[^@\s]{1,64}@[^@\s.]+(?:\.[^@\s.]+)*")
# What pages, the audit log or people could take for something else.
_RESERVED = frozenset(
    {
        "admin",
        "administrator",
        "anonymous",
        "anybody",
        "assay",
        "console",
        "local",
        "me",
        "new",
        "nobody",
        "root",
        "system",
    }
)


@dataclass(frozen=True, slots=True)
class Account:
    """Somebody.

    Attributes:
        name: unique without regard to case; part of addresses and of contributions, never changed.
        shown: the name to show.
        organisation: None when not told.
        email: None when not told; shown to nobody but its owner and maintainers.
        role: what the account may do.
        created: UTC.
        disabled: since when it cannot be used; None when it can.
        deleted: since when only its name is kept; None when it is not deleted.
        has_password: False when it signs in elsewhere only.
        issuer: of the OpenID Connect provider it signs in with.
    """

    name: str
    shown: str
    organisation: str | None
    email: str | None
    role: Role
    created: datetime
    disabled: datetime | None
    deleted: datetime | None
    has_password: bool
    issuer: str | None


def account_of(row: AccountRow) -> Account:
    """The account of a row."""
    return Account(
        row.name,
        row.shown,
        row.organisation,
        row.email,
        Role(row.role),
        row.created,
        row.disabled,
        row.deleted,
        row.password is not None,
        row.issuer,
    )


def key_of(name: str) -> str:
    """What a name is looked for by, whatever its case; empty, which none is, for what cannot be a name."""
    return name.casefold() if _NAME.fullmatch(name) else ""


def row_of(session: Session, name: str, *, lock: bool = False) -> AccountRow:
    """The row of an account that is not deleted, whatever the case of its name.

    Raises:
        NotFoundError: when there is none.
    """
    query = select(AccountRow).where(AccountRow.key == key_of(name), AccountRow.deleted.is_(None))
    row = session.scalar(query.with_for_update() if lock else query)
    if row is None:
        raise NotFoundError(f"no account {name[:64]!a}", hint="assay accounts list")
    return row


def check_name(name: str) -> str:
    """A name that an account can have, as it is given.

    Raises:
        InvalidInputError: when it is none, or kept for something else.
    """
    if _NAME.fullmatch(name) is None or is_uid(name.casefold()):
        raise InvalidInputError(
            "this cannot be the name of an account",
            expected="2 to 39 letters (a to z), digits, - and _, beginning with a letter",
            found=repr(name[:60]),
        )
    if name.casefold() in _RESERVED:
        raise InvalidInputError("this name is kept for other uses", found=name)
    return name


def check_text(what: str, text: str | None, longest: int) -> str | None:
    """One line of text for people; None when it is empty.

    Raises:
        InvalidInputError: when it is too long, or holds characters that are not seen.
    """
    clean = unicodedata.normalize("NFC", text or "").strip()
    # Control, format (such as those that turn the direction round) and unassigned characters, line ends.
    if any(unicodedata.category(character) in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp") for character in clean):
        raise InvalidInputError(f"the {what} holds characters that cannot be seen")
    if len(clean) > longest:
        raise InvalidInputError(f"the {what} is too long", expected=f"at most {longest} characters")
    return clean or None


def check_email(email: str | None) -> str | None:
    """An address for mail; None when it is empty.

    Raises:
        InvalidInputError: when it is none.
    """
    clean = check_text("email", email, 254)
    if clean is not None and _EMAIL.fullmatch(clean) is None:
        raise InvalidInputError("not an email address", found=clean[:80])
    return clean


class People:
    """The accounts of a server."""

    def __init__(self, database: Database, audit: Audit, passwords: Passwords, clock: Clock) -> None:
        self._database, self._audit, self._passwords, self._clock = database, audit, passwords, clock

    def add(
        self,
        name: str,
        *,
        by: Actor,
        role: Role = Role.CONTRIBUTOR,
        password: str | None = None,
        shown: str | None = None,
        organisation: str | None = None,
        email: str | None = None,
    ) -> Account:
        """Make an account.

        Raises:
            InvalidInputError: for a name, password or email that cannot be, or a name that is taken.
        """
        hashed = None if password is None else self._passwords.hash(check_new(password, name, email))
        with self._database.writing() as session:
            row = self.insert(
                session, name, role=role, hashed=hashed, shown=shown, organisation=organisation, email=email
            )
            self._audit.write(session, "account.add", row.name, by=by, detail={"role": role.value})
            return account_of(row)

    def insert(
        self,
        session: Session,
        name: str,
        *,
        role: Role,
        hashed: str | None = None,
        shown: str | None = None,
        organisation: str | None = None,
        email: str | None = None,
        issuer: str | None = None,
        subject: str | None = None,
    ) -> AccountRow:
        """Make an account in a transaction.

        Raises:
            InvalidInputError: for a name, text or email that cannot be, or a name that is taken.
        """
        row = AccountRow(
            name=check_name(name),
            key=name.casefold(),
            shown=check_text("shown name", shown, 80) or name,
            organisation=check_text("organisation", organisation, 80),
            email=check_email(email),
            role=role.value,
            password=hashed,
            issuer=issuer,
            subject=subject,
            created=self._clock(),
        )
        taken = TakenError("the name is taken", found=name, hint="choose another name")
        if session.scalar(select(AccountRow.id).where(AccountRow.key == row.key)) is not None:
            raise taken
        session.add(row)
        try:
            session.flush()
        except IntegrityError as error:
            raise taken from error
        return row

    def get(self, name: str) -> Account:
        """An account by its name, whatever the case.

        Raises:
            NotFoundError: when there is none.
        """
        with self._database.reading() as session:
            return account_of(row_of(session, name))

    def list(self, *, after: str = "", limit: int = 1000) -> list[Account]:
        """Accounts that are not deleted, by name.

        Args:
            after: only those whose name comes after this one, for the next page.
            limit: how many at most.
        """
        query = (
            select(AccountRow)
            .where(AccountRow.deleted.is_(None), AccountRow.key > key_of(after))
            .order_by(AccountRow.key)
            .limit(limit)
        )
        with self._database.reading() as session:
            return [account_of(row) for row in session.scalars(query)]

    def change(
        self, name: str, *, by: Actor, shown: str | None, organisation: str | None, email: str | None
    ) -> Account:
        """Change what an account says of itself.

        Raises:
            NotFoundError: when there is no such account.
            InvalidInputError: for a text or an email that cannot be.
        """
        with self._database.writing() as session:
            row = row_of(session, name, lock=True)
            row.shown = check_text("shown name", shown, 80) or row.name
            row.organisation, row.email = check_text("organisation", organisation, 80), check_email(email)
            self._audit.write(session, "account.change", row.name, by=by)
            return account_of(row)

    def set_role(self, name: str, role: Role, *, by: Actor) -> Account:
        """Give an account another role; it holds from the next request on.

        Raises:
            NotFoundError: when there is no such account.
            InvalidInputError: when no maintainer would be left.
        """
        with self._database.writing() as session:
            maintainers = _maintainers(session)
            row = row_of(session, name, lock=True)
            if role is not Role.MAINTAINER:
                _keep_one(maintainers, row)
            before, row.role = row.role, role.value
            detail = {"before": before, "after": role.value}
            self._audit.write(session, "account.role", row.name, by=by, detail=detail)
            return account_of(row)

    def disable(self, name: str, *, by: Actor, disabled: bool = True) -> Account:
        """Lock an account out, or let it in again; its sessions end at once, its tokens do not hold meanwhile.

        Raises:
            NotFoundError: when there is no such account.
            InvalidInputError: when no maintainer would be left.
        """
        with self._database.writing() as session:
            maintainers = _maintainers(session)
            row = row_of(session, name, lock=True)
            if disabled:
                _keep_one(maintainers, row)
                session.execute(delete(SessionRow).where(SessionRow.account_id == row.id))
            row.disabled = (row.disabled or self._clock()) if disabled else None
            self._audit.write(session, "account.disable" if disabled else "account.enable", row.name, by=by)
            return account_of(row)

    def set_password(self, name: str, password: str, *, by: Actor) -> None:
        """Give an account another password without asking for the old one; all its sessions end.

        Raises:
            NotFoundError: when there is no such account.
            InvalidInputError: when the password cannot be.
        """
        account = self.get(name)
        hashed = self._passwords.hash(check_new(password, account.name, account.email))
        with self._database.writing() as session:
            row = row_of(session, name, lock=True)
            self.replace_password(session, row, hashed, by=by)

    def replace_password(self, session: Session, row: AccountRow, hashed: str, *, by: Actor) -> None:
        """Keep a new hash and end all sessions, in a transaction."""
        row.password = hashed
        session.execute(delete(SessionRow).where(SessionRow.account_id == row.id))
        self._audit.write(session, "account.password", row.name, by=by)

    def delete(self, name: str, *, by: Actor) -> None:
        """Delete what is known of somebody; the name stays with its contributions, and nobody else can take it.

        Raises:
            NotFoundError: when there is no such account.
            InvalidInputError: when no maintainer would be left.
        """
        with self._database.writing() as session:
            maintainers = _maintainers(session)
            row = row_of(session, name, lock=True)
            _keep_one(maintainers, row)
            for table in (SessionRow, MembershipRow):
                session.execute(delete(table).where(table.account_id == row.id))
            now = self._clock()
            session.execute(
                update(TokenRow).where(TokenRow.account_id == row.id, TokenRow.revoked.is_(None)).values(revoked=now)
            )
            row.shown, row.organisation, row.email, row.password = row.name, None, None, None
            row.issuer = row.subject = None
            row.role, row.deleted, row.disabled = Role.READER.value, now, row.disabled or now
            self._audit.write(session, "account.delete", row.name, by=by)

    def count(self) -> int:
        """How many accounts are not deleted."""
        with self._database.reading() as session:
            return session.scalar(select(func.count()).select_from(AccountRow).where(AccountRow.deleted.is_(None))) or 0


def _maintainers(session: Session) -> set[int]:
    """The maintainers that can be used, locked in one order, so that two of them cannot leave at the same moment."""
    return set(
        session.scalars(
            select(AccountRow.id)
            .where(AccountRow.role == Role.MAINTAINER.value, AccountRow.disabled.is_(None))
            .order_by(AccountRow.id)
            .with_for_update()
        )
    )


def _keep_one(maintainers: set[int], row: AccountRow) -> None:
    """Refuse to lose the last maintainer."""
    if maintainers == {row.id}:
        raise InvalidInputError(
            "this is the last maintainer",
            where=row.name,
            hint="make another one first: assay accounts role NAME maintainer",
        )
