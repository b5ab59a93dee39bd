"""Rows as a Parquet file: whole rows with every field, for other tools and for other homes.

The file says its form in its metadata; a reader takes the fields that it knows and refuses a form of a later version.
"""

from __future__ import annotations

import contextlib
import tempfile
from pathlib import Path
from typing import Any

import duckdb
import msgspec

from assay.base.files import atomic_path, machine_errors
from assay.errors import InvalidInputError, NotFoundError
from assay.results.fields import FIELDS
from assay.results.row import FORMAT, Row
from assay.results.store import Store

_MAGIC = b"PAR1"
_FIELDS = ", ".join(f'"{field.name}"' for field in FIELDS)
_ORDER = "round, division, organisation, system, benchmark, scenario, location"
_FORM_KEY = "assay_rows"
_NEEDED = ("uid", "round", "benchmark", "scenario", "division", "location")


def write_rows_file(store: Store, path: Path, condition: str = "true", parameters: tuple[object, ...] = ()) -> int:
    """Write whole rows of the index to a Parquet file; how many.

    Args:
        condition: SQL of a compiled filter.
        parameters: for its ``?``.

    Raises:
        MachineError: when the file cannot be written.
    """
    ((count,),) = store.run(f"SELECT count(*) FROM results WHERE {condition}", parameters).fetchall()
    with machine_errors(path), atomic_path(path) as temporary:
        # A row group for everything: a round is small, and one dictionary a column is smaller than many.
        store.run(
            f"COPY (SELECT {_FIELDS} FROM results WHERE {condition} ORDER BY {_ORDER}) TO '{_quoted(temporary)}' "
            f"(FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 19, ROW_GROUP_SIZE 1000000, "
            f"KV_METADATA {{{_FORM_KEY}: '{FORMAT}'}})",
            parameters,
        )
    return int(count)


def looks_like_rows(path: Path) -> bool:
    """Whether a file begins as a Parquet file does."""
    try:
        with path.open("rb") as stream:
            return stream.read(len(_MAGIC)) == _MAGIC
    except OSError:
        return False


def read_rows_file(path: Path) -> list[Row]:
    """Rows of such a file.

    Raises:
        NotFoundError: when it is not there.
        InvalidInputError: when it is no such file, or one of a later version.
    """
    if not path.is_file():
        raise NotFoundError("file not found", where=path)
    try:
        # DuckDB takes a name with * or ? for a pattern; a link has a name of ours.
        with tempfile.TemporaryDirectory() as folder, contextlib.closing(duckdb.connect()) as connection:
            link = Path(folder) / "rows.parquet"
            link.symlink_to(path.resolve())
            return _rows(connection, link, path)
    except duckdb.Error as error:
        raise InvalidInputError(f"not a Parquet file of results: {str(error).splitlines()[0]}", where=path) from error


def _rows(connection: duckdb.DuckDBPyConnection, link: Path, path: Path) -> list[Row]:
    said = connection.execute("SELECT key::VARCHAR, value::VARCHAR FROM parquet_kv_metadata(?)", [str(link)]).fetchall()
    form = dict(said).get(_FORM_KEY)
    if form is not None and (not form.isdecimal() or int(form) > FORMAT):
        raise InvalidInputError("rows of a later version", where=path, expected=f"form {FORMAT}", found=form[:20])
    described = connection.execute("DESCRIBE SELECT * FROM read_parquet(?)", [str(link)]).fetchall()
    columns = {name for name, *_ in described}
    if missing := [name for name in _NEEDED if name not in columns]:
        raise InvalidInputError(
            "not a table of results", where=path, expected=", ".join(_NEEDED), found=f"no {', '.join(missing)}"
        )
    known = [field for field in FIELDS if field.name in columns]
    picked = ", ".join(_plain(field.name, field.sql) for field in known)
    found: list[Row] = []
    for values in connection.execute(f"SELECT {picked} FROM read_parquet(?)", [str(link)]).fetchall():
        given: dict[str, Any] = {
            field.name: value for field, value in zip(known, values, strict=True) if value is not None
        }
        try:
            found.append(msgspec.convert(given, Row))
        except msgspec.ValidationError as error:
            raise InvalidInputError(f"row {len(found) + 1} is no result: {error}", where=path) from error
    return found


def _plain(name: str, kind: str) -> str:
    """A column as its type; a file of others may hold numbers where words belong."""
    return f'CAST("{name}" AS {kind})'


def _quoted(path: Path) -> str:
    return str(path).replace("'", "''")
