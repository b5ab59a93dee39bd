from __future__ import annotations

import duckdb
import pytest

from assay.expressions.schema import ROWS, Context, Field, Kind, Sql
from assay.expressions.sql import sql_of
from assay.expressions.typed import TooLargeError, Typed, literal, made, settled

X = Typed("field", Kind.NUMBER, field=Field("x", Kind.NUMBER, '"x"'))


def plus(*parts: Typed) -> Typed:
    return made("add", Kind.NUMBER, *parts, finite=False)


def test_literals() -> None:
    assert sql_of(literal(1.5, Kind.NUMBER), ROWS) == Sql("?", (1.5,))
    assert sql_of(literal("a?", Kind.TEXT), ROWS) == Sql("?", ("a?",))
    assert sql_of(literal(True, Kind.BOOLEAN), ROWS) == Sql("TRUE")
    assert sql_of(literal(False, Kind.BOOLEAN), ROWS) == Sql("FALSE")
    assert sql_of(literal(None, Kind.TEXT), ROWS) == Sql("CAST(NULL AS VARCHAR)")


def test_columns() -> None:
    column = Typed("field", Kind.TEXT, field=Field("s", Kind.TEXT, "a || b"))
    assert sql_of(column, ROWS).text == "a || b"
    assert sql_of(made("lower", Kind.TEXT, column), ROWS).text == "lower((a || b))"
    assert sql_of(made("negate", Kind.NUMBER, X), ROWS).text == '(-CAST("x" AS DOUBLE))'


def test_parameters_follow_their_places() -> None:
    node = made("between", Kind.BOOLEAN, X, literal(1.0, Kind.NUMBER), literal(2.0, Kind.NUMBER))
    assert sql_of(node, ROWS).parameters == (1.0, 2.0)
    guarded = settled(plus(X, literal(3.0, Kind.NUMBER)))
    assert sql_of(guarded, ROWS).parameters == (3.0, 3.0)
    window = made("baseline", Kind.NUMBER, guarded)
    context = Context(windows=True, partition=("a", "b"), baseline=Sql("c = ?", ("d",)))
    found = sql_of(window, context)
    assert found.parameters == (3.0, 3.0, "d")
    assert found.text.endswith("FILTER (WHERE c = ?) OVER (PARTITION BY a, b )")


def test_guards_within_guards_stay_short() -> None:
    node = X
    for _ in range(20):
        node = settled(plus(node, X))
    text = sql_of(node, ROWS).text
    assert len(text) < 5000
    with duckdb.connect() as connection:
        assert connection.execute(f"SELECT {text} FROM (SELECT 1 AS x)").fetchall() == [(21.0,)]
        assert connection.execute(f"SELECT {text} FROM (SELECT 1e308 AS x)").fetchall() == [(None,)]
        assert connection.execute(f"SELECT {text} FROM (SELECT NULL AS x)").fetchall() == [(None,)]


def test_the_whole_is_bounded() -> None:
    wide = Typed("field", Kind.NUMBER, field=Field("x", Kind.NUMBER, "x" * 100_000))
    with pytest.raises(TooLargeError):
        sql_of(plus(wide, wide), ROWS)
