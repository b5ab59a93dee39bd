"""One function, two forms: HTML at the path, the same model as JSON at its twin and by what is accepted."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

import jinja2
import pytest
from fastapi import Query
from fastapi.responses import Response
from starlette.testclient import TestClient

from assay.base.settings import Settings
from assay.playground.here import Looking
from assay.playground.page import PageModel, Pages

from .conftest import HTML, local_app

pages = Pages("tries")


class Mistaken(PageModel):
    """A page that shows the visitor's own mistake."""

    what: str
    hint: str = ""

    @property
    def http_status(self) -> int:
        """A mistake."""
        return 400 if self.what == "wrong" else 200


@pages.get("/tried/{what}", template="tried.html", kept=True)
def tried(here: Looking, what: str, hint: Annotated[str, Query(max_length=5)] = "") -> Mistaken:
    """What was tried.

    More of it.
    """
    del here
    if what == "plain":
        return Response("plain", media_type="text/plain")  # type: ignore[return-value]
    return Mistaken(what=what, hint=hint)


@pages.get("/fresh", template="tried.html")
def fresh(here: Looking) -> Mistaken:
    """Never kept."""
    del here
    return Mistaken(what="right")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    client = local_app(Settings(home=tmp_path_factory.mktemp("pages")))
    client.app.include_router(pages.router)  # type: ignore[attr-defined]
    environment = client.app.state.playground.markup._environment  # type: ignore[attr-defined]
    own = '{% extends "base.html" %}{% block main %}<h1>{{ page.what | capitalize_first }}</h1>{% endblock %}'
    environment.loader = jinja2.ChoiceLoader([jinja2.DictLoader({"tried.html": own}), environment.loader])
    with client:
        yield client


def test_one_function_is_a_page_and_its_twin(site: TestClient) -> None:
    page, twin = site.get("/tried/right", headers=HTML), site.get("/tried/right.json")
    assert "<h1>Right</h1>" in page.text
    assert twin.json() == {"what": "right", "hint": ""}
    assert 'href="/tried/right.json"' in page.text


def test_json_is_given_to_who_accepts_it(site: TestClient) -> None:
    assert site.get("/tried/right", headers={"accept": "application/json"}).json()["what"] == "right"


def test_a_model_says_its_status_in_both_forms(site: TestClient) -> None:
    assert site.get("/tried/wrong", headers=HTML).status_code == 400
    assert site.get("/tried/wrong.json").status_code == 400


def test_parameters_are_those_of_the_function(site: TestClient) -> None:
    assert site.get("/tried/right.json?hint=abc").json()["hint"] == "abc"
    assert site.get("/tried/right.json?hint=abcdef").status_code == 422


def test_an_answer_of_its_own_is_passed_on(site: TestClient) -> None:
    assert site.get("/tried/plain", headers=HTML).text == "plain"
    assert site.get("/tried/plain.json").text == "plain"


def test_only_what_may_be_kept_is(site: TestClient) -> None:
    assert site.get("/tried/right", headers=HTML).headers["cache-control"] == "public, no-cache"
    assert site.get("/fresh", headers=HTML).headers["cache-control"] == "no-store"


def test_the_twin_is_described_and_the_page_is_not(site: TestClient) -> None:
    paths = site.get("/openapi.json").json()["paths"]
    assert "/tried/{what}" not in paths
    operation = paths["/tried/{what}.json"]["get"]
    assert operation["summary"] == "What was tried"
    assert operation["tags"] == ["tries"]
    assert [each["name"] for each in operation["parameters"]] == ["what", "hint"]
