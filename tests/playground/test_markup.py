"""Words for figures and moments, addresses, and that nothing of a stranger's becomes markup."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import jinja2
import pytest
from starlette.requests import Request

from assay.base.settings import Settings
from assay.playground import markup
from assay.playground.accounts.viewer import Role, Viewer, local_viewer
from assay.playground.static_files import StaticFiles


def request(path: str, query: str = "") -> Request:
    return Request({"type": "http", "path": path, "query_string": query.encode(), "headers": [], "server": ("x", 80)})


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (None, "", "–"),
        (True, "", "yes"),
        (False, "", "no"),
        (["edge", "datacenter"], "", "edge, datacenter"),
        ([], "", "–"),
        (2_500_000, "ns", "2.50 ms"),
        (600, "s", "10m 00s"),
        (1234567, "", "1,234,567"),
        (0.123456, "", "0.1235"),
        (12345.6, "", "12,346"),
        ("text", "", "text"),
    ],
)
def test_a_value_in_words(value: object, unit: str, text: str) -> None:
    assert markup.value_text(value, unit) == text


def test_a_figure_has_its_unit_behind_it() -> None:
    assert markup.figure(12.5, "Samples/s") == "12.5 samples/s"
    assert markup.figure(3.25, "Latency (ms)") == "3.25 ms"
    assert markup.figure(2_500_000, "ns") == "2.50 ms"
    assert markup.figure(None, "Samples/s") == "–"


def test_moments_and_days() -> None:
    assert markup.day("2026-11-28") == "28 Nov 2026"
    assert markup.day(date(2026, 1, 2)) == "2 Jan 2026"
    assert markup.day("soon") == "soon"
    assert markup.day(None) == "–"
    assert markup.moment(datetime(2026, 11, 28, 9, 5, tzinfo=UTC)) == "28 Nov 2026, 09:05 UTC"
    assert markup.moment("not a moment") == "not a moment"
    assert markup.moment(None) == "–"


def test_ratios_and_shares() -> None:
    assert (markup.ratio(1.25), markup.ratio(None)) == ("1.25×", "–")
    assert (markup.percent(0.5), markup.percent(-0.031, signed=True), markup.percent(None)) == ("50%", "-3.1%", "–")


def test_a_query_leaves_out_what_is_empty_and_escapes_the_rest() -> None:
    assert markup.query(a="x y", b="", c=None, d=["1", "&2"]) == "?a=x+y&d=1&d=%262"
    assert markup.query(a=None) == ""


def test_a_segment_is_one_segment() -> None:
    assert markup.segment("a/b?c#d e") == "a%2Fb%3Fc%23d%20e"


@pytest.mark.parametrize(
    ("path", "query", "twin"),
    [
        ("/", "", "/home.json"),
        ("/rounds/v3.0", "", "/rounds/v3.0.json"),
        ("/explorer", "x=1&y=2", "/explorer.json?x=1&y=2"),
        ("/a.json", "", "/a.json"),
        ("/systems/a b", "", "/systems/a%20b.json"),
    ],
)
def test_the_twin_of_a_page(path: str, query: str, twin: str) -> None:
    assert markup.json_twin(request(path, query)) == twin


def test_runs_are_in_the_navigation_of_who_may_see_them() -> None:
    def paths(viewer: Viewer) -> list[str]:
        return [path for path, _ in markup.navigation(viewer)]

    assert "/runs" in paths(local_viewer("me"))
    assert "/runs" in paths(Viewer(name="m", role=Role.MAINTAINER, scopes=Role.MAINTAINER.scopes))
    assert "/runs" not in paths(Viewer())
    assert "/runs" not in paths(Viewer(name="c", role=Role.CONTRIBUTOR, scopes=Role.CONTRIBUTOR.scopes))


def test_labels_and_fields_are_explained() -> None:
    assert "not comparable" in markup.label_meaning("stand-in-model")
    assert markup.label_meaning("a new one")
    assert markup.meaning("watts").startswith("Average power")
    assert markup.meaning("nothing") == ""


def made(tmp_path: Path, text: str, **names: Any) -> str:
    environment = markup.Markup(StaticFiles(Settings(home=tmp_path)))._environment
    return environment.from_string(text).render(**names)


def test_a_strangers_text_stays_text(tmp_path: Path) -> None:
    hostile = "<script>alert(1)</script>\"'"
    assert "<script>" not in made(tmp_path, "{{ x }}", x=hostile)
    assert "<script>" not in made(tmp_path, '{% from "macros.html" import badge %}{{ badge(x, "", x) }}', x=hostile)
    linked = made(tmp_path, '{% from "macros.html" import system_link %}{{ system_link(x, x) }}', x='"><img src=x>')
    assert "<img" not in linked


def test_a_name_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(jinja2.UndefinedError):
        made(tmp_path, "{{ nothing }}")
