"""Signing in, up and out: with a password, or with the OpenID Connect provider of the server."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from fastapi import Form, Query
from fastapi.responses import RedirectResponse, Response

from assay.errors import InvalidInputError, NotFoundError
from assay.playground.accounts.paths import safe_path
from assay.playground.accounts.refusals import RefusedError
from assay.playground.accounts.settings import SignUp
from assay.playground.accounts.viewer import Session, Via
from assay.playground.forms import FormPage, accounts_in, actor_of, go_on, mistake_of, shown, signed_in
from assay.playground.here import Here, Looking
from assay.playground.page import Pages
from assay.playground.security.addresses import address_of
from assay.playground.security.cookies import (
    flow_cookie,
    forget_flow,
    forget_session,
    keep_flow,
    keep_session,
    session_cookie,
)
from assay.playground.security.elsewhere import RETURN_PATH, START_PATH, provider_of

if TYPE_CHECKING:
    from assay.playground.accounts.oidc import Arrival, OidcClient

pages = Pages("accounts")
LINKED = "/account?done=linked"
"""Where a sign-in elsewhere goes on to that began in order to link an account."""

Next = Annotated[str, Query(alias="next", max_length=2000)]
Code = Annotated[str, Query(max_length=200)]
Text = Annotated[str, Form()]
# What a person can do something about, beside the form; the rest is a page of its own.
_IN_PLACE = (RefusedError, InvalidInputError)


class SignInPage(FormPage):
    """Signing in.

    Attributes:
        next: the path to go on to.
        name: as it was typed.
        known: who is signed in already.
        sign_up: who may make an account.
        elsewhere: what the OpenID Connect provider is called; None when there is none.
        invitation: the code that was brought along.
    """

    next: str = "/"
    name: str = ""
    known: str | None = None
    sign_up: SignUp = SignUp.OFF
    elsewhere: str | None = None
    invitation: str = ""


class SignUpPage(SignInPage):
    """Making an account."""

    shown: str = ""
    organisation: str = ""
    email: str = ""


@pages.get("/sign-in", template="sign_in.html")
def sign_in(here: Looking, then: Next = "/") -> SignInPage:
    """Sign in with a password, or elsewhere."""
    return SignInPage(**_facts(here, then))


@pages.get("/sign-up", template="sign_up.html")
def sign_up(here: Looking, then: Next = "/", invitation: Code = "") -> SignUpPage:
    """Make an account, where that is open or with an invitation."""
    return SignUpPage(**_facts(here, then, invitation))


@pages.router.post("/sign-in", include_in_schema=False)
def enter(
    here: Looking, name: Text = "", password: Text = "", then: Annotated[str, Form(alias="next")] = "/"
) -> Response:
    """Begin a session with a password."""
    try:
        session = accounts_in(here).sign_in(name, password, address_of(here.request.scope))
    except _IN_PLACE as error:
        page = SignInPage(**_facts(here, then), name=name[:64])
        return shown(here, "sign_in.html", page.model_copy(update={"mistake": mistake_of(error, "password")}), error)
    return welcome(here, session, then)


@pages.router.post("/sign-up", include_in_schema=False)
def join(
    here: Looking,
    name: Text = "",
    password: Text = "",
    called: Annotated[str, Form(alias="shown")] = "",
    organisation: Text = "",
    email: Text = "",
    invitation: Text = "",
    then: Annotated[str, Form(alias="next")] = "/",
) -> Response:
    """Make an account and begin a session."""
    try:
        session = accounts_in(here).sign_up(
            name,
            password,
            address_of(here.request.scope),
            shown=called,
            organisation=organisation,
            email=email,
            invitation=invitation,
        )
    except _IN_PLACE as error:
        typed: dict[str, Any] = {
            "name": name[:64],
            "shown": called[:200],
            "organisation": organisation[:200],
            "email": email[:300],
        }
        page = SignUpPage(**_facts(here, then, invitation[:200]), **typed)
        return shown(here, "sign_up.html", page.model_copy(update={"mistake": mistake_of(error, "new")}), error)
    return welcome(here, session, then)


@pages.router.post("/sign-out", include_in_schema=False)
def leave(here: Looking) -> Response:
    """End the session."""
    secure = here.playground.config.secure
    cookie = session_cookie(here.request, secure)
    if cookie is not None:
        accounts_in(here).sign_out(cookie, actor_of(here).address)
    answer = go_on("/")
    forget_session(answer, secure)
    return answer


@pages.router.get(START_PATH, include_in_schema=False)
def start_elsewhere(here: Looking, then: Next = "/", invitation: Code = "") -> Response:
    """Go to the provider."""
    # Only the form of an account may begin what links it.
    onward = "/account" if then == LINKED else then
    begun = _provider(here).begin(onward, invitation=invitation or None)
    answer = RedirectResponse(begun.url, status_code=303, headers={"Cache-Control": "no-store"})
    _keep(here, answer, begun.cookie)
    return answer


@pages.router.post("/account/link", include_in_schema=False)
def link(here: Looking) -> Response:
    """A page with the way to the provider: browsers do not let a form lead there by itself."""
    signed_in(here)
    begun = _provider(here).begin(LINKED)
    page = SignInPage(**_facts(here, "/account"))
    answer = shown(here, "link.html", page, address=begun.url)
    _keep(here, answer, begun.cookie)
    return answer


@pages.router.get(RETURN_PATH, include_in_schema=False)
def back(here: Looking) -> Response:
    """Come back from the provider."""
    secure = here.playground.config.secure
    try:
        arrival = _provider(here).finish(here.request.query_params, flow_cookie(here.request, secure))
        answer = _arrived(here, arrival)
    except _IN_PLACE as error:
        page = SignInPage(**_facts(here, "/")).model_copy(update={"mistake": mistake_of(error, "elsewhere")})
        answer = shown(here, "sign_in.html", page, error)
    forget_flow(answer, secure)
    return answer


def _arrived(here: Here, arrival: Arrival) -> Response:
    """Sign in who has come back, or link the account that began it."""
    accounts, address = accounts_in(here), address_of(here.request.scope)
    if arrival.then != LINKED:
        session = accounts.sign_in_elsewhere(arrival.identity, address, invitation=arrival.invitation)
        return welcome(here, session, arrival.then)
    signed_in(here)
    accounts.link(here.viewer, arrival.identity, address)
    return go_on(LINKED)


def welcome(here: Here, session: Session, then: str) -> Response:
    """Give a new session to the browser, end the one that it had, and go on."""
    secure = here.playground.config.secure
    old = session_cookie(here.request, secure)
    if old is not None:
        accounts_in(here).sessions.end(old)
    answer = go_on(then)
    keep_session(answer, session, secure)
    return answer


def _keep(here: Here, answer: Response, cookie: str) -> None:
    from assay.playground.accounts.oidc import FLOW_S

    keep_flow(answer, cookie, FLOW_S, here.playground.config.secure)


def _provider(here: Here) -> OidcClient:
    """The server's provider; made once, for it keeps keys.

    Raises:
        NotFoundError: when there is none.
    """
    state = here.request.app.state
    if getattr(state, "provider", None) is None:
        state.provider = provider_of(state.gate) if here.playground.config.oidc else None
    client: OidcClient | None = state.provider
    if client is None:
        raise NotFoundError("one can sign in here with a password only")
    return client


def _facts(here: Here, then: str, invitation: str = "") -> dict[str, Any]:
    """What pages to sign in with need to know."""
    config = here.playground.config
    return {
        "one_user": here.playground.accounts is None,
        "next": safe_path(then),
        "known": here.viewer.name if here.viewer.via is Via.SESSION else None,
        "sign_up": config.sign_up,
        "elsewhere": config.oidc.title if config.oidc else None,
        "invitation": invitation,
    }
