"""Every route of the application that changes something refuses what no page of ours has sent."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient
from tests.playground.conftest import HTML, accounts_of, csrf_of, local_app, newcomer, server_app, signed_in

from assay.base.settings import Settings
from assay.playground.accounts.viewer import Role
from assay.playground.app import create_app
from assay.playground.security.config import ServerConfig

SAFE = {"GET", "HEAD", "OPTIONS"}


def walk(routes: list[Any]) -> Iterator[tuple[str, str]]:
    """Method and path of every route, those of included routers, too."""
    for route in routes:
        within = getattr(route, "original_router", None)
        if within is not None:
            yield from walk(within.routes)
        for method in getattr(route, "methods", None) or ():
            yield method, route.path


def unsafe() -> list[tuple[str, str]]:
    app = create_app(Settings(home=Path("nowhere")), ServerConfig(single_user=True))
    return sorted({(method, path) for method, path in walk(app.routes) if method not in SAFE})


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """A maintainer's browser: whoever may do everything."""
    client = server_app(Settings(home=tmp_path_factory.mktemp("forgery")), sign_up="open")
    yield signed_in(client, "Maria", Role.MAINTAINER)
    accounts_of(client).close()


def test_the_routes_are_found() -> None:
    found = unsafe()
    assert ("POST", "/sign-in") in found and ("POST", "/account/tokens/{token_id}/revoke") in found
    assert len(found) >= 15


@pytest.mark.parametrize(("method", "path"), unsafe())
def test_a_route_that_changes_something_refuses_the_forms_of_others(
    browser: TestClient, method: str, path: str
) -> None:
    address = re.sub(r"\{[^}]*\}", "0123456789abcdef", path)
    token, elsewhere = csrf_of(browser), {"origin": "https://evil.example"}
    old, foreign = "this form is too old, or not from here", "the request comes from another site"
    for words, headers, data in (
        (old, {}, {}),
        (old, {}, {"csrf": "0" * 48}),
        (old, {"x-csrf-token": "0" * 48}, {}),
        (old, {"content-type": "application/json"}, None),
        (foreign, elsewhere, {"csrf": token}),
        (foreign, {"origin": "null"}, {"csrf": token}),
        (foreign, {"sec-fetch-site": "cross-site"}, {"csrf": token}),
        (foreign, {"sec-fetch-site": "same-site"}, {"csrf": token}),
    ):
        answer = browser.request(method, address, data=data, headers={**headers, "accept": "application/json"})
        assert (answer.status_code, answer.json()["what"]) == (403, words), (headers, data)
    anonymous = newcomer(browser).request(method, address, data={"csrf": token}, headers=HTML)
    assert anonymous.status_code == 403, "the token of another session"
    assert accounts_of(browser).people.get("Maria").disabled is None


def test_a_single_user_is_guarded_alike(tmp_path: Path) -> None:
    client = local_app(Settings(home=tmp_path))
    for method, path in unsafe():
        address = re.sub(r"\{[^}]*\}", "0123456789abcdef", path)
        assert client.request(method, address, headers=HTML).status_code == 403, path
