from __future__ import annotations

import re
import types
from pathlib import Path
from typing import Any, Union, get_args, get_origin, get_type_hints

import duckdb
import msgspec
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from assay.base.settings import Settings
from assay.errors import NotFoundError
from assay.expressions import Kind, parse_unit
from assay.expressions import compile as compile_text
from assay.results import store as store_module
from assay.results.exchange import read_rows_file, write_rows_file
from assay.results.fields import FIELDS, by_name, field_info, schema
from assay.results.row import Accuracy, Count, Row
from assay.results.store import open_store

from .rows import any_row, make_row, put, rows_by_uid, shown

pytestmark = pytest.mark.usefixtures("nothing_published")
HINTS = get_type_hints(Row, include_extras=True)
SEEDS = {"qsl_seed", "sample_index_seed", "schedule_seed"}


def kind_and_column(name: str) -> tuple[Kind | None, str]:
    """Kind and type of column that follow from the annotation of a field."""
    hint = HINTS[name]
    if get_origin(hint) in (types.UnionType, Union):
        hint = next(each for each in get_args(hint) if each is not type(None))
    if name in SEEDS:
        # Beyond 2^53 a number of an expression is not exact.
        return None, "UBIGINT"
    found: dict[Any, tuple[Kind | None, str]] = {
        str: (Kind.TEXT, "VARCHAR"),
        float: (Kind.NUMBER, "DOUBLE"),
        bool: (Kind.BOOLEAN, "BOOLEAN"),
        int: (Kind.NUMBER, "INTEGER"),
        Count: (Kind.NUMBER, "BIGINT"),
        tuple[str, ...]: (Kind.TEXTS, "VARCHAR[]"),
        dict[str, str]: (None, "MAP(VARCHAR, VARCHAR)"),
        tuple[Accuracy, ...]: (
            None,
            "STRUCT(metric VARCHAR, value DOUBLE, unit VARCHAR, target DOUBLE, met BOOLEAN)[]",
        ),
    }
    return found.get(hint, (Kind.TEXT, "VARCHAR"))  # words of a list: origin, method


def test_the_table_says_what_a_row_is() -> None:
    told = {field.name: (field.kind, field.sql) for field in FIELDS}
    assert told == {field.name: kind_and_column(field.name) for field in msgspec.structs.fields(Row)}
    assert len(by_name()) == len(FIELDS)


def test_structures_have_the_fields_of_their_structs() -> None:
    inside = re.findall(r"(\w+) (?:VARCHAR|DOUBLE|BOOLEAN)", field_info("accuracies").sql)
    assert inside == [field.name for field in msgspec.structs.fields(Accuracy)]


@pytest.mark.parametrize("field", FIELDS, ids=lambda field: field.name)
def test_every_field_is_explained_and_can_be_asked_for(field: Any) -> None:
    assert field.description.endswith(".") and len(field.description) < 150
    if field.unit:
        assert field.kind is Kind.NUMBER and parse_unit(field.unit).name == field.unit
    if field.kind is None:
        assert field.name not in schema().names()
    else:
        assert compile_text(f"{field.name} is null", schema()).sql().text


def test_a_name_that_is_none_is_told_with_the_closest() -> None:
    with pytest.raises(NotFoundError, match="samples_per_second"):
        field_info("sample_per_second")


def test_units_of_fields_fit_together() -> None:
    compiled = compile_text("watts / samples_per_second == joules_per_sample", schema(), want=Kind.BOOLEAN)
    assert compiled.evaluate({"watts": 500.0, "samples_per_second": 250.0, "joules_per_sample": 2.0}) is True
    compiled = compile_text("latency < 15 ms", schema(), want=Kind.BOOLEAN)
    assert compiled.evaluate({"latency": 14_999_999.0}) is True
    assert compiled.evaluate({"latency": 15_000_000.0}) is False


# ---- every column holds what a row holds


@given(st.lists(any_row(), min_size=1, max_size=12))
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_rows_come_back_from_the_index(tmp_path_factory: pytest.TempPathFactory, rows: list[Row]) -> None:
    assume(len({row.uid for row in rows}) == len(rows))
    home = Settings(tmp_path_factory.mktemp("home"))
    put(home, rows)
    assert shown(home) == rows_by_uid(rows)


EXTREMES = {
    "location": "a\0b/ü/漢/😀/\u202e/'\"\\;--",
    "value": 5e-324,
    "latency": 1.7976931348623157e308,
    "watts": 0.1,
    "queries": 2**63 - 1,
    "qsl_seed": 2**64 - 1,
    "sample_index_seed": 2**63,
    "schedule_seed": 0,
    "category": (),
    "labels": ("",),
    "findings": ("a,b", "\0"),
    "logs": {"a/b.txt": "0" * 64, "": ""},
    "accuracies": (Accuracy("F1", 90.874), Accuracy("", -0.5, "percent", 1e-300, False)),
    "power": False,
    "notes": "x" * 4000,
}


@pytest.mark.parametrize("way", ["json", "parquet", "published"])
def test_extremes_come_back(tmp_path: Path, way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    row, home = make_row(**EXTREMES), Settings(tmp_path / "home")
    put(home, [row])
    if way == "json":
        assert shown(home) == [row]
        return
    file = tmp_path / "rows.parquet"
    with open_store(home) as store:
        assert write_rows_file(store, file) == 1
    if way == "parquet":
        assert read_rows_file(file) == [row]
        return
    monkeypatch.setattr(store_module, "PUBLISHED", file)
    assert shown(Settings(tmp_path / "other")) == [row]


def test_the_columns_of_the_index_are_those_of_the_table(tmp_path: Path) -> None:
    with open_store(Settings(tmp_path)) as store:
        described = store.run("DESCRIBE results").fetchall()
    assert {name: sql for name, sql, *_ in described if name in by_name()} == {
        field.name: str(duckdb.type(field.sql)) for field in FIELDS
    }
