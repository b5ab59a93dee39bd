"""The explorer: facets, filters, plots and the table of results; every view of it is an address."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar
from urllib.parse import quote, urlencode

import msgspec
from fastapi import Query as Parameter
from fastapi.responses import Response

from assay.errors import AssayError, UsageError
from assay.expressions import ExpressionError, Schema, complete
from assay.playground.here import Here, Looking
from assay.playground.page import PageModel, Pages, html, kept_answer
from assay.playground.pictures import picture
from assay.playground.view import COLUMNS, INCLUDE, PER_PAGE, View, heading_sort, read_view
from assay.results.export import Form, plain, written
from assay.results.facets import FACETS, Facet, count, facets
from assay.results.fields import FIELDS
from assay.results.plot_specs import plot_spec, without_scripts
from assay.results.plots import Mark, plot_data
from assay.results.query import Query, left_out, run_query, statement_of
from assay.results.store import Store
from assay.results.table import Table

pages = Pages("explorer")
_SHOWN_VALUES = 300
_MOST_EXPORTED = 200_000
_MOST_SUGGESTIONS = 14
A = TypeVar("A")
B = TypeVar("B")
Turned = Literal["", "up", "down"]
_ALWAYS = ("uid", "origin", "method", "official", "labels", "access", "organisation", "system")


class FacetChoice(PageModel):
    """A value of a field with how many results have it."""

    value: str
    count: int
    chosen: bool
    address: str


class FacetBox(PageModel):
    """A field with its values; ``more`` are left out."""

    name: str
    values: tuple[FacetChoice, ...]
    more: int


class ColumnInfo(PageModel):
    """A column of the table."""

    name: str
    kind: str
    unit: str
    sort: str
    sorted: Turned


class Problem(PageModel):
    """A part of the address that means nothing, with the character where it goes wrong."""

    parameter: str
    what: str
    text: str
    position: int
    length: int
    hint: str | None = None


class RowInfo(PageModel):
    """A result of the table: its values, and what they must not be shown without."""

    uid: str
    organisation: str | None
    system: str | None
    origin: str
    method: str
    official: bool | None
    access: str | None
    labels: tuple[str, ...]
    values: tuple[Any, ...]


class ExplorerPage(PageModel):
    """What a view of the explorer shows."""

    address: str
    filter: str
    scope: str
    total: int
    pages: int
    page: int
    facets: tuple[FacetBox, ...]
    columns: tuple[ColumnInfo, ...]
    rows: tuple[RowInfo, ...]
    problems: tuple[Problem, ...]
    missing: tuple[str, ...]
    left_out: dict[str, int]

    @property
    def http_status(self) -> int:
        """400 for a view that means nothing."""
        return 400 if self.problems else 200


def _view(here: Here) -> View:
    return read_view(here.request.query_params.multi_items())


def _choices(here: Here) -> dict[str, Any]:
    """What the template of the explorer needs besides the page: the view, and what can be chosen."""
    try:
        view = _view(here)
    except AssayError:
        view = View()
    numbers = [
        each.name for each in FIELDS if each.kind is not None and each.kind.value == "number" and each.name != "format"
    ]
    return {
        "view": view,
        "marks": [each.value for each in Mark],
        "numbers": numbers,
        "metric_names": sorted(here.metrics.by_name),
        "words": [each.name for each in FIELDS if each.kind is not None and each.kind.value == "text"],
        "include_names": INCLUDE,
        "per_page": PER_PAGE,
        "usual_columns": COLUMNS,
        "all_columns": [each.name for each in FIELDS if each.kind is not None],
    }


@pages.get("/explorer", template="explorer.html", kept=True, lasting=True, more=_choices)
def explorer(here: Looking) -> ExplorerPage:
    """Results by facets, filters and derived metrics; the parameters are those of the explorer's address."""
    return _page(here, _view(here))


