"""What may be found: read once for each audience and state, and never more than the audience may see."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient

from assay.playground.accounts.viewer import Viewer, local_viewer
from assay.playground.findable import findings, known, sections
from assay.playground.here import Here
from assay.results.audience import Audience

from .test_searching import make_here


@pytest.fixture
def here(client: TestClient) -> Iterator[Here]:
    made = make_here(client, local_viewer("me"))
    yield made
    made.close()


def test_it_is_read_once_for_each_audience_and_state(client: TestClient, here: Here) -> None:
    other = make_here(client, Viewer(name="ada", audience=Audience(frozenset({"account:ada"}))))
    try:
        assert known(here) is known(here)
        assert known(other) is not known(here)
    finally:
        other.close()


def test_what_is_kept_does_not_hold_a_request(client: TestClient) -> None:
    first = make_here(client, local_viewer("me"))
    found = known(first)
    first.close()
    second = make_here(client, local_viewer("me"))
    assert known(second) is found
    assert second._store is None
    second.close()


def test_names_and_challenges_are_there(here: Here) -> None:
    found = known(here)
    assert "NVIDIA" in {term.value for term in found.terms.of("organisation")}
    assert any(each.hit.address == "/challenges/optimize-mlperf-inference-v3.1" for each in found.challenges)


def test_every_finding_has_its_place() -> None:
    codes = {each.hit.text: each.hit.address for each in findings()}
    assert codes["seed-wrong"] == "/docs/reference/findings#md-seed-wrong"


def test_pages_are_taken_apart_at_their_headings() -> None:
    (page,) = [parts for parts in sections() if parts[0].page == "Read a verdict"]
    assert page[0].address == "/docs/tutorials/read-a-verdict"
    assert all(part.address.startswith("/docs/tutorials/read-a-verdict") for part in page)
    assert len({part.address for part in page}) >= len(page) - 1
