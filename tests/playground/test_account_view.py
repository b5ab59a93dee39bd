"""An account as its page shows it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from starlette.requests import Request
from starlette.testclient import TestClient
from tests.playground.conftest import PASSWORD, accounts_of

from assay.playground.account_view import account_page
from assay.playground.accounts.audit import CONSOLE, Actor
from assay.playground.accounts.refusals import DeniedError, SignInError
from assay.playground.accounts.viewer import Role, Scope, Via, Viewer
from assay.playground.forms import mistake_of
from assay.playground.here import Here


def here_of(client: TestClient, viewer: Viewer) -> Here:
    app = client.app
    scope = {"type": "http", "method": "GET", "path": "/account", "headers": [], "query_string": b"", "app": app}
    return Here(Request(scope), app.state.playground, viewer)  # type: ignore[attr-defined]


def viewer_of(client: TestClient, name: str, role: Role = Role.CONTRIBUTOR) -> Viewer:
    accounts = accounts_of(client)
    accounts.people.add(name, role=role, password=PASSWORD, by=CONSOLE)
    viewer = accounts.session(accounts.sign_in(name, PASSWORD, "192.0.2.1").cookie)
    assert viewer is not None
    return viewer


def test_what_a_token_may_be_made_for(server: TestClient) -> None:
    accounts = accounts_of(server)
    page = account_page(here_of(server, viewer_of(server, "Ada")))
    assert page.days == (7, 30, 90, 180, 365) and page.allowed == ("read", "push")
    accounts.settings = replace(accounts.settings, token_days=60)
    page = account_page(here_of(server, viewer_of(server, "Maria", Role.MAINTAINER)))
    assert page.days == (7, 30, 60) and page.allowed == ("read", "push", "admin")


def test_the_states_of_tokens(server: TestClient) -> None:
    viewer, accounts = viewer_of(server, "Ada"), accounts_of(server)
    for label, days in (("holds", 30), ("revoked", 30)):
        made = accounts.tokens.create("Ada", label, [Scope.PUSH, Scope.READ], by=CONSOLE, days=days)
    accounts.tokens.revoke(made.token.id, by=CONSOLE)
    lines = account_page(here_of(server, viewer)).tokens
    assert {each.label: each.state for each in lines} == {"holds": "holds", "revoked": "revoked"}
    assert lines[0].scopes == ("read", "push") and made.text not in str(lines)


def test_only_one_s_own_uploads(server: TestClient) -> None:
    viewer, accounts = viewer_of(server, "Ada"), accounts_of(server)
    accounts.people.add("Eve", by=CONSOLE)
    for name in ("Ada", "Eve"):
        accounts.uploads.receive(name, f"{name}.tar", size=5, sha256="a" * 64, by=Actor(name), private=True)
    page = account_page(here_of(server, viewer))
    assert [(each.file_name, each.state, each.private) for each in page.uploads] == [("Ada.tar", "received", True)]


def test_what_was_typed_stays(server: TestClient) -> None:
    here = here_of(server, viewer_of(server, "Ada"))
    page = account_page(here, shown="typed", mistake=mistake_of(DeniedError("no"), "profile"))
    assert (page.shown, page.http_status) == ("typed", 403)


def test_nobody_and_tokens_have_no_page(server: TestClient) -> None:
    viewer = viewer_of(server, "Ada")
    with pytest.raises(SignInError):
        account_page(here_of(server, Viewer()))
    with pytest.raises(DeniedError):
        account_page(here_of(server, replace(viewer, via=Via.TOKEN)))
