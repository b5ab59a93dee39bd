"""Errors as pages and as JSON: what is wrong, and never how assay is made."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from assay.base.settings import Settings
from assay.errors import InvalidInputError, MachineError, NotFoundError, UsageError
from assay.playground.accounts.refusals import ThrottledError

from .conftest import HTML, local_app

RAISED = {
    "usage": (UsageError("two things at once", expected="one", found="<script>alert(1)</script>"), 400),
    "input": (InvalidInputError("not a date"), 400),
    "there": (NotFoundError("no such thing", hint="see /"), 404),
    "machine": (MachineError("disk full"), 503),
    "throttled": (ThrottledError("too often", retry_after_s=7), 429),
    "bug": (RuntimeError("secret: /srv/private"), 500),
}


@pytest.fixture(scope="module")
def failing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    client = local_app(Settings(home=tmp_path_factory.mktemp("failing")))

    def fail(name: str) -> None:
        raise RAISED[name][0]

    def count(number: int) -> int:
        return number

    client.app.add_api_route("/fail/{name}", fail)  # type: ignore[attr-defined]
    client.app.add_api_route("/fail/{name}.json", fail)  # type: ignore[attr-defined]
    client.app.add_api_route("/count", count)  # type: ignore[attr-defined]
    with TestClient(client.app, base_url="http://localhost", raise_server_exceptions=False) as quiet:
        yield quiet


@pytest.mark.parametrize("name", RAISED)
def test_an_error_is_a_page_and_json(failing: TestClient, name: str) -> None:
    error, status = RAISED[name]
    page = failing.get(f"/fail/{name}", headers=HTML)
    data = failing.get(f"/fail/{name}", headers={"accept": "application/json"})
    assert (page.status_code, data.status_code) == (status, status)
    assert page.headers["content-type"].startswith("text/html")
    assert data.json()["status"] == status
    if name != "bug":
        assert data.json()["what"] == str(error.args[0])
        assert data.json()["what"].capitalize() in page.text
    for answer in (page, data):
        assert "Traceback" not in answer.text
        assert "secret" not in answer.text
        assert "<script>alert" not in page.text


def test_whoever_asks_too_often_is_told_when_to_come_again(failing: TestClient) -> None:
    assert failing.get("/fail/throttled").headers["retry-after"] == "7"


def test_a_page_that_is_not_there(client: TestClient) -> None:
    page = client.get("/nothing<b>here", headers=HTML)
    assert page.status_code == 404
    assert "There is no such page" in page.text
    assert "<b>here" not in page.text
    assert client.get("/nothing.json").json()["what"] == "there is no such page"


def test_a_parameter_that_means_nothing(failing: TestClient) -> None:
    page = failing.get("/count?number=%3Cscript%3E", headers=HTML)
    assert page.status_code == 422
    assert "<script>" not in page.text.replace("<script src=", "")
    data = failing.get("/count?number=x", headers={"accept": "application/json"}).json()
    assert (data["where"], data["found"]) == ("number", "'x'")


def test_a_method_that_is_not_allowed(client: TestClient) -> None:
    assert client.put("/", headers={"sec-fetch-site": "same-origin"}).status_code in (403, 405)


def test_errors_are_never_kept(client: TestClient) -> None:
    assert "etag" not in client.get("/nothing", headers=HTML).headers


def test_a_home_is_not_told(tmp_path: Path) -> None:
    with local_app(Settings(home=tmp_path)) as client:
        text = client.get("/results/0000000000000000", headers=HTML).text + client.get("/nothing", headers=HTML).text
    assert str(tmp_path) not in text
