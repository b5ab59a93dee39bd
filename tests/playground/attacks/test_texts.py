"""Texts of strangers, each of them an attack, on every page that shows them: nothing runs, nothing leads elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from starlette.testclient import TestClient
from tests.playground.conftest import HTML, local_app

from assay.base.settings import Settings
from assay.results import store

from .harm import MARK, SCRIPTS, harm_in, sound
from .spoilt import TEXTS, addresses, bad_row, fill


@pytest.fixture(scope="module")
def spoilt(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    home = tmp_path_factory.mktemp("spoilt")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(store, "PUBLISHED", Path("no such table"))
        fill(Settings(home))
        with local_app(Settings(home)) as client:
            yield client


@pytest.mark.parametrize("address", addresses())
def test_no_text_becomes_markup(spoilt: TestClient, address: str) -> None:
    sound(spoilt.get(address, headers=HTML, follow_redirects=False))
    path, mark, asked = address.partition("?")
    if "." not in path.rpartition("/")[2] and len(address) % 2:
        sound(spoilt.get(f"{path if path != '/' else '/home'}.json{mark}{asked}", follow_redirects=False))


def test_the_attacks_are_shown_at_all(spoilt: TestClient) -> None:
    """Where nothing of them were to be seen, nothing would have been tried."""
    last = len(TEXTS) - 1
    for address in (
        *("/challenges", "/challenges/challenge0", "/contributors/eve", "/reports/report0", "/views", "/organisations"),
        *(f"/challenges/challenge{last}", f"/challenges/html{last}", f"/contributors/eve{last}"),
        *(f"/contributors/mallory{last}", f"/reports/report{last}", f"/views/view{last}"),
    ):
        assert MARK in spoilt.get(address, headers=HTML).text, address
    assert MARK in spoilt.get(f"/results/{bad_row(0, '').uid}", headers=HTML).text


@pytest.mark.parametrize("script", SCRIPTS)
def test_names_of_organisations_and_systems_are_found_again_harmlessly(spoilt: TestClient, script: str) -> None:
    name = quote(script, safe="")
    for path in (
        f"/organisations/{name}",
        f"/systems/{name}/{name}",
        f"/contributors/{name}",
        f"/explorer?organisation={name}",
    ):
        sound(spoilt.get(path, headers=HTML, follow_redirects=False))
        sound(spoilt.get(f"/organisations/{name}/trend.svg"))


def test_a_table_is_not_a_program(spoilt: TestClient) -> None:
    """Cells that spreadsheets would take for a formula or a link stay what they are, in a file and not in a page."""
    answer = spoilt.get("/organisations.csv", headers=HTML)
    assert answer.headers["content-type"].startswith("text/csv")
    assert answer.headers["content-disposition"].startswith("attachment")


def test_the_reader_of_pages_finds_what_it_is_there_for() -> None:
    for text in (
        "<script>x()</script>", "<script src=//evil.example/x></script>", "<img src=x onerror=y>", "<a href=' javascript:x'>y</a>",
        "<a href='java\tscript:x'>", "<iframe></iframe>", "<p style='x'>", f"<{MARK}>", f"<p {MARK}=1>", "<form action=//evil.example>",
        "<img src=https://evil.example/x>", "<link rel=x href=//evil.example>", "<meta http-equiv=refresh content=0>", "<base href=x>",
    ):  # fmt: skip
        assert harm_in(text), text
    assert harm_in("<p>&lt;script&gt;</p><a href='https://a.example'>a</a><img src='data:image/png;base64,x'>") == []
