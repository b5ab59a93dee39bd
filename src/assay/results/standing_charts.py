"""The standings of a group as a chart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from assay.cm.meta import JsonValue
from assay.results.charts import PALETTE, Spec

_SCHEMA = "https://vega.github.io/schema/vega-lite/v6.json"
_MOST = 30


@dataclass(frozen=True, slots=True)
class Bar:
    """Somebody's figure.

    Attributes:
        place: from 1.
        name: as shown on the axis.
        system: what it was measured on.
        labels: what the figure must not be shown without.
        uid: of the result.
    """

    place: int
    name: str
    figure: float
    system: str = ""
    labels: str = ""
    uid: str = ""


def standings_chart(bars: Sequence[Bar], *, title: str) -> Spec:
    """Figures as bars in the order of their places, at most the first thirty; labelled ones in another colour.

    Args:
        bars: the figures.
        title: of the axis, with the unit.
    """
    shown = bars[:_MOST]
    values: list[JsonValue] = [
        {
            "name": f"{each.place}. {each.name}",
            "place": each.place,
            "figure": each.figure,
            "system": each.system,
            "labels": each.labels or "none",
            "kind": "labelled" if each.labels else "without labels",
            "uid": each.uid,
        }
        for each in shown
    ]
    mixed = len({bool(each.labels) for each in shown}) > 1
    return {
        "$schema": _SCHEMA,
        "width": "container",
        "height": 26 * max(len(shown), 1),
        "autosize": {"type": "fit-x", "contains": "padding"},
        "data": {"values": values},
        "mark": {"type": "bar", "cornerRadiusEnd": 3},
        "encoding": {
            "y": {
                "field": "name",
                "type": "nominal",
                "title": None,
                "sort": {"field": "place"},
                "axis": {"labelLimit": 200, "ticks": False},
            },
            "x": {"field": "figure", "type": "quantitative", "title": title, "axis": {"format": "~s", "tickCount": 6}},
            "color": {
                "field": "kind",
                "type": "nominal",
                "title": None,
                "scale": {"domain": ["without labels", "labelled"], "range": [PALETTE.first, PALETTE.second]},
                "legend": {"orient": "top"} if mixed else None,
            },
            "tooltip": [
                {"field": "name", "title": "contributor"},
                {"field": "figure", "type": "quantitative", "title": title, "format": ",.5~g"},
                {"field": "system"},
                {"field": "labels"},
            ],
        },
    }
