"""What plots show: the best of each, fronts, spans, boxes and cells are those of the results, reckoned by hand."""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.results.rows import make_row, put

from assay.base.settings import Settings
from assay.errors import AssayError, UsageError
from assay.expressions import Schema
from assay.results import plots
from assay.results.metrics import load_metrics
from assay.results.model import Method, Origin
from assay.results.plots import MOST_BARS, MOST_SERIES, OTHERS, Mark, Plot, front, plot_data
from assay.results.query import EVERYTHING, Query
from assay.results.row import Row
from assay.results.store import Store, open_store

OURS = Query('organisation in ("Acme", "Best", "none of them")', scope=EVERYTHING)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path)


def stored(settings: Settings, rows: list[Row]) -> Iterator[tuple[Store, Schema]]:
    put(settings, rows)
    with open_store(settings) as store:
        yield store, load_metrics(settings).schema()


def shown(settings: Settings, rows: list[Row], plot: Plot) -> plots.PlotData:
    for store, names in stored(settings, rows):
        return plot_data(store, plot, names)
    raise AssertionError


def test_points_have_their_figures_and_what_they_are(settings: Settings) -> None:
    rows = [
        make_row(1, watts=10.0),
        make_row(2, watts=20.0, method=Method.INFERRED),
        make_row(3, watts=30.0, origin=Origin.LOCAL),
        make_row(4, watts=40.0, official=False),
        make_row(5),
    ]
    data = shown(settings, rows, Plot(OURS, x="watts", y="samples_per_second", color="system", size="watts * 2"))
    found = {row["system"]: row for row in data.rows()}
    assert {name: row["x"] for name, row in found.items()} == {"box1": 10, "box2": 20, "box3": 30, "box4": 40}
    assert {name: row["status"] for name, row in found.items()} == {
        "box1": "measured",
        "box2": "inferred",
        "box3": "unofficial",
        "box4": "refused",
    }
    assert found["box3"]["size"] == 60
    assert (data.total, data.shown) == (4, 4)
    assert data.channels["x"].heading == "watts [W]"


def test_only_the_best_of_each_system(settings: Settings) -> None:
    rows = [
        make_row(
            number, system=f"box{number % 2}", watts=float(number), model=f"m{number}", location=f"closed/Acme/{number}"
        )
        for number in range(6)
    ]
    most = shown(settings, rows, Plot(OURS, x="watts", y="samples_per_second", best=True))
    assert sorted(row["y"] for row in most.rows()) == [104.0, 105.0]
    least = shown(settings, rows, Plot(OURS, x="watts", y="samples_per_second", best=True, y_most=False))
    assert sorted(row["y"] for row in least.rows()) == [100.0, 101.0]


def test_the_same_view_has_its_points_in_the_same_order(settings: Settings) -> None:
    rows = [make_row(number % 40, uid=f"{number * 7919 % 997:016x}", watts=50.0) for number in range(120)]
    for changes in ({"best": True}, {"spans": True}):
        uids = shown(settings, rows, Plot(OURS, **changes)).columns["uid"]
        assert uids == sorted(uids)
        assert len(uids) > 30


@given(
    st.lists(st.tuples(st.integers(-5, 5), st.integers(-5, 5)), max_size=40),
    st.booleans(),
    st.booleans(),
)
def test_a_front_is_what_no_other_beats(points: list[tuple[int, int]], x_most: bool, y_most: bool) -> None:
    x, y = (np.array([float(point[axis]) for point in points]) for axis in (0, 1))
    a, b = (-x if x_most else x), (-y if y_most else y)
    expected = [
        not any(a[j] <= a[i] and b[j] <= b[i] and (a[j] < a[i] or b[j] < b[i]) for j in range(len(points)))
        for i in range(len(points))
    ]
    assert front(x, y, x_most=x_most, y_most=y_most).tolist() == expected


def test_each_small_plot_has_its_own_front(settings: Settings) -> None:
    rows = [
        make_row(
            number,
            watts=float(number + 1),
            samples_per_second=10.0 - number,
            benchmark=benchmark,
            location=f"{benchmark}{number}",
        )
        for number in range(3)
        for benchmark in ("resnet", "bert-99")
    ]
    data = shown(
        settings, rows, Plot(OURS, x="watts", y="samples_per_second", facet="benchmark", pareto=True, x_most=False)
    )
    assert sorted(row["facet"] for row in data.rows() if row["front"]) == ["bert-99", "resnet"]
    with pytest.raises(UsageError, match="two numbers"):
        shown(settings, rows, Plot(OURS, x="system", y="watts", pareto=True))


def test_the_spread_of_what_was_measured_again(settings: Settings) -> None:
    rows = [
        make_row(1, location=f"local/{number}", watts=5.0, samples_per_second=float(number)) for number in (10, 14, 11)
    ]
    rows.append(make_row(2, watts=5.0, samples_per_second=99.0))
    data = shown(settings, rows, Plot(OURS, x="watts", y="samples_per_second", spans=True))
    spans = {row["y"]: (row["low"], row["high"]) for row in data.rows()}
    assert spans == {10: (10, 14), 14: (10, 14), 11: (10, 14), 99: (None, None)}
    bars = shown(settings, rows, Plot(OURS, mark=Mark.BAR, y="samples_per_second", spans=True, best=True))
    assert [(row["y"], row["low"], row["high"]) for row in bars.rows()] == [(99, None, None), (14, 10, 14)]
    every = shown(settings, rows, Plot(OURS, mark=Mark.BAR, y="samples_per_second", spans=True))
    assert [(row["y"], row["low"], row["high"]) for row in every.rows()][:2] == [(99, None, None), (14, 10, 14)]


