"""What the reference shows is what happens."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from tests.expressions.conftest import FIELDS, number

from assay.expressions import Definition, ExpressionError, Kind, Schema
from assay.expressions import compile as compile_text
from assay.expressions.unit import parse_unit

PAGE = (Path(__file__).parents[2] / "docs" / "reference" / "expressions.md").read_text(encoding="utf-8")
BLOCKS = [
    text for language, text in re.findall(r"^```(\w*)\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE) if not language
]
KNOWN = {field.name: field for field in (*FIELDS, number("latency_p99", "ns"))}


@pytest.mark.parametrize("text", BLOCKS[0].splitlines())
def test_an_example_is_an_expression(text: str) -> None:
    assert compile_text(text, Schema(KNOWN)).kind in (Kind.BOOLEAN, Kind.NUMBER)


@pytest.mark.parametrize("told", [block.rstrip("\n") for block in BLOCKS[1:]])
def test_an_error_is_told_as_shown(told: str) -> None:
    what, text, _carets = told.splitlines()
    schema = Schema(
        {name: field for name, field in KNOWN.items() if name in ("scenario", "watts", "samples_per_second")}
    )
    if what.startswith("metrics/"):
        schema = Schema(schema.fields, {"mine": Definition("mine", text.strip(), where="metrics/mine.yaml:3")})
        text = "mine"
    with pytest.raises(ExpressionError) as caught:
        compile_text(text.strip(), schema)
    assert str(caught.value) == told


@pytest.mark.parametrize("unit", re.findall(r"`([^`]+)`", PAGE[PAGE.index("| of | units |") : PAGE.index("## Null")]))
def test_a_unit_of_the_reference_is_one(unit: str) -> None:
    if unit not in ("e", "*", "/"):
        assert parse_unit(unit).name == unit
