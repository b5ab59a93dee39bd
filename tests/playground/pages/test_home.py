"""Home: counts that are right, the question as a form that works without scripts, latest results, open challenges."""

from __future__ import annotations

from pathlib import Path

import pytest
from starlette.testclient import TestClient

from assay.base.settings import Settings
from assay.results import store as store_module

from ...results.rows import make_row, put
from ..conftest import HTML, forms_of, local_app, newcomer, server_app, signed_in


def test_what_is_here_is_counted(client: TestClient) -> None:
    page = client.get("/home.json").json()
    assert [(each["name"], each["results"]) for each in page["rounds"]] == [
        ("v3.0", 7283),
        ("v2.1", 5395),
        ("v2.0", 3918),
    ]
    assert page["results"] == 16596
    assert page["own_results"] == 0
    text = client.get("/", headers=HTML).text
    assert "16,596" in text
    assert 'href="/rounds/v3.0"' in text


def test_the_question_is_a_form_that_leads_to_an_answer(client: TestClient) -> None:
    (form,) = [each for each in forms_of(client.get("/", headers=HTML)) if each.action == "/explorer"]
    assert form.method.lower() == "get"
    fields = {**form.fields, "benchmark": "resnet", "category": "edge", "y": "samples_per_joule", "round": "v3.0"}
    answer = client.get("/explorer", params=fields, headers=HTML)
    assert answer.status_code == 200
    assert "gloria_highend" in answer.text


def test_good_questions_have_answers(client: TestClient) -> None:
    text = client.get("/", headers=HTML).text
    listed = text.partition('<ul class="questions">')[2].partition("</ul>")[0]
    addresses = [part.partition('"')[0].replace("&amp;", "&") for part in listed.split('href="')[1:]]
    assert len(addresses) >= 3
    for address in addresses:
        assert client.get(address, headers=HTML).status_code == 200, address


def test_open_challenges_are_there(client: TestClient) -> None:
    page = client.get("/home.json").json()
    assert "reproduce-and-improve-mlperf-inference" in [each["name"] for each in page["challenges"]]


def test_an_empty_home_says_how_to_begin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store_module, "PUBLISHED", Path("no such table"))
    with local_app(Settings(home=tmp_path)) as client:
        page = client.get("/", headers=HTML)
    assert page.status_code == 200
    assert "Make a first result" in page.text


def test_own_results_are_marked_and_private_ones_seen_by_their_owner(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store_module, "PUBLISHED", Path("no such table"))
    settings = Settings(home=tmp_path / "home")
    put(
        settings,
        [
            make_row(1, origin="local", created="2026-11-01T00:00:00Z", labels=("stand-in-model",)),
            make_row(2, origin="local", created="2026-11-02T00:00:00Z", system="covert", access="account:ada"),
        ],
    )
    with server_app(settings) as server:
        seen = newcomer(server).get("/", headers=HTML).text
        assert "unofficial" in seen
        assert "stand in model" in seen
        assert "covert" not in seen
        mine = signed_in(server, "ada").get("/", headers=HTML)
        assert "covert" in mine.text
        assert mine.headers["cache-control"].startswith("private")
        assert "covert" not in newcomer(server).get("/", headers=HTML).text
