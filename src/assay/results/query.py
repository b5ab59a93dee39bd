"""Questions to the index: filter, columns, sorting, groups and aggregates, compiled to one statement.

What users write is parsed and bound as parameters (:mod:`assay.expressions`); no text of theirs reaches the database.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, replace

from assay.errors import UsageError
from assay.expressions import Context, Expression, Kind, Schema, conjuncts, parse
from assay.expressions import compile as meaning
from assay.results.fields import field_info, schema
from assay.results.metrics.comparing import comparable
from assay.results.store import Store
from assay.results.table import Column, Table

COLUMNS = (
    "round", "organisation", "system", "accelerator", "benchmark", "scenario", "division", "category", "value", "unit",
    "watts",
)  # fmt: skip
SORT = ("-round", "benchmark", "scenario", "division", "-samples_per_second")
_NAMED = re.compile(r"\s*([A-Za-z_][A-Za-z0-9_]{0,60})\s*=(?!=)\s*(.+)", re.DOTALL)
_MOST = 100
_MOST_ROWS = 1 << 40

Keep = Callable[[str, tuple[object, ...]], str | None]
"""Takes a statement that selects uids, with its parameters; gives the name of a table that holds them, or None."""


@dataclass(frozen=True, slots=True)
class Scope:
    """Which results a question is about before its own filter.

    A filter that speaks of ``method``, ``official`` or ``origin`` itself decides on that alone.

    Attributes:
        inferred: also figures that were computed from another scenario's run.
        refused: also results that the round's official checker does not take.
        local: also results of this machine, and of trees that nobody published.
    """

    inferred: bool = False
    refused: bool = False
    local: bool = False

    def conditions(self, spoken_of: Collection[str] = ()) -> list[str]:
        """The scope as SQL, without what a filter speaks of itself."""
        wanted = {
            "method": "" if self.inferred else "method = 'measured'",
            "official": "" if self.refused else "official IS NOT FALSE",
            "origin": "" if self.local else "origin = 'official'",
        }
        return [sql for name, sql in wanted.items() if sql and name not in spoken_of]

    def words(self) -> str:
        """The scope in words, for the line under a table."""
        words = ["published and local" if self.local else "published"]
        words += ["measured and inferred" if self.inferred else "measured"]
        words += ["refused ones too"] if self.refused else ["taken by the official checker"]
        return ", ".join(words)


EVERYTHING = Scope(inferred=True, refused=True, local=True)


@dataclass(frozen=True, slots=True)
class Query:
    """A question.

    Attributes:
        filter: condition that results fulfil; all when empty.
        columns: fields, metrics, or ``name=expression``; ignored when there are groups.
        sort: expressions or names of columns; ``-`` before one turns its order.
        group: fields; one row for each combination of their values.
        aggregates: ``count()``, ``name=mean(watts)`` and the like, for the groups.
        limit: most rows; None for all.
        offset: rows passed over.
        baseline: condition of the results that ``baseline(x)`` compares with.
        scope: what is looked at at all.
        ordered: False for rows as they come, which is quicker where they are reckoned with further.
    """

    filter: str = ""
    columns: Sequence[str] = COLUMNS
    sort: Sequence[str] = ()
    group: Sequence[str] = ()
    aggregates: Sequence[str] = ()
    limit: int | None = None
    offset: int = 0
    baseline: str = ""
    scope: Scope = field(default_factory=Scope)
    ordered: bool = True


@dataclass(frozen=True, slots=True)
class Statement:
    """A question as SQL.

    Attributes:
        sql: the statement.
        parameters: for its ``?``.
        columns: what comes out.
        missing: numbers of the user that are needed and not given.
    """

    sql: str
    parameters: tuple[object, ...]
    columns: tuple[Column, ...]
    missing: frozenset[str] = frozenset()


def run_query(store: Store, query: Query, names: Schema | None = None) -> Table:
    """Answer a question.

    Args:
        store: the index.
        query: the question.
        names: fields, metrics and numbers that it may use; the fields alone when None.

    Raises:
        ExpressionError: for a text that means nothing, with the character.
        UsageError: for a question that cannot be answered.
    """
    statement = statement_of(query, names or schema(), keep=store.uids)
    return Table(store.connection, statement.sql, statement.parameters, statement.columns, statement.missing)


def statement_of(query: Query, names: Schema, *, keep: Keep | None = None) -> Statement:
    """The SQL of a question; errors as of :func:`run_query`.

    Args:
        query: the question.
        names: fields, metrics and numbers that it may use.
        keep: keeps what comparisons leave over.
    """
    if len(query.columns) > _MOST or len(query.sort) > _MOST or len(query.aggregates) + len(query.group) > _MOST:
        raise UsageError("too many columns", expected=f"at most {_MOST}")
    for name, number in (("limit", query.limit), ("offset", query.offset)):
        if number is not None and not 0 <= number < _MOST_ROWS:
            raise UsageError(f"{name} {number} is no number of rows", expected=f"from 0 to {_MOST_ROWS - 1:,}")
    return (_Grouped if query.group or query.aggregates else _Plain)(query, names, keep).statement()


def condition_of(query: Query, names: Schema) -> tuple[str, tuple[object, ...]]:
    """Filter and scope of a question as an SQL condition over the table ``results``.

    Raises:
        ExpressionError: for a filter that means nothing.
    """
    source, parameters = _Compiler(query, names).source()
    return f"uid IN (SELECT uid FROM {source})", parameters


def source_of(query: Query, names: Schema, *, keep: Keep | None = None) -> tuple[str, tuple[object, ...]]:
    """Filter and scope of a question as the FROM clause of a statement, with all of a row's columns, and its parameters.

    Args:
        query: the question.
        names: fields, metrics and numbers that it may use.
        keep: keeps what comparisons leave over.

    Raises:
        ExpressionError: for a filter that means nothing.
    """
    return _Compiler(query, names, keep).source()


def left_out(store: Store, query: Query, names: Schema) -> dict[tuple[str, ...], int]:
    """How many more results the filter of a question fits in a wider scope, by what makes it wider.

    Each of ``inferred``, ``refused`` and ``local`` alone; all that are missing together where one alone gives nothing.

    Raises:
        ExpressionError: for a filter that means nothing.
    """

    missing = [name for name in ("inferred", "refused", "local") if not getattr(query.scope, name)]
    scopes = [query.scope, *(replace(query.scope, **{name: True}) for name in missing), EVERYTHING]
    now, *wider, everything = _counts(store, query, names, scopes)
    found: dict[tuple[str, ...], int] = {(name,): count - now for name, count in zip(missing, wider, strict=True)}
    if missing and not any(found.values()):
        found = {tuple(missing): everything - now}
    return {each: number for each, number in found.items() if number > 0}


def _counts(store: Store, query: Query, names: Schema, scopes: Sequence[Scope]) -> list[int]:
    """How many results the filter of a question fits in each of some scopes; in one statement where it can be."""
    compiler = _Compiler(replace(query, scope=EVERYTHING), names)
    wanted = compiler.wanted()
    if wanted is not None and wanted.uses_window:
        # What compares results with each other means something else in every scope.
        found = []
        for scope in scopes:
            condition, bound = condition_of(replace(query, scope=scope), names)
            ((number,),) = store.run(f"SELECT count(*) FROM results WHERE {condition}", bound).fetchall()
            found.append(int(number))
        return found
    spoken = wanted.fields if wanted is not None else ()
    parts = [" AND ".join(scope.conditions(spoken)) or "true" for scope in scopes]
    source, bound = compiler.source()
    counts = ", ".join(f"count(*) FILTER (WHERE {part})" for part in parts)
    (row,) = store.run(f"SELECT {counts} FROM {source}", bound).fetchall()
    return [int(number) for number in row]


class _Compiler:
    """What both kinds of question need."""

    def __init__(self, query: Query, names: Schema, keep: Keep | None = None) -> None:
        self.query = query
        self.names = names
        self.keep = keep
        self.missing: set[str] = set()
        baseline = self.compiled(query.baseline, Context(), Kind.BOOLEAN).sql() if query.baseline.strip() else None
        self.rows = comparable(baseline)

    def compiled(self, text: str, context: Context, want: Kind | None = None) -> Expression:
        found = meaning(text, self.names, want=want, context=context)
        self.missing |= found.missing
        return found

    def named(self, text: str, context: Context) -> tuple[str, Expression]:
        """A column: a name and what it is."""
        match = _NAMED.fullmatch(text)
        name, body = (match[1], match[2]) if match else (text.strip(), text)
        return name, self.compiled(body, context)

    def source(self) -> tuple[str, tuple[object, ...]]:
        """What rows come from: a FROM clause with all conditions, and its parameters.

        A filter that compares results with each other is applied after all of the scope has been looked at.
        """
        wanted = self.wanted()
        where = self.scope(wanted)
        if wanted is None:
            return f"results{where}", ()
        if wanted.uses_window:
            return self._compared(where)
        sql = wanted.sql()
        return f"results{where} {'AND' if where else 'WHERE'} {sql.text}", sql.parameters

    def _compared(self, where: str) -> tuple[str, tuple[object, ...]]:
        """The source of a filter that compares: what compares first, then what looks at each result alone.

        Taken apart, the first half is the same for all that differ in the other, and may be kept.
        """
        parts = [self.compiled(part, self.rows, Kind.BOOLEAN) for part in conjuncts(self.query.filter)]
        comparing, bound = _joined([part for part in parts if part.uses_window])
        alone, more = _joined([part for part in parts if not part.uses_window])
        inner = f"results{where} QUALIFY {comparing}"
        table = self.keep(f"SELECT uid FROM {inner}", bound) if self.keep else None
        if table is not None:
            # The scope is in the table already.
            source, bound = f"results WHERE uid IN (SELECT uid FROM {table})", ()
            return f"{source} AND {alone}" if alone else source, more
        return f"(SELECT * FROM {inner}){f' WHERE {alone}' if alone else ''}", (*bound, *more)

    def wanted(self) -> Expression | None:
        """The filter; None when there is none."""
        return self.compiled(self.query.filter, self.rows, Kind.BOOLEAN) if self.query.filter.strip() else None

    def scope(self, wanted: Expression | None) -> str:
        """The scope as a WHERE clause."""
        conditions = self.query.scope.conditions(wanted.fields if wanted is not None else ())
        return f" WHERE {' AND '.join(conditions)}" if conditions else ""

    def paging(self) -> str:
        limit, offset = self.query.limit, self.query.offset
        return (f" LIMIT {int(limit)}" if limit is not None else "") + (f" OFFSET {int(offset)}" if offset else "")


class _Plain(_Compiler):
    """A row for each result."""

    def statement(self) -> Statement:
        columns = [self.named(text, self.rows) for text in self.query.columns]
        sorts = [self._sort(text, dict(columns)) for text in (self.query.sort or SORT)]
        windows = any(each.uses_window for _, each in columns) or any(each.uses_window for each, _ in sorts)
        if windows:
            return self._two_steps(columns, sorts)
        source, bound = self.source()
        parameters: list[object] = []
        picked = _picked([each for _, each in columns], parameters)
        parameters += bound
        order = f" ORDER BY {_ordered(sorts, parameters)}" if self.query.ordered else ""
        sql = f"SELECT {picked} FROM {source}{order}{self.paging()}"
        return Statement(sql, tuple(parameters), _columns(columns), frozenset(self.missing))

    def _two_steps(self, columns: list[tuple[str, Expression]], sorts: list[tuple[Expression, bool]]) -> Statement:
        """Ranks and the like are taken over the whole scope first, then the filter is applied."""
        wanted = self.compiled(self.query.filter or "true", self.rows, Kind.BOOLEAN)
        where = self.scope(wanted)
        parameters: list[object] = []
        parts = [each for _, each in columns] + [wanted] + [each for each, _ in sorts]
        inner = _picked(parts, parameters, named=True)
        outer = ", ".join(f"c{number}" for number in range(len(columns)))
        first = len(columns) + 1
        order = ", ".join([f"c{first + number} {_direction(down)}" for number, (_, down) in enumerate(sorts)] + ["uid"])
        ordered = f" ORDER BY {order}" if self.query.ordered else ""
        sql = f"SELECT {outer} FROM (SELECT {inner}, uid FROM results{where}) WHERE c{len(columns)}{ordered}{self.paging()}"
        return Statement(sql, tuple(parameters), _columns(columns), frozenset(self.missing))

    def _sort(self, text: str, columns: dict[str, Expression]) -> tuple[Expression, bool]:
        down, body = _turned(text)
        return columns.get(body) or self.compiled(body, self.rows), down


class _Grouped(_Compiler):
    """A row for each combination of values."""

    def statement(self) -> Statement:
        for name in self.query.group:
            field_info(name)
        context = Context(aggregates=True, groups=frozenset(self.query.group))
        aggregates = list(self.query.aggregates) or ["count()"]
        columns = [self.named(text, context) for text in (*self.query.group, *aggregates)]
        source, bound = self.source()
        parameters: list[object] = []
        picked = _picked([each for _, each in columns], parameters)
        parameters += bound
        groups = f" GROUP BY {', '.join(str(n + 1) for n in range(len(self.query.group)))}" if self.query.group else ""
        order = self._order(columns, context, parameters)
        sql = f"SELECT {picked} FROM {source}{groups}{order}{self.paging()}"
        return Statement(sql, tuple(parameters), _columns(columns), frozenset(self.missing))

    def _order(self, columns: list[tuple[str, Expression]], context: Context, parameters: list[object]) -> str:
        positions = {name: number for number, (name, _) in enumerate(columns, 1)}
        found: list[str] = []
        for text in self.query.sort:
            down, body = _turned(text)
            if body in positions:
                found.append(f"{positions[body]} {_direction(down)}")
                continue
            part = self.compiled(body, context)
            if _constant(part):
                continue
            sql = part.sql()
            parameters += sql.parameters
            found.append(f"{sql.text} {_direction(down)}")
        found += [f"{number + 1}" for number in range(len(self.query.group))]
        return f" ORDER BY {', '.join(found)}" if found else ""


def _joined(parts: Sequence[Expression]) -> tuple[str, tuple[object, ...]]:
    """Conditions that all have to hold as one, and its parameters."""
    sqls = [part.sql() for part in parts]
    return " AND ".join(f"({sql.text})" for sql in sqls), tuple(each for sql in sqls for each in sql.parameters)


def _turned(text: str) -> tuple[bool, str]:
    body = text.strip()
    return (True, body[1:].strip()) if body.startswith("-") else (False, body.removeprefix("+").strip())


def _constant(part: Expression) -> bool:
    """Whether all rows have one value of it: nothing is sorted by that, and a database refuses to."""
    return not (part.fields or part.uses_window or part.uses_aggregate)


def _direction(down: bool) -> str:
    return "DESC NULLS LAST" if down else "ASC NULLS LAST"


def _picked(parts: Sequence[Expression], parameters: list[object], *, named: bool = False) -> str:
    found = []
    for number, part in enumerate(parts):
        sql = part.sql()
        parameters += sql.parameters
        found.append(f"{sql.text} AS c{number}" if named else sql.text)
    return ", ".join(found)


def _ordered(sorts: Sequence[tuple[Expression, bool]], parameters: list[object]) -> str:
    found = []
    for part, down in sorts:
        if _constant(part):
            continue
        sql = part.sql()
        parameters += sql.parameters
        found.append(f"{sql.text} {_direction(down)}")
    # The uid makes the order the same every time.
    return ", ".join([*found, "uid"])


def _columns(columns: Sequence[tuple[str, Expression]]) -> tuple[Column, ...]:
    seen: dict[str, int] = {}
    found: list[Column] = []
    for name, part in columns:
        seen[name] = seen.get(name, 0) + 1
        unique = name if seen[name] == 1 else f"{name} ({seen[name]})"
        unit = part.unit.name if part.unit is not None and part.unit.name != "one" else ""
        found.append(Column(unique, part.kind, unit))
    return tuple(found)


def with_filter(query: Query, more: str) -> Query:
    """A question whose filter asks for something more."""
    if not more.strip():
        return query
    if not query.filter.strip():
        return replace(query, filter=more)
    # Each has to mean something alone: "true) or (true" would take the parentheses of the other apart.
    parse(query.filter)
    parse(more)
    return replace(query, filter=f"({query.filter}) and ({more})")
