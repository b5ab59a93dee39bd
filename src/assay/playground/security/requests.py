"""Who sends a request: the gate that an application has, and the viewer that it lets in.

The application puts a :class:`Gate` at ``app.state.gate``. An anonymous request never touches the database; a session
or a token is one query.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from starlette.requests import HTTPConnection
from starlette.types import Scope as AsgiScope

from assay.playground.accounts.hashes import same, sign
from assay.playground.accounts.network import limit_key
from assay.playground.accounts.refusals import SignInError
from assay.playground.accounts.viewer import Viewer, local_viewer
from assay.playground.security.addresses import address_of
from assay.playground.security.config import ServerConfig
from assay.playground.security.cookies import cookie_name, session_cookie
from assay.playground.security.limits import Kind, RateLimiter

if TYPE_CHECKING:
    # SQLAlchemy takes 0.3 s to import, which a single user need not wait for.
    from assay.playground.accounts.service import Accounts

_VIEWER, _FORMS = "assay.viewer", "assay.forms"


@dataclass(frozen=True, slots=True)
class Gate:
    """What has to be known to let a request in.

    Attributes:
        config: of the server.
        accounts: None where there are none (single user).
        limiter: None where rates are not limited.
        secret: signs cookies of visitors without an account.
        local_name: the single user's name.
    """

    config: ServerConfig
    accounts: Accounts | None
    limiter: RateLimiter | None
    secret: bytes = field(repr=False)
    local_name: str = "me"


def open_gate(config: ServerConfig, accounts: Accounts | None, *, local_name: str = "me") -> Gate:
    """The gate of a server; without a configured secret one is made that ends with the process."""
    secret = config.secret.encode() if config.secret else secrets.token_bytes(32)
    limiter = RateLimiter(config.limits) if config.limits.enabled and not config.single_user else None
    return Gate(config, accounts, limiter, secret, local_name)


class FormTokens:
    """The token of forms for a visitor without a session: a cookie that this server signed, and its counterpart.

    A cookie is only made when a page has asked for a token.
    """

    def __init__(self, secret: bytes, cookie: str | None) -> None:
        self._secret = secret
        nonce, _, signature = (cookie or "").partition(".")
        valid = len(nonce) == 32 and same(signature, sign(secret, "form cookie", nonce))
        self._nonce = nonce if valid else None
        self.fresh = self.asked = False

    def __call__(self) -> str:
        """The token that a form has to carry."""
        self.asked = True
        if self._nonce is None:
            self._nonce, self.fresh = secrets.token_hex(16), True
        return sign(self._secret, "form token", self._nonce)

    @property
    def cookie(self) -> str:
        """What the browser has to keep."""
        nonce = self._nonce or ""
        return f"{nonce}.{sign(self._secret, 'form cookie', nonce)}"

    @property
    def known(self) -> bool:
        """Whether the request carried a cookie of ours."""
        return self._nonce is not None and not self.fresh


def forms_of(request: HTTPConnection) -> FormTokens:
    """The tokens of forms of a request without a session."""
    scope = request.scope
    found = scope.get(_FORMS)
    if not isinstance(found, FormTokens):
        gate = gate_of(request)
        found = FormTokens(gate.secret, request.cookies.get(cookie_name("form", gate.config.secure)))
        scope[_FORMS] = found
    return found


def holds_token(scope: AsgiScope) -> bool:
    """Whether the answer to a request has the visitor's own token of forms in it, so that nobody else may be given it."""
    forms = scope.get(_FORMS)
    return isinstance(forms, FormTokens) and forms.asked


def gate_of(request: HTTPConnection) -> Gate:
    """The gate of the application that a request came to."""
    gate = request.app.state.gate
    assert isinstance(gate, Gate), "the application has no gate"
    return gate


def bearer_of(request: HTTPConnection) -> str | None:
    """The bearer token that a request carries; None when there is none."""
    kind, _, text = request.headers.get("authorization", "").partition(" ")
    return text.strip() if kind.lower() == "bearer" else None


def viewer_in(scope: AsgiScope) -> Viewer | None:
    """Who was identified while a request was handled; None when nobody asked."""
    viewer = scope.get(_VIEWER)
    return viewer if isinstance(viewer, Viewer) else None


def identify(request: HTTPConnection) -> Viewer:
    """Who sends a request; looked up once a request.

    A bearer token alone decides when there is one: a cookie beside it means nothing.

    Raises:
        SignInError: for a bearer token that does not hold.
        ThrottledError: when the account asks too often, or an address guesses tokens.
        MachineError: when the database fails.
    """
    viewer = viewer_in(request.scope)
    if viewer is None:
        viewer = request.scope[_VIEWER] = _look(request)
    return viewer


def forget(request: HTTPConnection) -> None:
    """Look again when next asked: after signing in or out within a request."""
    request.scope.pop(_VIEWER, None)


def _look(request: HTTPConnection) -> Viewer:
    gate = gate_of(request)
    if gate.accounts is None:
        if gate.config.single_user:
            return local_viewer(gate.local_name, forms_of(request))
        return Viewer(csrf_source=forms_of(request))
    bearer = bearer_of(request)
    if bearer is not None:
        return _counted(request, gate, _holder(request, gate, gate.accounts, bearer))
    cookie = session_cookie(request, gate.config.secure)
    viewer = gate.accounts.session(cookie) if cookie is not None else None
    return Viewer(csrf_source=forms_of(request)) if viewer is None else _counted(request, gate, viewer)


def _holder(request: HTTPConnection, gate: Gate, accounts: Accounts, text: str) -> Viewer:
    viewer = accounts.token(text)
    if viewer is None:
        if gate.limiter is not None:
            gate.limiter.take(Kind.SIGN_IN, f"token {limit_key(address_of(request.scope))}")
        raise SignInError("the token does not hold", hint="make another one on the page of your account")
    return viewer


def _counted(request: HTTPConnection, gate: Gate, viewer: Viewer) -> Viewer:
    kind = request.scope.get("assay.kind")
    if gate.limiter is not None and isinstance(kind, Kind):
        gate.limiter.take(kind, f"account {viewer.account_id}")
    return viewer
