from __future__ import annotations

from pathlib import Path

import pytest
from tests.expressions.conftest import schema_of

from assay.expressions import Context, Kind, Sql
from assay.expressions import compile as compile_text
from assay.expressions.functions import FUNCTIONS, described
from assay.expressions.operations import OPERATIONS
from assay.expressions.typed import literal
from assay.expressions.unit import parse_unit

SCHEMA = schema_of()
REFERENCE = Path(__file__).parents[2] / "docs" / "reference" / "expressions.md"
CONTEXTS = {
    "row": Context(),
    "aggregate": Context(aggregates=True),
    "window": Context(windows=True, baseline=Sql("TRUE")),
}
CALLS = {
    "contains": 'contains(scenario, "a")',
    "endswith": 'endswith(scenario, "a")',
    "startswith": 'startswith(scenario, "a")',
    "has": 'has(labels, "a")',
    "if": "if(valid, x, y)",
    "length": "length(scenario)",
    "lower": "lower(scenario)",
    "upper": "upper(scenario)",
    "between": "between(x, y, 1)",
    "quantile": "quantile(x, 0.5)",
    "round": "round(x, 2)",
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_function_can_be_called(name: str) -> None:
    function = FUNCTIONS[name]
    expression = compile_text(CALLS.get(name, f"{name}(x)"), SCHEMA, context=CONTEXTS[function.place])
    assert expression.kind in (Kind.NUMBER, Kind.TEXT, Kind.BOOLEAN)
    assert expression.uses_aggregate == (function.place == "aggregate")
    assert expression.uses_window == (function.place == "window")


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_function_is_described(name: str) -> None:
    function = FUNCTIONS[name]
    assert function.signature.startswith(f"{name}(")
    assert function.summary.endswith(".")
    assert f"`{function.signature.rpartition(' or ')[2]}`" in REFERENCE.read_text(encoding="utf-8")


def test_every_operation_is_used_by_somebody() -> None:
    source = "".join(
        path.read_text(encoding="utf-8")
        for path in (Path(__file__).parents[2] / "src" / "assay" / "expressions").glob("*.py")
    )
    assert [name for name in OPERATIONS if f'"{name}"' not in source.replace(f'"{name}": ', "")] == []


@pytest.mark.parametrize("text", ["MAX(x, y)", "Max(x, y)"])
def test_names_of_functions_ignore_case(text: str) -> None:
    assert compile_text(text, SCHEMA).evaluate({"x": 1.0, "y": 2.0}) == 2


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("min(x, y, 3)", 1.0),
        ("max(x, null)", 1.0),
        ("max(null, z)", None),
        ("abs(-x)", 1.0),
        ("round(2.5)", 3.0),
        ("round(-2.5)", -3.0),
        ("round(2.345, 2)", 2.35),
        ("floor(-1.5)", -2.0),
        ("ceil(1.2)", 2.0),
        ("sqrt(4)", 2.0),
        ("log10(1000)", 3.0),
        ("log2(8)", 3.0),
        ("ln(exp(1))", 1.0),
        ("ln(0)", None),
        ("sqrt(-1)", None),
        ("coalesce(z, x)", 1.0),
        ("if(x > y, 1, 2)", 2.0),
        ("if(z > 0, 1, 2)", 2.0),
        ('lower("ABC")', "abc"),
        ('upper("abc")', "ABC"),
        ('length("héé")', 3.0),
        ("length(labels)", 2.0),
        ('startswith("Server", "SER")', True),
        ('endswith("Server", "VER")', True),
        ('contains("Server", "erv")', True),
        ('contains(labels, "a")', True),
        ('contains(labels, "A")', False),
        ('has(labels, "a")', True),
        ('has(labels, "A")', False),
        ('"b" in labels', True),
        ("between(x, 1, 2)", True),
        ("between(x, z, 0)", False),
        ("between(x, z, 2)", None),
        ("sqrt(4 kW * 1 kW)", 2000.0),
    ],
)
def test_what_functions_give(text: str, value: object) -> None:
    schema = schema_of()
    row = {"x": 1.0, "y": 2.0, "labels": ["a", "b"]}
    expression = compile_text(text.replace("z", "n"), schema)
    assert expression.evaluate(row) == value


def test_kinds_in_words() -> None:
    assert described(literal(None, None)) == "null"
    assert described(literal(1.0, Kind.NUMBER)) == "a number"
    assert described(literal(1.0, Kind.NUMBER, unit=parse_unit("ms"))) == "a number in ms"
    assert described(literal(None, Kind.TEXTS)) == "a list of texts"
    assert described(literal("", Kind.TEXT)) == "a text"
