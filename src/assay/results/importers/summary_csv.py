"""The official ``summary.csv`` as rows: what the round's own tool printed, where the raw logs are not to be had."""

from __future__ import annotations

import csv
import io
from pathlib import Path

from assay.base.units import format_size
from assay.errors import InvalidInputError, NotFoundError
from assay.results import clean
from assay.results.importers.cm import CmImporter, CmRow
from assay.results.importers.source import Source
from assay.results.row import Row

KIND = "summary"
_MAX = 256 << 20
# The heading of the tools of v2.0 and v2.1.
_MISSPELT = "compilance"
_NEEDED = ("Organization", "Division", "MlperfModel", "Scenario", "Result", "Location", "Units")


def looks_like_summary(path: Path) -> bool:
    """Whether a file begins as the official summary does."""
    try:
        with path.open("rb") as stream:
            first = stream.readline(4096).decode("utf-8", "replace").strip().split(",")
    except OSError:
        return False
    return set(_NEEDED) <= set(first)


def summary_rows(path: Path, source: Source, round_: str | None) -> list[Row]:
    """Rows of a ``summary.csv``.

    Args:
        path: the file.
        source: whose summary it is.
        round_: name of the round, for files without a version column.

    Raises:
        NotFoundError: when it is not there.
        InvalidInputError: when it is no such table; with the line.
    """
    given = _read(path, round_)
    importer = CmImporter(kind=KIND, source=source)
    return importer.rows(given)


def _read(path: Path, round_: str | None) -> list[CmRow]:
    try:
        if path.stat().st_size > _MAX:
            raise InvalidInputError("file is too large", where=path, expected=f"at most {format_size(_MAX)}")
        # Names on a disk may be no UTF-8, and the official tool writes them as they are.
        text = clean.encodable(path.read_bytes().decode("utf-8-sig", "surrogateescape"))
    except FileNotFoundError as error:
        raise NotFoundError("file not found", where=path) from error
    reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    if missing := [name for name in _NEEDED if name not in (reader.fieldnames or ())]:
        raise InvalidInputError(
            "not an official summary",
            where=f"{path}:1",
            expected=f"columns {', '.join(_NEEDED)}",
            found=f"no {', '.join(missing)}",
        )
    found: list[CmRow] = []
    known = set(CmRow.__struct_fields__) - {"assay", "assay_row", "Result_Power", "Result_Power_Units", "git_url"}
    try:
        for fields in reader:
            if None in fields or None in fields.values():
                raise InvalidInputError("the line has not as many fields as the heading", where=_line(path, reader))
            if _MISSPELT in fields:
                fields["compliance"] = fields.pop(_MISSPELT)
            row = CmRow(**{name: value for name, value in fields.items() if name in known})  # type: ignore[arg-type]
            row.version = row.version or round_
            row.has_power = row.has_power in ("True", "1")
            row.compliance = int(row.compliance) if row.compliance in ("0", "1") else None
            if not row.version:
                raise InvalidInputError(
                    "the round is not told", where=_line(path, reader), hint="give it: --round v3.0"
                )
            found.append(row)
    except csv.Error as error:
        raise InvalidInputError(f"not CSV: {error}", where=_line(path, reader)) from error
    return found


def _line(path: Path, reader: csv.DictReader[str]) -> str:
    return f"{path}:{reader.reader.line_num}"
