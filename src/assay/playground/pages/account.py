"""The account of who is signed in: profile, password, tokens, browsers, and what a program may know of itself."""

from __future__ import annotations

from typing import Annotated

from fastapi import Form, Query
from fastapi.responses import Response

from assay.errors import AssayError, InvalidInputError
from assay.playground.account_view import AccountPage, account_page
from assay.playground.accounts.refusals import RefusedError, SignInError
from assay.playground.accounts.viewer import Scope
from assay.playground.forms import accounts_in, actor_of, go_on, mistake_of, shown, signed_in
from assay.playground.here import Here, Looking
from assay.playground.page import PageModel, Pages, answer_json
from assay.playground.pages.sign_in import welcome
from assay.playground.security.addresses import address_of
from assay.playground.security.cookies import forget_session, session_cookie

pages = Pages("accounts")
Text = Annotated[str, Form()]
_IN_PLACE = (RefusedError, InvalidInputError)


class Me(PageModel):
    """Who a request comes from.

    Attributes:
        name: of the account; None for anybody.
        role: None for anybody.
        scopes: what the request may do.
        via: session, token, local or anonymous.
    """

    name: str | None
    role: str | None
    scopes: tuple[str, ...]
    via: str


@pages.get("/account", template="account.html")
def account(here: Looking, done: Annotated[str, Query(max_length=20)] = "") -> AccountPage:
    """The account of who is signed in: what it is called, its tokens, browsers, challenges and uploads."""
    return account_page(here, done=done)


@pages.router.get("/api/me.json", summary="Who the request comes from, and what it may do")
def me(here: Looking) -> Me:
    """Name, role and scopes of the request; a token that does not hold is 401."""
    viewer = here.viewer
    answer = answer_json(Me(name=viewer.name, role=viewer.role, scopes=tuple(sorted(viewer.scopes)), via=viewer.via))
    answer.headers["Cache-Control"] = "no-store"
    return answer  # type: ignore[return-value]


@pages.router.post("/account/profile", include_in_schema=False)
def profile(
    here: Looking, called: Annotated[str, Form(alias="shown")] = "", organisation: Text = "", email: Text = ""
) -> Response:
    """Change what the account says of itself."""
    accounts, name = accounts_in(here), signed_in(here)
    try:
        accounts.people.change(name, by=actor_of(here), shown=called, organisation=organisation, email=email)
    except _IN_PLACE as error:
        typed = {"shown": called[:200], "organisation": organisation[:200], "email": email[:300]}
        return _wrong(here, error, "profile", **typed)
    return go_on("/account?done=profile")


@pages.router.post("/account/password", include_in_schema=False)
def password(here: Looking, old: Text = "", new: Text = "") -> Response:
    """Change the password; every other browser is signed out."""
    accounts = accounts_in(here)
    signed_in(here)
    try:
        session = accounts.change_password(here.viewer, old, new, address_of(here.request.scope))
    except SignInError:
        return _wrong(here, SignInError("this is not your present password"), "password")
    except _IN_PLACE as error:
        return _wrong(here, error, "password")
    return welcome(here, session, "/account?done=password")


@pages.router.post("/account/tokens", include_in_schema=False)
def make_token(
    here: Looking,
    label: Text = "",
    scopes: Annotated[list[str] | None, Form()] = None,
    days: Text = "",
) -> Response:
    """Make a token and show it, once."""
    accounts, name = accounts_in(here), signed_in(here)
    try:
        wanted = [_scope(each) for each in scopes or ()]
        made = accounts.tokens.create(name, label, wanted, by=actor_of(here), days=_days(days))
    except _IN_PLACE as error:
        return _wrong(here, error, "tokens")
    base = here.playground.config.base_url or str(here.request.base_url).rstrip("/")
    return shown(here, "account.html", account_page(here), made=made.text, made_id=made.token.id, base=base)


@pages.router.post("/account/tokens/{token_id}/revoke", include_in_schema=False)
def revoke_token(here: Looking, token_id: str) -> Response:
    """Make a token hold no longer."""
    accounts, name = accounts_in(here), signed_in(here)
    accounts.tokens.revoke(token_id, by=actor_of(here), name=name)
    return go_on("/account?done=revoked")


@pages.router.post("/account/sessions/end", include_in_schema=False)
def end_sessions(here: Looking, only: Annotated[str, Form(max_length=64)] = "") -> Response:
    """Sign another browser out, or all others."""
    accounts, name = accounts_in(here), signed_in(here)
    cookie = session_cookie(here.request, here.playground.config.secure) or ""
    ended = accounts.sessions.end_others(name, cookie, only=only)
    if ended:
        accounts.audit.add("session.end", name, by=actor_of(here), detail={"sessions": ended})
    return go_on("/account?done=sessions")


@pages.router.post("/account/delete", include_in_schema=False)
def delete(here: Looking, confirm: Text = "") -> Response:
    """Delete the account; what it has contributed stays under its name."""
    accounts, name = accounts_in(here), signed_in(here)
    try:
        if confirm.strip().casefold() != name.casefold():
            raise InvalidInputError("the name is not that of this account", expected=name, found=confirm[:64])
        accounts.delete(here.viewer, address_of(here.request.scope))
    except _IN_PLACE as error:
        return _wrong(here, error, "delete")
    answer = go_on("/")
    forget_session(answer, here.playground.config.secure)
    return answer


def _wrong(here: Here, error: AssayError, at: str, **typed: str) -> Response:
    return shown(here, "account.html", account_page(here, mistake=mistake_of(error, at), **typed), error)


def _scope(text: str) -> Scope:
    try:
        return Scope(text)
    except ValueError as error:
        raise InvalidInputError("there is no such scope", expected=", ".join(Scope), found=text[:40]) from error


def _days(text: str) -> int | None:
    if not text.strip():
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= 5):
        raise InvalidInputError("not a number of days", found=text[:40])
    return int(text)
