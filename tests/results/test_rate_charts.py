"""The figures of a search."""

from __future__ import annotations

from typing import Any

from assay.loadgen.attempts import Attempt, Judged, Step, Tried
from assay.results.charts import to_svg
from assay.results.rate_charts import late_by_rate, rate_by_attempt

TRIED = (
    Tried(Attempt(80.0, 10.0, 800, 0, 79.9, True, run="first"), Step.BRACKET, Judged.HELD),
    Tried(Attempt(160.0, 10.0, 1600, 800, 120.5, False, run="second"), Step.BRACKET, Judged.MISSED),
    Tried(Attempt(113.0, 60.0, 6780, 68, 113.0, True, run="third"), Step.BISECT, Judged.UNDECIDED),
)


def marks(spec: Any) -> list[dict[str, Any]]:
    (layer,) = (each for each in spec["layer"] if each["mark"]["type"] == "point")
    rows: list[dict[str, Any]] = layer["data"]["values"]
    return rows


def test_every_attempt_is_a_mark_with_what_it_says() -> None:
    rows = marks(late_by_rate(TRIED, 0.01, 113.0))
    assert [(row["rate"], row["says"], row["length"]) for row in rows] == [
        (80.0, "held", 10.0),
        (160.0, "missed", 10.0),
        (113.0, "undecided", 60.0),
    ]
    # None late stands at the foot, which says so.
    assert [round(row["late"], 2) for row in rows] == [0.01, 50.0, 1.0]
    assert [(row["number"], row["rate"]) for row in marks(rate_by_attempt(TRIED, None))] == [
        (1, 80.0),
        (2, 160.0),
        (3, 113.0),
    ]


def test_both_are_drawn_with_and_without_a_rate() -> None:
    for rate in (113.0, None):
        for spec in (late_by_rate(TRIED, 0.01, rate), rate_by_attempt(TRIED[:1], rate)):
            svg = to_svg(spec)
            assert "queries/s" in svg and "undecided" in svg
    assert "late queries (%)" in to_svg(late_by_rate(TRIED, 0.01, None))
