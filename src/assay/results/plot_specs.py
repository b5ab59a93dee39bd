"""Plots as Vega-Lite specifications; text, axes and ground are left to the page that shows them.

Series have colours that people with colour blindness tell apart, and what is no measured result has another shape.
The data stand in the specification for a picture, and beside it for a browser (``data: {"name": "points"}``).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from assay.cm.meta import JsonValue
from assay.expressions import Kind
from assay.results.charts import Spec
from assay.results.plots import Channel, Mark, PlotData

_SCHEMA = "https://vega.github.io/schema/vega-lite/v6.json"
SERIES = (
    "#1f77b4", "#e07b00", "#2a9d5c", "#c8393b", "#8a63c0", "#8c564b", "#d466b1", "#7a7f87", "#9a9a15", "#0fa3b8",
    "#6baed6", "#fdae6b", "#74c69d", "#f08a8b", "#bda5de", "#b98f86", "#eba9d5", "#b3b7bd", "#c9c94a", "#79d2df",
)  # fmt: skip
_STATUS = ("measured", "inferred", "unofficial", "refused")
_SHAPES = ("circle", "diamond", "triangle-up", "cross")
_FACET_WIDTH, _FACET_HEIGHT = 300, 220
_MANY = 2_000
_BAR_HEIGHT = 22
_FEW, _SHORT = 8, 8
_FRONT = "#c8393b"


@dataclass(frozen=True, slots=True)
class Look:
    """How a plot is drawn, beside what is in it.

    Attributes:
        x_log: the first axis is logarithmic, where all values are above zero.
        y_log: the second is.
        step: how the front goes on from a point to the next.
        x_lines: values on the first axis that a line is drawn at.
        y_lines: values on the second.
        width: in pixels; None for that of the page.
        height: in pixels.
        inline: the data stand in the specification.
    """

    x_log: bool = False
    y_log: bool = False
    step: Literal["step-after", "step-before"] = "step-after"
    x_lines: tuple[float, ...] = ()
    y_lines: tuple[float, ...] = ()
    width: int | None = None
    height: int = 440
    inline: bool = True


def plot_spec(data: PlotData, look: Look) -> Spec:
    """A plot as a specification."""
    maker = {
        Mark.SCATTER: _scatter, Mark.BAR: _bar, Mark.LINE: _line, Mark.BOX: _box, Mark.HEAT: _heat,
    }[data.mark]  # fmt: skip
    layers = [*maker(data, look), *_limits(data, look)]
    spec: Spec = {
        "$schema": _SCHEMA,
        "data": {"values": data.rows()} if look.inline else {"name": "points"},  # type: ignore[dict-item]
        "config": {"range": {"category": list(SERIES)}},
    }
    if "facet" in data.channels:
        inner: Spec = {"layer": layers, "width": _FACET_WIDTH, "height": _FACET_HEIGHT}
        facet: Spec = {"field": "facet", "type": "nominal", "title": data.channels["facet"].heading}
        return spec | {"facet": facet, "columns": 3, "spec": inner}
    bars = len(set(data.columns.get("label", [])))
    height = look.height if data.mark is not Mark.BAR else max(1, bars) * _BAR_HEIGHT
    fit: Spec = {"autosize": {"type": "fit-x", "contains": "padding"}}
    return spec | fit | {"layer": layers, "width": look.width or "container", "height": height}


def _scale(data: PlotData, name: str, *, log: bool) -> Spec:
    positive = all(value is not None and value > 0 for value in data.columns.get(name, []))
    return {"type": "log"} if log and positive and data.columns.get(name) else {"type": "linear"}


def _words_axis(data: PlotData, name: str, longest: int) -> Spec:
    """An axis of words; a few short ones, such as rounds, stand upright."""
    words = {str(value) for value in data.columns.get(name, [])}
    upright = len(words) <= _FEW and all(len(word) <= _SHORT for word in words)
    axis: Spec = {"labelLimit": longest}
    if upright:
        axis["labelAngle"] = 0
    return axis


def _axis(data: PlotData, name: str, look: Look, *, field: str | None = None, zero: bool = False) -> Spec:
    """The encoding of an axis."""
    channel = data.channels[name]
    log = look.x_log if name == "x" else look.y_log
    if channel.kind is not Kind.NUMBER:
        axis = _words_axis(data, name, 260)
        return {"field": field or name, "type": "nominal", "title": channel.heading, "axis": axis}
    scale = _scale(data, name, log=log)
    if scale["type"] == "linear":
        scale["zero"] = zero
    return {
        "field": field or name,
        "type": "quantitative",
        "title": channel.heading,
        "scale": scale | {"nice": True},
        "axis": {"format": "~s", "labelOverlap": True, "grid": True},
    }


def _color(data: PlotData) -> Spec:
    channel = data.channels.get("color")
    if channel is None:
        return {"value": SERIES[0]}
    if channel.kind is Kind.NUMBER:
        return {"field": "color", "type": "quantitative", "title": channel.heading, "scale": {"scheme": "viridis"}}
    return {
        "field": "color",
        "type": "nominal",
        "title": channel.heading,
        "scale": {"range": list(SERIES)},
        "legend": {"columns": 1, "labelLimit": 190, "symbolLimit": 20},
    }


def _shape(data: PlotData) -> Spec | None:
    """Another shape for what is no measured result; None where everything is."""
    if set(data.columns.get("status", ())) <= {"measured"}:
        return None
    return {
        "field": "status",
        "type": "nominal",
        "title": "how it was taken",
        "scale": {"domain": list(_STATUS), "range": list(_SHAPES)},
    }


def _scatter(data: PlotData, look: Look) -> list[JsonValue]:
    many = data.shown > _MANY
    encoding: Spec = {"x": _axis(data, "x", look), "y": _axis(data, "y", look), "color": _color(data)}
    if (shape := _shape(data)) is not None:
        encoding["shape"] = shape
    if "size" in data.channels:
        encoding["size"] = _size(data.channels["size"])
    mark: Spec = {"type": "point", "filled": True, "opacity": 0.45 if many else 0.75, "name": "points"}
    if "size" not in data.channels:
        mark["size"] = 22 if many else 55
    layers: list[JsonValue] = [{"name": "dots", "mark": mark, "encoding": encoding}]
    if "low" in data.columns:
        layers.insert(0, _span(data, look, across=False))
    if "front" in data.columns:
        layers.append(_front_line(data, look))
    return layers


def _size(channel: Channel) -> Spec:
    return {
        "field": "size",
        "type": "quantitative",
        "title": channel.heading,
        "scale": {"range": [20, 500]},
        "legend": {"format": "~s"},
    }


def _front_line(data: PlotData, look: Look) -> Spec:
    return {
        "transform": [{"filter": "datum.front"}],
        "mark": {"type": "line", "interpolate": look.step, "color": _FRONT, "strokeWidth": 1.8, "strokeDash": [5, 3]},
        "encoding": {
            "x": _axis(data, "x", look),
            "y": _axis(data, "y", look),
            "order": {"field": "x", "type": "quantitative"},
        },
    }


def _span(data: PlotData, look: Look, *, across: bool) -> Spec:
    """How far apart results of the same lie that were measured again."""
    near, far = ("x", "x2") if across else ("y", "y2")
    encoding: Spec = {near: _axis(data, "y", look, field="low", zero=across), far: {"field": "high"}}
    if across:
        encoding["y"] = _labels()
    else:
        encoding["x"] = _axis(data, "x", look)
    return {
        "transform": [{"filter": "datum.low !== null"}],
        "mark": {"type": "rule", "strokeWidth": 2, "opacity": 0.8, "color": "#7a7f87"},
        "encoding": encoding,
    }


def _labels() -> Spec:
    return {
        "field": "label",
        "type": "nominal",
        "sort": None,
        "title": None,
        "axis": {"labelLimit": 420, "grid": False},
    }


def _bar(data: PlotData, look: Look) -> list[JsonValue]:
    figure = _axis(data, "y", look, zero=True)
    encoding: Spec = {"x": figure, "y": _labels(), "color": _color(data)}
    layers: list[JsonValue] = [
        {"name": "dots", "mark": {"type": "bar", "cornerRadiusEnd": 3, "opacity": 0.9}, "encoding": encoding}
    ]
    if figure["scale"].get("type") == "log":  # type: ignore[union-attr]
        # A bar has no beginning on a logarithmic axis.
        layers = [{"name": "dots", "mark": {"type": "point", "filled": True, "size": 90}, "encoding": encoding}]
    if "low" in data.columns:
        layers.append(_span(data, look, across=True))
    number: Spec = {"field": "y", "type": "quantitative", "format": ".4~g"}
    layers.append(
        {
            "mark": {"type": "text", "align": "left", "dx": 5, "fontSize": 11},
            "encoding": {"x": figure, "y": _labels(), "text": number},
        }
    )
    return layers


def _line(data: PlotData, look: Look) -> list[JsonValue]:
    encoding: Spec = {"x": _axis(data, "x", look), "y": _axis(data, "y", look), "color": _color(data)}
    return [
        {"mark": {"type": "line", "strokeWidth": 2, "opacity": 0.8}, "encoding": encoding},
        {"name": "dots", "mark": {"type": "point", "filled": True, "size": 70}, "encoding": encoding},
    ]


def _box(data: PlotData, look: Look) -> list[JsonValue]:
    axis = _words_axis(data, "x", 200)
    x: Spec = {"field": "x", "type": "nominal", "title": data.channels["x"].heading, "axis": axis}
    # Everything is drawn on the axis of the figure itself.
    values = [value for name in ("low", "high") for value in data.columns[name]]
    log = look.y_log and bool(values) and all(value is not None and value > 0 for value in values)
    y: Spec = {
        "type": "quantitative",
        "title": data.channels["y"].heading,
        "scale": {"type": "log"} if log else {"type": "linear", "zero": False},
        "axis": {"format": "~s", "labelOverlap": True},
    }
    color = _color(data)
    offset: Spec = {"xOffset": {"field": "color"}} if "field" in color and color["type"] == "nominal" else {}
    told: Spec = {"tooltip": [{"field": name} for name in ("x", "count", "low", "q1", "median", "q3", "high")]}
    return [
        {
            "mark": {"type": "rule"},
            "encoding": {"x": x, "y": y | {"field": "low"}, "y2": {"field": "high"}, "color": color, **offset},
        },
        {
            "name": "dots",
            "mark": {"type": "bar", "width": 26} if not offset else {"type": "bar"},
            "encoding": {"x": x, "y": y | {"field": "q1"}, "y2": {"field": "q3"}, "color": color, **offset, **told},
        },
        {
            "mark": {"type": "tick", "color": "white", "thickness": 2, **({} if offset else {"width": 26})},
            "encoding": {"x": x, "y": y | {"field": "median"}, **offset},
        },
    ]


def _heat(data: PlotData, look: Look) -> list[JsonValue]:
    encoding: Spec = {
        "x": _axis(data, "x", look),
        "y": _axis(data, "y", look),
        "color": {
            "field": "count",
            "type": "quantitative",
            "title": "results",
            "scale": {"scheme": "viridis", "type": "log" if max(data.columns["count"], default=1) > 30 else "linear"},
        },
        "tooltip": [{"field": name} for name in data.columns],
    }
    for name in ("x", "y"):
        if data.channels[name].kind is Kind.NUMBER:
            encoding[f"{name}2"] = {"field": f"{name}_to"}
    return [{"name": "dots", "mark": {"type": "rect"}, "encoding": encoding}]


def _limits(data: PlotData, look: Look) -> list[JsonValue]:
    """Lines of the visitor's constraints."""
    layers: list[JsonValue] = []
    across = data.mark is Mark.BAR
    for axis, lines, name in (("x", look.x_lines, "x"), ("y", look.y_lines, "y")):
        if axis == "x" and (across or data.mark is Mark.BOX):
            continue
        if not lines or (name in data.channels and data.channels[name].kind is not Kind.NUMBER):
            continue
        values: list[JsonValue] = [{"limit": value} for value in lines]
        place = "x" if across else axis
        layers.append(
            {
                "data": {"values": values},
                "mark": {"type": "rule", "strokeDash": [3, 3], "strokeWidth": 1.6, "color": "#e07b00"},
                "encoding": {place: {"field": "limit", "type": "quantitative"}},
            }
        )
    return layers


def without_scripts(spec: Spec, width: int = 960) -> Spec:
    """A specification for a picture: with a width of its own."""
    changed: dict[str, Any] = dict(spec)
    if changed.get("width") == "container":
        changed["width"] = width
    return changed
