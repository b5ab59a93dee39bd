from __future__ import annotations

import os
import shutil
from pathlib import Path

import duckdb
import msgspec
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from assay.base.settings import Settings
from assay.errors import AssayError, InvalidInputError, MachineError, NotFoundError
from assay.results.exchange import looks_like_rows, read_rows_file, write_rows_file
from assay.results.fields import FIELDS
from assay.results.row import Accuracy, Row
from assay.results.store import open_store

from .rows import any_row, make_row, put, rows_by_uid

pytestmark = pytest.mark.usefixtures("nothing_published")

FULL = make_row(
    1,
    accuracies=(Accuracy("ROUGE1", 43.1, "noun", 42.9, True), Accuracy("ROUGE2", 20.3)),
    category=("datacenter", "edge"),
    findings=("seed-wrong",),
    logs={"performance/run_1/mlperf_log_detail.txt": "0" * 64, "ö'\"": "x"},
    qsl_seed=2**64 - 1,
    memory=2**62,
    system='it\'s "quoted"; DROP TABLE rows',
    strict=False,
)


def exported(settings: Settings, rows: list[Row], path: Path) -> int:
    for file in settings.home.rglob("cm-result.json"):
        file.unlink()
    put(settings, rows)
    with open_store(settings) as store:
        return write_rows_file(store, path)


def written(path: Path, select: str, **metadata: str) -> Path:
    """A Parquet file of somebody else's."""
    pairs = ", ".join(f"{name}: '{value}'" for name, value in metadata.items())
    options = f", KV_METADATA {{{pairs}}}" if pairs else ""
    duckdb.connect().execute(f"COPY ({select}) TO '{path}' (FORMAT parquet{options})")
    return path


NEEDED = "'aa' AS uid, 'v3.0' AS round, 'resnet' AS benchmark, 'Offline' AS scenario, 'closed' AS division, 'x/y' AS location"


# ---- the same rows come back


def test_whole_rows_come_back(settings: Settings, tmp_path: Path) -> None:
    rows = [FULL, make_row(0), make_row(2, watts=1e-300, official=None)]
    assert exported(settings, rows, tmp_path / "x.parquet") == 3
    assert rows_by_uid(read_rows_file(tmp_path / "x.parquet")) == rows_by_uid(rows)


@hypothesis_settings(max_examples=4, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(any_row(), min_size=1, max_size=3, unique_by=lambda row: row.uid))
def test_any_rows_come_back(settings: Settings, tmp_path: Path, rows: list[Row]) -> None:
    # What the index makes of a row on the way in is told elsewhere.
    exported(settings, rows, tmp_path / "first.parquet")
    first = read_rows_file(tmp_path / "first.parquet")
    exported(settings, first, tmp_path / "second.parquet")
    assert rows_by_uid(read_rows_file(tmp_path / "second.parquet")) == rows_by_uid(first)


@pytest.mark.parametrize("name", ["it's.parquet", 'a"b.parquet', "ö 100%.parquet", "a;b*[x]?.parquet", "-x.parquet"])
def test_any_name_of_a_file(settings: Settings, tmp_path: Path, name: str) -> None:
    exported(settings, [FULL], tmp_path / name)
    assert looks_like_rows(tmp_path / name)
    assert read_rows_file(tmp_path / name) == [FULL]


