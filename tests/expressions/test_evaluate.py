from __future__ import annotations

from types import MappingProxyType

import pytest
from tests.expressions.conftest import schema_of

from assay.errors import UsageError
from assay.expressions import compile as compile_text
from assay.expressions.evaluate import value_of
from assay.expressions.schema import Kind
from assay.expressions.typed import Typed, made

SCHEMA = schema_of()


@pytest.mark.parametrize(
    ("text", "row", "value"),
    [
        ("watts", {"watts": 5}, 5.0),
        ("watts", {}, None),
        ("watts", {"watts": float("nan")}, None),
        ("watts", {"watts": float("inf")}, None),
        ("watts", {"watts": 10**400}, None),
        ("watts + 1", {"watts": 5}, 6.0),
        ("watts + 1", {"watts": None}, None),
        ("watts / 0", {"watts": 5}, None),
        ("watts / x", {"watts": 5, "x": 0}, None),
        ("watts < 500", {"watts": 5}, True),
        ("latency < 15 ms", {"latency": 14_999_999}, True),
        ("latency < 15 ms", {"latency": 15_000_000}, False),
        ("latency / 1 ms", {"latency": 2_500_000}, 2.5),
        ("latency / 1 ms > 2", {"latency": 2_500_000}, True),
        ("round(latency / 1 ms)", {"latency": 2_500_000}, 3.0),
        ("latency / 1 ms + 1", {"latency": 2_500_000}, 3.5),
        ("accuracy * accuracy", {"accuracy": 50.0}, 0.25),
        ("accuracy * 2", {"accuracy": 40.0}, 80.0),
        ("watts * accuracy", {"accuracy": 50.0, "watts": 3.0}, 1.5),
        ("accuracy > 99%", {"accuracy": 99.5}, True),
        ("accuracy > 0.99", {"accuracy": 0.995}, True),
        ("not valid", {"valid": None}, None),
        ("not valid", {"valid": False}, True),
        ("valid or watts > 1", {"valid": None, "watts": 2}, True),
        ("valid is null", {}, True),
        ("efficiency", {"samples_per_second": 100, "watts": 50}, 2.0),
        ("carbon", {"samples_per_second": 1, "watts": 3.6}, pytest.approx(400)),
        ('scenario in ("a", "b")', {"scenario": "b"}, True),
        ('accelerator like "h100%"', {"accelerator": "H100-SXM"}, True),
        ('"x" in labels', {"labels": ("x", "y")}, True),
        ('"x" in labels', {"labels": frozenset()}, False),
        ('labels == "x"', {"labels": ("x", "y")}, True),
        ('labels == "X"', {"labels": ("x", "y")}, False),
        ('labels == "x"', {"labels": ()}, False),
        ('labels == "x"', {"labels": None}, None),
        ('labels != "x"', {"labels": ("x", "y")}, False),
        ('"x" != labels', {"labels": ("y",)}, True),
        ('labels != "x"', {"labels": None}, None),
        ('labels in ("a", "y")', {"labels": ("x", "y")}, True),
        ('labels not in ("a", "b")', {"labels": ("x", "y")}, True),
        ('labels not in ("a", "b")', {}, None),
        ('labels in ("a")', {"labels": ("x",)}, False),
        ('labels contains "x"', {"labels": ("x",)}, True),
        ('labels contains "X"', {"labels": ("x",)}, False),
        ('labels not contains "x"', {}, None),
        ("if(valid, 1, null)", {"valid": False}, None),
        ("2 ^ 10", {}, 1024.0),
        ("x ^ 0.5", {"x": -8}, None),
        ("x ^ -1", {"x": 0}, None),
        ("1 < x < 3", {"x": 2}, True),
    ],
)
def test_values(text: str, row: dict[str, object], value: object) -> None:
    assert compile_text(text, SCHEMA).evaluate(MappingProxyType(row)) == value


@pytest.mark.parametrize(
    ("text", "value"),
    [("watts", "5"), ("watts", True), ("scenario", 5), ("valid", 1), ("labels", "ab"), ("labels", {"a": 1})],
)
def test_a_value_of_the_wrong_kind_is_told(text: str, value: object) -> None:
    with pytest.raises(UsageError, match=f"the field {text} of a row is a"):
        compile_text(text, SCHEMA).evaluate({text: value})


def test_what_needs_many_rows_has_no_value() -> None:
    with pytest.raises(UsageError, match="sum looks at many rows"):
        value_of(made("sum", Kind.NUMBER, Typed("literal", Kind.NUMBER, value=1.0)), {})
