"""Figures of a search for the Server rate, as Vega-Lite specifications."""

from __future__ import annotations

from collections.abc import Sequence

from assay.cm.meta import JsonValue
from assay.loadgen.attempts import Judged, Tried
from assay.results.charts import PALETTE, Spec, chart_head

_WORDS = (Judged.HELD.value, Judged.MISSED.value, Judged.UNDECIDED.value)
_COLOURS = (PALETTE.first, PALETTE.limit, PALETTE.ink)
_SHAPES = ("circle", "cross", "diamond")
_LEAST_SHARE = 1e-4
"""Where attempts without a late query stand: a logarithm has no zero."""


def late_by_rate(tried: Sequence[Tried], allowed: float, rate: float | None) -> Spec:
    """Share of late queries of each attempt by its rate, with the allowed share and the found rate.

    Args:
        tried: attempts, at least one.
        allowed: share of the queries that may be late.
        rate: the found one; None when none was.
    """
    points: list[JsonValue] = [
        {
            "rate": each.attempt.rate,
            "late": max(each.attempt.share, _LEAST_SHARE) * 100,
            "says": each.judged.value,
            "length": each.attempt.duration_s,
        }
        for each in tried
    ]
    y: Spec = {
        "field": "late",
        "type": "quantitative",
        "title": "late queries (%)",
        "scale": {"type": "log", "domain": [_LEAST_SHARE * 100, 100]},
        "axis": {
            "values": [_LEAST_SHARE * 100, 0.1, 1, 10, 100],
            "labelExpr": f"datum.value <= {_LEAST_SHARE * 100:g} ? 'none' : format(datum.value, '~r')",
        },
    }
    limit: list[JsonValue] = [{"late": allowed * 100}]
    layers: list[JsonValue] = [
        {
            "data": {"values": limit},
            "mark": {"type": "rule", "color": PALETTE.limit, "strokeDash": [3, 3]},
            "encoding": {"y": {"field": "late", "type": "quantitative"}},
        },
        _points(points, {"field": "rate", "type": "quantitative", "title": "queries/s", "scale": _scale()}, y),
    ]
    if rate is not None:
        layers.append(_found({"x": {"field": "found", "type": "quantitative"}}, rate))
    return {**chart_head(), "layer": layers}


def rate_by_attempt(tried: Sequence[Tried], rate: float | None) -> Spec:
    """The rates in the order in which they were tried.

    Args:
        tried: attempts, at least one.
        rate: the found one; None when none was.
    """
    points: list[JsonValue] = [
        {
            "number": number,
            "rate": each.attempt.rate,
            "says": each.judged.value,
            "length": each.attempt.duration_s,
        }
        for number, each in enumerate(tried, 1)
    ]
    x: Spec = {"field": "number", "type": "quantitative", "title": "attempt", "axis": {"tickMinStep": 1}}
    y: Spec = {"field": "rate", "type": "quantitative", "title": "queries/s", "scale": _scale()}
    layers: list[JsonValue] = [
        {
            "data": {"values": points},
            "mark": {"type": "line", "color": PALETTE.faint},
            "encoding": {"x": x, "y": y},
        },
        _points(points, x, y),
    ]
    if rate is not None:
        layers.append(_found({"y": {"field": "found", "type": "quantitative"}}, rate))
    return {**chart_head(), "layer": layers}


def _points(points: list[JsonValue], x: Spec, y: Spec) -> Spec:
    """A mark for each attempt: what it says by colour and shape, its length by size."""
    legend: Spec = {"title": None, "orient": "top", "labelColor": PALETTE.ink, "symbolOpacity": 1}
    colour: Spec = {
        "field": "says",
        "type": "nominal",
        "scale": {"domain": list(_WORDS), "range": list(_COLOURS)},
        "legend": legend,
    }
    shape: Spec = {
        "field": "says",
        "type": "nominal",
        "scale": {"domain": list(_WORDS), "range": list(_SHAPES)},
        "legend": legend,
    }
    size: Spec = {
        "field": "length",
        "type": "quantitative",
        "scale": {"type": "sqrt", "range": [25, 160]},
        "legend": None,
    }
    return {
        "data": {"values": points},
        "mark": {"type": "point", "filled": True, "opacity": 0.85},
        "encoding": {"x": x, "y": y, "color": colour, "shape": shape, "size": size},
    }


def _found(encoding: Spec, rate: float) -> Spec:
    rows: list[JsonValue] = [{"found": rate}]
    return {"data": {"values": rows}, "mark": {"type": "rule", "color": PALETTE.first}, "encoding": encoding}


def _scale() -> Spec:
    return {"zero": False, "nice": True}
