"""The application as a whole: what it is made of, who is let in, and that it ends in order."""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest
from starlette.testclient import TestClient
from tests.playground.conftest import HTML, local_app, server_app

from assay.base.settings import Settings
from assay.errors import AssayError
from assay.playground import app as app_module
from assay.playground.accounts.viewer import Via
from assay.playground.app import create_app, local_name
from assay.playground.security.config import ServerConfig


def test_a_single_user_is_its_maintainer_and_has_no_accounts(tmp_path: Path) -> None:
    app = create_app(Settings(home=tmp_path), ServerConfig(single_user=True))
    with TestClient(app, base_url="http://localhost") as client:
        me = client.get("/api/me.json").json()
        assert (me["name"], me["via"]) == (local_name(), Via.LOCAL)
    assert not (tmp_path / "playground.sqlite").exists()


def test_a_server_makes_its_accounts_where_it_is_told(tmp_path: Path) -> None:
    home = tmp_path / "new" / "home"
    app = create_app(Settings(home=home), ServerConfig())
    with TestClient(app, base_url="http://localhost") as client:
        assert client.get("/api/me.json").json()["name"] is None
    assert (home / "playground.sqlite").stat().st_mode & 0o077 == 0


def test_a_database_that_cannot_be_used_is_told_before_anything_is_served(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(AssayError):
        create_app(Settings(home=tmp_path / "file"), ServerConfig())
    with pytest.raises(AssayError):
        create_app(Settings(home=tmp_path), ServerConfig(database_url="mysql://nowhere/x"))


def test_the_time_is_the_clocks(tmp_path: Path) -> None:
    moment = datetime(2031, 2, 3, tzinfo=UTC)
    app = create_app(Settings(home=tmp_path), ServerConfig(single_user=True), clock=lambda: moment)
    assert app.state.playground.index.clock() == moment


def test_nothing_goes_on_after_its_end(tmp_path: Path) -> None:
    before = {each.name for each in threading.enumerate()}
    with local_app(Settings(home=tmp_path)) as client:
        assert client.get("/", headers=HTML).status_code == 200
        assert "assay-index" in {each.name for each in threading.enumerate()}
    after = {each.name for each in threading.enumerate()} - before
    assert not {name for name in after if name.startswith(("assay", "uploads", "asyncio_"))}, after


def test_it_begins_again_where_it_ended(tmp_path: Path) -> None:
    for _ in range(2):
        with server_app(Settings(home=tmp_path)) as client:
            assert client.get("/healthz").json()["ok"] is True


def test_files_have_addresses_that_hold_for_ever(client: TestClient) -> None:
    address = next(part for part in client.get("/", headers=HTML).text.split('"') if part.startswith("/static/"))
    answer = client.get(address)
    assert answer.status_code == 200
    assert "immutable" in answer.headers["cache-control"]
    name = address.rpartition("/")[2]
    for wrong in (
        f"/static/0/{name}",
        f"/static/{address.split('/')[2]}/nothing",
        "/static/0/..%2fapp.py",
        f"/static/../{name}",
    ):
        assert client.get(wrong).status_code in (200, 404)
        assert "immutable" not in client.get(wrong).headers.get("cache-control", "")


def test_pages_of_documentation_tools_are_not_there(client: TestClient) -> None:
    assert client.get("/redoc").status_code == 404
    assert "cdn" not in client.get("/docs", headers=HTML).text
    description = client.get("/openapi.json").json()
    assert description["info"]["title"] == "assay playground"


def test_an_error_of_ours_is_told_and_any_other_says_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app_module.Index, "seen_by", lambda *_: 1 / 0)
    made = local_app(Settings(home=tmp_path))
    client = TestClient(made.app, base_url="http://localhost", raise_server_exceptions=False)
    with client:
        for accept in ("text/html", "application/json"):
            answer = client.get("/rounds", headers={"accept": accept})
            assert answer.status_code == 500
            assert "assay itself failed" in answer.text.lower()
            for word in ("ZeroDivision", "Traceback", str(tmp_path), "lambda"):
                assert word not in answer.text
            assert answer.headers["x-content-type-options"] == "nosniff"
            assert "default-src 'none'" in answer.headers["content-security-policy"]
            assert (answer.headers["x-frame-options"], answer.headers["cache-control"]) == ("DENY", "no-store")


def test_a_user_without_a_name_is_called_me(monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody() -> str:
        raise KeyError("no such user")

    monkeypatch.setattr(app_module.getpass, "getuser", nobody)
    assert local_name() == "me"
