"""Everything about accounts behind one door."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session as Transaction

from assay.errors import InvalidInputError
from assay.playground.accounts import throttle
from assay.playground.accounts.audit import Actor, Audit
from assay.playground.accounts.database import Database
from assay.playground.accounts.invitations import Invitations
from assay.playground.accounts.memberships import Memberships
from assay.playground.accounts.passwords import Passwords, check_new
from assay.playground.accounts.people import People, check_email, check_name, key_of
from assay.playground.accounts.refusals import DeniedError, SignInError
from assay.playground.accounts.sessions import Sessions
from assay.playground.accounts.settings import AccountSettings, Clock, SignUp, utc_now
from assay.playground.accounts.tables import AccountRow, InvitationRow
from assay.playground.accounts.tokens import Tokens
from assay.playground.accounts.uploads import Uploads
from assay.playground.accounts.viewer import Role, Session, Viewer


@dataclass(frozen=True, slots=True)
class Identity:
    """Who somebody is elsewhere.

    Attributes:
        issuer: the OpenID Connect provider.
        subject: its name of the account, never given to another one.
        name: a name that could be taken here.
        shown: the name to show.
        email: as the provider tells it; nobody is recognised by it.
    """

    issuer: str
    subject: str
    name: str | None = None
    shown: str | None = None
    email: str | None = None


class Accounts:
    """The accounts of a server.

    Args:
        database_url: ``sqlite:///PATH`` or ``postgresql+psycopg://...``.
        settings: how accounts are handled.
        clock: tells the time.

    Attributes:
        audit: the audit log.
        people: accounts, roles, passwords.
        sessions: browsers that are signed in.
        tokens: of the interface.
        invitations: codes to sign up with.
        memberships: who takes part in which challenge.
        uploads: what was sent in.

    Raises:
        InvalidInputError: when the URL is none.
        MachineError: when the database cannot be used, or is of a newer assay.
    """

    def __init__(self, database_url: str, settings: AccountSettings | None = None, *, clock: Clock = utc_now) -> None:
        self.settings = settings or AccountSettings()
        self._clock = clock
        self.database = Database(database_url)
        self._passwords = Passwords(self.settings.hashing)
        self.audit = Audit(self.database, clock)
        self.people = People(self.database, self.audit, self._passwords, clock)
        self.sessions = Sessions(self.database, clock, self.settings.session_hours)
        self.tokens = Tokens(self.database, self.audit, clock, self.settings)
        self.invitations = Invitations(self.database, self.audit, clock, self.settings.invitation_days)
        self.memberships = Memberships(self.database, self.audit, clock)
        self.uploads = Uploads(self.database, self.audit, clock, self.settings.uploads_waiting)

    def sign_in(self, name: str, password: str, address: str) -> Session:
        """Begin a session with a password.

        Takes as long, and says the same, whether the name is unknown, its password another one, or its account
        locked out or without a password.

        Raises:
            SignInError: when name and password are not those of an account; why is never said.
            ThrottledError: after too many failures.
        """
        typed = name.strip()[:64]
        row = self._proven(typed, password, address)
        with self.database.writing() as transaction:
            throttle.take_back(transaction, typed, address)
            fresh = transaction.get_one(AccountRow, row.id)
            session = self.sessions.begin(transaction, fresh)
            self.audit.write(transaction, "sign-in", row.name, by=Actor(row.name, address))
        if row.password is not None and self._passwords.is_outdated(row.password):
            hashed = self._passwords.hash(check_new(password))
            with self.database.writing() as transaction:
                transaction.get_one(AccountRow, row.id).password = hashed
        return session

    def _proven(self, name: str, password: str, address: str) -> AccountRow:
        """The account that name and password are of."""
        with self.database.writing() as transaction:
            throttle.count_attempt(transaction, name, address, self._clock())
        with self.database.reading() as transaction:
            row = transaction.scalar(select(AccountRow).where(AccountRow.key == key_of(name)))
        usable = row is not None and row.disabled is None and row.deleted is None
        hashed = row.password if usable and row is not None else None
        if self._passwords.verify(hashed, password) and row is not None:
            return row
        # A name that nobody has may be a password in the wrong field: it is not kept.
        target = "(unknown)" if row is None else row.name
        self.audit.add("sign-in.failed", target, by=Actor(None, address))
        raise SignInError("name or password is wrong")

    def sign_up(
        self,
        name: str,
        password: str,
        address: str,
        *,
        shown: str | None = None,
        organisation: str | None = None,
        email: str | None = None,
        invitation: str | None = None,
    ) -> Session:
        """Make an account and begin a session.

        Raises:
            DeniedError: when sign-up is off, or the invitation does not hold.
            InvalidInputError: for a name, password or email that cannot be, or a name that is taken.
        """
        self._may_sign_up(invitation)
        check_name(name.strip())
        hashed = self._passwords.hash(check_new(password, name.strip(), email))
        with self.database.writing() as transaction:
            invited = self._invited(transaction, invitation)
            row = self.people.insert(
                transaction,
                name.strip(),
                role=Role.CONTRIBUTOR if invited is None else Role(invited.role),
                hashed=hashed,
                shown=shown,
                organisation=organisation,
                email=email,
            )
            return self._welcome(transaction, row, invited, address, "password")

    def sign_in_elsewhere(self, identity: Identity, address: str, *, invitation: str | None = None) -> Session:
        """Begin a session for whom an OpenID Connect provider knows; the first time an account is made.

        Raises:
            SignInError: when the account is locked out.
            DeniedError: when there is none and sign-up is off, or the invitation does not hold.
        """
        query = select(AccountRow).where(AccountRow.issuer == identity.issuer, AccountRow.subject == identity.subject)
        with self.database.writing() as transaction:
            row = transaction.scalar(query)
            if row is not None:
                if row.disabled is not None or row.deleted is not None:
                    self.audit.write(transaction, "sign-in.failed", row.name, by=Actor(None, address))
                    session = None
                else:
                    session = self.sessions.begin(transaction, row)
                    self.audit.write(transaction, "sign-in", row.name, by=Actor(row.name, address))
            else:
                self._may_sign_up(invitation)
                session = self._first_time(transaction, identity, address, invitation)
        if session is None:
            raise SignInError("this account cannot be used")
        return session

    def link(self, viewer: Viewer, identity: Identity, address: str) -> None:
        """Let somebody who is signed in sign in with an OpenID Connect provider from now on.

        Raises:
            SignInError: when nobody is signed in.
            TakenError: when another account is linked to that identity.
        """
        with self.database.writing() as transaction:
            row = _own_row(transaction, viewer)
            row.issuer, row.subject = identity.issuer, identity.subject
            by = Actor(row.name, address)
            self.audit.write(transaction, "account.link", row.name, by=by, detail={"issuer": identity.issuer})

    def sign_out(self, cookie: str, address: str | None = None) -> None:
        """End a session."""
        name = self.sessions.end(cookie)
        if name is not None:
            self.audit.add("sign-out", name, by=Actor(name, address))

    def session(self, cookie: str) -> Viewer | None:
        """Whose session a cookie is; one query."""
        return self.sessions.viewer(cookie)

    def token(self, text: str) -> Viewer | None:
        """Whose token a text is; one query."""
        return self.tokens.viewer(text)

    def change_password(self, viewer: Viewer, old: str, new: str, address: str) -> Session:
        """Change the password; every session ends and a new one begins.

        Raises:
            SignInError: when the old one is wrong.
            ThrottledError: after too many failures.
            InvalidInputError: when the new one cannot be.
        """
        with self.database.reading() as transaction:
            known = _own_row(transaction, viewer)
        hashed = self._passwords.hash(check_new(new, known.name, known.email))
        self._proven(known.name, old, address)
        with self.database.writing() as transaction:
            throttle.take_back(transaction, known.name, address)
            row = _own_row(transaction, viewer)
            self.people.replace_password(transaction, row, hashed, by=Actor(row.name, address))
            return self.sessions.begin(transaction, row)

    def delete(self, viewer: Viewer, address: str) -> None:
        """Delete the account of who is signed in; contributions stay under its name.

        Raises:
            SignInError: when nobody is signed in.
            InvalidInputError: when no maintainer would be left.
        """
        if viewer.name is None or viewer.account_id is None:
            raise SignInError("nobody is signed in")
        self.people.delete(viewer.name, by=Actor(viewer.name, address))

    def close(self) -> None:
        """Close all connections."""
        self.database.close()

    def _may_sign_up(self, invitation: str | None) -> None:
        if self.settings.sign_up is SignUp.OFF:
            raise DeniedError("nobody can sign up here", hint="ask a maintainer of this server for an account")
        if self.settings.sign_up is SignUp.INVITATION and not (invitation or "").strip():
            raise DeniedError("an invitation is needed", hint="ask a maintainer of this server for one")

    def _invited(self, transaction: Transaction, code: str | None) -> InvitationRow | None:
        return self.invitations.open(transaction, code) if code and code.strip() else None

    def _welcome(
        self, transaction: Transaction, row: AccountRow, invited: InvitationRow | None, address: str, how: str
    ) -> Session:
        if invited is not None:
            self.invitations.use(invited, row)
        detail = {"role": row.role, "with": how, "invitation": None if invited is None else invited.id}
        self.audit.write(transaction, "sign-up", row.name, by=Actor(row.name, address), detail=detail)
        return self.sessions.begin(transaction, row)

    def _first_time(
        self, transaction: Transaction, identity: Identity, address: str, invitation: str | None
    ) -> Session:
        invited = self._invited(transaction, invitation)
        row = self.people.insert(
            transaction,
            self._free_name(transaction, identity.name),
            role=Role.CONTRIBUTOR if invited is None else Role(invited.role),
            shown=identity.shown,
            email=_email(identity.email),
            issuer=identity.issuer,
            subject=identity.subject,
        )
        return self._welcome(transaction, row, invited, address, identity.issuer)

    def _free_name(self, transaction: Transaction, wanted: str | None) -> str:
        """A name that is not taken, as close to the wanted one as can be."""
        letters = "".join(each if each.isascii() and (each.isalnum() or each in "-_") else "-" for each in wanted or "")
        base = letters.strip("-_")[:32]
        base = base if len(base) >= 2 and base[0].isalpha() else f"user-{base}".rstrip("-")
        for number in range(1, 1000):
            name = base if number == 1 else f"{base}-{number}"
            try:
                check_name(name)
            except InvalidInputError:
                continue
            if transaction.scalar(select(AccountRow.id).where(AccountRow.key == name.casefold())) is None:
                return name
        raise InvalidInputError("no name is free that is like this one", found=base)


def _own_row(transaction: Transaction, viewer: Viewer) -> AccountRow:
    row = None if viewer.account_id is None else transaction.get(AccountRow, viewer.account_id)
    if row is None or row.disabled is not None or row.deleted is not None:
        raise SignInError("nobody is signed in")
    return row


def _email(email: str | None) -> str | None:
    """What a provider calls an email address, when it is one."""
    try:
        return check_email(email)
    except InvalidInputError:
        return None
