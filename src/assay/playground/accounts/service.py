"""Everything about accounts behind one door."""

from __future__ import annotations

from assay.playground.accounts.settings import AccountSettings, Clock, utc_now
from assay.playground.accounts.viewer import Session, Viewer


class Accounts:
    """The accounts of a server.

    Args:
        database_url: ``sqlite:///PATH`` or ``postgresql+psycopg://...``.
        settings: how accounts are handled.
        clock: tells the time.

    Raises:
        MachineError: when the database cannot be used, or is of a newer assay.
    """

    def __init__(self, database_url: str, settings: AccountSettings | None = None, *, clock: Clock = utc_now) -> None:
        raise NotImplementedError

    def sign_in(self, name: str, password: str, address: str) -> Session:
        """Begin a session with a password.

        Raises:
            SignInError: when name and password are not those of an account; why is never said.
            ThrottledError: after too many failures.
        """
        raise NotImplementedError

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
        raise NotImplementedError

    def sign_out(self, cookie: str) -> None:
        """End a session."""
        raise NotImplementedError

    def session(self, cookie: str) -> Viewer | None:
        """Whose session a cookie is; one query."""
        raise NotImplementedError

    def token(self, text: str) -> Viewer | None:
        """Whose token a text is; one query."""
        raise NotImplementedError

    def change_password(self, viewer: Viewer, old: str, new: str, address: str) -> Session:
        """Change the password; every session ends and a new one begins.

        Raises:
            SignInError: when the old one is wrong.
            InvalidInputError: when the new one cannot be.
        """
        raise NotImplementedError

    def close(self) -> None:
        """Close all connections."""
        raise NotImplementedError
