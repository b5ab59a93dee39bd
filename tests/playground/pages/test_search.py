"""Search in the browser and for programs: grouped, counted, linked, escaped, quick, and nothing that is not for everybody."""

from __future__ import annotations

import re
import time
from pathlib import Path
from urllib.parse import quote

import pytest
from starlette.testclient import TestClient

from assay.base.settings import Settings
from assay.results import store as store_module

from ...results.rows import make_row, put
from ..conftest import HTML, newcomer, server_app, signed_in


def test_results_and_names_are_grouped_and_counted(client: TestClient) -> None:
    page = client.get("/search.json", params={"q": "h100 resnet"}).json()
    assert page["result_count"] == 32
    assert len(page["results"]) == 12
    assert page["explorer"].startswith("/explorer?include=")
    assert "h100" in page["explorer"]
    explorer = client.get(page["explorer"], headers=HTML)
    assert explorer.status_code == 200
    assert "32" in re.sub(r"<[^>]+>", " ", explorer.text)


def test_the_page_shows_what_the_twin_says(client: TestClient) -> None:
    page = client.get("/search", params={"q": "nvidia"}, headers=HTML).text
    assert "5,473" in page
    assert 'href="/organisations/NVIDIA"' in page
    assert page.index("Organisations") < page.index("Systems <")
    assert re.search(r'<input id="find"[^>]* value="nvidia"', page)


def test_a_uid_is_found(client: TestClient) -> None:
    page = client.get("/search.json", params={"q": "57ac55f2"}).json()
    assert [each["uid"][:8] for each in page["results"]] == ["57ac55f2"]


def test_a_filter_is_offered_to_the_explorer(client: TestClient) -> None:
    page = client.get("/search", params={"q": "watts < 50"}, headers=HTML).text
    assert 'href="/explorer?filter=watts+%3C+50"' in page
    wrong = client.get("/search", params={"q": "watts < 5 ms"}, headers=HTML).text
    assert "As a filter it means nothing" in wrong


def test_nothing_and_too_little_are_told(client: TestClient) -> None:
    assert "Nothing here has all of these words" in client.get("/search?q=xyzzy", headers=HTML).text
    assert "write two" in client.get("/search?q=x", headers=HTML).text
    assert client.get("/search", headers=HTML).status_code == 200


@pytest.mark.parametrize(
    "q",
    [
        "<script>alert(1)</script>",
        '"><img src=x onerror=alert(1)>',
        "' or 1=1; drop table rows; --",
        "%' union select * from read_text('/etc/passwd') --",
        "{{ 7*7 }} ${7*7} {% debug %}",
        "\\ \" ' ` ; \t",
        "\0\ufeff\u202e",
        "%%% ___ ***",
        "((((((((((",
        "😀 ß İ ǆ",
    ],
)
def test_a_hostile_search_is_a_search(client: TestClient, q: str) -> None:
    for address in ("/search", "/search.json", "/search/suggest.json"):
        answer = client.get(f"{address}?q={quote(q)}", headers=HTML)
        assert answer.status_code == 200
        if address == "/search":
            assert "<script>alert" not in answer.text
            assert "<img src=x" not in answer.text
            assert "root:" not in answer.text


def test_a_search_is_bounded(client: TestClient) -> None:
    assert client.get("/search.json", params={"q": "x" * 201}).status_code == 422
    assert client.get("/search.json", params={"q": "a b " * 50}).status_code == 200


def test_suggestions_are_few_and_lead_to_pages(client: TestClient) -> None:
    found = client.get("/search/suggest.json", params={"q": "nvi"}).json()["suggestions"]
    assert 0 < len(found) <= 10
    assert found[0] == {
        "text": "NVIDIA",
        "kind": "Organisations",
        "address": "/organisations/NVIDIA",
        "note": "1,106 results",
    }
    assert all(each["address"].startswith("/") for each in found)
    assert client.get("/search/suggest.json?q=").json()["suggestions"] == []


def test_it_is_quick(client: TestClient) -> None:
    for q in ("nvidia", "h100 resnet", "dell offline"):
        client.get("/search.json", params={"q": q})
    took = []
    for number in range(12):
        begin = time.perf_counter()
        # Each is another address, so that none comes from the cache of answers.
        assert client.get(
            "/search.json", params={"q": f"{'nvidia' if number % 2 else 'h100 resnet'}{' ' * number}"}
        ).json()
        took.append(time.perf_counter() - begin)
    assert sorted(took)[len(took) // 2] < 0.25, took  # 50 ms on a machine that does nothing else: see benchmarks


def test_private_results_are_found_by_who_may_see_them_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store_module, "PUBLISHED", Path("no such table"))
    settings = Settings(home=tmp_path / "home")
    hidden = make_row(
        7, uid="abcdabcdabcdabcd", access="account:ada", organisation="Hushed", system="covert", notes="undertone"
    )
    put(settings, [make_row(1), hidden])
    with server_app(settings) as server:
        ada, bob, anybody = signed_in(server, "ada"), signed_in(server, "bob"), newcomer(server)
        for q in ("hushed", "covert", "undertone", "abcdabcd", "closed/acme/results/covert"):
            for _ in range(2):
                assert ada.get("/search.json", params={"q": q}).json()["result_count"] == 1, q
                for browser in (anybody, bob):
                    answer = browser.get("/search.json", params={"q": q})
                    assert (answer.json()["result_count"], answer.json()["groups"]) == (0, []), q
                    assert browser.get("/search/suggest.json", params={"q": q}).json()["suggestions"] == []
        assert "public" not in ada.get("/search?q=hushed", headers=HTML).headers["cache-control"]
