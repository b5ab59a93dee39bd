from __future__ import annotations

import csv
import io
from typing import Any

import pytest

from assay.playground.accounts.viewer import Via, Viewer, local_viewer
from assay.playground.here import Here
from assay.playground.lines import chart_answer, csv_answer, leader_lines, result_lines
from assay.results.best import Best, By
from assay.results.lines import Line
from assay.results.page_charts import Point, trend

LINE = Line(
    uid="0" * 16, round="v3.0", benchmark="resnet", scenario="Offline", division="closed", category=("edge",),
    organisation="Acme", system="box", accelerator=None, accelerators=None, model=None, value=1.0, unit="Samples/s",
    samples_per_second=1.0, accuracy=None, accuracy_metric=None, accuracy_unit=None, accuracy_met=None, watts=2.0,
    joules_per_sample=2.0, origin="official", method="measured", official=True, labels=(), access=None,
)  # fmt: skip


def best(by: By, scenario: str) -> Best:
    return Best(
        by, "v3.0", "resnet", scenario, "closed", "edge", "0" * 16, "Acme", "box", None, None, 1.0, "Samples/s", 1.0,
        2.0, 2.0, 3,
    )  # fmt: skip


def here(viewer: Viewer) -> Here:
    nothing: Any = None
    return Here(nothing, nothing, viewer)


def test_lines_have_what_follows_from_their_fields() -> None:
    (line,) = result_lines([LINE])
    assert (line.uid, line.samples_per_joule) == ("0" * 16, 0.5)


def test_leaders_of_a_group_stand_in_one_line() -> None:
    lines = leader_lines(
        [best(By.THROUGHPUT, "Offline"), best(By.EFFICIENCY, "Offline"), best(By.EFFICIENCY, "Server")]
    )
    assert [(line.scenario, line.fastest is None, line.frugal is None) for line in lines] == [
        ("Offline", False, False),
        ("Server", True, False),
    ]


def test_tables_are_files_that_come_back_the_same() -> None:
    rows = [["a,b", None, ("x", "y"), True, 0.1], ['"quoted"\n', 3, (), False, 1e300]]
    answer = csv_answer(here(local_viewer("me")), "systems", ["one", "two", "three", "four", "five"], rows)
    assert answer.headers["content-disposition"] == 'attachment; filename="systems.csv"'
    assert answer.headers["cache-control"] == "public, no-cache"
    found = list(csv.reader(io.StringIO(bytes(answer.body).decode(), newline="")))
    assert found[1:] == [["a,b", "", "x,y", "true", "0.1"], ['"quoted"\n', "3", "", "false", "1e+300"]]


@pytest.mark.parametrize(("form", "start"), [("json", b"{"), ("svg", b"<svg")])
def test_charts_have_two_forms(form: Any, start: bytes) -> None:
    spec = trend([Point("v3.0", "Offline", 1.0)], title="samples per second", series="scenario")
    assert bytes(chart_answer(here(Viewer()), spec, form).body).startswith(start)


def test_what_is_kept_for_one_is_not_shared() -> None:
    viewer = Viewer(name="ada", via=Via.SESSION)
    assert csv_answer(here(viewer), "x", [], []).headers["cache-control"] == "private, no-cache"
