"""What a plot shows: points, the best of each, fronts, spans of repeated results, boxes and cells, taken from the index.

A plot is asked for in the language of expressions, as queries are. What many results have in common is reckoned in the
database, so that a plot of a million results comes as some kilobytes; single points come up to :data:`MOST_POINTS`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from assay.errors import UsageError
from assay.expressions import Kind, Schema
from assay.results.query import Query, run_query, with_filter
from assay.results.store import Store
from assay.results.table import Column

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MOST_POINTS = 50_000
MOST_BARS = 40
MOST_SERIES = 20
_MOST_GROUPS = 60
_BINS = 30
_LOTS = 1_000_000
OTHERS = "others"
# How far results of the same lie apart; nothing where it was measured once.
_SPANS = ", ".join(
    f"CASE WHEN count(*) OVER repeated > 1 THEN {how}(y) OVER repeated END AS {name}"
    for how, name in (("min", "low"), ("max", "high"))
)
CHANNELS = ("x", "y", "color", "size", "facet")
_CARRIED = ("uid", "organisation", "system", "accelerator", "benchmark", "scenario", "round")


class Mark(StrEnum):
    """Kinds of plots."""

    SCATTER = "scatter"
    BAR = "bar"
    LINE = "line"
    BOX = "box"
    HEAT = "heat"


@dataclass(frozen=True, slots=True)
class Plot:
    """A plot that is asked for.

    Attributes:
        query: filter and scope of the results; its columns do not matter.
        mark: kind of plot.
        x: expression of the first axis; empty: the system, for bars, and the round for lines and boxes.
        y: expression of the figure, a number.
        color: expression of what tells series apart; empty for none.
        size: expression of a number; empty for none.
        facet: expression of what each small plot has in common; empty for one plot.
        best: only the best result of each system in each benchmark and scenario.
        pareto: mark what no other result beats on both axes.
        spans: mark how far results of the same system and model, measured again, lie apart.
        x_most: more is better on the first axis.
        y_most: more of the figure is better.
    """

    query: Query
    mark: Mark = Mark.SCATTER
    x: str = ""
    y: str = "samples_per_second"
    color: str = ""
    size: str = ""
    facet: str = ""
    best: bool = False
    pareto: bool = False
    spans: bool = False
    x_most: bool = True
    y_most: bool = True


@dataclass(frozen=True, slots=True)
class Channel:
    """What one way of showing stands for.

    Attributes:
        title: the expression as it was written.
        kind: ``number`` or ``text``.
        unit: of a number; empty for none.
    """

    title: str
    kind: Kind
    unit: str = ""

    @property
    def heading(self) -> str:
        """The title with the unit."""
        return f"{self.title} [{self.unit}]" if self.unit else self.title


@dataclass(frozen=True, slots=True)
class PlotData:
    """What there is to draw.

    Attributes:
        mark: kind of plot.
        channels: by name: ``x``, ``y`` and those of ``color``, ``size``, ``facet`` that were asked for.
        columns: values by name, all of one length; those of the channels, ``uid`` and what tells a point; for boxes
            ``low``, ``q1``, ``median``, ``q3``, ``high``, ``count``; for cells ``x_to``, ``y_to``, ``count``.
        total: results that have all figures of the plot.
        shown: points that are drawn; results that cells, boxes and lines stand for are all looked at.
        missing: numbers of the user that are needed and were not given.
    """

    mark: Mark
    channels: Mapping[str, Channel]
    columns: Mapping[str, list[Any]]
    total: int
    shown: int
    missing: frozenset[str] = frozenset()
    notes: tuple[str, ...] = field(default=())

    def rows(self) -> list[dict[str, Any]]:
        """The values as one dictionary for each point."""
        names = list(self.columns)
        return [dict(zip(names, values, strict=True)) for values in zip(*self.columns.values(), strict=True)]


def plot_data(store: Store, plot: Plot, names: Schema) -> PlotData:
    """Take what a plot shows from the index.

    Raises:
        ExpressionError: for a text that means nothing, with the character.
        UsageError: for axes that the kind of plot cannot have.
    """
    source = _Source(store, plot, names)
    maker = {
        Mark.SCATTER: _points, Mark.BAR: _bars, Mark.LINE: _lines, Mark.BOX: _boxes, Mark.HEAT: _cells,
    }[plot.mark]  # fmt: skip
    return maker(source)


class _Source:
    """The results of a plot as a statement with a column for each channel, all values plain."""

    def __init__(self, store: Store, plot: Plot, names: Schema) -> None:
        self.store = store
        self.plot = plot
        asked = {name: text for name in CHANNELS if (text := _text_of(plot, name))}
        columns = [*(f"{name}={text}" for name, text in asked.items()), *_CARRIED]
        columns += ["method", "origin", "official", "division", "model", "precision", "backend"]
        present = " and ".join(f"({asked[name]}) is not null" for name in ("x", "y") if name in asked)
        query = replace(
            plot.query, columns=columns, ordered=False, sort=("uid",), group=(), aggregates=(), limit=None, offset=0
        )
        table = run_query(store, with_filter(query, present), names)
        self.missing = table.missing
        self.channels = {
            name: _channel(text, column) for (name, text), column in zip(asked.items(), table.columns, strict=False)
        }
        self._check()
        sql, parameters = table.sql()
        picked = [f"{_plain(name, column)} AS {name}" for name, column in zip(asked, table.columns, strict=False)]
        status = (
            "CASE WHEN origin = 'local' THEN 'unofficial' WHEN official IS FALSE THEN 'refused' "
            "WHEN method = 'inferred' THEN 'inferred' ELSE 'measured' END AS status"
        )
        same = (
            "concat_ws(chr(31), organisation, system, benchmark, scenario, division, model, precision, backend) AS same"
        )
        self.sql = f"SELECT {', '.join([*picked, *_CARRIED, status, same])} FROM ({sql})"
        if plot.spans:
            self.sql = f"SELECT *, {_SPANS} FROM ({self.sql}) WINDOW repeated AS (PARTITION BY same)"
        if plot.best:
            self.sql = self._best_of_each()
        self.parameters = parameters

    def _check(self) -> None:
        for name, needed in (("y", True), ("size", True)):
            channel = self.channels.get(name)
            if channel is not None and needed and channel.kind is not Kind.NUMBER and not self._may_be_words(name):
                raise UsageError(f"{name} is no number: {channel.title}", expected="an expression that gives a number")

    def _may_be_words(self, name: str) -> bool:
        return name == "y" and self.plot.mark is Mark.HEAT

    def _best_of_each(self) -> str:
        """Only the best of each system; what is told apart by words in the plot is told apart here."""
        groups = ["organisation", "system", "benchmark", "scenario"]
        groups += [
            name
            for name in ("x", "color", "facet")
            if name in self.channels and self.channels[name].kind is not Kind.NUMBER
        ]
        return (
            f"SELECT * FROM ({self.sql}) QUALIFY row_number() OVER "
            f"(PARTITION BY {', '.join(groups)} ORDER BY y {self.better}, uid) = 1"
        )

    @property
    def better(self) -> str:
        """How figures are sorted, the best first."""
        return "DESC NULLS LAST" if self.plot.y_most else "ASC NULLS LAST"

    @property
    def spans(self) -> tuple[str, ...]:
        """Columns of the spread of repeated results, where it is asked for."""
        return ("low", "high") if self.plot.spans else ()

    @property
    def names(self) -> list[str]:
        """The channels there are."""
        return list(self.channels)

    def count(self) -> int:
        """How many results have the figures."""
        ((count,),) = self.store.run(f"SELECT count(*) FROM ({self.sql})", self.parameters).fetchall()
        return int(count)

    def taken(self, sql: str, more: Sequence[object] = ()) -> dict[str, list[Any]]:
        """The columns of a statement over the results, called ``points`` in it."""
        found = self.store.run(f"WITH points AS ({self.sql}) {sql}", [*self.parameters, *more])
        return {name: _listed(values) for name, values in found.fetchnumpy().items()}

    def done(self, columns: Mapping[str, list[Any]], total: int, notes: Sequence[str] = ()) -> PlotData:
        """What there is to draw."""
        length = len(next(iter(columns.values()), []))
        return PlotData(self.plot.mark, self.channels, columns, total, length, self.missing, tuple(notes))


def _text_of(plot: Plot, name: str) -> str:
    text = str(getattr(plot, name)).strip()
    if name == "x" and not text and plot.mark in (Mark.LINE, Mark.BOX):
        return "round"
    if name == "x" and not text and plot.mark in (Mark.SCATTER, Mark.HEAT):
        return "watts"
    if name == "y" and not text:
        return "samples_per_second"
    return text


def _channel(text: str, column: Column) -> Channel:
    return Channel(text, Kind.NUMBER if column.kind is Kind.NUMBER else Kind.TEXT, column.unit)


def _plain(name: str, column: Column) -> str:
    if column.kind is Kind.NUMBER:
        return f"CAST({name} AS DOUBLE)"
    if column.kind is Kind.TEXTS:
        return f"coalesce(nullif(array_to_string({name}, ', '), ''), 'none')"
    if column.kind is Kind.BOOLEAN:
        return f"CASE {name} WHEN true THEN 'yes' WHEN false THEN 'no' ELSE 'unknown' END"
    return f"coalesce({name}, 'none')"


def _listed(values: Any) -> list[Any]:
    """An array as plain values; what is missing, or no finite number, is None."""
    listed = list(values.tolist())
    if values.dtype.kind == "f":
        return [value if value is not None and math.isfinite(value) else None for value in listed]
    return listed


def _points(source: _Source) -> PlotData:
    """Every result a point; of too many those that a fixed lot picks, so that the same view shows the same ones."""
    carried = [*source.names, *_CARRIED, "status", *source.spans]
    sql = f"SELECT {', '.join(dict.fromkeys(carried))} FROM points"
    order = " ORDER BY uid" if source.plot.best or source.plot.spans else ""
    # Windows leave them in any order; the same view has to be the same answer.
    columns = source.taken(f"{sql}{order} LIMIT {MOST_POINTS + 1}")
    total = len(columns["uid"])
    notes = []
    if total > MOST_POINTS:
        total = source.count()
        # By a figure that hangs on the uid alone: nothing has to be sorted, and the same view shows the same points.
        columns = source.taken(f"{sql} WHERE hash(uid) % {_LOTS} < {_LOTS * MOST_POINTS // total}{order}")
        notes.append(f"{len(columns['uid']):,} of {total:,} results are drawn, picked by lot; filter for less")
    if "color" in source.channels and source.channels["color"].kind is not Kind.NUMBER:
        columns["color"] = _few(columns["color"])
    if source.plot.pareto:
        columns["front"] = _front(source, columns)
    return source.done(columns, total, notes)


def _few(values: list[Any]) -> list[Any]:
    """The most frequent words; the rest become one."""
    counts: dict[Any, int] = {}
    for value in values:
        counts[value] = counts.get(value, 0) + 1
    if len(counts) <= MOST_SERIES:
        return values
    kept = set(sorted(counts, key=lambda each: (-counts[each], str(each)))[: MOST_SERIES - 1])
    return [value if value in kept else OTHERS for value in values]


def _front(source: _Source, columns: Mapping[str, list[Any]]) -> list[bool]:
    """Which points no other of the same small plot beats."""
    import numpy as np

    if source.channels["x"].kind is not Kind.NUMBER:
        raise UsageError(
            "a front needs two numbers", found=f"x is {source.channels['x'].title}", hint="choose a number for x"
        )
    x, y = (np.array(columns[name], dtype=np.float64) for name in ("x", "y"))
    facets = np.array(columns.get("facet") or [""] * len(x), dtype=object)
    chosen = np.zeros(len(x), dtype=bool)
    for value in dict.fromkeys(facets.tolist()):
        where = np.flatnonzero(facets == value)
        chosen[where] = front(x[where], y[where], x_most=source.plot.x_most, y_most=source.plot.y_most)
    return [bool(each) for each in chosen]


def front(x: NDArray[np.float64], y: NDArray[np.float64], *, x_most: bool, y_most: bool) -> NDArray[np.bool_]:
    """Which points none dominates; points that are equal in both are all kept.

    Args:
        x: first figure of each point.
        y: second figure of each point.
        x_most: more of the first is better.
        y_most: more of the second is better.
    """
    import numpy as np

    a, b = (-x if x_most else x), (-y if y_most else y)
    order = np.lexsort((b, a))
    best_before = np.full(len(a), np.inf)
    sorted_a, sorted_b = a[order], b[order]
    running = np.minimum.accumulate(sorted_b) if len(a) else sorted_b
    # What has the same first figure does not come before: it is compared by the second alone.
    first = np.searchsorted(sorted_a, sorted_a, side="left")
    best_before[first > 0] = running[first[first > 0] - 1]
    least_of_equal = sorted_b[first] if len(a) else sorted_b
    kept = (sorted_b < best_before) & (sorted_b == least_of_equal)
    found = np.zeros(len(a), dtype=bool)
    found[order] = kept
    return found


def _bars(source: _Source) -> PlotData:
    """A bar for each result, or the best of each word on the first axis."""
    total = source.count()
    tie = f"ORDER BY y {source.better}, uid"
    extra = [name for name in source.names if name not in ("x", "y")]
    carried = ", ".join([*extra, *_CARRIED, "status", *source.spans])
    if "x" in source.channels:
        label, picked = "CAST(x AS VARCHAR)", "QUALIFY row_number() OVER (PARTITION BY x"
        picked += f"{', facet' if 'facet' in extra else ''}{', color' if 'color' in extra else ''} {tie}) = 1"
    else:
        label, picked = "concat_ws(' · ', coalesce(accelerator, ''), organisation, system)", ""
    columns = source.taken(
        f"SELECT ltrim({label}, ' ·') AS label, y, {carried} FROM points {picked} {tie} LIMIT {MOST_BARS}"
    )
    if "x" not in source.channels:
        columns["label"] = _told_apart(columns)
    if "color" in source.channels and source.channels["color"].kind is not Kind.NUMBER:
        columns["color"] = _few(columns["color"])
    left = total - len(columns["y"])
    notes = [f"the best {MOST_BARS} of {total:,}"] if left > 0 and len(columns["y"]) == MOST_BARS else []
    return source.done(columns, total, notes)


def _told_apart(columns: Mapping[str, list[Any]]) -> list[str]:
    """Labels of bars, each one once: what they have in common is told apart by round, scenario, and at last the uid."""
    labels: list[str] = list(columns["label"])
    for more in ("scenario", "round", "benchmark", "uid"):
        values: dict[str, set[Any]] = {}
        for label, value in zip(labels, columns[more], strict=True):
            values.setdefault(label, set()).add(value)
        labels = [
            f"{label} · {value}" if len(values[label]) > 1 else label
            for label, value in zip(labels, columns[more], strict=True)
        ]
    return labels


def _lines(source: _Source) -> PlotData:
    """The best figure of each series at each place of the first axis."""
    total = source.count()
    groups = ["x", *(name for name in ("color", "facet") if name in source.channels)]
    carried = ", ".join(dict.fromkeys([*source.names, *_CARRIED, "status"]))
    columns = source.taken(
        f"SELECT {carried} FROM points QUALIFY row_number() OVER "
        f"(PARTITION BY {', '.join(groups)} ORDER BY y {source.better}, uid) = 1 ORDER BY x, uid LIMIT {MOST_POINTS}"
    )
    if "color" in source.channels:
        kept = _few(columns["color"])
        chosen = [place for place, (old, new) in enumerate(zip(columns["color"], kept, strict=True)) if old == new]
        notes = [] if len(chosen) == len(kept) else [f"the {MOST_SERIES - 1} series with the most points"]
        columns = {name: [values[place] for place in chosen] for name, values in columns.items()}
        return source.done(columns, total, notes)
    return source.done(columns, total)


def _boxes(source: _Source) -> PlotData:
    """Five figures of the results at each place of the first axis."""
    total = source.count()
    groups: list[str] = [name for name in ("x", "color", "facet") if name in source.channels]
    if source.channels["x"].kind is Kind.NUMBER:
        groups[0] = "CAST(x AS VARCHAR) AS x"
    places = ", ".join(str(number) for number in range(1, len(groups) + 1))
    columns = source.taken(
        f"SELECT {', '.join(groups)}, min(y) AS low, quantile_cont(y, 0.25) AS q1, median(y) AS median, "
        f"quantile_cont(y, 0.75) AS q3, max(y) AS high, count(*) AS count FROM points GROUP BY {places} "
        f"ORDER BY count(*) DESC, {places} LIMIT {_MOST_GROUPS * 5}"
    )
    return source.done(columns, total)


def _cells(source: _Source) -> PlotData:
    """How many results are in each cell of both axes; numbers are cut into even steps of their logarithm where all are
    above zero and far apart.
    """
    total = source.count()
    parts, parameters = [], []
    for name in ("x", "y"):
        if source.channels[name].kind is Kind.NUMBER:
            low, step, log = _steps(source, name)
            value = f"ln({name})" if log else name
            place = f"least(floor(({value} - ?) / ?), {_BINS - 1})"
            edge = "exp(? + ? * {})" if log else "? + ? * {}"
            parts += [f"{edge.format(place)} AS {name}", f"{edge.format(f'({place} + 1)')} AS {name}_to"]
            parameters += [low, step, low, step, low, step, low, step]
        else:
            parts.append(f"{name} AS {name}")
    count = len(parts)
    places = ", ".join(str(number) for number in range(1, count + 1))
    columns = source.taken(
        f"SELECT {', '.join(parts)}, count(*) AS count FROM points GROUP BY {places} ORDER BY count DESC, {places} LIMIT 3000",
        parameters,
    )
    return source.done(columns, total)


def _steps(source: _Source, name: str) -> tuple[float, float, bool]:
    """Where the cells of an axis begin, how wide they are, and whether in logarithms."""
    import numpy as np

    found = source.taken(f"SELECT min({name}) AS low, max({name}) AS high FROM points")
    low, high = found["low"][0] or 0.0, found["high"][0] or 0.0
    log = low > 0 and high / low > 30
    if log:
        low, high = float(np.log(low)), float(np.log(high))
    return low, ((high - low) / _BINS) or 1.0, log
