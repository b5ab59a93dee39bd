"""Hits of every kind: ranked, with pages that are there, and kept apart by audience."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from starlette.requests import Request
from starlette.testclient import TestClient

from assay.playground import searching
from assay.playground.accounts.viewer import Viewer, local_viewer
from assay.playground.findable import Hit, known
from assay.playground.here import Here
from assay.results.search import words_of

from .conftest import HTML


def make_here(client: TestClient, viewer: Viewer) -> Here:
    request = Request({"type": "http", "path": "/search", "query_string": b"", "headers": [], "app": client.app})
    return Here(request, client.app.state.playground, viewer)  # type: ignore[attr-defined]


@pytest.fixture
def here(client: TestClient) -> Iterator[Here]:
    made = make_here(client, local_viewer("me"))
    yield made
    made.close()


def found(here: Here, text: str) -> dict[str, list[Hit]]:
    groups = searching.groups(known(here), words_of(text))
    return {group.name: list(group.hits) for group in groups}


@pytest.mark.parametrize(
    ("text", "kind", "address"),
    [
        ("nvidia", "organisations", "/organisations/NVIDIA"),
        ("gloria_highend", "systems", "/systems/Qualcomm/gloria_highend-qaic-v1.8.3.7-aic100"),
        ("bert-99.9", "benchmarks", "/benchmarks/bert-99.9"),
        ("v2.1", "rounds", "/rounds/v2.1"),
        ("optimize v3.1", "challenges", "/challenges/optimize-mlperf-inference-v3.1"),
        ("seed-wrong", "findings", "/docs/reference/findings#md-seed-wrong"),
        ("read verdict", "documentation", "/docs/tutorials/read-a-verdict"),
    ],
)
def test_the_best_hit_of_its_kind(here: Here, text: str, kind: str, address: str) -> None:
    assert found(here, text)[kind][0].address == address


@pytest.mark.parametrize("text", ["h100", "resnet", "seed", "edge device", "inference", "intel"])
def test_documentation_and_findings_lead_to_their_places(here: Here, client: TestClient, text: str) -> None:
    hits = found(here, text)
    for hit in [*hits.get("documentation", []), *hits.get("findings", [])][:12]:
        page, _, place = hit.address.partition("#")
        answer = client.get(page, headers=HTML)
        assert answer.status_code == 200
        assert not place or f'id="{place}"' in answer.text, hit


def test_exact_names_go_before_beginnings_before_parts(here: Here) -> None:
    for hits in found(here, "resnet").values():
        places = [hit.place for hit in hits]
        assert places == sorted(places)
    assert found(here, "resnet")["benchmarks"][0].text == "resnet"


def test_kinds_stand_in_the_order_of_their_best_hit(here: Here) -> None:
    groups = searching.groups(known(here), words_of("nvidia"))
    assert groups[0].name == "organisations"


def test_one_letter_is_not_looked_for(here: Here) -> None:
    assert found(here, "a") == {}
    assert found(here, "") == {}


@pytest.mark.parametrize("text", ["watts < 50", 'benchmark == "bert-99" and watts is not null', "not power"])
def test_a_filter_is_known_as_one(here: Here, text: str) -> None:
    address, mistake = searching.expression(here, text)
    assert address.startswith("/explorer?filter=")
    assert mistake == ""


@pytest.mark.parametrize("text", ["watts < 5 ms", "watts <", "wats < 5", "round == 3"])
def test_a_filter_with_a_mistake_is_told(here: Here, text: str) -> None:
    address, mistake = searching.expression(here, text)
    assert address == ""
    assert mistake


@pytest.mark.parametrize("text", ["nvidia h100", "resnet", "a-b", "'", "((((", "\0", "x" * 200])
def test_words_are_no_filter_and_no_mistake(here: Here, text: str) -> None:
    assert searching.expression(here, text) == ("", "")


def test_results_like_this_are_a_filter_over_everything() -> None:
    assert searching.filtered("") == ""
    assert searching.filtered('a contains "b"') == (
        "/explorer?include=inferred&include=refused&include=local&filter=a+contains+%22b%22"
    )
