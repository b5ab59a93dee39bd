from __future__ import annotations

import json
import xml.etree.ElementTree as ET

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.errors import InvalidInputError
from assay.loadgen.live import Snapshot
from assay.loadgen.logs import Latencies
from assay.loadgen.statistics import percentile_of
from assay.results import charts

RNG = np.random.default_rng(3)
SOME = (RNG.lognormal(0, 0.5, 1000) * 2e6).astype(np.int64)
NONE = np.empty(0, np.int64)


def look(elapsed: float, done: int) -> Snapshot:
    return Snapshot(elapsed, done, done, 0.0, None, None, None, None)


def layer_values(spec: charts.Spec, layer: int) -> list[dict[str, float]]:
    return spec["layer"][layer]["data"]["values"]  # type: ignore[index,call-overload,return-value]


def test_a_histogram_holds_every_query_and_loadgens_percentiles() -> None:
    spec = charts.latency_histogram(SOME, 9e6)
    assert sum(bar["queries"] for bar in layer_values(spec, 0)) == len(SOME)
    marks = {row["name"]: row["x"] for row in layer_values(spec, 1)}
    assert marks == {
        f"p{p}": pytest.approx(percentile_of(SOME.tolist(), p / 100) / 1e6, abs=1e-6) for p in (50, 90, 99)
    }  # type: ignore[comparison-overlap]
    assert layer_values(spec, 3) == [{"x": 9.0, "name": "limit", "row": 3}]


@given(st.lists(st.integers(1, 10**12), min_size=1, max_size=200))
def test_no_latency_is_lost_whatever_they_are(latencies: list[int]) -> None:
    values = np.array(latencies, np.int64)
    spec = charts.latency_histogram(values)
    assert sum(bar["queries"] for bar in layer_values(spec, 0)) == len(latencies)
    curve = [point["latency"] for point in layer_values(charts.latency_percentiles(values), 0)]
    assert curve == sorted(curve)
    over_time = charts.latency_over_time(Latencies(np.arange(len(values), dtype=np.float64), values))
    rows = over_time["data"]["values"]  # type: ignore[index,call-overload]
    assert all(row["fastest"] <= row["p50"] <= row["p90"] <= row["slowest"] for row in rows)  # type: ignore[index,call-overload,union-attr,operator]
    json.dumps([spec, over_time], allow_nan=False)


def test_the_percentile_curve_ends_at_the_slowest() -> None:
    points = layer_values(charts.latency_percentiles(SOME), 0)
    assert points[-1]["latency"] == pytest.approx(float(SOME.max()) / 1e6, abs=1e-5)
    assert points[0] == {"nines": 1.0, "latency": pytest.approx(float(SOME.min()) / 1e6, abs=1e-5)}


def test_throughput_is_taken_between_looks_and_the_last_moment_left_out() -> None:
    spec = charts.throughput_over_time([look(0, 0), look(1, 100), look(2, 300), look(2.05, 310)])
    assert spec["data"] == {"values": [{"time": 1, "rate": 100.0}, {"time": 2, "rate": 200.0}]}
    with pytest.raises(InvalidInputError, match="too seldom"):
        charts.throughput_over_time([look(0, 0), look(1, 100)])


@pytest.mark.parametrize("draw", [charts.latency_histogram, charts.latency_percentiles, charts.describe])
def test_nothing_to_draw(draw: object) -> None:
    with pytest.raises(InvalidInputError, match="no latencies"):
        draw(NONE)  # type: ignore[operator]


def test_units() -> None:
    assert charts.latency_unit(500) == ("ns", 1.0)
    assert charts.latency_unit(1.5e6) == ("µs", 1e3)
    assert charts.latency_unit(15e6) == ("ms", 1e6)
    assert charts.latency_unit(15e9) == ("s", 1e9)


def test_a_sentence_for_those_who_cannot_see() -> None:
    assert charts.describe(np.array([10**6, 2 * 10**6, 3 * 10**6], np.int64)) == (
        "3 queries from 1.00 ms to 3.00 ms: p50 2.00 ms, p90 3.00 ms, p99 3.00 ms"
    )


def test_every_chart_becomes_an_svg_and_names_stay_text() -> None:
    hostile = '<script>alert(1)</script> "&'
    trace = Latencies(np.linspace(0, 5, len(SOME)), SOME)
    specs = [
        charts.latency_histogram(SOME, 9e6),
        charts.latency_percentiles(SOME, 9e6),
        charts.latency_over_time(trace, 9e6),
        charts.throughput_over_time([look(0, 0), look(1, 100), look(2, 300)]),
        charts.throughput_bars({hostile: 1.0, "b": 2.0}),
        charts.latency_histogram(np.full(5, 7, np.int64)),
    ]
    for spec in specs:
        svg = charts.to_svg(spec)
        root = ET.fromstring(svg)
        assert root.tag.endswith("svg") and "<script" not in svg
        # A background of its own would show on a dark page.
        assert "NaN" not in svg and 'style="background' not in svg


def test_what_is_no_chart() -> None:
    with pytest.raises(InvalidInputError, match="not a chart"):
        charts.to_svg({"mark": {"type": "nonsense"}, "data": 7})
