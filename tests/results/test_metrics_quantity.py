from __future__ import annotations

import pytest

from assay.expressions import ExpressionError, parse_unit
from assay.results import fields
from assay.results.metrics.quantity import as_text, fitting, quantity

USD_H = parse_unit("USD/h")


@pytest.mark.parametrize(
    ("text", "unit", "value"),
    [
        ("3.2 USD/h", "USD/h", 3.2),
        ("350 gCO2/kWh", "kgCO2/kWh", 0.35),
        ("0.1 ms", "ns", 100_000.0),
        ("20%", "ratio", 0.2),
        ("1.2 + 1", "ratio", 2.2),
        ("48 USD/day", "USD/h", 2.0),
    ],
)
def test_a_number_with_a_unit(text: str, unit: str, value: float) -> None:
    assert quantity(text, parse_unit(unit), "here") == pytest.approx(value, rel=1e-15)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("3.2", "here: this is in no unit; expected something in USD/h\n  3.2\n  ^^^"),
        ("3.2 W", "here: this is in W; expected something in USD/h\n  3.2 W\n  ^^^^^"),
        ("3.2 USD/hour/x", "here: unknown unit 'x'"),
        ("price", "here: unknown name 'price'"),
        ('"3"', "here: a number is needed, and this is a text"),
        ("", "here: "),
    ],
)
def test_what_is_none_is_told_with_its_place(text: str, told: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        quantity(text, USD_H, "here")
    assert str(caught.value).startswith(told)


def test_a_bare_number_where_it_is_allowed() -> None:
    assert quantity("3.2", USD_H, "here", bare=True) == 3.2
    with pytest.raises(ExpressionError, match="this is in W"):
        quantity("3.2 W", USD_H, "here", bare=True)


def test_a_number_beyond_all_bounds() -> None:
    assert quantity("1e300 * 1e300", USD_H, "here", bare=True) is None


@pytest.mark.parametrize(("value", "text"), [(True, "true"), (1.5, "1.5"), (2, "2"), ("x", "x"), (None, None)])
def test_what_yaml_reads_as_something_else(value: object, text: object) -> None:
    assert as_text(value) == text


def test_a_formula_over_fields() -> None:
    expression = fitting("2.5 USD/h/accelerator * accelerators", USD_H, "here", fields.schema())
    assert expression.evaluate({"accelerators": 8}) == 20.0
    with pytest.raises(ExpressionError, match="this is in USD/h/accelerator"):
        fitting("2.5 USD/h/accelerator", USD_H, "here", fields.schema())
    with pytest.raises(ExpressionError, match="this is in no unit"):
        fitting("processors_per_node * 2", USD_H, "here", fields.schema(), bare=True)
