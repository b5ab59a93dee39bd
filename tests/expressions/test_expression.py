from __future__ import annotations

import math
import statistics
from collections.abc import Iterator
from typing import Any

import duckdb
import pytest
from tests.expressions.conftest import metric, schema_of

from assay.errors import UsageError
from assay.expressions import ROWS, Context, Expression, ExpressionError, Field, Kind, Schema, Sql
from assay.expressions import compile as compile_text

SCHEMA = schema_of()
ROWS_OF_RESULTS: list[dict[str, Any]] = [
    {"scenario": "Server", "accelerator": "A100", "watts": 400.0, "samples_per_second": 8000.0},
    {"scenario": "Server", "accelerator": "H100", "watts": 700.0, "samples_per_second": 24000.0},
    {"scenario": "Server", "accelerator": "H100-PCIe", "watts": 700.0, "samples_per_second": None},
    {"scenario": "Offline", "accelerator": "A100", "watts": 400.0, "samples_per_second": 10000.0},
    {"scenario": "Offline", "accelerator": "L4", "watts": None, "samples_per_second": 3000.0},
    {"scenario": "Offline", "accelerator": "T4", "watts": 0.0, "samples_per_second": 3000.0},
]
BESIDE = Context(windows=True, partition=('"scenario"',), baseline=Sql('"accelerator" = ?', ("A100",)))


@pytest.fixture
def database() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        connection.execute(
            "CREATE TABLE results (scenario VARCHAR, accelerator VARCHAR, watts DOUBLE, samples_per_second DOUBLE)"
        )
        connection.executemany(
            "INSERT INTO results VALUES (?, ?, ?, ?)", [list(row.values()) for row in ROWS_OF_RESULTS]
        )
        yield connection


def selected(database: duckdb.DuckDBPyConnection, expression: Expression) -> list[Any]:
    sql = expression.sql()
    found = database.execute(f"SELECT {sql.text} FROM results ORDER BY rowid", list(sql.parameters)).fetchall()
    return [value for (value,) in found]


def test_a_filter_keeps_what_is_true(database: duckdb.DuckDBPyConnection) -> None:
    wanted = 'scenario == "Server" and watts < 500 and accelerator like "a1%"'
    sql = compile_text(wanted, SCHEMA, want=Kind.BOOLEAN).sql()
    assert sql == Sql(
        '(("scenario" = ?) AND (CAST("watts" AS DOUBLE) < ?) AND ("accelerator" ILIKE ?))', ("Server", 500.0, "a1%")
    )
    found = database.execute(f"SELECT accelerator FROM results WHERE {sql.text}", list(sql.parameters)).fetchall()
    assert found == [("A100",)]


def test_a_metric_is_a_column_and_a_value(database: duckdb.DuckDBPyConnection) -> None:
    expression = compile_text("efficiency", SCHEMA)
    values = [20.0, 24000 / 700, None, 25.0, None, None]
    assert selected(database, expression) == values
    assert [expression.evaluate(row) for row in ROWS_OF_RESULTS] == values


def test_what_it_is() -> None:
    expression = compile_text("efficiency > 3", SCHEMA)
    assert expression.text == "efficiency > 3"
    assert (expression.kind, expression.unit) == (Kind.BOOLEAN, None)
    assert (expression.fields, expression.definitions) == ({"samples_per_second", "watts"}, {"efficiency"})
    assert (expression.parameters, expression.missing) == (frozenset(), frozenset())
    assert not (expression.uses_window or expression.uses_aggregate)
    assert "_root" not in repr(expression)


def test_a_field_alone_is_its_column() -> None:
    assert compile_text("watts", SCHEMA).sql() == Sql('"watts"')
    assert compile_text("`odd name`", SCHEMA).sql() == Sql('"odd ""name"""')


# --- windows ---


def test_rank_within_the_group(database: duckdb.DuckDBPyConnection) -> None:
    assert selected(database, compile_text("rank(samples_per_second)", SCHEMA, context=BESIDE)) == [2, 1, None, 1, 2, 2]
    assert selected(database, compile_text("rank(-watts)", SCHEMA, context=BESIDE)) == [1, 2, 2, 2, None, 1]
    alone = compile_text("rank(samples_per_second)", SCHEMA, context=Context(windows=True))
    assert selected(database, alone) == [3, 1, None, 2, 4, 4]


def test_speed_up_over_the_baseline(database: duckdb.DuckDBPyConnection) -> None:
    expression = compile_text("speedup", SCHEMA, context=BESIDE)
    assert selected(database, expression) == [1.0, 3.0, None, 1.0, 0.3, 0.3]
    assert expression.uses_window
    assert expression.sql().parameters == ("A100",) * expression.sql().text.count("?")


def test_margin_to_the_best(database: duckdb.DuckDBPyConnection) -> None:
    expression = compile_text("1 - samples_per_second / best(samples_per_second) < 10%", SCHEMA, context=BESIDE)
    assert selected(database, expression) == [False, True, None, True, False, False]


def test_a_window_of_something_long(database: duckdb.DuckDBPyConnection) -> None:
    long = " + ".join(["efficiency"] * 12)
    expression = compile_text(f"rank(ln(({long}) / (1 samples/J)))", SCHEMA, context=BESIDE)
    assert "lambda" in expression.sql().text
    assert selected(database, expression) == [2, 1, None, 1, None, None]


# --- aggregates ---


