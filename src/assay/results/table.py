"""An answer: columns with kinds and units, and rows, as Python values, Arrow, pandas or polars."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from assay.base.files import atomic_path, machine_errors
from assay.errors import MachineError, MissingDependencyError
from assay.expressions import Kind

if TYPE_CHECKING:
    import duckdb
    import pandas as pd
    import polars as pl
    import pyarrow as pa


@dataclass(frozen=True, slots=True)
class Column:
    """A column of an answer.

    Attributes:
        name: unique in the table.
        kind: of its values.
        unit: of a number; empty for a pure number and for anything else.
    """

    name: str
    kind: Kind
    unit: str = ""

    @property
    def heading(self) -> str:
        """The name with the unit."""
        return f"{self.name} [{self.unit}]" if self.unit else self.name


@dataclass(slots=True)
class Table:
    """An answer; the question is put when the rows are asked for.

    Attributes:
        columns: what each value is.
        missing: numbers of the user that a metric needs and that were not given; what needs them is null.
    """

    _connection: duckdb.DuckDBPyConnection
    _sql: str
    _parameters: tuple[object, ...]
    columns: tuple[Column, ...]
    missing: frozenset[str] = frozenset()
    _rows: list[tuple[Any, ...]] | None = field(default=None, repr=False)

    @property
    def names(self) -> list[str]:
        """Names of the columns."""
        return [column.name for column in self.columns]

    @property
    def rows(self) -> list[tuple[Any, ...]]:
        """Rows as Python values; a field of several words is a list."""
        if self._rows is None:
            # A relation would be planned twice: when it is made, and when its rows are fetched.
            self._rows = self._connection.execute(self._sql, list(self._parameters)).fetchall()
        return self._rows

    def dicts(self) -> list[dict[str, Any]]:
        """Rows by name of the column."""
        return [dict(zip(self.names, row, strict=True)) for row in self.rows]

    def arrow(self) -> pa.Table:
        """The answer as an Arrow table; units stand in the fields' metadata.

        Raises:
            MissingDependencyError: without pyarrow.
        """
        _need("pyarrow", "arrow")
        import pyarrow as pa

        table = self._relation().to_arrow_table()
        fields = [
            pa.field(column.name, each.type, metadata={"unit": column.unit} if column.unit else None)
            for column, each in zip(self.columns, table.schema, strict=True)
        ]
        return pa.Table.from_arrays(table.columns, schema=pa.schema(fields))

    def pandas(self) -> pd.DataFrame:
        """The answer as a pandas data frame.

        Raises:
            MissingDependencyError: without pandas.
        """
        _need("pandas", "pandas")
        frame = self._relation().df()
        frame.columns = self.names
        return frame

    def polars(self) -> pl.DataFrame:
        """The answer as a polars data frame.

        Raises:
            MissingDependencyError: without polars and pyarrow.
        """
        _need("polars", "polars")
        import polars as pl

        frame = pl.from_arrow(self.arrow())
        assert isinstance(frame, pl.DataFrame)
        return frame

    def only(self, uids: Sequence[str], columns: tuple[Column, ...]) -> Table:
        """The rows of some results, in their order; the last column of this answer is the uid, and is left out.

        Args:
            uids: of the results.
            columns: names of the others.
        """
        picked = ", ".join(f"c{number}" for number in range(len(columns)))
        sql = (
            f"SELECT {picked} FROM ({self._sql}) AS answer({picked}, uid) "
            "JOIN (SELECT unnest(?) AS uid, unnest(?) AS place) USING (uid) ORDER BY place"
        )
        parameters = (*self._parameters, list(uids), list(range(len(uids))))
        return Table(self._connection, sql, parameters, columns, self.missing)

    def sql(self) -> tuple[str, tuple[object, ...]]:
        """The statement behind the answer with the names of its columns, and its parameters."""
        picked = ", ".join(f"c{number} AS {_quoted(name)}" for number, name in enumerate(self.names))
        aliases = ", ".join(f"c{number}" for number in range(len(self.columns)))
        return f"SELECT {picked} FROM ({self._sql}) AS answer({aliases})", self._parameters

    def write_parquet(self, path: Path) -> None:
        """Write the answer as a Parquet file.

        Raises:
            MachineError: when it cannot be written.
        """
        sql, parameters = self.sql()
        import duckdb

        with machine_errors(path), atomic_path(path) as temporary:
            try:
                self._connection.sql(sql, params=list(parameters)).write_parquet(str(temporary), compression="zstd")
            except duckdb.IOException as error:
                raise MachineError(f"cannot be written: {error}", where=path, hint="free some space") from error

    def _relation(self) -> duckdb.DuckDBPyRelation:
        return self._connection.sql(self._sql, params=list(self._parameters))


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _need(library: str, extra: str) -> None:
    import importlib.util

    if importlib.util.find_spec(library) is None:
        raise MissingDependencyError(f"{library} is not installed", hint=f"pip install 'assay[{extra}]'")
