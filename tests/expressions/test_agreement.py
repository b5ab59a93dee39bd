"""SQL and Python give the same value for the same row, to the last bit."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assay.expressions import Definition, ExpressionError, Field, Kind, Schema, parse_unit
from assay.expressions import compile as compile_text

COLUMNS = {
    "x": "DOUBLE",
    "y": "DOUBLE",
    "n": "BIGINT",
    "watts": "DOUBLE",
    "latency": "BIGINT",
    "accuracy": "DOUBLE",
    "s": "VARCHAR",
    "t": "VARCHAR",
    "p": "BOOLEAN",
    "q": "BOOLEAN",
    "l": "VARCHAR[]",
}
UNITS = {"watts": "W", "latency": "ns", "accuracy": "percent"}
KINDS = {
    "DOUBLE": Kind.NUMBER,
    "BIGINT": Kind.NUMBER,
    "VARCHAR": Kind.TEXT,
    "BOOLEAN": Kind.BOOLEAN,
    "VARCHAR[]": Kind.TEXTS,
}
SCHEMA = Schema(
    {
        name: Field(name, KINDS[type_], f'"{name}"', parse_unit(UNITS[name]) if name in UNITS else None)
        for name, type_ in COLUMNS.items()
    },
    {"m": Definition("m", "x / y + 1"), "kilo": Definition("kilo", "watts", parse_unit("kW"))},
)

doubles = st.sampled_from([0.0, -0.0, 0.5, 1.0, 1.5, 2.5, -2.5, -1.0, 3.0, 1e-308, 5e-324, 1e154, 1e308, -1.7e308]) | (
    st.floats(allow_nan=False, allow_infinity=False)
)
texts = st.sampled_from(
    ["", "a", "A", "ab", "B", "%", "_", "Straße", "É", "é", "İ", "ΑΣ", "ᾳ", "a\\b", "'", '"', "👩‍💻"]
) | (st.text(st.characters(exclude_categories=["Cs", "Cn", "Co"], exclude_characters="\0"), max_size=6))
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "DOUBLE": st.none() | doubles,
    "BIGINT": st.none() | st.integers(-5, 5) | st.integers(-(2**63), 2**63 - 1),
    "VARCHAR": st.none() | texts,
    "BOOLEAN": st.sampled_from([None, True, False]),
    "VARCHAR[]": st.none() | st.lists(st.none() | texts, max_size=3),
}
rows = st.fixed_dictionaries({name: VALUES[type_] for name, type_ in COLUMNS.items()})


def quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '""') + '"'


def shape(template: str, *parts: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.tuples(*parts).map(lambda made: template.format(*made))


figures = st.sampled_from(["x", "y", "n", "x", "y", "m", "0", "1", "2", "0.5", "1e308", "3"]) | (
    st.floats(0, 1e6).map(repr)
)
words = st.sampled_from(["s", "t", "s", "t"]) | texts.map(quoted)
facts = st.sampled_from(["p", "q", "p", "true", "false"])


def grown(children: tuple[st.SearchStrategy[str], ...]) -> tuple[st.SearchStrategy[str], ...]:
    """Expressions one level deeper: of numbers, texts and conditions."""
    number, text, fact = children
    operators = st.sampled_from(["+", "-", "*", "/", "*", "/", "^"])
    comparisons = st.sampled_from(["==", "!=", "<", "<=", ">", ">="])
    functions = st.sampled_from(["abs", "floor", "ceil", "round", "sqrt", "ln", "log10", "log2", "exp", "-", "+"])
    return (
        st.one_of(
            number,
            shape("({} {} {})", number, operators, number),
            shape("({} {} {})", number, operators, number),
            shape("{}({})", functions, number),
            shape("round({}, {})", number, st.integers(0, 15).map(str)),
            shape("{}({}, {})", st.sampled_from(["min", "max", "coalesce"]), number, number),
            shape("if({}, {}, {})", fact, number, number | st.just("null")),
            shape("length({})", text | st.just("l")),
            shape("((watts + {} kW) / (1 W))", figures.filter(str.isdigit)),
            st.sampled_from(
                ["(latency / 1 ms)", "(kilo / 1 W)", "(accuracy / 1%)", "ln(accuracy)", "(sqrt(watts * kilo) / 1 W)"]
            ),
        ),
        st.one_of(
            text,
            shape("{}({})", st.sampled_from(["lower", "upper"]), text),
            shape("coalesce({}, {})", text, text),
            shape("if({}, {}, {})", fact, text, text),
        ),
        st.one_of(
            fact,
            shape("({} {} {})", number, comparisons, number),
            shape("({} {} {} {} {})", number, comparisons, number, comparisons, number),
            shape("({} {} {})", text, comparisons, text),
            shape("({} {} {})", fact, st.sampled_from(["==", "!=", "and", "or"]), fact),
            shape("({} {} {} {} {})", fact, st.just("or"), fact, st.just("or"), fact),
            shape("not ({})", fact),
            shape("({} {} ({}, {}))", number, st.sampled_from(["in", "not in"]), number, number),
            shape("({} in ({}, {}))", text, text, text),
            shape("({} {} {})", text, st.sampled_from(["like", "not like", "contains"]), text),
            shape("{}({}, {})", st.sampled_from(["startswith", "endswith", "contains"]), text, text),
            shape("between({}, {}, {})", number, number, number),
            shape("between({}, {}, {})", text, text, text),
            shape("has(l, {})", text),
            shape("({} in l)", text),
            shape("(l {} {})", st.sampled_from(["==", "!=", "contains", "not contains"]), text),
            shape("({} {} l)", text, st.sampled_from(["==", "!="])),
            shape("(l {} ({}, {}))", st.sampled_from(["in", "not in"]), text, text),
            shape("contains(l, {})", text),
            shape("({} {})", number | text | fact | st.just("l"), st.sampled_from(["is null", "is not null"])),
            st.sampled_from(
                ["(latency < 15 ms)", "(watts >= 1 kW)", "(1 kW < watts)", "(accuracy > 99%)", "(kilo < 3 W)"]
            ),
        ),
    )


def trees(levels: int) -> st.SearchStrategy[str]:
    found: tuple[st.SearchStrategy[str], ...] = (figures, words, facts)
    for _ in range(levels):
        found = grown(found)
    return st.one_of(*found)


@pytest.fixture(scope="module")
def database() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        connection.execute("SET threads = 1")
        connection.execute(f"CREATE TABLE r ({', '.join(f'{name} {type_}' for name, type_ in COLUMNS.items())})")
        yield connection


def in_sql(database: duckdb.DuckDBPyConnection, text: str, parameters: tuple[object, ...], row: dict[str, Any]) -> Any:
    database.execute("DELETE FROM r")
    database.execute(f"INSERT INTO r VALUES ({', '.join('?' * len(row))})", [row[name] for name in COLUMNS])
    found = database.execute(f"SELECT {text} FROM r", list(parameters)).fetchone()
    assert found is not None
    return found[0]


@settings(max_examples=250, deadline=None, suppress_health_check=list(HealthCheck))
@given(text=trees(3), row=rows)
def test_sql_and_python_agree(database: duckdb.DuckDBPyConnection, text: str, row: dict[str, Any]) -> None:
    try:
        expression = compile_text(text, SCHEMA)
    except ExpressionError as error:
        # What is drawn can be too large, and nothing else.
        assert "too large" in error.what or "levels" in error.what, error
        return
    sql = expression.sql()
    assert sql.text.count("?") == len(sql.parameters)
    ours, theirs = expression.evaluate(row), in_sql(database, sql.text, sql.parameters, row)
    assert ours == theirs, (text, row, sql)
    assert type(ours) is type(theirs) or expression.text.strip("()") in SCHEMA.fields
    if isinstance(ours, float):
        assert math.isfinite(ours)
