"""Texts that take long: every reader of what visitors write is done in a moment, whatever it is given."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from typing import Any

import pytest
from starlette.testclient import TestClient
from tests.playground.conftest import HTML

from assay.errors import AssayError
from assay.expressions import complete, parse
from assay.playground.foreign_html import harmless
from assay.playground.here import Playground
from assay.playground.markdown import LONGEST, render
from assay.playground.security.logging import told_query, without_secrets
from assay.playground.view import read_view, split

from .harm import sound

BOUND_S = 8.0
"""Many times what is needed on a quiet machine; what grows with the square of its length takes minutes."""
LONG = 100_000
PIECES = (
    "a", " ", "\n", "(", ")", "[", "]", "![", "](", "[a](", "*", "**", "_", "*_", "`", "``", "~", "<", "<a", "<!--", "<![CDATA[", "&", "&#", "|",
    "|-", "> ", "- ", "1. ", "#", "\\", "\t", "'", '"', "-", "--", "not ", "and ", "a and ", "1+", "1 ", "a,", "1e", ".", "..", "é", "\u0301",
    "\U0001f4a9", "\0", "\u202e", "==", "a==1 or ", "[x]: y\n", "a\n===\n", "```\n", "<div>", "<b>", "</", "{{", "%", "%2", "assay_", "http://", ":",
)  # fmt: skip


def timed(call: Callable[..., Any], *given: Any, **more: Any) -> None:
    start = time.perf_counter()
    with contextlib.suppress(AssayError):
        call(*given, **more)
    assert time.perf_counter() - start < BOUND_S, (getattr(call, "__name__", call), str(given)[:80])


@pytest.mark.parametrize("piece", PIECES)
def test_texts_that_are_shown(piece: str) -> None:
    text = (piece * LONG)[: LONGEST // 5]
    timed(render, text, base="/x")
    timed(render, piece * 1000 + "a" + piece[::-1] * 1000)
    timed(harmless, text)


@pytest.mark.parametrize("piece", PIECES)
def test_expressions(client: TestClient, piece: str) -> None:
    playground: Playground = client.app.state.playground  # type: ignore[attr-defined]
    names = playground.index.names
    for text in (
        (piece * LONG)[:4000],
        "value > " + (piece * LONG)[:3900],
        (piece * LONG)[:1990] + "value" + (piece[::-1] * LONG)[:1990],
    ):
        timed(parse, text)
        timed(complete, text, len(text), names)
        timed(read_view, [("filter", text), ("columns", text), ("sort", text), ("metric", f"x={text}")])
        timed(split, text * 20)


@pytest.mark.parametrize("piece", PIECES)
def test_lines_of_the_log(piece: str) -> None:
    text = piece * LONG
    timed(without_secrets, text)
    timed(told_query, text.encode())


@pytest.mark.parametrize("piece", ["a", "(", "not ", "a ", "'", "1+", "value+", "é", "-", "a,"])
def test_pages(client: TestClient, piece: str) -> None:
    text = (piece * LONG)[:3900]
    for path, name in (("/search", "q"), ("/explorer", "filter"), ("/explorer", "columns"), ("/explorer/complete.json", "text"), ("/systems", "q"),
                       ("/contributors", "q"), ("/challenges", "q"), ("/compare", "result"), ("/runs", "q")):  # fmt: skip
        start = time.perf_counter()
        sound(client.get(path, params={name: text}, headers=HTML))
        assert time.perf_counter() - start < BOUND_S, (path, name)


def test_what_is_deep_does_not_end_the_process(client: TestClient) -> None:
    for text in (
        "(" * 1900 + "1" + ")" * 1900,
        "not " * 900 + "power",
        "-" * 3900 + "1",
        "abs(" * 900 + "1" + ")" * 900,
        "value" + "+value" * 600,
    ):
        for path in ("/explorer", "/explorer/chart.json"):
            sound(client.get(path, params={"filter": text}, headers=HTML))
            sound(client.get(path, params={"y": text}, headers=HTML))


def test_many_parameters(client: TestClient) -> None:
    for name in ("round", "result", "q", "metric", "columns", "include", "nothing"):
        for path in ("/explorer", "/compare", "/systems") if name in ("round", "result", "nothing") else ("/explorer",):
            start = time.perf_counter()
            sound(client.get(f"{path}?" + "&".join(f"{name}=a{number}" for number in range(3000)), headers=HTML))
            assert time.perf_counter() - start < BOUND_S, (path, name)


def test_a_long_view_stays_one_picture(client: TestClient) -> None:
    metrics = [("metric", f"m{number}=value * {number}") for number in range(10)]
    sound(client.get("/explorer.json", params=[*metrics, ("columns", ",".join(f"m{number}" for number in range(10)))]))
    chain = [
        ("metric", "m0=value"),
        *(("metric", f"m{number}=m{number - 1} * m{number - 1} * m{number - 1}") for number in range(1, 10)),
    ]
    start = time.perf_counter()
    sound(client.get("/explorer.json", params=[*chain, ("columns", "m9")]))
    sound(client.get("/explorer/chart.json", params=[*chain, ("y", "m9")]))
    assert time.perf_counter() - start < 2 * BOUND_S
    circle = [("metric", "a=b"), ("metric", "b=a")]
    sound(client.get("/explorer.json", params=[*circle, ("columns", "a")]))
