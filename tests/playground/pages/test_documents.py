"""The documentation in the browser: every page, its links, its pictures, and nothing beside it."""

from __future__ import annotations

import re

import pytest
from starlette.testclient import TestClient

from assay.playground.documents import documents

from ..conftest import HTML


@pytest.mark.parametrize("page", documents().pages, ids=lambda page: page.path)
def test_every_page_is_shown_and_its_links_lead_somewhere(client: TestClient, page: object) -> None:
    answer = client.get(page.address, headers=HTML)  # type: ignore[attr-defined]
    assert answer.status_code == 200
    article = answer.text.partition("<article")[2].partition("</article>")[0]
    assert page.title in re.sub(r"<[^>]+>", "", article).replace("&amp;", "&")  # type: ignore[attr-defined]
    for address, place in re.findall(r'href="(/docs[^"#]*|/getting-started)(#[^"]*)?"', article):
        other = client.get(address, headers=HTML)
        assert other.status_code == 200, address
        if place:
            assert f'id="{place[1:]}"' in other.text, (address, place)
    for picture in re.findall(r'<img src="([^"]+)"', article):
        assert client.get(picture).status_code == 200


def test_the_guide_answers_what_the_original_asked(client: TestClient) -> None:
    text = client.get("/getting-started", headers=HTML).text
    for word in (
        "v2.0", "v3.0", "CM format", "samples_per_joule", "v3.1", "ImageNet", "RetinaNet", "SQuAD", "LibriSpeech",
        "KiTS19", "Criteo", "CNN/DailyMail", "SingleStream", "MultiStream", "Server", "closed", "open", "power",
        "Challenges", "assay serve", "assay push",
    ):  # fmt: skip
        assert word in text, word
    assert 'href="/docs/how-to/derived-metrics"' in text
    words = re.sub(r"<[^>]+>", "", text)
    for command in (
        "assay demo --all",
        "assay run gptj",
        "assay campaign plan",
        "assay run mobilenet-v2 --scenario Offline",
    ):
        assert command in words, command


def test_the_twin_has_the_text_and_the_places(client: TestClient) -> None:
    page = client.get("/docs/tutorials/read-a-verdict.json").json()
    assert page["title"] == "Read a verdict"
    assert page["markdown"].startswith("# Read a verdict")
    assert page["previous"]
    assert page["following"]
    assert all(f'id="{each["id"]}"' in page["html"] for each in page["headings"])


def test_the_page_marks_where_it_is(client: TestClient) -> None:
    text = client.get("/docs/reference/cli", headers=HTML).text
    listed = text.partition('class="document-list"')[2].partition("</nav>")[0]
    assert re.findall(r'<a href="([^"]+)" aria-current="page">', listed) == ["/docs/reference/cli"]


def test_schemas_and_pictures_are_given(client: TestClient) -> None:
    schema = client.get("/docs/reference/schemas/round.json")
    assert (schema.headers["content-type"], schema.json()["type"]) == ("application/json", "object")
    picture = client.get("/docs/images/report.png")
    assert picture.headers["content-type"] == "image/png"


@pytest.mark.parametrize(
    "path",
    [
        "nothing",
        "../pyproject.toml",
        "%2e%2e/pyproject.toml",
        "generate.py",
        "x" * 190,
        "/etc/passwd",
    ],
)
def test_nothing_else_is_given(client: TestClient, path: str) -> None:
    answer = client.get(f"/docs/{path}", headers=HTML)
    assert answer.status_code in (404, 422)
    assert "hatchling" not in answer.text


def test_old_addresses_with_their_ending_are_understood(client: TestClient) -> None:
    assert client.get("/docs/tutorials/read-a-verdict.md", headers=HTML).status_code == 200
