"""Who looks at a page or asks the interface: the one thing that pages know of accounts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from assay.playground.accounts.refusals import DeniedError, SignInError
from assay.results.audience import ANYBODY, EVERYBODY, Audience


class Role(StrEnum):
    """What an account is trusted with; each includes those before it."""

    READER = "reader"
    CONTRIBUTOR = "contributor"
    MAINTAINER = "maintainer"

    @property
    def scopes(self) -> frozenset[Scope]:
        """What the role allows."""
        return _ALLOWED[self]


class Scope(StrEnum):
    """What a request may do: look, upload, look after the server."""

    READ = "read"
    PUSH = "push"
    ADMIN = "admin"


_ALLOWED = {
    Role.READER: frozenset({Scope.READ}),
    Role.CONTRIBUTOR: frozenset({Scope.READ, Scope.PUSH}),
    Role.MAINTAINER: frozenset(Scope),
}


class Via(StrEnum):
    """How a viewer is known."""

    SESSION = "session"
    TOKEN = "token"  # noqa: S105 - a word, no secret
    LOCAL = "local"
    ANONYMOUS = "anonymous"


def _no_token() -> str:
    return ""


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who looks.

    Attributes:
        name: of the account; None for anybody.
        role: None for anybody.
        audience: what may be seen.
        via: how the viewer is known.
        scopes: what the request may do: the role's, less what a token leaves out.
        account_id: key in the database; None without an account.
        shown: the name to show.
        csrf_source: gives the token that forms have to carry.
    """

    name: str | None = None
    role: Role | None = None
    audience: Audience = ANYBODY
    via: Via = Via.ANONYMOUS
    scopes: frozenset[Scope] = frozenset({Scope.READ})
    account_id: int | None = None
    shown: str | None = None
    csrf_source: Callable[[], str] = field(default=_no_token, repr=False, compare=False)

    @property
    def csrf(self) -> str:
        """The token that a form or an ``X-CSRF-Token`` header has to carry; empty for tokens, which need none."""
        return self.csrf_source()

    @property
    def is_maintainer(self) -> bool:
        """Whether the request may look after the server."""
        return Scope.ADMIN in self.scopes

    @property
    def known(self) -> bool:
        """Whether there is somebody with a name."""
        return self.name is not None

    def may(self, scope: Scope) -> bool:
        """Whether the request may do this."""
        return scope in self.scopes

    def require(self, scope: Scope) -> Viewer:
        """The viewer, when the request may do this.

        Raises:
            SignInError: when nobody is signed in.
            DeniedError: when the role or the token does not allow it.
        """
        if scope in self.scopes:
            return self
        if not self.known:
            raise SignInError("nobody is signed in", hint="sign in, or send a token")
        reason = "this token does not" if self.via is Via.TOKEN and self.role and scope in self.role.scopes else None
        raise DeniedError(f"{reason or f'the role {self.role} does not'} allow this", expected=f"the scope {scope}")


def local_viewer(name: str, csrf_source: Callable[[], str] = _no_token) -> Viewer:
    """The only user of a playground on the own machine: a maintainer who sees everything."""
    return Viewer(
        name=name,
        role=Role.MAINTAINER,
        audience=EVERYBODY,
        via=Via.LOCAL,
        scopes=Role.MAINTAINER.scopes,
        shown=name,
        csrf_source=csrf_source,
    )


@dataclass(frozen=True, slots=True)
class Session:
    """A session that has just begun.

    Attributes:
        cookie: the secret for the browser; only its hash is kept.
        viewer: who signed in.
        expires: when it ends, UTC.
    """

    cookie: str = field(repr=False)
    viewer: Viewer
    expires: datetime
