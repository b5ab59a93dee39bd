from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.expressions.conftest import number, schema_of

from assay.expressions import Schema
from assay.expressions.complete import Place, complete

SCHEMA = schema_of()


def texts(text: str, cursor: int | None = None) -> list[str]:
    return [each.text for each in complete(text, len(text) if cursor is None else cursor, SCHEMA)]


def test_names_where_a_value_is_needed() -> None:
    found = complete("", 0, SCHEMA)
    assert {each.place for each in found} == {
        Place.FIELD,
        Place.METRIC,
        Place.PARAMETER,
        Place.FUNCTION,
        Place.KEYWORD,
    }
    by_text = {each.text: each for each in found}
    assert by_text["watts"].description == "Average power [W]"
    assert by_text["efficiency"].place is Place.METRIC
    assert by_text["max("].description == "max(a, b, ...): The largest of the values that are there."
    assert "`odd name`" in by_text


@pytest.mark.parametrize("text", ["wat", "x + wat", "not wat", "max(wat", "max(x, wat", "valid and WAT"])
def test_the_word_at_the_cursor_is_replaced(text: str) -> None:
    found = complete(text, len(text), SCHEMA)
    assert [(each.text, each.start, each.end) for each in found] == [("watts", len(text) - 3, len(text))]


def test_beginnings_come_first_and_middles_after() -> None:
    assert texts("la") == ["latency", "labels", "largest("]
    assert texts("core") == ["cores", "per_core"]


def test_operators_that_fit_the_kind() -> None:
    assert "<" in texts("watts ") and "like" not in texts("watts ")
    assert "like" in texts("scenario ") and "+" not in texts("scenario ")
    assert texts("valid ")[:2] == ["and", "or"]
    assert {"is not null", "==", "!=", "in"} <= set(texts("labels ")) and not {"<", "like"} & set(texts("labels "))
    assert "and" in texts("(watts < 5) ")
    assert "watts" in texts("valid &&") and "watts" in texts("valid || !")
    assert "<" in texts("efficiency ") and "like" not in texts("efficiency ")
    assert "<" in texts("grid ") and "like" not in texts("grid ")
    assert {"and", "<", "like"} <= set(texts("fast "))
    assert "like" in texts('"a" ')
    assert texts("watts is ") == ["null", "not null"]
    assert texts("watts is nu")[0] == "null"
    assert texts("scenario li") == ["like", "not like"]


def test_units_behind_a_number() -> None:
    assert {"W", "kW", "watts"} <= set(texts("watts < 5 "))
    assert "ms" not in texts("watts < 5 ")
    assert texts("latency < 15 m")[0] == "ms"
    assert "samples/s" in texts("samples_per_second > 5 ")
    assert {"ms", "W", "Fr"} <= set(texts("5 "))
    assert {"ms", "W", "Fr"} <= set(texts("x > 5 "))
    (found,) = [each for each in complete("watts < 5 kW", 12, SCHEMA) if each.text == "kW"]
    assert (found.start, found.end, found.place) == (10, 12, Place.UNIT)
    assert "W" not in texts("watts < 5 W ")


def test_nothing_inside_of_a_text() -> None:
    assert texts('scenario == "Ser') == []
    assert texts("`wat") == []


def test_what_stands_behind_the_cursor_does_not_matter() -> None:
    assert texts("wat < 5 and )(", 3) == ["watts"]
    assert texts("watts", 99) == ["watts"]
    assert "watts" in texts("x", -5)


def test_a_name_that_cannot_be_read_is_put_in_backticks() -> None:
    schema = Schema({name: number(name) for name in ("in", "a;b", "a-b")})
    assert [each.text for each in complete("", 0, schema)][:3] == ["`in`", "`a;b`", "`a-b`"]


@given(st.text(max_size=60), st.integers(-5, 70))
def test_any_text_can_be_completed(text: str, cursor: int) -> None:
    for each in complete(text, cursor, SCHEMA):
        assert 0 <= each.start <= each.end <= len(text)
