from __future__ import annotations

import pytest

from assay.expressions.error import ExpressionError
from assay.expressions.tokens import MAX_TEXT, Type, tokens_of


def values(text: str) -> list[str]:
    return [token.value for token in tokens_of(text)[:-1]]


def units(text: str) -> list[str | None]:
    return [token.unit for token in tokens_of(text) if token.type is Type.NUMBER]


def test_operators_and_words_have_one_spelling() -> None:
    assert values("a && b || !c") == ["a", "and", "b", "or", "not", "c"]
    assert values("a = b <> c ** d") == ["a", "==", "b", "!=", "c", "^", "d"]
    assert values("a AND b Is Null") == ["a", "and", "b", "is", "null"]
    assert values("system.name<=1") == ["system.name", "<=", "1"]


@pytest.mark.parametrize("text", ["1", "1.", ".5", "1.5e-3", "1E5"])
def test_numbers(text: str) -> None:
    (token, end) = tokens_of(text)
    assert (token.type, token.value, end.type) == (Type.NUMBER, text, Type.END)


@pytest.mark.parametrize(
    ("text", "unit"),
    [
        ("500 W", "W"),
        ("500W", "W"),
        ("99%", "%"),
        ("99 % and a", "%"),
        ("5 samples/s", "samples/s"),
        ("5 J/sample/s", "J/sample/s"),
        ("5 J / x", "J"),
        ("5 J/2", "J"),
        ("5 µs", "µs"),
        ("5 kgCO2", "kgCO2"),
        ("5 and x", None),
        ("5 IN (1)", None),
        ("5 is null", None),
        ("5 min (x)", None),
        ("5 max(x)", None),
        ("5 under_score", None),
        ("5 a.b", None),
        ("5", None),
        ("5\nW", None),
    ],
)
def test_the_unit_behind_a_number(text: str, unit: str | None) -> None:
    assert units(text)[0] == unit


def test_the_place_of_a_unit() -> None:
    (token, _) = tokens_of("500  W")
    assert (token.start, token.end, token.unit_at) == (0, 6, 5)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('"Server"', "Server"),
        ("'Server'", "Server"),
        ('"say ""yes"""', 'say "yes"'),
        (r'"say \"yes\""', 'say "yes"'),
        (r"'a\\'", "a\\"),
        (r"'a\n'", r"a\n"),
        ("'it''s'", "it's"),
        ('""', ""),
        ("'; drop table results; --'", "; drop table results; --"),
    ],
)
def test_texts(text: str, value: str) -> None:
    (token, _) = tokens_of(text)
    assert (token.type, token.value, token.quoted) == (Type.TEXT, value, False)


def test_a_name_in_backticks_may_be_anything() -> None:
    (token, _) = tokens_of("`odd name``s`")
    assert (token.type, token.value, token.quoted) == (Type.NAME, "odd name`s", True)
    (token, _) = tokens_of("`in`")
    assert token.type is Type.NAME


@pytest.mark.parametrize(
    ("text", "what", "position", "hint"),
    [
        ("a ; b", "';' means nothing here", 2, "an expression is one expression"),
        ("a % b", "'%' means nothing here", 2, "there is no remainder operator; % is a unit behind a number"),
        ("x in [1]", "'[' means nothing here", 5, "write lists in parentheses, as in x in (1, 2)"),
        ("a & b", "'&' means nothing here", 2, 'write "and" or &&'),
        ("é", "'é' means nothing here", 0, None),
        ("a \x1b[31m", "U+001B means nothing here", 2, None),
        ('"open', 'the quote " is never closed', 0, None),
        ("'open\\'", "the quote ' is never closed", 0, None),
        ("'\\", "the quote ' is never closed", 0, None),
        ("'a\0'", "U+0000 cannot stand in a text", 2, None),
        ("'\ud800'", "U+D800 cannot stand in a text", 1, None),
        ("1" * 61, "a number has at most 60 characters", 0, None),
        ("x" * (MAX_TEXT + 1), "an expression is at most 4,000 characters long; this has 4,001", MAX_TEXT, None),
    ],
)
def test_what_is_no_token(text: str, what: str, position: int, hint: str | None) -> None:
    with pytest.raises(ExpressionError) as caught:
        tokens_of(text)
    assert (caught.value.what, caught.value.position, caught.value.hint) == (what, position, hint)
