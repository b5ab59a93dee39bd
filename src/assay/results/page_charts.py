"""Charts of the pages about systems, organisations, benchmarks, rounds and comparisons, as Vega-Lite specifications.

They leave the colours of text and axes to the page, and fill the width that they are given. Series differ in shape as
well as in hue.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from assay.cm.meta import JsonValue
from assay.results.charts import PALETTE, Spec

_SCHEMA = "https://vega.github.io/schema/vega-lite/v6.json"
_HUES: list[JsonValue] = [
    PALETTE.first, PALETTE.second, "#1f9e77", "#8a4fd3", "#c62f3b", "#6b7a8c", "#c79a00", "#0e93a8", "#d0539b", "#7a8b2a",
]  # fmt: skip
_WIDTH = 760


@dataclass(frozen=True, slots=True)
class Point:
    """A figure of a series in a round.

    Attributes:
        round: where it stands on the axis.
        series: what it belongs to.
        figure: on the other axis.
        name: what is told when it is pointed at.
        uid: of the result; empty for none.
    """

    round: str
    series: str
    figure: float
    name: str = ""
    uid: str = ""


def trend(points: Sequence[Point], *, title: str, series: str, rounds: Sequence[str] = ()) -> Spec:
    """Figures over rounds, a line for each series, on a logarithmic scale where they are far apart.

    Args:
        points: the figures.
        title: of the axis, with the unit.
        series: what a series is, such as ``scenario``.
        rounds: all rounds in their order; those of the points unless given.
    """
    figures = [each.figure for each in points if each.figure > 0]
    wide = len(figures) == len(points) and bool(figures) and max(figures) / min(figures) > 20
    order: list[JsonValue] = list(rounds or sorted({each.round for each in points}))
    names = sorted({each.series for each in points})
    values: list[JsonValue] = [
        {"round": each.round, "series": each.series, "figure": each.figure, "name": each.name, "uid": each.uid}
        for each in points
    ]
    # Below one the prefixes of units would be read as words.
    form = "~s" if figures and min(figures) >= 1 else ".3~g"
    scale: Spec = {"type": "log"} if wide else {"zero": True}
    colour: Spec = {
        "field": "series",
        "type": "nominal",
        "title": series,
        "scale": {"range": _HUES},
        "sort": list(names),
        "legend": {"orient": "top", "columns": 4, "labelLimit": 260} if len(names) > 1 else None,
    }
    return {
        **_base(260),
        "data": {"values": values},
        "mark": {"type": "line", "point": {"size": 70, "filled": True}, "strokeWidth": 2},
        "encoding": {
            "x": {"field": "round", "type": "ordinal", "title": "round", "sort": order, "axis": {"labelAngle": 0}},
            "y": {"field": "figure", "type": "quantitative", "title": title, "scale": scale, "axis": {"format": form}},
            "color": colour,
            "shape": {"field": "series", "type": "nominal", "sort": list(names), "legend": None},
            "tooltip": [
                {"field": "series", "title": series},
                {"field": "round"},
                {"field": "figure", "type": "quantitative", "title": title, "format": ",.4~g"},
                {"field": "name", "title": "system"},
            ],
        },
    }


def stacked(points: Sequence[Point], *, title: str, series: str, order: Sequence[str]) -> Spec:
    """Counts over rounds as bars, one upon the other.

    Args:
        points: the counts.
        title: of the axis.
        series: what a part of a bar is.
        order: of the parts, from below.
    """
    place = {name: number for number, name in enumerate(order)}
    values: list[JsonValue] = [
        {"round": each.round, "series": each.series, "figure": each.figure, "place": place[each.series]}
        for each in points
        if each.figure
    ]
    return {
        **_base(220),
        "data": {"values": values},
        "mark": {"type": "bar", "cornerRadiusEnd": 2, "width": {"band": 0.6}},
        "encoding": {
            "x": {"field": "round", "type": "ordinal", "title": "round", "axis": {"labelAngle": 0}},
            "y": {"field": "figure", "type": "quantitative", "title": title, "axis": {"tickMinStep": 1}},
            "color": {
                "field": "series",
                "type": "nominal",
                "title": series,
                "scale": {"domain": list(order), "range": _HUES[: len(order)]},
                "legend": {"orient": "top"},
            },
            "order": {"field": "place", "type": "quantitative"},
            "tooltip": [{"field": "round"}, {"field": "series", "title": series}, {"field": "figure", "title": title}],
        },
    }


@dataclass(frozen=True, slots=True)
class Bin:
    """How many there are from one figure to another."""

    low: float
    high: float
    series: str
    count: int


def spread(bins: Sequence[Bin], *, title: str, targets: Sequence[tuple[str, float]] = ()) -> Spec:
    """How figures are spread, with lines where targets are.

    Args:
        bins: the counts.
        title: of the axis, with the unit.
        targets: name and figure of each.
    """
    values: list[JsonValue] = [
        {"low": each.low, "high": each.high, "series": each.series, "count": each.count} for each in bins
    ]
    lines: list[JsonValue] = [{"name": name, "figure": figure} for name, figure in targets]
    bars: Spec = {
        "data": {"values": values},
        "mark": {"type": "bar", "stroke": None},
        "encoding": {
            "x": {"field": "low", "type": "quantitative", "title": title, "scale": {"zero": False, "nice": False}},
            "x2": {"field": "high"},
            "y": {
                "field": "count",
                "type": "quantitative",
                "title": "results",
                "stack": "zero",
            },
            "color": {
                "field": "series",
                "type": "nominal",
                "title": "division",
                "scale": {"domain": ["closed", "open", "network"], "range": _HUES[:3]},
                "legend": {"orient": "top"},
            },
            "tooltip": [
                {"field": "series", "title": "division"},
                {"field": "low", "title": "from", "type": "quantitative", "format": ".5~g"},
                {"field": "high", "title": "to", "type": "quantitative", "format": ".5~g"},
                {"field": "count", "title": "results"},
            ],
        },
    }
    rules: Spec = {
        "data": {"values": lines},
        "mark": {"type": "rule", "strokeDash": [5, 3], "strokeWidth": 1.5, "color": PALETTE.limit},
        "encoding": {
            "x": {"field": "figure", "type": "quantitative"},
            "tooltip": [{"field": "name", "title": "target"}],
        },
    }
    return {**_base(200), "layer": [bars, rules] if lines else [bars]}


@dataclass(frozen=True, slots=True)
class Ratio:
    """A figure over the first result's.

    Attributes:
        figure: what is compared, with its direction in words.
        series: which result.
    """

    figure: str
    series: str
    ratio: float


def ratios(found: Sequence[Ratio], *, order: Sequence[str]) -> Spec:
    """Figures of results over the first one's as bars, with a line at one.

    Args:
        found: the ratios.
        order: of the results.
    """
    values: list[JsonValue] = [{"figure": each.figure, "series": each.series, "ratio": each.ratio} for each in found]
    figures: list[JsonValue] = list(dict.fromkeys(each.figure for each in found))
    bars: Spec = {
        "mark": {"type": "bar", "cornerRadiusEnd": 2},
        "encoding": {
            "y": {
                "field": "figure",
                "type": "nominal",
                "title": None,
                "sort": figures,
                "axis": {"labelLimit": 170},
                "scale": {"paddingInner": 0.25},
            },
            "yOffset": {"field": "series", "sort": list(order)},
            "x": {
                "field": "ratio",
                "type": "quantitative",
                "title": "times the first result's figure",
                "scale": {"zero": True},
            },
            "color": {
                "field": "series",
                "type": "nominal",
                "title": "result",
                "sort": list(order),
                "scale": {"domain": list(order), "range": _HUES[: max(len(order), 1)]},
                "legend": {"orient": "top", "columns": 1, "labelLimit": 320},
            },
            "tooltip": [
                {"field": "figure"},
                {"field": "series", "title": "result"},
                {"field": "ratio", "type": "quantitative", "format": ".3~g"},
            ],
        },
    }
    one: Spec = {
        "data": {"values": [{"one": 1}]},
        "mark": {"type": "rule", "strokeDash": [5, 3], "color": PALETTE.limit},
        "encoding": {"x": {"field": "one", "type": "quantitative"}},
    }
    height = len(figures) * (14 * max(len(order), 1) + 12)
    return {**_base(height), "data": {"values": values}, "layer": [bars, one]}


def _base(height: int) -> Spec:
    return {"$schema": _SCHEMA, "width": "container", "height": height}


def fixed(spec: Spec) -> Spec:
    """The same for a picture that no page gives a width."""
    return {**spec, "width": _WIDTH, "background": "#ffffff"}
