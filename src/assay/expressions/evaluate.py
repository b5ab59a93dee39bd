"""A typed tree over one row, in Python, with the answers that the SQL gives."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from assay.errors import UsageError
from assay.expressions.operations import OPERATIONS
from assay.expressions.schema import Field, Kind
from assay.expressions.typed import Typed


def value_of(node: Typed, row: Mapping[str, object]) -> Any:
    """The value for one row; a field that the row does not have is null.

    Raises:
        UsageError: for an aggregate or a window, which need more than a row, and for a value of the wrong kind.
    """
    if node.operation == "literal":
        return node.value
    if node.operation == "field":
        assert node.field is not None
        return _read(node.field, row.get(node.field.name))
    operation = OPERATIONS[node.operation]
    if operation.run is None:
        raise UsageError(f"{node.operation} looks at many rows, so it has no value in one", hint="use its SQL")
    values = [value_of(argument, row) for argument in node.arguments]
    if not operation.nulls and any(value is None for value in values):
        return None
    return operation.run(values)


def _read(field: Field, value: object) -> Any:
    if value is None:
        return None
    if field.kind is Kind.NUMBER and isinstance(value, int | float) and not isinstance(value, bool):
        return _number(value)
    if field.kind is Kind.TEXT and isinstance(value, str):
        return str(value)
    if field.kind is Kind.BOOLEAN and isinstance(value, bool):
        return value
    if field.kind is Kind.TEXTS and isinstance(value, list | tuple | set | frozenset):
        return value
    raise UsageError(f"the field {field.name} of a row is a {field.kind.value}", found=type(value).__name__)


def _number(value: float) -> float | None:
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None
