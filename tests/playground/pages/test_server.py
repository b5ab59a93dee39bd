"""The server's figures, and refusals of its guards as pages."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient
from tests.playground.conftest import HTML, accounts_of, server_app, signed_in

from assay.base.settings import Settings

TOKEN = "a-token-for-prometheus"


@pytest.fixture
def guarded(published_home: Path, tmp_path: Path) -> Iterator[TestClient]:
    """A server whose figures need a token."""
    url = f"sqlite:///{tmp_path / 'a'}"
    made = server_app(Settings(home=published_home), database_url=url, metrics_token=TOKEN, limits={"body": 2000})
    yield made
    accounts_of(made).close()


def test_figures_are_told_to_who_has_the_token(guarded: TestClient) -> None:
    guarded.get("/sign-in", headers=HTML)
    answer = guarded.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
    assert answer.status_code == 200 and answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert answer.headers["cache-control"] == "no-store"
    assert 'assay_requests_total{method="GET",route="/sign-in",status="200"} 1.0' in answer.text
    assert "assay_request_seconds_bucket" in answer.text and "assay_index_bytes" in answer.text


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer wrong"}, {"Authorization": f"Basic {TOKEN}"}])
def test_figures_are_told_to_nobody_else(guarded: TestClient, headers: dict[str, str]) -> None:
    answer = guarded.get("/metrics", headers=headers)
    assert answer.status_code == 401 and "assay_requests" not in answer.text


def test_without_a_token_only_this_machine_is_told(client: TestClient) -> None:
    # The test's client has no address: it is not this machine.
    assert client.get("/metrics", headers=HTML).status_code == 403
    near = TestClient(client.app, base_url="http://localhost", client=("127.0.0.1", 5000))
    assert near.get("/metrics").status_code == 200


def test_guards_answer_with_pages(guarded: TestClient) -> None:
    ada = signed_in(guarded, "Ada")
    for answer, status, words in (
        (ada.post("/account/profile", headers=HTML), 403, "This form is too old, or not from here"),
        (ada.post("/sign-in", content=b"x" * 3000, headers=HTML), 413, "The request is too large"),
        (ada.get("/", headers={**HTML, "host": "evil.example"}), 400, "This server has another name"),
        (ada.get("/", headers={**HTML, "host": "[bad"}), 400, "This server has another name"),
    ):
        assert answer.status_code == status and words in answer.text
        assert "<header" in answer.text and "evil.example" not in answer.text
        assert answer.headers["cache-control"].endswith("no-store")
        assert "default-src 'none'" in answer.headers["content-security-policy"]


def test_guards_answer_programs_with_json(guarded: TestClient) -> None:
    answer = guarded.post("/account/profile", headers={"accept": "application/json"})
    assert answer.json()["status"] == 403 and answer.json()["what"] == "this form is too old, or not from here"
