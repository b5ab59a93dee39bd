from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.cm.fields import Condition, conditions, parse_assignment, parse_key, value_at, with_value, without
from assay.errors import UsageError

META = {
    "division": "closed",
    "watts": 120.5,
    "n": "8",
    "limits": {"v3.1": {"ms": 15}},
    "tags": ["a", "b"],
    "ok": True,
    "none": None,
}


def test_keys_are_joined_by_dots_and_dots_can_be_kept() -> None:
    assert parse_key("limits.v3\\.1.ms") == ("limits", "v3.1", "ms")
    assert value_at(META, parse_key("limits.v3\\.1.ms")) == 15
    assert value_at(META, ("limits", "x")) is None and value_at(META, ("division", "x")) is None


@pytest.mark.parametrize("text", ["", ".", "a.", "a..b", ".".join("a" * 40)])
def test_what_is_no_key(text: str) -> None:
    with pytest.raises(UsageError, match="no field"):
        parse_key(text)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a=1", 1),
        ("a=1.5", 1.5),
        ("a=true", True),
        ("a=null", None),
        ("a=x y", "x y"),
        ('a="1"', "1"),
        ("a=[1,{}]", [1, {}]),
        ("a=", ""),
    ],
)
def test_values_have_types(text: str, value: object) -> None:
    assert parse_assignment(text) == (("a",), value)


def test_an_assignment_has_a_sign() -> None:
    with pytest.raises(UsageError, match="no assignment"):
        parse_assignment("a")


def test_setting_and_taking_away_leave_the_rest_and_the_original() -> None:
    changed = with_value(META, ("limits", "new", "x"), [1])
    assert changed["limits"] == {"v3.1": {"ms": 15}, "new": {"x": [1]}} and "new" not in META["limits"]  # type: ignore[operator]
    assert without(changed, ("limits", "new")) == META == without(META, ("limits", "gone", "x"))
    with pytest.raises(UsageError, match="'division' is no mapping"):
        with_value(META, ("division", "x"), 1)


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("division=closed", True),
        ("division!=open", True),
        ("division = Closed", False),
        ("watts>120", True),
        ("watts<=120.5", True),
        ("watts<100", False),
        ("n=8", True),
        ("n>7", False),
        ("limits.v3\\.1.ms=15", True),
        ("limits.v3\\.1.ms=15.0", True),
        ("tags=a", True),
        ("tags=c", False),
        ("tags!=c", True),
        ("ok=true", True),
        ("ok=1", False),
        ("none=null", True),
        ("missing=null", True),
        ("missing=x", False),
        ("missing>0", False),
    ],
)
def test_conditions(text: str, holds: bool) -> None:
    assert Condition.parse(text).holds(META) is holds


def test_conditions_hold_together() -> None:
    test = conditions(("division=closed", "watts>1"))
    assert test is not None and test(META) and not test({**META, "watts": 0})
    assert conditions(()) is None
    with pytest.raises(UsageError, match="no condition"):
        conditions(("division",))


@given(st.lists(st.text(min_size=1, max_size=5), min_size=1, max_size=4), st.integers())
def test_what_was_set_is_there(parts: list[str], value: int) -> None:
    key = tuple(parts)
    meta = with_value({}, key, value)
    assert value_at(meta, key) == value
    assert value_at(without(meta, key), key) is None


@given(st.text(max_size=40))
def test_any_text_is_a_condition_or_refused(text: str) -> None:
    with contextlib.suppress(UsageError):
        Condition.parse(text).holds(META)
