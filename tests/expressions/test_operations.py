from __future__ import annotations

import re
import time

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.expressions.operations import AGGREGATES, OPERATIONS, WINDOWS, like, lowered, raised


@pytest.mark.parametrize(
    ("values", "both", "either"),
    [
        ((True, True), True, True),
        ((True, False), False, True),
        ((False, False), False, False),
        ((True, None), None, True),
        ((False, None), False, None),
        ((None, None), None, None),
    ],
)
def test_logic_of_three_values(values: tuple[object, ...], both: object, either: object) -> None:
    for ordered in (values, values[::-1]):
        assert run("and", *ordered) is both
        assert run("or", *ordered) is either


def run(name: str, *values: object) -> object:
    operation = OPERATIONS[name]
    assert operation.run is not None
    return operation.run(values)


def test_a_list_with_nulls() -> None:
    assert run("in", 1.0, 1.0, None) is True
    assert run("in", 2.0, 1.0, None) is None
    assert run("in", 2.0, 1.0, 3.0) is False
    assert run("in", None, 1.0) is None
    assert run("has", None, "a") is None
    assert run("has", ["a"], None) is None
    assert run("has", [], None) is False


@pytest.mark.parametrize(
    ("text", "pattern", "found"),
    [
        ("", "", True),
        ("", "%", True),
        ("", "_", False),
        ("abc", "abc", True),
        ("abc", "a%", True),
        ("abc", "%c", True),
        ("abc", "%b%", True),
        ("abc", "a_c", True),
        ("abc", "a_", False),
        ("abc", "%%c", True),
        ("abcbc", "%bc", True),
        ("abcbd", "a%b_", True),
        ("a%c", "a%c", True),
        ("abc", "b", False),
        ("abc", "abcd", False),
        ("h100-sxm", "h100%", True),
    ],
)
def test_patterns(text: str, pattern: str, found: bool) -> None:
    assert like(text, pattern) is found


@given(st.text("ab%_", max_size=8), st.text("ab%_", max_size=8))
def test_patterns_are_those_of_sql(text: str, pattern: str) -> None:
    wanted = "".join({"%": ".*", "_": "."}.get(letter, re.escape(letter)) for letter in pattern)
    assert like(text, pattern) == (re.fullmatch(wanted, text, re.DOTALL) is not None)


def test_a_hostile_pattern_takes_no_time() -> None:
    started = time.perf_counter()
    assert not like("a" * 3000, "%a" * 500 + "%b")
    assert time.perf_counter() - started < 2


def test_letters_are_changed_as_the_database_changes_them() -> None:
    letters = [chr(code) for code in range(1, 0x3000)] + ["ﬀ", "𐐀", "🙂"]
    with duckdb.connect() as connection:
        found = connection.execute("SELECT l, lower(l), upper(l) FROM (SELECT unnest(?) AS l)", [letters]).fetchall()
    import unicodedata

    differing = [
        letter
        for letter, small, capital in found
        if unicodedata.category(letter) != "Cn" and (lowered(letter), raised(letter)) != (small, capital)
    ]
    assert differing == []


def test_only_a_database_aggregates() -> None:
    assert {name for name, operation in OPERATIONS.items() if operation.run is None} == AGGREGATES | WINDOWS
