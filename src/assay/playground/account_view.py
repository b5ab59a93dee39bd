"""An account as its page shows it."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from assay.community.challenges import load_challenges
from assay.playground.forms import FormPage, accounts_in, signed_in
from assay.playground.here import Here
from assay.playground.page import PageModel
from assay.playground.security.cookies import session_cookie

if TYPE_CHECKING:
    # SQLAlchemy takes 0.3 s to import, which a single user need not wait for.
    from assay.playground.accounts.service import Accounts
    from assay.playground.accounts.tokens import Token

_TOKEN_DAYS = (7, 30, 90, 180, 365)
_UPLOADS = 50


class TokenLine(PageModel):
    """A token, without its secret.

    Attributes:
        state: holds, ended or revoked.
        last_used: within ten minutes.
    """

    id: str
    label: str
    scopes: tuple[str, ...]
    created: datetime
    expires: datetime
    last_used: datetime | None
    revoked: datetime | None
    state: str


class BrowserLine(PageModel):
    """A browser that is signed in."""

    id: str
    created: datetime
    last_seen: datetime
    expires: datetime
    current: bool


class MembershipLine(PageModel):
    """A challenge that the account takes part in; no title when it is not here any more."""

    challenge: str
    title: str | None
    since: datetime
    admitted_by: str | None


class UploadLine(PageModel):
    """Something that was sent in."""

    id: str
    file_name: str
    size: int
    created: datetime
    state: str
    private: bool


class AccountPage(FormPage):
    """The account of who is signed in.

    Attributes:
        done: what was changed by the request before.
        elsewhere: what the OpenID Connect provider is called; None when there is none.
        days: how long a token may be made for.
        allowed: scopes that a token may have.
    """

    name: str = ""
    shown: str = ""
    organisation: str = ""
    email: str = ""
    role: str = ""
    created: datetime | None = None
    has_password: bool = False
    issuer: str | None = None
    elsewhere: str | None = None
    maintainer: bool = False
    tokens: tuple[TokenLine, ...] = ()
    browsers: tuple[BrowserLine, ...] = ()
    memberships: tuple[MembershipLine, ...] = ()
    uploads: tuple[UploadLine, ...] = ()
    days: tuple[int, ...] = ()
    allowed: tuple[str, ...] = ()
    done: str = ""


def account_page(here: Here, **also: Any) -> AccountPage:
    """The page of who is signed in.

    Args:
        here: the request.
        also: other values, such as those that were typed.

    Raises:
        SignInError: when nobody is.
        DeniedError: for a token.
    """
    if here.playground.accounts is None:
        return AccountPage(one_user=True, name=here.viewer.name or "", role=here.viewer.role or "")
    accounts, name = accounts_in(here), signed_in(here)
    found = accounts.people.get(name)
    longest = accounts.settings.token_days
    oidc = here.playground.config.oidc
    facts: dict[str, Any] = {
        "name": found.name,
        "shown": found.shown,
        "organisation": found.organisation or "",
        "email": found.email or "",
        "role": found.role.value,
        "created": found.created,
        "has_password": found.has_password,
        "issuer": found.issuer,
        "elsewhere": oidc.title if oidc else None,
        "maintainer": here.viewer.is_maintainer,
        "tokens": tuple(_token(each, here.now) for each in accounts.tokens.list(name)),
        "browsers": _browsers(here, accounts, name),
        "memberships": _memberships(here, accounts, name),
        "uploads": _uploads(here, accounts, name),
        "days": tuple(sorted({*(each for each in _TOKEN_DAYS if each < longest), longest})),
        "allowed": tuple(scope for scope in ("read", "push", "admin") if scope in found.role.scopes),
    }
    return AccountPage(**{**facts, **also})


def _token(token: Token, now: datetime) -> TokenLine:
    state = "holds" if token.holds(now) else "revoked" if token.revoked else "ended"
    return TokenLine(
        id=token.id,
        label=token.label,
        scopes=tuple(sorted(token.scopes, key=("read", "push", "admin").index)),
        created=token.created,
        expires=token.expires,
        last_used=token.last_used,
        revoked=token.revoked,
        state=state,
    )


def _browsers(here: Here, accounts: Accounts, name: str) -> tuple[BrowserLine, ...]:
    cookie = session_cookie(here.request, here.playground.config.secure) or ""
    return tuple(
        BrowserLine(
            id=each.id,
            created=each.created,
            last_seen=each.last_seen,
            expires=each.expires,
            current=each.current,
        )
        for each in accounts.sessions.browsers(name, cookie=cookie)
    )


def _memberships(here: Here, accounts: Accounts, name: str) -> tuple[MembershipLine, ...]:
    found = accounts.memberships.of(name)
    if not found:
        return ()
    titles = {each.uid: each.title for each in load_challenges(here.settings, here.viewer.audience, here.now).items}
    return tuple(
        MembershipLine(
            challenge=each.challenge,
            title=titles.get(each.challenge),
            since=each.since,
            admitted_by=each.admitted_by,
        )
        for each in found
    )


def _uploads(here: Here, accounts: Accounts, name: str) -> tuple[UploadLine, ...]:
    return tuple(
        UploadLine(
            id=each.id,
            file_name=each.file_name,
            size=each.size,
            created=each.created,
            state=each.state.value,
            private=each.private,
        )
        for each in accounts.uploads.list(here.viewer, account=name, limit=_UPLOADS)
    )
