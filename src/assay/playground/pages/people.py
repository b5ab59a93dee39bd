"""Who is who on a server, for its maintainers: accounts, roles, invitations, and the log of what was done."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import Form, Query
from fastapi.responses import Response

from assay.errors import AssayError, InvalidInputError
from assay.playground.accounts.viewer import Role, Scope
from assay.playground.forms import FormPage, accounts_in, actor_of, go_on, mistake_of, shown, signed_in
from assay.playground.here import Here, Looking
from assay.playground.page import PageModel, Pages

if TYPE_CHECKING:
    # SQLAlchemy takes 0.3 s to import, which a single user need not wait for.
    from assay.playground.accounts.audit import AuditEntry
    from assay.playground.accounts.invitations import Invitation
    from assay.playground.accounts.people import Account
    from assay.playground.accounts.service import Accounts

pages = Pages("people")
_PER_PAGE = 100
_ENTRIES = 50
Text = Annotated[str, Form()]
Filter = Annotated[str, Query(max_length=200)]


class PersonLine(PageModel):
    """An account."""

    name: str
    shown: str
    organisation: str | None
    email: str | None
    role: str
    created: datetime
    disabled: datetime | None
    has_password: bool
    issuer: str | None


class InvitationLine(PageModel):
    """An invitation, without its code.

    Attributes:
        state: holds, used, revoked or ended.
    """

    id: str
    role: str
    note: str
    made_by: str
    created: datetime
    expires: datetime
    used_by: str | None
    state: str


class PeoplePage(FormPage):
    """The accounts of the server.

    Attributes:
        total: accounts that are not deleted.
        more: the name that the next page comes after; None on the last.
        done: what was changed by the request before.
    """

    people: tuple[PersonLine, ...] = ()
    total: int = 0
    more: str | None = None
    invitations: tuple[InvitationLine, ...] = ()
    roles: tuple[str, ...] = tuple(Role)
    sign_up: str = ""
    done: str = ""


class EntryLine(PageModel):
    """A line of the log; of the address only the network is kept."""

    id: int
    moment: datetime
    account: str | None
    action: str
    target: str
    network: str | None
    detail: dict[str, Any]


class AuditPage(FormPage):
    """What was done, the newest first.

    Attributes:
        older: the id that the next page comes before; None on the last.
    """

    entries: tuple[EntryLine, ...] = ()
    account: str = ""
    action: str = ""
    target: str = ""
    before: int | None = None
    older: int | None = None


@pages.get("/people", template="people.html")
def people(
    here: Looking, after: Annotated[str, Query(max_length=64)] = "", done: Annotated[str, Query(max_length=20)] = ""
) -> PeoplePage:
    """The accounts of this server with their roles, and invitations; for maintainers."""
    if here.playground.accounts is None:
        return PeoplePage(one_user=True)
    here.viewer.require(Scope.ADMIN)
    return _page(here, after=after, done=done)


@pages.get("/people/audit", template="audit.html")
def audit(
    here: Looking,
    account: Filter = "",
    action: Filter = "",
    target: Filter = "",
    before: Annotated[int | None, Query(ge=1, le=1 << 62)] = None,
) -> AuditPage:
    """Who did what, to what, from which network, and when; for maintainers."""
    if here.playground.accounts is None:
        return AuditPage(one_user=True)
    here.viewer.require(Scope.ADMIN)
    found = accounts_in(here).audit.entries(
        account=account or None, action=action or None, target=target or None, before=before, limit=_ENTRIES + 1
    )
    return AuditPage(
        entries=tuple(_entry(each) for each in found[:_ENTRIES]),
        account=account,
        action=action,
        target=target,
        before=before,
        older=found[_ENTRIES - 1].id if len(found) > _ENTRIES else None,
    )


@pages.router.post("/people/{name}/role", include_in_schema=False)
def change_role(here: Looking, name: str, role: Text = "") -> Response:
    """Give an account another role."""
    accounts = _looked_after(here)
    try:
        accounts.people.set_role(name, _role(role), by=actor_of(here))
    except InvalidInputError as error:
        return _wrong(here, error, name)
    return go_on("/people?done=role")


@pages.router.post("/people/{name}/disable", include_in_schema=False)
def disable(here: Looking, name: str) -> Response:
    """Lock an account out: its sessions end and its tokens hold no longer, at once."""
    accounts = _looked_after(here)
    try:
        accounts.people.disable(name, by=actor_of(here))
    except InvalidInputError as error:
        return _wrong(here, error, name)
    return go_on("/people?done=disabled")


@pages.router.post("/people/{name}/enable", include_in_schema=False)
def enable(here: Looking, name: str) -> Response:
    """Let an account in again."""
    _looked_after(here).people.disable(name, by=actor_of(here), disabled=False)
    return go_on("/people?done=enabled")


@pages.router.post("/people/invitations", include_in_schema=False)
def invite(here: Looking, role: Text = Role.CONTRIBUTOR, note: Text = "", days: Text = "14") -> Response:
    """Make an invitation and show it, once."""
    accounts = _looked_after(here)
    try:
        if not (days.isascii() and days.isdigit() and len(days) <= 5):
            raise InvalidInputError("not a number of days", found=days[:40])
        made = accounts.invitations.create(by=actor_of(here), role=_role(role), note=note, days=int(days))
    except InvalidInputError as error:
        return _wrong(here, error, "invitation")
    base = here.playground.config.base_url or str(here.request.base_url).rstrip("/")
    return shown(here, "people.html", _page(here), made=f"{base}/sign-up?invitation={made.code}")


@pages.router.post("/people/invitations/{invitation_id}/revoke", include_in_schema=False)
def revoke_invitation(here: Looking, invitation_id: str) -> Response:
    """Make an invitation hold no longer."""
    _looked_after(here).invitations.revoke(invitation_id, by=actor_of(here))
    return go_on("/people?done=revoked")


def _looked_after(here: Here) -> Accounts:
    """The accounts, for a maintainer with a browser.

    Raises:
        RefusedError: for everybody else.
        NotFoundError: when it is a single user's playground.
    """
    accounts = accounts_in(here)
    signed_in(here, Scope.ADMIN)
    return accounts


def _wrong(here: Here, error: AssayError, at: str) -> Response:
    return shown(here, "people.html", _page(here, mistake=mistake_of(error, at[:64])), error)


def _page(here: Here, *, after: str = "", **also: Any) -> PeoplePage:
    accounts = accounts_in(here)
    found = accounts.people.list(after=after, limit=_PER_PAGE + 1)
    return PeoplePage(
        people=tuple(_person(each) for each in found[:_PER_PAGE]),
        total=accounts.people.count(),
        more=found[_PER_PAGE - 1].name if len(found) > _PER_PAGE else None,
        invitations=tuple(_invitation(each, here.now) for each in accounts.invitations.list()),
        sign_up=accounts.settings.sign_up.value,
        **also,
    )


def _person(account: Account) -> PersonLine:
    return PersonLine(**{name: getattr(account, name) for name in PersonLine.model_fields})


def _invitation(invitation: Invitation, now: datetime) -> InvitationLine:
    if invitation.used:
        state = "used"
    elif invitation.revoked:
        state = "revoked"
    else:
        state = "holds" if invitation.expires > now else "ended"
    names = [name for name in InvitationLine.model_fields if name != "state"]
    return InvitationLine(**{name: getattr(invitation, name) for name in names}, state=state)


def _entry(entry: AuditEntry) -> EntryLine:
    return EntryLine(
        id=entry.id,
        moment=entry.moment,
        account=entry.account,
        action=entry.action,
        target=entry.target,
        network=entry.address,
        detail=dict(entry.detail),
    )


def _role(text: str) -> Role:
    try:
        return Role(text)
    except ValueError as error:
        raise InvalidInputError("there is no such role", expected=", ".join(Role), found=text[:40]) from error
