"""Examples of metric files, reckoned as a query reckons them: with the SQL of the metric, in the database."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import duckdb

from assay.errors import InvalidInputError, unknown
from assay.expressions import ExpressionError, Kind, Sql, parse_unit
from assay.expressions import compile as compile_text
from assay.results import fields
from assay.results.metrics.catalogue import Metrics, compiled
from assay.results.metrics.comparing import COMPARABLE
from assay.results.metrics.model import Example, Metric, Scope, Value
from assay.results.metrics.quantity import quantity
from assay.results.metrics.values import Values, given_values

# No result is the baseline of a query that has chosen none.
_NO_BASELINE = Sql("FALSE")
_TYPES: dict[Kind, type | tuple[type, ...]] = {Kind.NUMBER: (), Kind.TEXT: str, Kind.BOOLEAN: bool, Kind.TEXTS: list}
_SQL = {Kind.NUMBER: "DOUBLE", Kind.TEXT: "VARCHAR", Kind.BOOLEAN: "BOOLEAN", Kind.TEXTS: "VARCHAR[]", None: "VARCHAR"}


@dataclass(frozen=True, slots=True)
class Outcome:
    """An example and what the metric gives for it.

    Attributes:
        example: as it stands in the file.
        expected: figures in the metric's unit.
        found: figures that come out, in the metric's unit.
    """

    example: Example
    expected: tuple[Value, ...]
    found: tuple[Value, ...]

    @property
    def passed(self) -> bool:
        """Whether every figure is the expected one, to nine digits."""
        return len(self.expected) == len(self.found) and all(map(_same, self.expected, self.found))


def outcomes(metric: Metric, metrics: Metrics) -> list[Outcome]:
    """Every example of a metric, reckoned.

    Args:
        metric: one of ``metrics``.
        metrics: all that it may use.

    Raises:
        InvalidInputError: for an example that cannot be reckoned, with file, line and key.
    """
    return [outcome_of(example, metric, metrics) for example in metric.examples]


def reckoned(
    metric: Metric,
    metrics: Metrics,
    rows: Sequence[Mapping[str, Value]],
    values: Values,
    baseline: Sql = _NO_BASELINE,
) -> list[Value]:
    """Figures of a metric for rows, in its unit; of a metric of groups the one of all rows.

    Args:
        metric: one of ``metrics``.
        metrics: all that it may use.
        rows: by field, in the fields' units, as :func:`row_of` gives them.
        values: of parameters.
        baseline: condition that the baseline fulfils.
    """
    with contextlib.closing(duckdb.connect()) as connection:
        connection.execute("SET threads = 1")
        expression, _ = compiled(metric, metrics.schema(values), baseline)
        known = fields.by_name()
        columns = list(dict.fromkeys([*COMPARABLE, *expression.fields, *(name for row in rows for name in row)]))
        typed = ", ".join(f'"{name}" {_SQL[known[name].kind]}' for name in columns)
        connection.execute(f"CREATE TABLE example (n INTEGER, {typed})")
        holes = ", ".join("?" * (len(columns) + 1))
        for number, row in enumerate(rows):
            cells = [number, *(row.get(name) for name in columns)]
            connection.execute(f"INSERT INTO example VALUES ({holes})", cells)
        sql = expression.sql()
        order = "" if metric.scope is Scope.GROUP else "ORDER BY n"
        statement = f"SELECT {sql.text} FROM example {order}"
        return [value for (value,) in connection.execute(statement, list(sql.parameters)).fetchall()]


def outcome_of(example: Example, metric: Metric, metrics: Metrics, values: Values | None = None) -> Outcome:
    """An example, reckoned.

    Args:
        example: of the metric.
        metric: one of ``metrics``.
        metrics: all that it may use.
        values: of parameters, instead of those of the example.

    Raises:
        InvalidInputError: when it cannot be reckoned, with file, line and key.
    """
    wanted = tuple(_expected(value, metric, example.where) for value in example.expect)
    count = 1 if metric.scope is Scope.GROUP else len(example.given)
    if len(wanted) != count:
        raise InvalidInputError(
            "the example does not say what to expect for each result",
            where=f"{example.where}.expect",
            expected=f"{count} figures",
            found=str(len(wanted)),
        )
    rows = [row_of(given, example.where) for given in example.given]
    if values is None:
        values = given_values(metrics.asked, example.parameters, f"{example.where}.parameters")
    baseline = _condition(example.baseline, f"{example.where}.baseline") if example.baseline else _NO_BASELINE
    return Outcome(example, wanted, tuple(reckoned(metric, metrics, rows, values, baseline)))


def row_of(given: Mapping[str, Value], where: str) -> dict[str, Value]:
    """A row with the values of an example, numbers in the units of their fields.

    Raises:
        NotFoundError: for a field that is not there, with the closest names.
        InvalidInputError: for a value that is not of the field's kind.
    """
    return {name: _field_value(name, value, f"{where}.given.{name}") for name, value in given.items()}


def _field_value(name: str, value: Value, where: str) -> Value:
    known = fields.by_name()
    info = known.get(name)
    if info is None or info.kind is None:
        raise InvalidInputError(
            str(unknown("field", name, [each.name for each in fields.FIELDS if each.kind is not None])), where=where
        )
    if value is None:
        return None
    if info.kind is Kind.NUMBER and isinstance(value, str):
        return quantity(value, parse_unit(info.unit or "one"), where, bare=True)
    if info.kind is Kind.NUMBER and isinstance(value, int | float) and not isinstance(value, bool):
        with contextlib.suppress(OverflowError):
            if math.isfinite(number := float(value)):
                return number
    elif isinstance(value, _TYPES[info.kind]):
        return value
    raise InvalidInputError(f"the field {name} is a {info.kind.value}", where=where, found=repr(value)[:80])


def _expected(value: Value, metric: Metric, where: str) -> Value:
    if metric.kind is Kind.NUMBER and isinstance(value, str) and metric.unit is not None:
        return quantity(value, metric.unit, f"{where}.expect", bare=True)
    return value


def _condition(text: str, where: str) -> Sql:
    try:
        return compile_text(text, fields.schema(), want=Kind.BOOLEAN).sql()
    except ExpressionError as error:
        error.where = where
        raise


def _same(wanted: Value, found: Value) -> bool:
    numbers = (int, float)
    if isinstance(wanted, numbers) and isinstance(found, numbers) and not isinstance(wanted, bool):
        return math.isclose(wanted, found, rel_tol=1e-9)
    return wanted == found