def _page(here: Here, view: View) -> ExplorerPage:
    problems = _problems(here, view)
    broken = {each.parameter for each in problems}
    if broken:
        # Everything that can be meant is shown; what cannot is told where it stands.
        view = view.without(broken)
    names = view.names(here.names)
    query = view.query(here.metrics)
    counted, (table, rows) = _both(
        here.store,
        lambda store: facets(
            store, names, view.chosen, filter_text=view.filter, scope=view.scope, wanted=_wanted(view)
        ),
        lambda store: _taken(store, view, query, names, view.page),
    )
    total = counted.total
    page = min(view.page, max(1, -(-total // view.per)))
    if page != view.page:
        table, rows = _taken(here.store, view, query, names, page)
    return ExplorerPage(
        address=view.address(),
        filter=view.whole_filter,
        scope=view.scope.words(),
        total=total,
        pages=max(1, -(-total // view.per)),
        page=page,
        facets=tuple(_box(view, each) for each in counted.facets),
        columns=_columns(view, table, len(query.columns)),
        rows=tuple(_row(table, row, len(query.columns)) for row in rows),
        problems=problems,
        missing=tuple(sorted(table.missing)),
        left_out=_left_out(here, view, names) if total == 0 and not problems else {},
    )


def _taken(store: Store, view: View, query: Query, names: Schema, page: int) -> tuple[Table, list[tuple[Any, ...]]]:
    """A page of the table.

    Axes, marks and titles change more often than what is asked for: the same page of the table is kept.
    """
    columns = [*query.columns, *(f"_{name}={name}" for name in _ALWAYS)]
    asked = replace(query, columns=columns, limit=view.per, offset=(page - 1) * view.per)
    table = run_query(store, asked, names)
    return table, store.answer(table.sql(), lambda: table.rows)


def _both(store: Store, one: Callable[[Store], A], other: Callable[[Store], B]) -> tuple[A, B]:
    """Two questions at the same time: planning one takes longer than reading its rows, and uses one processor."""
    with contextlib.closing(store.cursor()) as second, ThreadPoolExecutor(1) as pool:
        asked = pool.submit(one, second)
        found = other(store)
        return asked.result(), found


def _wanted(view: View) -> list[str]:
    return [*FACETS, *(name for name in view.chosen if name not in FACETS)]


def _left_out(here: Here, view: View, names: Schema) -> dict[str, int]:
    """What a wider scope would show, where this one shows nothing."""
    found = left_out(here.store, view.query(here.metrics), names)
    return {",".join(wider): count for wider, count in found.items()}


def _box(view: View, facet: Facet) -> FacetBox:
    kept = facet.values[:_SHOWN_VALUES]
    mark = "\0"
    # The address is made once for each field: its other parameters are the same for every value.
    before, _, behind = view.address(chosen={facet.name: (mark,)}).partition(f"{facet.name}={quote(mark)}")
    values = []
    for each in kept:
        others = [value for value in facet.chosen if value != each.value]
        chosen = others if each.chosen else [*others, each.value]
        here = urlencode([(facet.name, value) for value in chosen], quote_via=quote)
        address = f"{before}{here}{behind}" if here else f"{before}{behind.removeprefix('&')}".rstrip("?&")
        values.append(FacetChoice(value=each.value, count=each.count, chosen=each.chosen, address=address))
    return FacetBox(name=facet.name, values=tuple(values), more=len(facet.values) - len(kept))


def _columns(view: View, table: Table, count: int) -> tuple[ColumnInfo, ...]:
    first = view.sort.split(",")[0].strip()
    found = []
    for column in table.columns[:count]:
        turned: Turned = "down" if first == f"-{column.name}" else "up" if first == column.name else ""
        found.append(
            ColumnInfo(
                name=column.name,
                kind=column.kind.value,
                unit=column.unit,
                sort=heading_sort(view, column),
                sorted=turned,
            )
        )
    return tuple(found)


def _row(table: Table, row: tuple[Any, ...], count: int) -> RowInfo:
    always = dict(zip(_ALWAYS, row[count:], strict=True))
    return RowInfo(
        **{**always, "labels": tuple(always["labels"] or ())}, values=tuple(plain(value) for value in row[:count])
    )


def _problems(here: Here, view: View) -> tuple[Problem, ...]:
    """What of the view means nothing; the filter of facets and all expressions are read one by one."""
    found: list[Problem] = []

    def attempt(parameter: str, names: Schema, query: Query) -> None:
        try:
            statement_of(query, names)
        except ExpressionError as error:
            found.append(
                Problem(
                    parameter=parameter,
                    what=error.what,
                    text=error.text,
                    position=error.position,
                    length=error.length,
                    hint=error.hint,
                )
            )
        except AssayError as error:
            found.append(Problem(parameter=parameter, what=str(error), text="", position=0, length=0, hint=error.hint))

    try:
        names = view.names(here.names)
        for name, _ in view.metrics:
            attempt("metric", names, Query(columns=[name]))
    except AssayError as error:
        return (Problem(parameter="metric", what=str(error), text="", position=0, length=0, hint=error.hint),)
    if any(each.parameter == "metric" for each in found):
        return tuple(found)
    attempt("filter", names, Query(filter=view.filter))
    for parameter in ("x", "y", "color", "size", "facet"):
        if text := getattr(view, parameter):
            attempt(parameter, names, Query(columns=[f"{parameter}={text}"]))
    for text in view.columns:
        attempt("columns", names, Query(columns=[text]))
    if view.sort and not any(each.parameter == "columns" for each in found):
        attempt("sort", names, Query(columns=view.shown_columns, sort=view.query(here.metrics).sort))
    return tuple(found)


@pages.router.get("/explorer/chart.json", summary="The plot of a view: a Vega-Lite specification and its points")
def chart(here: Looking) -> Response:
    """Specification and points apart; the points by columns."""
    view = _view(here)
    data = plot_data(here.store, view.plot(here.metrics), view.names(here.names))
    answer = {
        "spec": plot_spec(data, view.look(inline=False)),
        "points": data.columns,
        "channels": {
            name: {"title": each.title, "kind": each.kind.value, "unit": each.unit}
            for name, each in data.channels.items()
        },
        "mark": data.mark.value,
        "total": data.total,
        "shown": data.shown,
        "notes": list(data.notes),
        "missing": sorted(data.missing),
    }
    return kept_answer(here, Response(msgspec.json.encode(answer), media_type="application/json"), lasting=True)


@pages.router.get("/explorer.{form}", summary="A view as a picture or a table")
def exported(here: Looking, form: Literal["svg", "png", "csv", "parquet", "ndjson"]) -> Response:
    """The plot as ``svg`` or ``png``; the whole table as ``csv``, ``parquet`` or ``ndjson``."""
    view = _view(here)
    if form in ("svg", "png"):
        data = plot_data(here.store, view.plot(here.metrics), view.names(here.names))
        answer = picture(without_scripts(plot_spec(data, view.look(inline=True))), form)
    else:
        answer = _table_file(here, view, form)
    return kept_answer(here, answer, lasting=True)


def _table_file(here: Here, view: View, form: str) -> Response:
    query = replace(view.query(here.metrics), limit=_MOST_EXPORTED + 1)
    names = view.names(here.names)
    if "uid" not in query.columns:
        query = replace(query, columns=["uid", *query.columns])
    total = count(here.store, names, query)
    if total > _MOST_EXPORTED:
        raise UsageError(
            f"{total:,} results are too many for one file", expected=f"at most {_MOST_EXPORTED:,}", hint="filter more"
        )
    table = run_query(here.store, query, names)
    headers = {"Content-Disposition": f'attachment; filename="results.{form}"'}
    if form == "parquet":
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "results.parquet"
            table.write_parquet(path)
            return Response(path.read_bytes(), media_type="application/vnd.apache.parquet", headers=headers)
    kind = {"csv": "text/csv; charset=utf-8", "ndjson": "application/x-ndjson"}[form]
    return Response(written(table, Form(form)), media_type=kind, headers=headers)


class SuggestionInfo(PageModel):
    """What could be written next."""

    text: str
    start: int
    end: int
    place: str
    description: str


@pages.router.get("/explorer/complete.json", summary="What could be written next in an expression")
def completed(
    here: Looking,
    text: Annotated[str, Parameter(max_length=4000)] = "",
    at: Annotated[int | None, Parameter(ge=0, le=4000)] = None,
) -> list[SuggestionInfo]:
    """Names, operators and units that fit at the cursor, best first."""
    names = _view_without(here, ("text", "at")).names(here.names)
    found = complete(text, len(text) if at is None else at, names)[:_MOST_SUGGESTIONS]
    return [
        SuggestionInfo(
            text=each.text, start=each.start, end=each.end, place=each.place.value, description=each.description
        )
        for each in found
    ]


def _view_without(here: Here, left: tuple[str, ...]) -> View:
    return read_view((name, value) for name, value in here.request.query_params.multi_items() if name not in left)


@pages.router.get("/embed/explorer", include_in_schema=False)
def embedded(here: Looking) -> Response:
    """The plot alone, to be shown within another page."""
    view = _view(here)
    # Choices that cannot be meant are told here, and not by an empty frame.
    view.plot(here.metrics)
    answer = html(here, "embed.html", None, view=view)
    return kept_answer(here, answer, lasting=True)
