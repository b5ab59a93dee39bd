"""An expression with a meaning: what it is, what it uses, its SQL, and its value for a row."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from assay.errors import UsageError
from assay.expressions.check import Checker
from assay.expressions.error import ExpressionError
from assay.expressions.evaluate import value_of
from assay.expressions.parse import parse
from assay.expressions.schema import ROWS, Context, Kind, Schema, Sql
from assay.expressions.sql import sql_of
from assay.expressions.typed import TooLargeError, Typed
from assay.expressions.unit import Unit


@dataclass(frozen=True, slots=True)
class Expression:
    """An expression over a schema, checked.

    Attributes:
        text: as it was written.
        kind: of its values.
        unit: of a number; None for anything else. A pure number is in ``one``.
        fields: names of the fields it uses, those of its metrics included.
        definitions: names of the metrics it uses, those of its metrics included.
        parameters: names of the user's numbers it uses.
        missing: those of the parameters that have no value; what needs them is null.
        uses_window: whether it compares a result with others of its group; then it cannot stand in WHERE.
        uses_aggregate: whether it makes one value of a group.
    """

    text: str
    kind: Kind
    unit: Unit | None
    fields: frozenset[str]
    definitions: frozenset[str]
    parameters: frozenset[str]
    missing: frozenset[str]
    uses_window: bool
    uses_aggregate: bool
    _root: Typed = field(repr=False)
    _sql: Sql = field(repr=False)

    def sql(self) -> Sql:
        """DuckDB SQL for it, with ``?`` for each literal.

        Every use of the SQL needs its parameters again: where it is selected and grouped by, group by the position
        or the alias of the column.
        """
        return self._sql

    def evaluate(self, row: Mapping[str, object]) -> object:
        """Its value for one row, the same that the SQL gives; None is null.

        Args:
            row: values by name of the field. A field that is not there is null.

        Raises:
            UsageError: for an expression with windows or aggregates, which need more than a row, and for a value
                that is not of the kind that the schema says.
        """
        if self.uses_window or self.uses_aggregate:
            raise UsageError("an expression over many results has no value in one", found=self.text)
        return value_of(self._root, row)


def compile_expression(text: str, schema: Schema, *, want: Kind | None = None, context: Context = ROWS) -> Expression:
    """Give a text its meaning over a schema. Exported as ``assay.expressions.compile``.

    Args:
        text: what somebody wrote.
        schema: the names it may use.
        want: what kind of value is needed, such as ``Kind.BOOLEAN`` for a filter.
        context: whether aggregates and windows are allowed, and what their groups are.

    Raises:
        ExpressionError: when it means nothing, with the character.
    """
    checker = Checker(text, schema, context)
    node = parse(text)
    root = checker.root(node, want)
    assert root.kind is not None
    try:
        sql = sql_of(root, context)
    except TooLargeError as error:
        raise ExpressionError(error.what, text=text, position=0, length=len(text)) from error
    return Expression(
        text=text,
        kind=root.kind,
        unit=root.unit if root.kind is Kind.NUMBER else None,
        fields=frozenset(checker.fields),
        definitions=frozenset(checker.definitions),
        parameters=frozenset(checker.parameters),
        missing=frozenset(name for name in checker.parameters if schema.parameters[name].value is None),
        uses_window="window" in checker.places,
        uses_aggregate="aggregate" in checker.places,
        _root=root,
        _sql=sql,
    )
