"""Taking part in a challenge: joining, leaving, letting in. What is done is kept in the accounts and in the entries."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Form
from fastapi import Path as PathParameter
from fastapi.responses import RedirectResponse, Response

from assay.community import taking_part
from assay.community.challenge import Challenge
from assay.community.challenges import find_challenge
from assay.errors import NotFoundError
from assay.playground.accounts.viewer import Scope
from assay.playground.here import Here, Looking
from assay.playground.markup import segment
from assay.playground.page import PageModel
from assay.playground.security.addresses import address_of
from assay.playground.security.answers import wants_json

if TYPE_CHECKING:
    # The database's library is slow to import, which a single user need not wait for.
    from assay.playground.accounts.audit import Actor

router = APIRouter(tags=["challenges"])
Name = Annotated[str, PathParameter(max_length=300)]
Account = Annotated[str, Form(max_length=100)]


class Done(PageModel):
    """What was done."""

    joined: str = ""
    left: str = ""
    admitted: str = ""
    challenge: str = ""


@router.post("/challenges/{name}/join", summary="Take part in a challenge", status_code=303)
def join(here: Looking, name: Name) -> Response:
    """Take part: the viewer's entry says so from now on."""
    who = here.viewer.require(Scope.PUSH)
    assert who.name is not None
    found = _found(here, name)
    taking_part.join(here.settings, found, who.name, display_name=who.shown or "", organisation=_organisation(here))
    accounts = here.playground.accounts
    if accounts is not None:
        accounts.memberships.admit(who.name, found.uid, by=_actor(here))
    return _back(here, f"/challenges/{segment(found.name)}", {"joined": found.uid})


@router.post("/challenges/{name}/leave", summary="Take part in a challenge no longer", status_code=303)
def leave(here: Looking, name: Name, account: Account = "") -> Response:
    """Take part no longer; results stay. A maintainer may end somebody else's part."""
    who = here.viewer.require(Scope.ADMIN if account else Scope.PUSH)
    assert who.name is not None
    found = _found(here, name)
    gone = account or who.name
    accounts = here.playground.accounts
    if accounts is not None:
        accounts.memberships.leave(gone, found.uid, by=_actor(here))
    if not found.private:
        taking_part.leave(here.settings, found, gone)
    still = account or who.is_maintainer or not found.private
    return _back(here, f"/challenges/{segment(found.name)}" if still else "/challenges", {"left": found.uid})


@router.post("/challenges/{name}/admit", summary="Let an account into a challenge", status_code=303)
def admit(here: Looking, name: Name, account: Account) -> Response:
    """Let an account take part, by who maintains the server: the only way into a private challenge."""
    here.viewer.require(Scope.ADMIN)
    found = _found(here, name)
    accounts = here.playground.accounts
    if accounts is None:
        raise NotFoundError("there are no accounts here", hint="a server with accounts has members")
    accounts.memberships.admit(account, found.uid, by=_actor(here))
    return _back(here, f"/challenges/{segment(found.name)}#members", {"admitted": account, "challenge": found.uid})


def _actor(here: Here) -> Actor:
    from assay.playground.accounts.audit import Actor

    return Actor(here.viewer.name, address_of(here.request.scope))


def _organisation(here: Here) -> str:
    accounts = here.playground.accounts
    if accounts is None or here.viewer.name is None:
        return ""
    return accounts.people.get(here.viewer.name).organisation or ""


def _back(here: Here, address: str, said: dict[str, str]) -> Response:
    """To a page for a browser, what was done for a program."""
    if wants_json(here.request.scope):
        return Response(status_code=200, media_type="application/json", content=Done(**said).model_dump_json())
    return RedirectResponse(address, status_code=303)


def _found(here: Here, name: str) -> Challenge:
    return find_challenge(here.settings, name, here.viewer.audience, here.now)
