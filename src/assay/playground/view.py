"""A view of the explorer and its address: the one place that reads and writes its query strings.

Every view is an address, and every address a view: what it does not say has a default, what it says and cannot mean is
an error that names the parameter, and what it says that is not known here is told and passed over.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import quote, urlencode

from assay.errors import InvalidInputError, UsageError, unknown
from assay.expressions import Definition, Schema
from assay.results.facets import FACETS, filter_of
from assay.results.fields import by_name
from assay.results.metrics import Better, Metrics
from assay.results.plot_specs import Look
from assay.results.plots import Mark, Plot
from assay.results.query import Query, Scope
from assay.results.table import Column

INCLUDE = ("inferred", "refused", "local")
MORE_FACETS = ("system", "model", "origin", "processor", "framework", "contributor", "challenges", "precision")
COLUMNS = (
    "round", "organisation", "system", "accelerator", "benchmark", "scenario", "division", "value", "unit", "accuracy",
    "watts", "samples_per_joule",
)  # fmt: skip
_SUBJECT = COLUMNS.index("accelerator") + 1
PER_PAGE = (25, 50, 100, 250)
_LONGEST, _MOST_VALUES, _MOST_COLUMNS, _MOST_METRICS, _MOST_LINES = 4_000, 200, 40, 10, 8
_LOWER = frozenset({"latency", "watts", "joules", "energy", "cost", "carbon", "latency_mean"})
_PLAIN = ("filter", "mark", "x", "y", "color", "size", "facet", "sort", "title")
_FLAGS = ("xlog", "ylog", "best", "pareto", "spans")


@dataclass(frozen=True, slots=True)
class View:
    """What an address of the explorer asks for.

    Attributes:
        chosen: values of fields.
        filter: condition, in the language of expressions.
        include: what is looked at beside measured results that the official checker takes: ``inferred``, ``refused``,
            ``local``.
        mark: kind of plot.
        x, y, color, size, facet: expressions; empty for the plot's own choice, or none.
        xlog, ylog: logarithmic axes.
        best: only the best result of each system.
        pareto: mark the front.
        spans: mark how far results that were measured again lie apart.
        xbest, ybest: ``most`` or ``least``; empty for what the figure says.
        xlines, ylines: values that lines are drawn at.
        metrics: the visitor's own metrics, name and expression.
        columns: of the table.
        sort: expressions, ``-`` before one turns its order.
        page: of the table, from 1.
        per: rows on a page.
        title: what the visitor calls the view.
        unknown: parameters of the address that mean nothing here.
    """

    chosen: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    filter: str = ""
    include: frozenset[str] = frozenset()
    mark: Mark = Mark.SCATTER
    x: str = ""
    y: str = ""
    color: str = ""
    size: str = ""
    facet: str = ""
    xlog: bool = False
    ylog: bool = False
    best: bool = False
    pareto: bool = False
    spans: bool = False
    xbest: str = ""
    ybest: str = ""
    xlines: tuple[float, ...] = ()
    ylines: tuple[float, ...] = ()
    metrics: tuple[tuple[str, str], ...] = ()
    columns: tuple[str, ...] = ()
    sort: str = ""
    page: int = 1
    per: int = 50
    title: str = ""
    unknown: tuple[str, ...] = ()

    @property
    def scope(self) -> Scope:
        """What is looked at at all."""
        return Scope(**{name: name in self.include for name in INCLUDE})

    @property
    def shown_columns(self) -> tuple[str, ...]:
        """Columns of the table: those that were chosen, else the usual ones with those of the plot."""
        if self.columns:
            return self.columns
        plotted = [each for each in (self.y, self.x, self.color, self.size) if each]
        # Right behind what it is about: the answer is seen without scrolling sideways.
        return tuple(dict.fromkeys([*COLUMNS[:_SUBJECT], *plotted, *COLUMNS[_SUBJECT:]]))

    @property
    def whole_filter(self) -> str:
        """Choices and filter as one condition: what a command line would be given."""
        parts = [part for part in (filter_of(self.chosen), self.filter.strip()) if part]
        return " and ".join(f"({part})" for part in parts) if len(parts) > 1 else "".join(parts)

    def query(self, metrics: Metrics) -> Query:
        """The table that is asked for, without its page."""
        return Query(
            filter=self.whole_filter,
            columns=self.shown_columns,
            sort=[part.strip() for part in self._sorts(metrics) if part.strip()],
            scope=self.scope,
        )

    def _sorts(self, metrics: Metrics) -> list[str]:
        if self.sort:
            return split(self.sort)
        if self.y:
            return [self.y if self.least(self.y, self.ybest, metrics) else f"-({self.y})", "-round"]
        return ["-round", "benchmark", "scenario", "division", "-samples_per_second"]

    def plot(self, metrics: Metrics) -> Plot:
        """The plot that is asked for."""
        y = self.y or "samples_per_second"
        return Plot(
            query=Query(filter=self.whole_filter, scope=self.scope),
            mark=self.mark,
            x=self.x,
            y=y,
            color=self.color,
            size=self.size,
            facet=self.facet,
            best=self.best,
            pareto=self.pareto,
            spans=self.spans,
            x_most=not self.least(self.x or "watts", self.xbest, metrics),
            y_most=not self.least(y, self.ybest, metrics),
        )

    def look(self, *, inline: bool, width: int | None = None, height: int = 440) -> Look:
        """How the plot is drawn."""
        return Look(
            x_log=self.xlog,
            y_log=self.ylog,
            x_lines=self.xlines,
            y_lines=self.ylines,
            inline=inline,
            width=width,
            height=height,
        )

    def least(self, text: str, said: str, metrics: Metrics) -> bool:
        """Whether less of a figure is better: as the visitor says, as the metric says, else by what it is made of."""
        if said:
            return said == "least"
        metric = metrics.by_name.get(text.strip())
        if metric is not None and metric.better is not Better.NEITHER:
            return metric.better is Better.LOWER
        name = text.strip().split("_")[0]
        return text.strip() in _LOWER or name in _LOWER

    def names(self, names: Schema) -> Schema:
        """The names that its expressions may use: those there are, and its own metrics.

        Raises:
            InvalidInputError: for a metric with the name of something else.
        """
        if not self.metrics:
            return names
        own = {name: Definition(name, text, None, f"metric {name}") for name, text in self.metrics}
        return replace(names, definitions={**names.definitions, **own})

    def without(self, parameters: Iterable[str]) -> View:
        """The view without what some parameters say."""
        wanted = set(parameters)
        kept = [(name, value) for name, value in self.parameters() if name not in wanted]
        return replace(read_view(kept), unknown=self.unknown)

    def parameters(self, **changes: Any) -> list[tuple[str, str]]:
        """The view as parameters of an address, in a fixed order, without what is usual.

        Args:
            changes: attributes that are to be others; ``chosen`` replaces single fields.
        """
        chosen = {**self.chosen, **changes.pop("chosen", {})}
        view = replace(self, chosen=chosen, **changes)
        found: list[tuple[str, str]] = []
        for name, values in sorted(view.chosen.items(), key=lambda pair: _place(pair[0])):
            found += [(name, value) for value in values]
        found += [("include", name) for name in INCLUDE if name in view.include]
        found += [("metric", f"{name}={text}") for name, text in view.metrics]
        found += [
            (name, str(getattr(view, name)))
            for name in _PLAIN
            if getattr(view, name) and getattr(view, name) != Mark.SCATTER
        ]
        found += [(name, "1") for name in _FLAGS if getattr(view, name)]
        found += [(name, getattr(view, name)) for name in ("xbest", "ybest") if getattr(view, name)]
        found += [(name, f"{value:.12g}") for name in ("xlines", "ylines") for value in getattr(view, name)]
        found += [("columns", ",".join(view.columns))] if view.columns else []
        found += [("per", str(view.per))] if view.per != View.__dataclass_fields__["per"].default else []
        return found + ([("page", str(view.page))] if view.page > 1 else [])

    def address(self, path: str = "/explorer", **changes: Any) -> str:
        """The address of the view, or of one that differs in some attributes; that of another view starts at page 1."""
        if changes and "page" not in changes:
            changes["page"] = 1
        found = urlencode(self.parameters(**changes), quote_via=quote)
        return f"{path}?{found}" if found else path


def _place(name: str) -> tuple[int, str]:
    return (FACETS.index(name) if name in FACETS else len(FACETS), name)


def read_view(parameters: Iterable[tuple[str, str]]) -> View:
    """The view that parameters of an address ask for.

    Args:
        parameters: names and values, as they came.

    Raises:
        UsageError: for a value that cannot be meant, with the parameter's name.
        NotFoundError: for a kind of plot that there is not.
    """
    chosen: dict[str, list[str]] = {}
    given: dict[str, list[str]] = {}
    strange: list[str] = []
    for name, value in parameters:
        if len(value) > _LONGEST:
            raise UsageError(f"{name[:40]} is too long", expected=f"at most {_LONGEST:,} characters")
        if name in FACETS or name in MORE_FACETS:
            if value:
                chosen.setdefault(name, []).append(value)
        elif name in _KNOWN:
            given.setdefault(name, []).append(value)
        else:
            strange.append(name[:40])
    for name, values in chosen.items():
        if len(values) > _MOST_VALUES:
            raise UsageError(f"too many values of {name}", expected=f"at most {_MOST_VALUES}")
    return View(
        chosen={name: tuple(dict.fromkeys(values)) for name, values in chosen.items()},
        unknown=tuple(dict.fromkeys(strange))[:10],
        **_read(given),
    )


_KNOWN = frozenset(
    {
        *_PLAIN,
        *_FLAGS,
        "include",
        "metric",
        "xbest",
        "ybest",
        "xlines",
        "ylines",
        "xline",
        "yline",
        "columns",
        "column",
        "per",
        "page",
    }
)


def _read(given: Mapping[str, list[str]]) -> dict[str, Any]:
    found: dict[str, Any] = {name: given[name][-1].strip() for name in _PLAIN if given.get(name)}
    if "mark" in found:
        if not found["mark"]:
            del found["mark"]
        elif found["mark"] not in set(Mark):
            raise unknown("kind of plot", found["mark"], [each.value for each in Mark], hint="mark=scatter")
        else:
            found["mark"] = Mark(found["mark"])
    found |= {name: _flag(name, given[name][-1]) for name in _FLAGS if name in given}
    found["include"] = frozenset(_include(given.get("include", [])))
    for name in ("xbest", "ybest"):
        if given.get(name, [""])[-1]:
            found[name] = _one_of(name, given[name][-1], ("most", "least"))
    for name, other in (("xlines", "xline"), ("ylines", "yline")):
        found[name] = tuple(_numbers(name, [*given.get(name, []), *given.get(other, [])]))
    found["metrics"] = tuple(_metrics(given.get("metric", [])))
    found["columns"] = tuple(_columns([*given.get("columns", []), *given.get("column", [])]))
    found["per"] = int(_one_of("per", given.get("per", ["50"])[-1] or "50", [str(each) for each in PER_PAGE]))
    found["page"] = _page(given.get("page", ["1"])[-1] or "1")
    return found


def _flag(name: str, value: str) -> bool:
    if value.lower() not in ("1", "0", "true", "false", "on", "off", "yes", "no", ""):
        raise UsageError(f"{name} is on or off", expected="1 or 0", found=value[:40])
    return value.lower() in ("1", "true", "on", "yes")


def _include(values: Iterable[str]) -> Iterable[str]:
    for value in values:
        for word in value.split(","):
            if word:
                yield _one_of("include", word, INCLUDE)


def _one_of(name: str, value: str, known: Iterable[str]) -> str:
    known = list(known)
    if value not in known:
        raise UsageError(f"{name} cannot be {value[:40]!r}", expected=" or ".join(known))
    return value


def _numbers(name: str, values: Iterable[str]) -> Iterable[float]:
    parts = [part.strip() for value in values for part in value.split(",") if part.strip()]
    if len(parts) > _MOST_LINES:
        raise UsageError(f"too many values of {name}", expected=f"at most {_MOST_LINES}")
    for part in parts:
        try:
            number = float(part)
        except ValueError:
            number = math.nan
        if not math.isfinite(number):
            raise UsageError(f"{name} is no number", expected="a number, such as 100", found=part[:40])
        yield number


def _metrics(values: Iterable[str]) -> Iterable[tuple[str, str]]:
    texts = [value for value in values if value.strip()]
    if len(texts) > _MOST_METRICS:
        raise UsageError("too many metrics", expected=f"at most {_MOST_METRICS}")
    for text in texts:
        name, equals, body = text.partition("=")
        name, body = name.strip(), body.strip()
        plain = name.isidentifier() and name.isascii() and len(name) <= 60
        if not equals or not body or not plain:
            raise UsageError(
                "a metric is a name and an expression",
                expected="such as per_watt=samples_per_second / watts",
                found=text[:80],
            )
        if name in by_name():
            raise InvalidInputError(
                f"{name} is a field already", where=f"metric={name}", hint="give the metric another name"
            )
        yield name, body


def _columns(values: Iterable[str]) -> list[str]:
    found = [part for value in values for part in split(value)]
    if len(found) > _MOST_COLUMNS:
        raise UsageError("too many columns", expected=f"at most {_MOST_COLUMNS}")
    return list(dict.fromkeys(found))


def split(text: str) -> list[str]:
    """Expressions that stand in a list with commas; those within parentheses and quotes belong to one."""
    parts, depth, quote_mark, start = [], 0, "", 0
    for place, character in enumerate(text):
        if quote_mark:
            quote_mark = "" if character == quote_mark else quote_mark
        elif character in "\"'`":
            quote_mark = character
        elif character in "([":
            depth += 1
        elif character in ")]":
            depth -= 1
        elif character == "," and depth <= 0:
            parts.append(text[start:place])
            start = place + 1
    parts.append(text[start:])
    return [part.strip() for part in parts if part.strip()]


def _page(value: str) -> int:
    if not value.isdecimal() or not 1 <= len(value) <= 7 or int(value) < 1:
        raise UsageError("page is no number of a page", expected="from 1", found=value[:40])
    return int(value)


def heading_sort(view: View, column: Column) -> str:
    """What the table is sorted by when the heading of a column is clicked: turned when it is sorted by it already."""
    text = column.name
    first = (split(view.sort) or [""])[0]
    return text if first == f"-{text}" else f"-{text}" if first == text or column.kind.value == "number" else text
