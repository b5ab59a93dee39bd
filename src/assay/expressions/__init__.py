"""Filters and metrics that people write: text to a typed tree with units, and from there to DuckDB SQL or a value.

Nothing is ever evaluated as Python. Literals reach the database as parameters, names only as the columns that a schema
gives them, and the length and depth of a text are bounded, so a text may come from a stranger's URL.

This room must not know a result, a round or a database.
"""

from assay.expressions.complete import Place, Suggestion, complete
from assay.expressions.conjuncts import conjuncts
from assay.expressions.error import ExpressionError
from assay.expressions.expression import Expression
from assay.expressions.expression import compile_expression as compile  # noqa: A004 - named as re.compile is
from assay.expressions.functions import FUNCTIONS, Function
from assay.expressions.parse import parse
from assay.expressions.schema import ROWS, Context, Definition, Field, Kind, Parameter, Schema, Sql
from assay.expressions.tree import Node
from assay.expressions.unit import ONE, Unit, parse_unit

__all__ = [
    "FUNCTIONS",
    "ONE",
    "ROWS",
    "Context",
    "Definition",
    "Expression",
    "ExpressionError",
    "Field",
    "Function",
    "Kind",
    "Node",
    "Parameter",
    "Place",
    "Schema",
    "Sql",
    "Suggestion",
    "Unit",
    "compile",
    "complete",
    "conjuncts",
    "parse",
    "parse_unit",
]
