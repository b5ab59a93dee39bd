from __future__ import annotations

from typing import Any

import pytest

from assay.results.charts import Spec, to_svg
from assay.results.page_charts import Bin, Point, Ratio, fixed, ratios, spread, stacked, trend

POINTS = [Point("v2.1", "Offline", 10.0, "Acme box"), Point("v3.0", "Offline", 40.0), Point("v3.0", "Server", 2000.0)]
CHARTS: list[Spec] = [
    trend(POINTS, title="samples per second", series="scenario"),
    trend([], title="samples per second", series="scenario"),
    stacked([Point("v3.0", "power", 3)], title="results", series="results", order=("power", "none")),
    spread([Bin(0, 1, "closed", 3), Bin(0, 1, "open", 2)], title="acc", targets=[("asked", 0.5)]),
    ratios([Ratio("watts ↓", "A", 1.0), Ratio("watts ↓", "B", 0.5)], order=["A", "B"]),
]


@pytest.mark.parametrize("spec", CHARTS, ids=["trend", "nothing", "stacked", "spread", "ratios"])
def test_every_chart_is_drawn_and_leaves_its_text_to_the_page(spec: Spec) -> None:
    assert spec["width"] == "container"
    assert "config" not in spec
    assert to_svg(fixed(spec)).startswith("<svg")


def encoding(spec: Spec) -> Any:
    return spec["encoding"]


def test_figures_far_apart_have_a_bent_axis() -> None:
    assert encoding(CHARTS[0])["y"]["scale"] == {"type": "log"}
    near = trend(POINTS[:2], title="x", series="scenario")
    assert encoding(near)["y"]["scale"] == {"zero": True}
    zero = trend([*POINTS, Point("v2.0", "Server", 0.0)], title="x", series="scenario")
    assert encoding(zero)["y"]["scale"] == {"zero": True}


def test_no_prefix_of_a_unit_below_one() -> None:
    small = trend([Point("v3.0", "x", 0.02), Point("v2.1", "x", 5.0)], title="x", series="scenario")
    assert encoding(small)["y"]["axis"]["format"] == ".3~g"


def test_texts_of_strangers_are_data_only() -> None:
    evil = "</script><script>alert(1)</script>"
    svg = to_svg(fixed(trend([Point("v3.0", evil, 1.0, evil), Point("v3.0", "b", 1.0)], title="x", series="s")))
    assert "<script" not in svg