def test_the_file_is_written_as_a_whole_or_not_at_all(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "x.parquet"
    exported(settings, [FULL], path)
    before = path.read_bytes()
    put(settings, [FULL, make_row(0)])
    monkeypatch.setattr(Path, "replace", _full)
    monkeypatch.setattr(os, "replace", _full)
    with open_store(Settings(tmp_path / "home")) as store, pytest.raises(MachineError):
        write_rows_file(store, path)
    assert path.read_bytes() == before
    assert sorted(each.name for each in tmp_path.iterdir()) == ["home", "x.parquet"]


def _full(*arguments: object) -> None:
    if "x.parquet" in str(arguments[-1]):
        raise OSError(28, "No space left on device")
    shutil.move(str(arguments[0]), str(arguments[1]))


def test_other_tools_read_it(settings: Settings, tmp_path: Path) -> None:
    exported(settings, [FULL], tmp_path / "x.parquet")
    described = duckdb.connect().execute("DESCRIBE SELECT * FROM read_parquet(?)", [str(tmp_path / "x.parquet")])
    types = {name: kind for name, kind, *_ in described.fetchall()}
    assert list(types) == [field.name for field in FIELDS]
    assert (types["watts"], types["qsl_seed"], types["category"]) == ("DOUBLE", "UBIGINT", "VARCHAR[]")


# ---- what others bring


def test_a_foreign_table_with_what_is_needed(tmp_path: Path) -> None:
    path = written(tmp_path / "x.parquet", f"SELECT {NEEDED}, 7 AS watts, '12' AS queries, 3 AS system, 'z' AS other")
    (row,) = read_rows_file(path)
    assert (row.uid, row.watts, row.queries, row.system) == ("aa", 7.0, 12, "3")
    assert read_rows_file(written(tmp_path / "none.parquet", f"SELECT {NEEDED} LIMIT 0")) == []


@pytest.mark.parametrize(
    ("select", "told"),
    [
        ("SELECT 1 AS a", "not a table of results; expected uid, round, benchmark"),
        (f"SELECT {NEEDED.replace('uid', 'UID_')}", "found no uid"),
        (f"SELECT {NEEDED}, 'many' AS watts", "not a Parquet file of results: Conversion Error"),
        (f"SELECT {NEEDED}, -1 AS queries", "row 1 is no result: Expected `int` >= 0 - at `$.queries`"),
        (f"SELECT {NEEDED}, 'mine' AS origin", "row 1 is no result: Invalid enum value 'mine' - at `$.origin`"),
        (f"SELECT {NEEDED}, [1, 2] AS watts", "not a Parquet file of results"),
        (f"SELECT {NEEDED}, {{'a': 1}} AS category", "not a Parquet file of results"),
        (f"SELECT {NEEDED}, -5 AS qsl_seed", "not a Parquet file of results"),
        (f"SELECT {NEEDED.replace(chr(39) + 'v3.0' + chr(39), 'NULL')}", "missing required field `round`"),
        (f"SELECT {NEEDED}, 'x' AS logs", "not a Parquet file of results"),
    ],
)
def test_a_foreign_table_is_refused(tmp_path: Path, select: str, told: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        read_rows_file(written(tmp_path / "x.parquet", select))
    assert told in str(caught.value)
    assert "x.parquet" in str(caught.value)


@pytest.mark.parametrize("form", ["2", "99999", "one", "-1", ""])
def test_a_newer_form_is_refused(tmp_path: Path, form: str) -> None:
    path = written(tmp_path / "x.parquet", f"SELECT {NEEDED}", assay_rows=form)
    with pytest.raises(InvalidInputError, match="rows of a later version; expected form 1; found"):
        read_rows_file(path)
    assert len(read_rows_file(written(tmp_path / "y.parquet", f"SELECT {NEEDED}", assay_rows="1"))) == 1


def test_damage_is_told(settings: Settings, tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    exported(settings, [FULL, make_row(0)], path)
    whole = path.read_bytes()
    for place in range(0, len(whole), max(1, len(whole) // 12)):
        for damaged in (whole[:place], whole[:place] + b"\xff\xff\xff\xff" + whole[place + 4 :]):
            path.write_bytes(damaged)
            try:
                rows = read_rows_file(path)
            except InvalidInputError as error:
                assert "x.parquet" in str(error)
            else:
                assert all(isinstance(row, Row) for row in rows)


def test_what_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="file not found"):
        read_rows_file(tmp_path / "none.parquet")
    with pytest.raises(AssayError):
        read_rows_file(tmp_path)
    assert not looks_like_rows(tmp_path) and not looks_like_rows(tmp_path / "none.parquet")
    (tmp_path / "text").write_text("PAR")
    assert not looks_like_rows(tmp_path / "text")


def test_a_pattern_is_a_name(settings: Settings, tmp_path: Path) -> None:
    """DuckDB reads every file that fits a pattern; a file that is called so is one file."""
    exported(settings, [FULL], tmp_path / "a1.parquet")
    exported(settings, [make_row(0)], tmp_path / "a*.parquet")
    assert read_rows_file(tmp_path / "a*.parquet") == [make_row(0)]
    assert msgspec.to_builtins(FULL)["uid"] == FULL.uid
