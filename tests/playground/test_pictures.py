"""Charts as specification, SVG and PNG; nothing in one is fetched, and a large one is refused."""

from __future__ import annotations

from typing import Any

import pytest

from assay.errors import InvalidInputError, UsageError
from assay.playground.pictures import picture

SPEC: dict[str, Any] = {
    "$schema": "https://vega.github.io/schema/vega-lite/v5.json",
    "width": 100,
    "height": 50,
    "data": {"values": [{"x": 1, "y": 2}, {"x": 2, "y": 3}]},
    "mark": "point",
    "encoding": {"x": {"field": "x", "type": "quantitative"}, "y": {"field": "y", "type": "quantitative"}},
}


def test_the_specification_is_json() -> None:
    answer = picture(SPEC, "json")
    assert answer.media_type == "application/json"
    assert bytes(answer.body).startswith(b'{"$schema"')


def test_it_can_be_drawn() -> None:
    svg, png = picture(SPEC, "svg"), picture(SPEC, "png")
    assert (svg.media_type, png.media_type) == ("image/svg+xml", "image/png")
    assert bytes(svg.body).startswith(b"<svg")
    assert bytes(png.body).startswith(b"\x89PNG")


def test_names_of_strangers_stay_text() -> None:
    svg = picture({**SPEC, "title": "</text><script>alert(1)</script>"}, "svg")
    assert b"<script" not in bytes(svg.body)


def test_nothing_is_fetched() -> None:
    with pytest.raises(InvalidInputError):
        picture({**SPEC, "data": {"url": "https://example.org/data.json"}}, "svg")
    with pytest.raises(InvalidInputError):
        picture({**SPEC, "data": {"url": "/etc/passwd", "format": {"type": "csv"}}}, "svg")


def test_what_is_no_chart_is_told() -> None:
    with pytest.raises(InvalidInputError, match="cannot be drawn"):
        picture({"mark": 7}, "svg")


def test_a_large_one_is_refused_as_a_picture_only() -> None:
    large = {**SPEC, "description": "x" * (25 << 20)}
    assert picture(large, "json").status_code == 200
    with pytest.raises(UsageError, match="too many points"):
        picture(large, "png")
