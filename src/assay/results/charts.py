"""Figures of runs as Vega-Lite specifications, and those as SVG without a browser or a network.

A specification carries its data binned, so that a run of a million queries makes a picture of some kilobytes.
Colours are those of :class:`Palette`; a page that has a dark side replaces them by its own. Percentiles are
taken as LoadGen takes them, so that they are the figures of its summary.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from assay.base.units import format_duration
from assay.cm.meta import JsonValue
from assay.errors import InvalidInputError
from assay.loadgen.live import Snapshot
from assay.loadgen.logs import Latencies

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Spec = dict[str, JsonValue]

_SCHEMA = "https://vega.github.io/schema/vega-lite/v6.json"
_SIZE: Spec = {"width": 460, "height": 190}
_BINS = 48
_SLICES = 120
_VEGA_LITE = "6.4"


@dataclass(frozen=True, slots=True)
class Palette:
    """Colours of every chart, on a light ground; series differ in lightness as well as in hue."""

    ink: str = "#3a4250"
    faint: str = "#d8dde5"
    first: str = "#1f6feb"
    second: str = "#b35900"
    band: str = "#a9c8f5"
    limit: str = "#c62f3b"


PALETTE = Palette()


def latency_histogram(latencies_ns: NDArray[np.int64], limit_ns: float | None = None) -> Spec:
    """How often each latency came, with p50, p90 and p99 marked.

    Args:
        latencies_ns: of every query, in nanoseconds.
        limit_ns: the bound of a Server run.

    Raises:
        InvalidInputError: for no latencies.
    """
    import numpy as np

    values, unit, divide = _scaled(latencies_ns)
    low, high = float(values.min()), float(values.max())
    wide = low > 0 and high / low > 30
    edges = np.geomspace(low, high * (1 + 1e-9), _BINS + 1) if wide else np.linspace(low, high or 1.0, _BINS + 1)
    if low == high:
        edges = np.array([low * 0.95, low * 1.05 + 1e-9])
    counts, edges = np.histogram(values, edges)
    bars: list[JsonValue] = [
        {"from": round(float(a), 6), "to": round(float(b), 6), "queries": int(n)}
        for a, b, n in zip(edges[:-1], edges[1:], counts, strict=True)
        if n
    ]
    axis: Spec = {
        "field": "from",
        "type": "quantitative",
        "title": f"latency ({unit})",
        "scale": _scale(log=wide),
    }
    layers: list[JsonValue] = [
        {
            "data": {"values": bars},
            "mark": {"type": "rect", "color": PALETTE.first, "stroke": None},
            "encoding": {
                "x": axis,
                "x2": {"field": "to"},
                "y": {
                    "field": "queries",
                    "type": "quantitative",
                    "title": "queries",
                    "scale": {"zero": True},
                    "axis": {"tickMinStep": 1},
                },
                "y2": {"datum": 0},
            },
        }
    ]
    marks = {name: _percentile(values, p) for name, p in (("p50", 50), ("p90", 90), ("p99", 99))}
    layers += _rules(marks, limit_ns / divide if limit_ns else None)
    return _chart(layers)


def latency_percentiles(latencies_ns: NDArray[np.int64], limit_ns: float | None = None) -> Spec:
    """Latency by percentile on a scale of nines, where the tail has as much room as the bulk.

    Raises:
        InvalidInputError: for no latencies.
    """
    import numpy as np

    values, unit, divide = _scaled(latencies_ns)
    ordered = np.sort(values)
    most = max(len(ordered), 10)
    # x = 1 / (1 - p): 1 is the fastest query, 10 is p90, 100 is p99.
    nines = np.unique(np.geomspace(1, most, 140))
    index = np.minimum((len(ordered) * (1 - 1 / nines)).astype(np.int64), len(ordered) - 1)
    points: list[JsonValue] = [
        {"nines": round(float(x), 5), "latency": round(float(ordered[i]), 6)} for x, i in zip(nines, index, strict=True)
    ]
    ticks: list[JsonValue] = [2, 5, *(10**k for k in range(len(str(most))))]
    axis: Spec = {
        "title": "percentile of queries",
        "values": ticks,
        "labelExpr": "datum.value == 1 ? '0' : format((1 - 1 / datum.value) * 100, '.6~r')",
    }
    layers: list[JsonValue] = [
        {
            "data": {"values": points},
            "mark": {"type": "line", "color": PALETTE.first, "interpolate": "step-after"},
            "encoding": {
                "x": {"field": "nines", "type": "quantitative", "scale": {"type": "log"}, "axis": axis},
                "y": {
                    "field": "latency",
                    "type": "quantitative",
                    "title": f"latency ({unit})",
                    "scale": {"zero": True},
                },
            },
        }
    ]
    if limit_ns:
        layers += _limit_line(limit_ns / divide)
    return _chart(layers)


def latency_over_time(trace: Latencies, limit_ns: float | None = None) -> Spec:
    """Latency while the run went on: median, p90, and the range from fastest to slowest in slices of time.

    Raises:
        InvalidInputError: for no latencies.
    """
    import numpy as np

    values, unit, divide = _scaled(trace.latency_ns)
    end = float(trace.start_s.max()) or 1.0
    slices = max(1, min(_SLICES, len(values) // 20))
    slot = np.minimum((trace.start_s / end * slices).astype(np.int64), slices - 1)
    points: list[JsonValue] = []
    for number in np.unique(slot):
        part = values[slot == number]
        points.append(
            {
                "time": round((float(number) + 0.5) * end / slices, 4),
                "fastest": round(float(part.min()), 6),
                "slowest": round(float(part.max()), 6),
                "p50": round(_percentile(part, 50), 6),
                "p90": round(_percentile(part, 90), 6),
            }
        )
    x: Spec = {"field": "time", "type": "quantitative", "title": "time of issue (s)"}
    title = f"latency ({unit})"
    layers: list[JsonValue] = [
        {
            "mark": {"type": "area", "color": PALETTE.band, "opacity": 0.55},
            "encoding": {
                "x": x,
                "y": {"field": "fastest", "type": "quantitative", "title": title, "scale": {"zero": True}},
                "y2": {"field": "slowest"},
            },
        },
        _line(x, "p90", PALETTE.second, title),
        _line(x, "p50", PALETTE.first, title),
        _end_label("p90", PALETTE.second),
        _end_label("p50", PALETTE.first),
    ]
    if limit_ns:
        layers += _limit_line(limit_ns / divide)
    return {**_chart(layers), "data": {"values": points}}


def throughput_over_time(snapshots: Sequence[Snapshot]) -> Spec:
    """Samples answered per second between one look at the run and the next.

    Raises:
        InvalidInputError: for fewer than three looks, which make no line.
    """
    import numpy as np

    if len(snapshots) < 3:
        raise InvalidInputError(
            "the run was looked at too seldom for a line",
            expected="3 or more snapshots",
            found=str(len(snapshots)),
        )
    points: list[JsonValue] = []
    usual = float(np.median([after.elapsed_s - before.elapsed_s for before, after in pairwise(snapshots)]))
    for before, after in pairwise(snapshots):
        passed = after.elapsed_s - before.elapsed_s
        # The last look comes at once when the run ends: a rate over a moment says nothing.
        if passed > usual / 2 and after.done >= before.done:
            rate = (after.done - before.done) / passed
            points.append({"time": round(after.elapsed_s, 3), "rate": round(rate, 3)})
    return {
        **chart_head(),
        "data": {"values": points},
        "mark": {
            "type": "line",
            "color": PALETTE.first,
            "point": {"color": PALETTE.first, "size": 18},
        },
        "encoding": {
            "x": {"field": "time", "type": "quantitative", "title": "time (s)"},
            "y": {"field": "rate", "type": "quantitative", "title": "samples/s", "scale": {"zero": True}},
        },
    }


def throughput_bars(rates: Mapping[str, float]) -> Spec:
    """Throughput of several runs beside each other.

    Args:
        rates: name of the run to samples per second.
    """
    rows: list[JsonValue] = [{"run": name, "rate": rate} for name, rate in rates.items()]
    y: Spec = {
        "field": "run",
        "type": "nominal",
        "title": None,
        "sort": None,
        "axis": {"labelLimit": 320, "ticks": False, "domain": False},
    }
    # Room for the number behind the longest bar.
    scale: Spec = {"domain": [0, max(rates.values(), default=1.0) * 1.12 or 1.0]}
    x: Spec = {"field": "rate", "type": "quantitative", "title": "samples/s", "scale": scale}
    return {
        **chart_head(),
        "height": {"step": 34},
        "data": {"values": rows},
        "encoding": {"x": x, "y": y},
        "layer": [
            {"mark": {"type": "bar", "color": PALETTE.first, "height": 18, "cornerRadiusEnd": 3}},
            {
                "mark": {
                    "type": "text",
                    "align": "left",
                    "dx": 6,
                    "color": PALETTE.ink,
                    "fontWeight": "bold",
                },
                "encoding": {"text": {"field": "rate", "type": "quantitative", "format": ",.4~r"}},
            },
        ],
    }


def to_svg(spec: Mapping[str, JsonValue]) -> str:
    """Draw a specification; nothing outside it is read.

    Raises:
        InvalidInputError: for a specification that Vega-Lite does not take.
    """
    # The renderer brings a JavaScript engine: loaded only where something is drawn.
    import vl_convert

    try:
        svg: str = vl_convert.vegalite_to_svg(dict(spec), vl_version=_VEGA_LITE, allowed_base_urls=[])
    except ValueError as error:
        raise InvalidInputError(f"not a chart: {str(error).splitlines()[0][:200]}") from error
    return svg


def latency_unit(longest_ns: float) -> tuple[str, float]:
    """The unit that reads best, and the nanoseconds in it."""
    for unit, size in (("ns", 1.0), ("µs", 1e3), ("ms", 1e6)):
        if longest_ns < size * 2000:
            return unit, size
    return "s", 1e9


def _scaled(latencies_ns: NDArray[np.int64]) -> tuple[NDArray[np.float64], str, float]:
    import numpy as np

    if not len(latencies_ns):
        raise InvalidInputError("there are no latencies to draw", hint="run it again with --trace")
    unit, size = latency_unit(_percentile(latencies_ns, 99))
    return latencies_ns.astype(np.float64) / size, unit, size


def _percentile(values: NDArray[Any], percent: int) -> float:
    """LoadGen's percentile, ``sorted[int(n * p)]``, without sorting more than it takes."""
    import numpy as np

    index = min(len(values) * percent // 100, len(values) - 1)
    return float(np.partition(values, index)[index])


def _rules(marks: Mapping[str, float], limit: float | None) -> list[JsonValue]:
    rows: list[JsonValue] = [
        {"x": round(value, 6), "name": name, "row": number} for number, (name, value) in enumerate(marks.items())
    ]
    layers = _vertical(rows, PALETTE.ink, [3, 3])
    if limit is not None:
        layers += _vertical([{"x": round(limit, 6), "name": "limit", "row": 3}], PALETTE.limit, [1, 0])
    return layers


def _vertical(rows: list[JsonValue], color: str, dash: list[JsonValue]) -> list[JsonValue]:
    x: Spec = {"field": "x", "type": "quantitative"}
    # Labels stand on different heights: percentiles of a quick run lie close together.
    return [
        {
            "data": {"values": rows},
            "mark": {"type": "rule", "color": color, "strokeDash": dash},
            "encoding": {"x": x},
        },
        {
            "data": {"values": rows},
            "mark": {"type": "text", "align": "left", "dx": 4, "color": color, "fontSize": 11},
            "encoding": {"x": x, "y": {"value": {"expr": "9 + datum.row * 13"}}, "text": {"field": "name"}},
        },
    ]


def _limit_line(limit: float) -> list[JsonValue]:
    rows: list[JsonValue] = [{"y": limit, "name": "limit"}]
    y: Spec = {"field": "y", "type": "quantitative"}
    return [
        {"data": {"values": rows}, "mark": {"type": "rule", "color": PALETTE.limit}, "encoding": {"y": y}},
        {
            "data": {"values": rows},
            "mark": {
                "type": "text",
                "align": "left",
                "dx": 4,
                "dy": -6,
                "color": PALETTE.limit,
                "fontSize": 11,
            },
            "encoding": {"y": y, "x": {"value": 0}, "text": {"field": "name"}},
        },
    ]


def _line(x: Spec, name: str, color: str, title: str) -> Spec:
    return {
        "mark": {"type": "line", "color": color, "strokeWidth": 1.6},
        "encoding": {"x": x, "y": {"field": name, "type": "quantitative", "title": title}},
    }


def _end_label(name: str, color: str) -> Spec:
    return {
        "transform": [
            {"window": [{"op": "last_value", "field": "time", "as": "end"}], "frame": [None, None]},
            {"filter": "datum.time == datum.end"},
        ],
        "mark": {"type": "text", "align": "left", "dx": 5, "color": color, "fontSize": 11},
        "encoding": {
            "x": {"field": "time", "type": "quantitative"},
            "y": {"field": name, "type": "quantitative"},
            "text": {"value": name},
        },
    }


def _scale(*, log: bool) -> Spec:
    return {"type": "log", "nice": False} if log else {"zero": False, "nice": True}


def _chart(layers: list[JsonValue]) -> Spec:
    return {**chart_head(), "layer": layers}


def chart_head() -> Spec:
    """What every chart begins with: size, colours and letters."""
    axis: Spec = {
        "labelColor": PALETTE.ink,
        "titleColor": PALETTE.ink,
        "titleFontWeight": "normal",
        "gridColor": PALETTE.faint,
        "domainColor": PALETTE.faint,
        "tickColor": PALETTE.faint,
        "labelFontSize": 11,
        "titleFontSize": 11,
        "titlePadding": 8,
    }
    config: Spec = {"aria": False, "view": {"stroke": None}, "axis": axis, "font": "sans-serif"}
    return {"$schema": _SCHEMA, **_SIZE, "background": None, "config": config}


def describe(latencies_ns: NDArray[np.int64]) -> str:
    """Latencies in one sentence, for readers who cannot see the chart.

    Raises:
        InvalidInputError: for no latencies.
    """
    if not len(latencies_ns):
        raise InvalidInputError("there are no latencies to describe")
    named = ", ".join(f"p{p} {format_duration(_percentile(latencies_ns, p))}" for p in (50, 90, 99))
    fastest, slowest = format_duration(float(latencies_ns.min())), format_duration(float(latencies_ns.max()))
    return f"{len(latencies_ns):,} queries from {fastest} to {slowest}: {named}"
