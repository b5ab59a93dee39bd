"""Specifications that the chart library takes, for every kind of plot, with or without everything that they may have."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

import pytest
import vl_convert
from tests.results.rows import make_row, put

from assay.base.settings import Settings
from assay.results.metrics import load_metrics
from assay.results.model import Method
from assay.results.plot_specs import Look, plot_spec, without_scripts
from assay.results.plots import Mark, Plot, PlotData, plot_data
from assay.results.query import EVERYTHING, Query
from assay.results.store import open_store

OURS = Query('organisation == "Acme"', scope=EVERYTHING)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[Mark, bool], PlotData]:
    settings = Settings(home=tmp_path_factory.mktemp("specs"))
    rows = [
        make_row(
            number,
            watts=1.0 + number**2,
            method=Method.INFERRED if number % 3 == 0 else Method.MEASURED,
            system=f"box{number // 2}",
        )
        for number in range(12)
    ]
    put(settings, rows)
    found: dict[tuple[Mark, bool], PlotData] = {}
    with open_store(settings) as store:
        for mark, rich in itertools.product(Mark, (False, True)):
            more: dict[str, Any] = (
                {"color": "system", "facet": "method", "size": "watts", "spans": True, "pareto": mark is Mark.SCATTER}
                if rich
                else {}
            )
            plot = Plot(OURS, mark=mark, y="samples_per_second", **more)
            found[mark, rich] = plot_data(store, plot, load_metrics(settings).schema())
    return found


@pytest.mark.parametrize("mark", list(Mark))
@pytest.mark.parametrize("rich", [False, True])
@pytest.mark.parametrize("log", [False, True])
def test_every_kind_is_drawn(data: dict[tuple[Mark, bool], PlotData], mark: Mark, rich: bool, log: bool) -> None:
    look = Look(x_log=log, y_log=log, x_lines=(5.0,), y_lines=(103.0,))
    svg = vl_convert.vegalite_to_svg(
        json.dumps(without_scripts(plot_spec(data[mark, rich], look))), vl_version="6.4", allowed_base_urls=[]
    )
    assert svg.startswith("<svg")
    assert "NaN" not in svg
    assert svg.count("<path") > 5


def test_the_data_stand_beside_a_specification_for_browsers(data: dict[tuple[Mark, bool], PlotData]) -> None:
    spec = plot_spec(data[Mark.SCATTER, False], Look(inline=False))
    assert spec["data"] == {"name": "points"}
    assert "box1" not in json.dumps(spec)
    assert spec["width"] == "container"


def test_a_logarithm_is_only_taken_of_what_has_one(tmp_path: Path, data: dict[tuple[Mark, bool], PlotData]) -> None:
    good = json.dumps(plot_spec(data[Mark.SCATTER, False], Look(x_log=True)))
    assert '"type": "log"' in good
    settings = Settings(home=tmp_path)
    put(settings, [make_row(1, watts=0.0), make_row(2, watts=2.0)])
    with open_store(settings) as store:
        zero = plot_data(store, Plot(OURS, x="watts"), load_metrics(settings).schema())
    assert '"type": "log"' not in json.dumps(plot_spec(zero, Look(x_log=True)))


def test_what_is_not_measured_has_another_shape(data: dict[tuple[Mark, bool], PlotData]) -> None:
    text = json.dumps(plot_spec(data[Mark.SCATTER, False], Look()))
    assert "how it was taken" in text


def test_lines_of_limits_stand_where_they_are_asked_for(data: dict[tuple[Mark, bool], PlotData]) -> None:
    text = json.dumps(plot_spec(data[Mark.SCATTER, False], Look(x_lines=(42.5,), y_lines=())))
    assert '{"limit": 42.5}' in text
    bars = json.dumps(plot_spec(data[Mark.BAR, False], Look(y_lines=(7.25,))))
    assert '{"limit": 7.25}' in bars


def test_bars_are_as_high_as_there_are_names(data: dict[tuple[Mark, bool], PlotData]) -> None:
    bars = data[Mark.BAR, False]
    height = plot_spec(bars, Look())["height"]
    # A number, as a step of rows cannot be fitted into a page's width without complaint.
    assert height == 22 * len(set(bars.columns["label"]))


def test_a_few_short_words_stand_upright(data: dict[tuple[Mark, bool], PlotData]) -> None:
    boxes: Any = plot_spec(data[Mark.BOX, False], Look())
    assert boxes["layer"][0]["encoding"]["x"]["axis"]["labelAngle"] == 0
