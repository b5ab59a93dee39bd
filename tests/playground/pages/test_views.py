"""Saving a view from the explorer and coming back to it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient
from tests.playground.conftest import HTML, form_of, local_app, server_app, signed_in

from assay.base.settings import Settings


@pytest.fixture
def own(tmp_path: Path) -> Iterator[TestClient]:
    with local_app(Settings(home=tmp_path)) as client:
        yield client


def test_a_view_is_saved_and_leads_back(own: TestClient) -> None:
    page = own.get("/views/new?round=v3.0&benchmark=resnet&mark=bar&page=2", headers=HTML)
    answer = form_of(page, "/views").send(own, title="Best <of> v3.0")
    assert answer.status_code == 303
    there = own.get(answer.headers["location"], headers=HTML)
    assert there.url.path == "/explorer"
    assert "Best &lt;of&gt; v3.0" in there.text
    assert there.url.params["round"] == "v3.0"
    listed = own.get("/views.json").json()["views"]
    (saved,) = [each for each in listed if each["title"] == "Best <of> v3.0"]
    assert own.get(f"/views/{saved['name']}.json").json() == saved
    assert "Best &lt;of&gt; v3.0" in own.get("/views", headers=HTML).text


def test_a_view_leads_into_the_explorer_and_nowhere_else(own: TestClient) -> None:
    page = own.get("/views/new?x=watts", headers=HTML)
    answer = form_of(page, "/views").send(own, title="odd", query="//evil.example/?x=1&title=%0d%0aSet-Cookie: a=b")
    assert (
        own.get(answer.headers["location"], headers=HTML, follow_redirects=False)
        .headers["location"]
        .startswith("/explorer?")
    )


def test_without_a_title_nothing_is_saved(own: TestClient) -> None:
    page = own.get("/views/new?x=watts", headers=HTML)
    assert form_of(page, "/views").send(own, title=" ").status_code == 400


def test_only_who_may_push_saves_and_private_views_are_their_own(tmp_path: Path) -> None:
    with server_app(Settings(home=tmp_path)) as client:
        assert client.get("/views/new?x=watts", headers=HTML).status_code == 401
        assert signed_in(client, "reader", "reader").get("/views/new?x=watts", headers=HTML).status_code == 403
        ada, bob = signed_in(client, "ada"), signed_in(client, "bob")
        answer = form_of(ada.get("/views/new?x=watts", headers=HTML), "/views").send(
            ada, title="Secret plan", private="true"
        )
        assert answer.status_code == 303
        assert "Secret plan" in ada.get("/views", headers=HTML).text
        for other in (client, bob):
            assert "Secret plan" not in other.get("/views", headers=HTML).text
            assert other.get(answer.headers["location"], headers=HTML).status_code == 404
