"""Who leads: the best result of each comparable group with its margin, and those that nothing beats in everything."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from assay.errors import UsageError
from assay.expressions import Kind, Schema
from assay.results.metrics.comparing import COMPARABLE
from assay.results.query import Query, run_query, with_filter
from assay.results.store import Store
from assay.results.table import Column, Table

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_MOST_POINTS = 200_000


@dataclass(frozen=True, slots=True)
class Leader:
    """The best result of a group.

    Attributes:
        group: values of the fields that the group has in common.
        uid: of the result.
        organisation: who submitted it.
        system: its system.
        figure: what it is best in.
        second: figure of the next system's best; None when there is no other.
        margin: how much better the leader is, as a share of the second; None without one.
        results: results of the group.
        labels: what the figure must not be shown without.
    """

    group: tuple[Any, ...]
    uid: str
    organisation: str | None
    system: str | None
    figure: float
    second: float | None
    margin: float | None
    results: int
    labels: tuple[str, ...] = ()


def leaders(
    store: Store,
    query: Query,
    names: Schema,
    *,
    by: str = "samples_per_second",
    lowest: bool = False,
    group: Sequence[str] = COMPARABLE,
) -> tuple[Column, list[Leader]]:
    """The leader of each group, groups in the order of their values.

    Args:
        query: whose filter and scope say what is looked at.
        names: what expressions may use.
        by: what is compared.
        lowest: less is better.
        group: fields that results of a group have in common.

    Raises:
        ExpressionError, UsageError: as of :func:`~assay.results.query.run_query`.
    """
    asked = replace(
        query,
        columns=[*group, "uid", "organisation", "system", "labels", f"figure={by}"],
        sort=[f"{'' if lowest else '-'}figure"],
        group=(),
        aggregates=(),
        limit=None,
        offset=0,
    )
    table = run_query(store, with_filter(asked, f"({by}) is not null"), names)
    figure = table.columns[-1]
    if figure.kind is not Kind.NUMBER:
        raise UsageError(f"{by!r} is no number", hint="compare by a number, such as --by samples_per_joule")
    groups: dict[tuple[Any, ...], list[tuple[Any, ...]]] = {}
    for row in table.rows:
        key = tuple(tuple(each) if isinstance(each, list) else each for each in row[: len(group)])
        groups.setdefault(key, []).append(row[len(group) :])
    found = [_leader(key, rows, lowest) for key, rows in groups.items()]
    return figure, sorted(found, key=lambda each: [(part is None, part) for part in each.group])


def _leader(key: tuple[Any, ...], rows: list[tuple[Any, ...]], lowest: bool) -> Leader:
    uid, organisation, system, labels, figure = rows[0]
    second = next((row[-1] for row in rows if (row[1], row[2]) != (organisation, system)), None)
    # A share of nothing, or of less, says nothing.
    margin = None
    if second is not None and second > 0 and figure > 0:
        margin = second / figure - 1 if lowest else figure / second - 1
    return Leader(key, uid, organisation, system, figure, second, margin, len(rows), tuple(labels or ()))


def pareto(store: Store, query: Query, names: Schema, *, most: Sequence[str], least: Sequence[str]) -> Table:
    """Results that no other beats or equals in every figure while beating it in one.

    Args:
        query: filter, scope and columns of the answer.
        most: expressions of which more is better.
        least: expressions of which less is better.

    Raises:
        UsageError: without two figures, or for more points than can be compared.
    """
    import numpy as np

    figures = [*most, *least]
    if len(figures) < 2:
        raise UsageError(
            "a front needs two figures", hint="assay results pareto --most samples_per_second --least watts"
        )
    known = " and ".join(f"({each}) is not null" for each in figures)
    columns = [*query.columns, *(f"figure{number}={each}" for number, each in enumerate(figures)), "uid"]
    asked = replace(query, columns=columns, group=(), aggregates=(), limit=None, offset=0)
    table = run_query(store, with_filter(asked, known), names)
    rows, width = table.rows, len(query.columns)
    if len(rows) > _MOST_POINTS:
        raise UsageError(
            f"{len(rows):,} results are too many", expected=f"at most {_MOST_POINTS:,}", hint="filter more"
        )
    for column, text in zip(table.columns[width:-1], figures, strict=True):
        if column.kind is not Kind.NUMBER:
            raise UsageError(f"{text!r} is no number")
    points = np.array([row[width:-1] for row in rows], dtype=np.float64).reshape(len(rows), len(figures))
    points[:, : len(most)] *= -1
    chosen = [rows[index][-1] for index in front(points)]
    headings = tuple(
        Column(text, column.kind, column.unit) for text, column in zip(figures, table.columns[width:-1], strict=True)
    )
    limited = chosen[query.offset : None if query.limit is None else query.offset + query.limit]
    return table.only(limited, (*table.columns[:width], *headings))


def front(points: NDArray[np.float64]) -> list[int]:
    """Indices of the points that none dominates, in the order of the first figure; less is better in all.

    Points that are equal in everything are all kept.
    """
    import numpy as np

    order = np.lexsort(points.T[::-1])
    kept: list[int] = []
    best = np.empty((0, points.shape[1]))
    for index in order:
        point = points[index]
        # Only what comes before in the order can dominate: it is no worse in the first figure.
        dominated = bool(((best <= point).all(axis=1) & (best < point).any(axis=1)).any())
        if not dominated:
            kept.append(int(index))
            best = np.vstack([best, point])
    return kept
