"""What machines ask: can it answer; and nothing that nobody has to know."""

from __future__ import annotations

from pathlib import Path

import pytest
from starlette.testclient import TestClient

import assay
from assay.base.settings import Settings
from assay.errors import MachineError
from assay.playground.index import Index

from ..conftest import local_app


def test_a_server_that_can_answer(client: TestClient) -> None:
    answer = client.get("/healthz")
    assert answer.status_code == 200
    assert answer.json() == {"ok": True, "version": assay.__version__, "index": "ready", "published_rounds": 3}
    assert answer.headers["cache-control"] == "no-store"


def test_an_index_that_cannot_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(self: Index, audience: object) -> None:
        raise MachineError("the index cannot be opened", where=tmp_path)

    with local_app(Settings(home=tmp_path)) as client:
        monkeypatch.setattr(Index, "seen_by", broken)
        answer = client.get("/healthz")
    assert answer.status_code == 503
    assert answer.json() == {"ok": False, "version": assay.__version__, "index": "cannot be read"}
    assert str(tmp_path) not in answer.text


def test_an_index_that_is_behind_still_answers(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    index = client.app.state.playground.index  # type: ignore[attr-defined]
    with monkeypatch.context() as patch:
        patch.setattr(type(index), "refresh", lambda self: (_ for _ in ()).throw(MachineError("full")))
        patch.setattr(index, "problem", "full: /somewhere")
        answer = client.get("/healthz")
    assert answer.status_code == 200
    assert answer.json()["index"] == "behind"
    assert "somewhere" not in answer.text
    index.problem = ""


def test_crawlers_are_asked_to_leave_alone_what_has_no_end(client: TestClient) -> None:
    text = client.get("/robots.txt").text
    assert "Disallow: /explorer" in text
    assert "Disallow: /account" in text


def test_the_mark_is_where_browsers_look(client: TestClient) -> None:
    assert client.get("/favicon.ico").headers["content-type"] == "image/svg+xml"
