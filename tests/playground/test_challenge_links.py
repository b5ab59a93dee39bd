from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from assay.community.challenge import Challenge, Document, ExperimentLink, Ranking, Status
from assay.playground.challenge_links import (
    comparable_address,
    experiment_address,
    for_server,
    links_of,
    results_address,
)
from assay.playground.view import read_view

DOCUMENTS = tuple(Document(name, name, "") for name in ("README.md", "docs/a.md", "docs/b c.md"))


def challenge(**given: Any) -> Challenge:
    known = {"uid": "0" * 16, "alias": "go", "repository": "", "path": Path(), "title": "", "status": Status.OPEN}
    return Challenge(**{**known, "documents": DOCUMENTS, **given})


@pytest.mark.parametrize(
    ("document", "given", "address"),
    [
        (0, "docs/a.md", "/challenges/go/docs/a"),
        (0, "./docs/b%20c.md#x", "/challenges/go/docs/b%20c"),
        (1, "b%20c.md", "/challenges/go/docs/b%20c"),
        (1, "../README.md", "/challenges/go"),
        (1, "../", "/challenges/go"),
        (0, "../other", "/challenges/other"),
        (0, "../other/README.md", "/challenges/other"),
        (0, "?name=other&x=1", "/challenges/other"),
        (0, "?action=x", None),
        (0, "docs/missing.md", None),
        (0, "../../etc/passwd", None),
        (1, "../../../x", None),
        (0, "../..", None),
        (0, "_cm.yaml", None),
    ],
)
def test_where_links_of_texts_lead(document: int, given: str, address: str | None) -> None:
    assert links_of(challenge(), DOCUMENTS[document])(given) == address


@pytest.mark.parametrize(
    ("link", "expected"),
    [
        (ExperimentLink(tags="mlperf-inference,v3.0"), {"round": ["v3.0"]}),
        (
            ExperimentLink(name="mlperf-inference--v3.0--edge--open-power--image-classification--singlestream"),
            {
                "round": ["v3.0"], "category": ["edge"], "division": ["open"], "task": ["image-classification"],
                "scenario": ["SingleStream"], "filter": ["power == true"],
            },
        ),
        (ExperimentLink(tags="mlperf,whatever"), {}),
        (ExperimentLink(), {}),
    ],
)  # fmt: skip
def test_experiments_are_views_of_the_explorer(link: ExperimentLink, expected: dict[str, list[str]]) -> None:
    address = experiment_address(link)
    assert parse_qs(urlsplit(address).query) == expected
    assert bool(address) == bool(expected)


def test_results_are_views_of_the_explorer_that_it_understands() -> None:
    one = challenge(filter='round == "v3.1"', ranking=Ranking("watts", True))
    for address in (results_address(one), comparable_address(one)):
        view = read_view(
            [(name, value) for name, values in parse_qs(urlsplit(address).query).items() for value in values]
        )
        assert view.unknown == ()
        assert view.y == "watts"
    assert comparable_address(challenge()) == ""


def test_commands_push_to_the_server_that_shows_them() -> None:
    assert for_server("--to https://playground.example --x", "http://h:1") == "--to http://h:1 --x"
