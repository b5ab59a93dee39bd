"""What a page is handed: results of the viewer's audience alone, opened when asked for and let go of."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from assay.base.settings import Settings
from assay.playground.here import Looking
from assay.results import store as store_module

from ..results.rows import make_row, put
from .conftest import newcomer, server_app, signed_in


def look(here: Looking) -> dict[str, object]:
    """What the viewer sees."""
    found = here.store.run("SELECT system FROM results ORDER BY system").fetchall()
    assert here.store is here.store
    return {"systems": [name for (name,) in found], "name": here.viewer.name, "stamp": here.stamp}


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[TestClient]:
    monkeypatch.setattr(store_module, "PUBLISHED", Path("no such table"))
    settings = Settings(home=tmp_path / "home")
    put(settings, [make_row(1), make_row(2, access="account:ada")])
    client = server_app(settings)
    client.app.add_api_route("/look", look)  # type: ignore[attr-defined]
    with client:
        yield client


def test_each_sees_what_they_may(server: TestClient) -> None:
    ada = signed_in(server, "ada")
    assert newcomer(server).get("/look").json()["systems"] == ["box1"]
    assert ada.get("/look").json()["systems"] == ["box1", "box2"]
    assert signed_in(server, "bob").get("/look").json()["systems"] == ["box1"]
    assert signed_in(server, "mo", "maintainer").get("/look").json()["systems"] == ["box1", "box2"]
    # And not because somebody asked before.
    assert newcomer(server).get("/look").json()["systems"] == ["box1"]


def test_a_moment_has_its_zone(server: TestClient) -> None:
    told = datetime.strptime(server.get("/look").json()["stamp"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    assert abs((told - datetime.now(UTC)).total_seconds()) < 60
