"""A typed tree as DuckDB SQL: literals become ``?``, and names come from the schema alone."""

from __future__ import annotations

import re
from functools import lru_cache

from assay.expressions.operations import OPERATIONS
from assay.expressions.schema import Context, Kind, Sql
from assay.expressions.typed import TooLargeError, Typed

_MAX_SQL = 200_000
# A guard writes its argument twice. That is the quickest SQL, and doubles with each guard inside another; a longer
# argument is bound to a name instead, which costs some milliseconds per million rows.
_MAX_TWICE = 400
_TYPES = {Kind.NUMBER: "DOUBLE", Kind.TEXT: "VARCHAR", Kind.BOOLEAN: "BOOLEAN", Kind.TEXTS: "VARCHAR[]", None: "DOUBLE"}
_HOLE = re.compile(r"\{(\w+)\}")
_PLAIN = re.compile(r'\w+|"[^"]*"')


def sql_of(root: Typed, context: Context) -> Sql:
    """The SQL of an expression.

    Raises:
        TooLargeError: when it is longer than a database should be asked to read.
    """
    if root.operation == "field" and root.field is not None:
        return Sql(root.field.column)
    return _sql(root, context)


def _sql(node: Typed, context: Context) -> Sql:
    if node.operation == "literal":
        return _literal(node)
    if node.operation == "field":
        return _field(node)
    operation = OPERATIONS[node.operation]
    arguments = [_sql(argument, context) for argument in node.arguments]
    if operation.condition:
        return _guarded(operation.condition, arguments[0])
    template = operation.template if isinstance(operation.template, str) else operation.template(len(arguments))
    parts = {str(index): argument for index, argument in enumerate(arguments)}
    if "{partition}" in template:
        by = ", ".join(context.partition)
        parts["partition"] = Sql(f"PARTITION BY {by} " if by else "")
    if context.baseline is not None:
        parts["baseline"] = context.baseline
    return _filled(template, parts)


def _literal(node: Typed) -> Sql:
    if node.value is None:
        return Sql(f"CAST(NULL AS {_TYPES[node.kind]})")
    if isinstance(node.value, bool):
        return Sql("TRUE" if node.value else "FALSE")
    return Sql("?", (node.value,))


def _field(node: Typed) -> Sql:
    assert node.field is not None
    column = node.field.column
    if node.kind is Kind.NUMBER:
        # Arithmetic of whole numbers overflows with an error; of doubles it does not.
        return Sql(f"CAST({column} AS DOUBLE)")
    return Sql(column if _PLAIN.fullmatch(column) else f"({column})")


def _guarded(condition: str, argument: Sql) -> Sql:
    if len(argument.text) <= _MAX_TWICE:
        return _filled(f"CASE WHEN {condition} THEN {{0}} END", {"0": argument})
    bound = condition.replace("{0}", "v")
    return _filled(f"list_transform([{{0}}], lambda v: CASE WHEN {bound} THEN v END)[1]", {"0": argument})


@lru_cache(maxsize=256)
def _pieces(template: str) -> tuple[str, ...]:
    """The template cut at its holes: text, name of a hole, text, ..."""
    return tuple(_HOLE.split(template))


def _filled(template: str, parts: dict[str, Sql]) -> Sql:
    text: list[str] = []
    parameters: list[object] = []
    for index, piece in enumerate(_pieces(template)):
        if index % 2:
            text.append(parts[piece].text)
            parameters.extend(parts[piece].parameters)
        else:
            text.append(piece)
    whole = "".join(text)
    if len(whole) > _MAX_SQL:
        raise TooLargeError("this is too large once the metrics in it are written out")
    return Sql(whole, tuple(parameters))