def grouped(database: duckdb.DuckDBPyConnection, text: str) -> dict[str, Any]:
    context = Context(aggregates=True, groups=frozenset({"scenario"}))
    sql = compile_text(text, SCHEMA, context=context).sql()
    statement = f"SELECT scenario, {sql.text} FROM results GROUP BY scenario"
    found: list[tuple[str, Any]] = database.execute(statement, list(sql.parameters)).fetchall()
    return dict(found)


@pytest.mark.parametrize(
    ("text", "server", "offline"),
    [
        ("count()", 3, 3),
        ("count(samples_per_second)", 2, 3),
        ("count(efficiency)", 2, 1),
        ("sum(watts)", 1800, 400),
        ("sum(watts / watts)", 3, 1),
        ("mean(samples_per_second)", 16000, 16000 / 3),
        ("median(watts)", 700, 200),
        ("stddev(watts)", statistics.stdev([400, 700, 700]), statistics.stdev([400, 0])),
        ("stddev(efficiency)", statistics.stdev([20, 24000 / 700]), None),
        ("quantile(watts, 50%)", 700, 200),
        ("quantile(watts, 0.25)", 550, 100),
        ("smallest(watts)", 400, 0),
        ("largest(watts) - smallest(watts)", 300, 400),
        ("mean(watts) / count()", 200, 200 / 3),
        ("sum(if(watts > 500, 1, 0))", 2, 0),
        ('if(scenario == "Server", mean(watts), 0)', 600, 0),
        ("sum(watts * 1e306)", None, 0),
        ("1 / (smallest(watts) - smallest(watts))", None, None),
    ],
)
def test_groups(database: duckdb.DuckDBPyConnection, text: str, server: float | None, offline: float | None) -> None:
    found = grouped(database, text)
    for scenario, wanted in (("Server", server), ("Offline", offline)):
        assert found[scenario] == (pytest.approx(wanted) if wanted is not None else None), scenario


@pytest.mark.parametrize("text", ["rank(watts)", "efficiency + best(watts) / (1 J/sample)"])
def test_a_row_is_not_enough_for_a_window(text: str) -> None:
    schema = schema_of(metric("odd", "1"))
    with pytest.raises(ExpressionError):
        compile_text(text, schema, context=ROWS)
    try:
        expression = compile_text(text, schema, context=BESIDE)
    except ExpressionError:
        return
    with pytest.raises(UsageError, match="no value in one"):
        expression.evaluate({})


def test_a_row_is_not_enough_for_an_aggregate() -> None:
    with pytest.raises(UsageError, match="no value in one"):
        compile_text("count()", SCHEMA, context=Context(aggregates=True)).evaluate({})


# --- strangers ---


@pytest.mark.parametrize(
    "text",
    [
        'scenario == "x" ; DROP TABLE results',
        "scenario == 'x' OR 1=1 --'",
        "scenario == 'x' /* ",
        '`x"; DROP TABLE results; --`',
        "read_csv('/etc/passwd')",
        "scenario == (select 1)",
        "__import__('os').system('true')",
        "x.__class__",
        "?",
        "$1",
        "getenv('HOME')",
        "scenario::INTEGER",
        "{0}",
    ],
)
def test_what_is_not_the_language_is_an_error(text: str) -> None:
    with pytest.raises(ExpressionError):
        compile_text(text, SCHEMA)


@pytest.mark.parametrize(
    "stranger",
    ["'; DROP TABLE results; --", '" OR 1=1 --', "?", "{0}", "{partition}", "%s", "\\", "\\'", "$1", "*/", "a\nb"],
)
def test_texts_reach_the_database_as_values(database: duckdb.DuckDBPyConnection, stranger: str) -> None:
    quoted = stranger.replace("\\", "\\\\").replace("'", "''")
    for pattern in ("{} == '{}'", "{} != '{}'", "{} in ('{}', 'b')", "{} contains '{}'", "startswith({}, '{}')"):
        expression = compile_text(pattern.format("accelerator", quoted), SCHEMA)
        sql = expression.sql()
        assert stranger in sql.parameters
        assert "DROP" not in sql.text
        assert sql.text.count("?") == len(sql.parameters)
        assert selected(database, expression) == [expression.evaluate(row) for row in ROWS_OF_RESULTS]
    assert database.execute("SELECT count(*) FROM results").fetchall() == [(6,)]


def test_sql_holds_nothing_but_columns_of_the_schema() -> None:
    schema = Schema({"watts": Field("watts", Kind.NUMBER, "r.w")})
    assert compile_text("watts + 1", schema).sql().text.count("r.w") == 2
    assert "watts" not in compile_text("watts + 1", schema).sql().text


def test_nothing_is_ever_not_a_number() -> None:
    row = {"x": 1e308, "y": 0.0}
    for text in (
        "x * 10",
        "x * 10 - x * 10",
        "x / y",
        "y / y",
        "ln(y)",
        "ln(-x)",
        "sqrt(-x)",
        "exp(x)",
        "x ^ 2",
        "(-x) ^ 0.5",
    ):
        assert compile_text(text, SCHEMA).evaluate(row) is None, text
        assert compile_text(f"coalesce({text}, 7)", SCHEMA).evaluate(row) == 7
        assert compile_text(f"{text} > 0", SCHEMA).evaluate(row) is None
    assert math.isfinite(float(str(compile_text("x / 10", SCHEMA).evaluate(row))))


def test_an_expression_that_needs_too_much_sql_is_refused() -> None:
    wide = Schema({"x": Field("x", Kind.NUMBER, '"' + "x" * 5000 + '"')})
    with pytest.raises(ExpressionError, match="too large") as caught:
        compile_text("+".join(["x"] * 45), wide)
    assert caught.value.position == 0
