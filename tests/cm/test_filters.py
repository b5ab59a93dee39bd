from __future__ import annotations

import pytest

from assay.cm.filters import fitting
from assay.cm.meta import JsonObject, JsonValue
from assay.errors import InvalidInputError
from assay.expressions import ExpressionError

METAS: list[JsonObject] = [
    {"alias": "one", "tags": ["bert", "edge"], "power": {"watts": 300}, "done": True, "note": "x"},
    {"alias": "two", "tags": "bert", "power": {"watts": 45.5}, "done": False, "note": 7},
    {"alias": "three", "tags": [], "power": None, "sizes": [1, 2], "note": "y"},
]


@pytest.mark.parametrize(
    ("text", "fits"),
    [
        ("power.watts <= 300", "110"),
        ("power.watts < 300", "010"),
        ("power.watts is null", "001"),
        ("done", "100"),
        ("not done", "010"),
        ('tags == "bert"', "110"),
        ('"edge" in tags', "100"),
        ('alias like "T%"', "011"),
        ('ALIAS == "two"', "010"),
        ("`power.watts` * 2 > 100", "100"),
        # One is a number among texts: it is null there.
        ('note in ("x", "7")', "100"),
        ("note is null", "010"),
        ('alias == "one" or power.watts < 50 and not done', "110"),
    ],
)
def test_which_fit(text: str, fits: str) -> None:
    assert "".join("01"[each] for each in fitting(text, METAS)) == fits


@pytest.mark.parametrize(
    ("text", "told", "position"),
    [
        ("power.wats < 1", "unknown name 'power.wats'; expected power.watts", 0),
        ("done and sizes", "unknown name 'sizes'", 9),
        ("power.watts < 3 ms", "cannot be compared", 12),
        ("alias", "", 0),
        ("done and", "something is missing at the end", 8),
    ],
)
def test_a_mistake_has_a_place(text: str, told: str, position: int) -> None:
    with pytest.raises(ExpressionError) as caught:
        fitting(text, METAS)
    assert told in str(caught.value)
    assert caught.value.position == position


def test_of_nothing_only_the_form_is_looked_at() -> None:
    assert fitting("anything < 3", []) == []
    with pytest.raises(ExpressionError):
        fitting("(", [])


def test_hostile_metadata_choose_nothing() -> None:
    deep: dict[str, JsonValue] = {"a": 1}
    for _ in range(60):
        deep = {"d": deep}
    odd: JsonObject = {"`": 1, "x" * 200: 2, "\x00": 3, "and": 4, "inf": float("inf"), "big": 10**400, "deep": deep}
    assert fitting("`and` == 4", [odd]) == [True]
    assert fitting("big is null and inf is null", [odd]) == [True]
    with pytest.raises(InvalidInputError, match="too many"):
        fitting("a == 1", [{str(number): number for number in range(20_001)}])
