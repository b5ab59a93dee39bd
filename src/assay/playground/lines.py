"""Results and leaders as pages list them, tables as CSV, and what charts of pages have in common."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from typing import Any, Literal

from fastapi.responses import Response

from assay.playground.here import Here
from assay.playground.page import PageModel, kept_answer
from assay.playground.pictures import picture
from assay.results.best import Best, paired
from assay.results.charts import Spec
from assay.results.export import cell
from assay.results.lines import Line
from assay.results.page_charts import fixed

ChartForm = Literal["json", "svg"]


class ResultLine(PageModel):
    """A result in a table."""

    uid: str
    round: str
    benchmark: str
    scenario: str
    division: str
    category: tuple[str, ...]
    organisation: str | None
    system: str | None
    accelerator: str | None
    accelerators: int | None
    model: str | None
    value: float | None
    unit: str | None
    samples_per_second: float | None
    accuracy: float | None
    accuracy_metric: str | None
    accuracy_unit: str | None
    accuracy_met: bool | None
    watts: float | None
    samples_per_joule: float | None
    origin: str
    method: str
    official: bool | None
    labels: tuple[str, ...]
    access: str | None


def result_lines(found: Iterable[Line]) -> tuple[ResultLine, ...]:
    """Results as a page lists them."""
    return tuple(ResultLine.model_validate(each, from_attributes=True) for each in found)


class Leader(PageModel):
    """The best result of a group."""

    uid: str
    organisation: str | None
    system: str | None
    accelerator: str | None
    accelerators: int | None
    value: float | None
    unit: str | None
    samples_per_second: float | None
    watts: float | None
    samples_per_joule: float | None
    results: int


class LeaderLine(PageModel):
    """The leaders of a group of comparable results: the fastest, and that with most samples for a joule."""

    round: str
    benchmark: str
    scenario: str
    division: str
    category: str
    fastest: Leader | None
    frugal: Leader | None


def leader_lines(found: Sequence[Best]) -> tuple[LeaderLine, ...]:
    """The leaders of each group, in the order that they came in."""
    lines = []
    for fastest, frugal in paired(found):
        one = fastest or frugal
        assert one is not None
        lines.append(
            LeaderLine(
                round=one.round,
                benchmark=one.benchmark,
                scenario=one.scenario,
                division=one.division,
                category=one.category,
                fastest=_leader(fastest),
                frugal=_leader(frugal),
            )
        )
    return tuple(lines)


def _leader(found: Best | None) -> Leader | None:
    return None if found is None else Leader.model_validate(found, from_attributes=True)


def chart_answer(here: Here, spec: Spec, form: ChartForm) -> Response:
    """A chart of a page: its specification, or its picture."""
    return kept_answer(here, picture(spec if form == "json" else fixed(spec), form))


def csv_answer(here: Here, name: str, heading: Sequence[str], rows: Iterable[Sequence[Any]]) -> Response:
    """A table to be kept as a file.

    Args:
        here: the request.
        name: of the file, without its ending; ours.
        heading: names of the columns.
        rows: the cells.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(heading)
    writer.writerows([cell(list(value) if isinstance(value, tuple) else value) for value in row] for row in rows)
    answer = Response(text.getvalue(), media_type="text/csv; charset=utf-8")
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    return kept_answer(here, answer)