def test_bars_are_the_best_first_and_have_labels_of_their_own(settings: Settings) -> None:
    rows = [
        make_row(number, system=f"box{number // 2}", scenario=("Offline", "Server")[number % 2])
        for number in range(100)
    ]
    data = shown(settings, rows, Plot(OURS, mark=Mark.BAR, y="samples_per_second"))
    values = data.columns["y"]
    assert values == sorted(values, reverse=True)
    assert len(values) == MOST_BARS
    assert len(set(data.columns["label"])) == MOST_BARS
    assert data.columns["label"][0].endswith("box49 · Server")
    assert data.notes == (f"the best {MOST_BARS} of 100",)
    by_word = shown(settings, rows, Plot(OURS, mark=Mark.BAR, x="scenario", y="samples_per_second"))
    assert list(zip(by_word.columns["label"], by_word.columns["y"], strict=True)) == [
        ("Server", 199.0),
        ("Offline", 198.0),
    ]


def test_lines_go_through_the_best_of_each_place(settings: Settings) -> None:
    rows = [
        make_row(
            number, round=round_, organisation=who, samples_per_second=float(figure), location=f"{round_}{who}{number}"
        )
        for number, (round_, who, figure) in enumerate(
            [("v2.0", "Acme", 5), ("v2.0", "Acme", 9), ("v2.1", "Acme", 12), ("v2.0", "Best", 7), ("v2.1", "Best", 6)]
        )
    ]
    data = shown(settings, rows, Plot(OURS, mark=Mark.LINE, y="samples_per_second", color="organisation"))
    assert {(row["x"], row["color"]): row["y"] for row in data.rows()} == {
        ("v2.0", "Acme"): 9, ("v2.1", "Acme"): 12, ("v2.0", "Best"): 7, ("v2.1", "Best"): 6,
    }  # fmt: skip


def test_boxes_are_the_quartiles(settings: Settings) -> None:
    figures = [3.0, 1.0, 4.0, 1.5, 9.0]
    rows = [make_row(number, samples_per_second=figure) for number, figure in enumerate(figures)]
    (box,) = shown(settings, rows, Plot(OURS, mark=Mark.BOX, y="samples_per_second")).rows()
    q1, median, q3 = statistics.quantiles(figures, n=4, method="inclusive")
    assert (box["low"], box["q1"], box["median"], box["q3"], box["high"], box["count"]) == (1.0, q1, median, q3, 9.0, 5)


@pytest.mark.parametrize("far", [2.0, 100.0])
def test_cells_hold_every_result_once(settings: Settings, far: float) -> None:
    rows = [make_row(number, watts=far**number) for number in range(8)]
    data = shown(settings, rows, Plot(OURS, mark=Mark.HEAT, x="watts", y="samples_per_second"))
    assert sum(data.columns["count"]) == 8
    for cell in data.rows():
        inside = [
            row
            for row in rows
            if row.watts is not None and cell["x"] * (1 - 1e-9) <= row.watts <= cell["x_to"] * (1 + 1e-9)
        ]
        assert inside
    words = shown(settings, rows, Plot(OURS, mark=Mark.HEAT, x="round", y="benchmark"))
    assert words.rows() == [{"x": "v3.0", "y": "resnet", "count": 8}]


def test_too_many_series_become_others(settings: Settings) -> None:
    rows = [make_row(number, watts=1.0 + number) for number in range(60)]
    data = shown(settings, rows, Plot(OURS, x="watts", color="system"))
    assert len(set(data.columns["color"])) == MOST_SERIES
    assert OTHERS in data.columns["color"]


def test_too_many_points_are_picked_by_a_fixed_lot(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plots, "MOST_POINTS", 10)
    rows = [make_row(number, watts=1.0 + number) for number in range(60)]
    first = shown(settings, rows, Plot(OURS, x="watts"))
    again = shown(settings, rows, Plot(OURS, x="watts"))
    assert first.columns["uid"] == again.columns["uid"]
    assert first.total == 60
    assert 2 <= first.shown <= 25
    assert f"{first.shown} of 60" in first.notes[0]


def test_values_that_are_no_words_become_words(settings: Settings) -> None:
    rows = [
        make_row(1, category=("edge", "datacenter"), official=True, watts=1.0),
        make_row(2, category=(), official=None, watts=1.0),
    ]
    data = shown(settings, rows, Plot(OURS, x="watts", color="category", facet="official"))
    assert sorted(zip(data.columns["color"], data.columns["facet"], strict=True)) == [
        ("edge, datacenter", "yes"),
        ("none", "unknown"),
    ]


def test_nothing_is_a_plot_of_nothing(settings: Settings) -> None:
    nothing = Query('organisation == "nobody"')
    for mark in Mark:
        x, pareto = "round" if mark is Mark.HEAT else "", mark is Mark.SCATTER
        data = shown(settings, [make_row(1)], Plot(nothing, mark=mark, x=x, pareto=pareto, spans=True))
        assert (data.total, data.shown, data.rows()) == (0, 0, [])


@pytest.mark.parametrize(
    "changes", [{"y": "system"}, {"size": "system"}, {"y": "watts +"}, {"x": "nothing_like_it"}, {"color": "count()"}]
)
def test_what_cannot_be_plotted_is_told(settings: Settings, changes: dict[str, str]) -> None:
    with pytest.raises(AssayError):
        shown(settings, [make_row(1)], Plot(OURS, **{"x": "watts", **changes}))
