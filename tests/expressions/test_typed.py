from __future__ import annotations

import pytest

from assay.expressions.schema import Kind
from assay.expressions.typed import (
    MAX_LEVELS,
    MAX_SIZE,
    TooLargeError,
    Typed,
    common,
    converted,
    literal,
    made,
    of_kind,
    settled,
    written,
)
from assay.expressions.unit import ONE, parse_unit

MS, NS, W = parse_unit("ms"), parse_unit("ns"), parse_unit("W")
FIGURE = Typed("field", Kind.NUMBER, unit=MS)


def test_a_part_knows_its_size_and_depth() -> None:
    node = made("add", Kind.NUMBER, FIGURE, made("negate", Kind.NUMBER, FIGURE))
    assert (node.size, node.levels, node.free) == (4, 3, False)


def test_what_is_shared_counts_as_often_as_it_is_used() -> None:
    node = FIGURE
    with pytest.raises(TooLargeError):
        for _ in range(20):
            node = made("add", Kind.NUMBER, node, node)
    assert node.size <= MAX_SIZE


def test_depth_is_bounded() -> None:
    node = FIGURE
    with pytest.raises(TooLargeError):
        for _ in range(MAX_LEVELS + 1):
            node = made("negate", Kind.NUMBER, node)
    assert node.levels == MAX_LEVELS


def test_only_what_may_be_infinite_is_settled() -> None:
    wild = made("add", Kind.NUMBER, FIGURE, FIGURE, unit=MS, finite=False)
    assert settled(FIGURE) is FIGURE
    assert (settled(wild).operation, settled(wild).unit) == ("finite", MS)
    assert settled(settled(wild)) == settled(wild)


def test_literals_are_converted_exactly_and_at_once() -> None:
    assert converted(literal(0.1, Kind.NUMBER, unit=MS), NS).value == 100_000.0
    assert converted(literal(15.0, Kind.NUMBER, unit=MS), NS).value == 15_000_000.0
    assert converted(literal(1e308, Kind.NUMBER, unit=MS), NS).value is None
    assert converted(literal(5.0, Kind.NUMBER, free=True), NS) == literal(5.0, Kind.NUMBER, unit=NS)


def test_figures_are_multiplied_or_divided_by_whole_numbers() -> None:
    more, less = converted(FIGURE, NS), converted(Typed("field", Kind.NUMBER, unit=NS), MS)
    assert (more.operation, more.arguments[1].value, more.unit) == ("multiply", 1e6, NS)
    assert (less.operation, less.arguments[1].value, less.unit) == ("divide", 1e6, MS)
    assert not more.finite
    assert converted(FIGURE, parse_unit("ms")) == FIGURE


def test_the_unit_in_common() -> None:
    five = literal(5.0, Kind.NUMBER, unit=NS)
    free = literal(1.0, Kind.NUMBER, free=True)
    assert common([five, FIGURE]) == (Kind.NUMBER, MS, False)
    assert common([free, five]) == (Kind.NUMBER, NS, False)
    assert common([free, free]) == (Kind.NUMBER, ONE, True)
    assert common([literal(None, None)]) == (None, ONE, True)


def test_a_null_takes_any_kind_and_unit() -> None:
    null = literal(None, None)
    assert (of_kind(null, Kind.NUMBER).kind, of_kind(null, Kind.NUMBER).free) == (Kind.NUMBER, True)
    assert (of_kind(null, Kind.TEXT).kind, of_kind(null, Kind.TEXT).free) == (Kind.TEXT, False)
    assert of_kind(FIGURE, Kind.TEXT) is FIGURE


def test_a_number_written_out() -> None:
    assert written(literal(5.0, Kind.NUMBER)) == 5
    assert written(made("negate", Kind.NUMBER, literal(5.0, Kind.NUMBER))) == -5
    assert written(made("negate", Kind.NUMBER, FIGURE)) is None
    assert written(literal(None, Kind.NUMBER)) is None
    assert written(FIGURE) is None
