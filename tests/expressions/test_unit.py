from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.errors import InvalidInputError
from assay.expressions.unit import CURRENCIES, ONE, UNIT_WORDS, Unit, parse_unit


@pytest.mark.parametrize(
    ("text", "powers", "scale"),
    [
        ("samples/s", (("s", -1), ("sample", 1)), 1),
        ("Samples/s", (("s", -1), ("sample", 1)), 1),
        ("W", (("J", 1), ("s", -1)), 1),
        ("Watts", (("J", 1), ("s", -1)), 1),
        ("mW", (("J", 1), ("s", -1)), Fraction(1, 1000)),
        ("MW", (("J", 1), ("s", -1)), 10**6),
        ("kWh", (("J", 1),), 3_600_000),
        ("ms", (("s", 1),), Fraction(1, 1000)),
        ("µs", (("s", 1),), Fraction(1, 10**6)),
        ("J / sample", (("J", 1), ("sample", -1)), 1),
        ("USD/Msample", (("USD", 1), ("sample", -1)), Fraction(1, 10**6)),
        ("USD / 1e6 samples", None, None),
        ("USD/1000000/sample", (("USD", 1), ("sample", -1)), Fraction(1, 10**6)),
        ("s^-1", (("s", -1),), 1),
        ("Hz", (("s", -1),), 1),
        ("%", (), Fraction(1, 100)),
        ("1", (), 1),
        ("GiB", (("B", 1),), 2**30),
        ("gCO2/kWh", (("J", -1), ("kgCO2", 1)), Fraction(1, 3_600_000_000)),
        ("s/s", (), 1),
    ],
)
def test_what_a_unit_means(text: str, powers: object, scale: object) -> None:
    if powers is None:
        with pytest.raises(InvalidInputError):
            parse_unit(text)
        return
    unit = parse_unit(text)
    assert (unit.powers, unit.scale, unit.name, str(unit)) == (powers, scale, text, text)


@pytest.mark.parametrize(
    ("text", "what", "expected"),
    [
        ("Wats", "unknown unit 'Wats'", "Watts"),
        ("zzzz", "unknown unit 'zzzz'", None),
        ("", "'' is no unit", "words such as samples/s, W, J/sample or ms"),
        ("W/", "'W/' is no unit", "words such as samples/s, W, J/sample or ms"),
        ("W W", "'W W' is no unit", "words joined by * and /"),
        ("W/0", "a unit cannot be zero", None),
        ("s^99", "s to the power of 99 is out of bounds", None),
        ("s^12*s", "the unit of this product is out of bounds", None),
        ("1e99", "the unit of this product is out of bounds", None),
        ("s/" * 60 + "s", "a unit is at most 100 characters long", None),
    ],
)
def test_what_is_no_unit(text: str, what: str, expected: str | None) -> None:
    with pytest.raises(InvalidInputError) as caught:
        parse_unit(text)
    assert caught.value.what == what
    assert expected is None or expected.casefold() in str(caught.value.expected).casefold()


def test_a_word_of_the_schema_is_a_unit_of_its_own() -> None:
    unit = parse_unit("Fr/kWh", frozenset({"Fr"}))
    assert unit.powers == (("Fr", 1), ("J", -1))
    with pytest.raises(InvalidInputError, match="unknown unit 'Fr'"):
        parse_unit("Fr/kWh")


@pytest.mark.parametrize(
    ("left", "operator", "right", "name"),
    [
        ("samples/s", "/", "W", "samples/J"),
        ("W", "*", "s", "J"),
        ("ns", "*", "W", "nJ"),
        ("J", "/", "samples", "J/sample"),
        ("samples/s", "/", "core", "samples/core/s"),
        ("s", "/", "ms", "1000 x one"),
        ("percent", "*", "W", "0.01 x W"),
        ("W", "/", "percent", "100 x W"),
        ("W", "*", "one", "W"),
        ("one", "*", "W", "W"),
        ("one", "/", "s", "Hz"),
        ("W", "*", "W", "J^2/s^2"),
        ("W", "/", "W", "one"),
    ],
)
def test_units_multiply_and_divide(left: str, operator: str, right: str, name: str) -> None:
    one, other = parse_unit(left), parse_unit(right)
    assert (one * other if operator == "*" else one / other).name == name


def test_units_are_converted_exactly() -> None:
    assert parse_unit("ms").factor_to(parse_unit("ns")) == 10**6
    assert parse_unit("kgCO2/kWh").factor_to(parse_unit("gCO2/J")) == Fraction(1, 3600)
    assert parse_unit("W").compatible(parse_unit("J/s"))
    assert not parse_unit("USD").compatible(parse_unit("EUR"))


def test_a_unit_without_a_name_is_shown_in_base_units() -> None:
    assert (parse_unit("percent") * parse_unit("W")).tidy == parse_unit("W")
    assert (parse_unit("s") / parse_unit("ms")).tidy == ONE
    assert (parse_unit("W") * parse_unit("ns")).tidy.name == "nJ"
    assert parse_unit("1000 / s").tidy.scale == 1000


def test_powers_and_roots() -> None:
    watt = parse_unit("W")
    assert watt.power(1) is watt
    assert watt.power(2).name == "J^2/s^2"
    assert watt.power(2).root() == Unit("W", watt.powers)
    assert watt.root() is None
    assert watt.power(0).powers == ()
    with pytest.raises(InvalidInputError, match="out of bounds"):
        watt.power(13)
    with pytest.raises(InvalidInputError, match="out of bounds"):
        watt.power(7).power(2)


def test_the_words_are_known_and_none_says_two_things() -> None:
    assert len(UNIT_WORDS) == len(set(UNIT_WORDS))
    assert {"sample", "kWh", "node", *CURRENCIES} <= set(UNIT_WORDS)
    assert all(parse_unit(word).name == word for word in UNIT_WORDS)


units = st.sampled_from(UNIT_WORDS).map(parse_unit)


@given(units, units)
def test_dividing_undoes_multiplying(left: Unit, right: Unit) -> None:
    product = left * right
    again = product / right
    assert (again.powers, again.scale) == (left.powers, left.scale)
    assert (left / left).powers == ONE.powers


@given(units, units)
def test_the_name_of_a_product_says_what_it_is(left: Unit, right: Unit) -> None:
    product = left * right
    if not product.name[0].isdigit():
        read = parse_unit(product.name)
        assert (read.powers, read.scale) == (product.powers, product.scale)
