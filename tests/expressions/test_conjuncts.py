from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.expressions import ExpressionError, Field, Kind, Schema
from assay.expressions import compile as compile_expression
from assay.expressions.conjuncts import conjuncts


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("watts < 500", ["watts < 500"]),
        ("a == 1 and b == 2 and c == 3", ["a == 1", "b == 2", "c == 3"]),
        ("(a == 1) and (b == 2)", ["a == 1", "b == 2"]),
        ("((a == 1 && b == 2) and c == 3)", ["a == 1", "b == 2", "c == 3"]),
        ("(a) + (b) > 2 and c", ["(a) + (b) > 2", "c"]),
        ("(a + b) * (c + d) > 2", ["(a + b) * (c + d) > 2"]),
        ("a == 1 and b == 2 or c == 3", ["a == 1 and b == 2 or c == 3"]),
        ("a == 1 and (b == 2 or c == 3)", ["a == 1", "b == 2 or c == 3"]),
        ("not (a == 1 and b == 2)", ["not (a == 1 and b == 2)"]),
        ('name == "x and y" and `and` == 1', ['name == "x and y"', "`and` == 1"]),
        ("a in (1, 2) and rank(b) <= 5", ["a in (1, 2)", "rank(b) <= 5"]),
    ],
)
def test_a_condition_is_cut_at_its_outermost_and(text: str, parts: list[str]) -> None:
    assert conjuncts(text) == parts


def test_what_is_no_expression_is_told() -> None:
    with pytest.raises(ExpressionError):
        conjuncts("a == 1 and")


def _joined(parts: list[str], words: list[str]) -> str:
    text = parts[0]
    for word, part in zip(words, parts[1:], strict=False):
        text = f"{text} {word} {part}"
    return f"({text})"


_FLAGS = ("a", "b", "c", "d")
_SCHEMA = Schema({name: Field(name, Kind.BOOLEAN, f'"{name}"') for name in _FLAGS})
_LEAVES = st.sampled_from(["a", "not b", "c == true", "(d) == (a)", "not (a and c)"])
_CONDITIONS = st.recursive(
    _LEAVES,
    lambda inner: st.builds(
        _joined, st.lists(inner, min_size=1, max_size=3), st.lists(st.sampled_from(["and", "or"]), min_size=2)
    ),
    max_leaves=12,
)


@given(_CONDITIONS, st.lists(st.booleans(), min_size=4, max_size=4))
def test_the_parts_together_say_what_the_whole_says(text: str, values: list[bool]) -> None:
    row = dict(zip(_FLAGS, values, strict=True))
    parts = [compile_expression(part, _SCHEMA, want=Kind.BOOLEAN).evaluate(row) for part in conjuncts(text)]
    assert all(parts) == compile_expression(text, _SCHEMA, want=Kind.BOOLEAN).evaluate(row)
