from __future__ import annotations

import importlib.util
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pytest

from assay.base.settings import Settings
from assay.errors import MachineError, MissingDependencyError
from assay.expressions import Kind
from assay.results import table as table_module
from assay.results.query import EVERYTHING, Query, run_query
from assay.results.store import Store, open_store
from assay.results.table import Column, Table

from .rows import make_row, put

pytestmark = pytest.mark.usefixtures("nothing_published")
ROWS = [
    make_row(0, watts=400.0, labels=("a", "b"), official=True, notes='x\0y\n"z" 漢'),
    make_row(1, watts=None, official=None, queries=2**53 + 1),
    make_row(2, watts=5e-324, category=(), official=True),
]
COLUMNS = ["system", "watts", "labels", "official", "notes", "queries", "odd = samples_per_second / 3", "watts"]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory, nothing_published: None) -> Iterator[Store]:
    home = Settings(tmp_path_factory.mktemp("home"))
    put(home, ROWS)
    with open_store(home) as opened:
        yield opened


def ask(store: Store, *columns: str, filter_: str = "") -> Table:
    return run_query(store, Query(filter_, columns or COLUMNS, sort=["system"], scope=EVERYTHING))


def plain(value: Any) -> Any:
    """A value of a data frame as Python has it."""
    if hasattr(value, "tolist"):
        value = value.tolist()
    return value if isinstance(value, list) or not pd.isna(value) else None


def test_rows_and_dicts(store: Store) -> None:
    table = ask(store)
    assert table.names == ["system", "watts", "labels", "official", "notes", "queries", "odd", "watts (2)"]
    assert table.rows == [
        ("box0", 400.0, ["a", "b"], True, 'x\0y\n"z" 漢', None, 100 / 3, 400.0),
        ("box1", None, [], None, None, 2**53 + 1, 101 / 3, None),
        ("box2", 5e-324, [], True, None, None, 34.0, 5e-324),
    ]
    assert table.dicts()[0]["watts (2)"] == 400.0 and len(table.dicts()[0]) == 8
    assert [each.heading for each in table.columns][:2] == ["system", "watts [W]"]


def test_arrow_pandas_and_polars_say_the_same(store: Store) -> None:
    table = ask(store)
    arrow, frame, polars = table.arrow(), table.pandas(), table.polars()
    assert arrow.column_names == list(frame.columns) == polars.columns == table.names
    assert [tuple(row.values()) for row in arrow.to_pylist()] == table.rows
    assert polars.rows() == table.rows
    assert [tuple(map(plain, row)) for row in frame.itertuples(index=False, name=None)] == table.rows
    assert arrow.schema.field("watts").metadata == {b"unit": b"W"}
    assert arrow.schema.field("odd").metadata == {b"unit": b"samples/s"}
    assert arrow.schema.field("system").metadata is None


def test_nothing_has_columns_too(store: Store) -> None:
    table = ask(store, filter_="false")
    assert table.rows == [] and table.dicts() == []
    assert table.arrow().num_rows == len(table.pandas()) == table.polars().height == 0
    assert table.arrow().column_names == table.names


def test_parquet(store: Store, tmp_path: Path) -> None:
    table, path = ask(store), tmp_path / "it's\"" / "answer.parquet"
    table.write_parquet(path)
    with duckdb.connect() as connection:
        relation = connection.execute("SELECT * FROM read_parquet(?)", [str(path)])
        assert [each[0] for each in relation.description or ()] == table.names
        assert relation.fetchall() == table.rows
    assert [each.name for each in path.parent.iterdir()] == ["answer.parquet"]


def test_names_that_sql_would_stumble_over(store: Store, tmp_path: Path) -> None:
    table = ask(store, "if(system == 'a\"b', 1, 2)", "'; DROP TABLE rows --'")
    table.write_parquet(tmp_path / "x.parquet")
    assert table.arrow().column_names == table.names == ["if(system == 'a\"b', 1, 2)", "'; DROP TABLE rows --'"]
    sql, parameters = table.sql()
    assert store.run(sql, parameters).fetchall() == table.rows


def test_a_parquet_that_cannot_be_written_leaves_nothing(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(MachineError):
        ask(store).write_parquet(tmp_path / "file" / "x.parquet")

    def full(*_: object) -> None:
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(MachineError, match="no space left"):
        ask(store).write_parquet(tmp_path / "y.parquet")
    monkeypatch.undo()
    assert [each.name for each in tmp_path.iterdir()] == ["file"]


def test_a_full_disk_that_the_database_meets_is_told(store: Store, tmp_path: Path) -> None:
    class Full:
        def sql(self, *_: object, **__: object) -> None:
            raise duckdb.IOException("Could not write file: No space left on device")

    table = Table(Full(), "SELECT 1", (), (Column("a", Kind.NUMBER),))  # type: ignore[arg-type]
    with pytest.raises(MachineError, match="cannot be written"):
        table.write_parquet(tmp_path / "x.parquet")
    assert list(tmp_path.iterdir()) == []


def test_some_of_the_results_in_an_order(store: Store) -> None:
    whole = ask(store, "system", "watts", "uid")
    some = whole.only([ROWS[2].uid, ROWS[0].uid], (Column("who", Kind.TEXT), Column("w", Kind.NUMBER, "W")))
    assert some.rows == [("box2", 5e-324), ("box0", 400.0)]
    assert some.arrow().to_pylist() == some.dicts() == [{"who": "box2", "w": 5e-324}, {"who": "box0", "w": 400.0}]
    sql, parameters = some.sql()
    assert store.run(sql, parameters).fetchall() == some.rows
    assert whole.only([], some.columns).rows == []


@pytest.mark.parametrize(("method", "library"), [("arrow", "pyarrow"), ("pandas", "pandas"), ("polars", "polars")])
def test_a_library_that_is_not_installed_is_told(
    store: Store, method: str, library: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == library else object())
    with pytest.raises(MissingDependencyError, match=library) as caught:
        getattr(ask(store), method)()
    assert f"assay[{method}]" in str(caught.value.hint)
    assert table_module.Table is Table
