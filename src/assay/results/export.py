"""An answer as text for people and programs: CSV, JSON, JSON lines, Markdown, LaTeX; and as a Parquet file."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import Any

from assay.errors import UsageError
from assay.results.table import Table

_LATEX = str.maketrans(
    {
        "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_", "{": r"\{", "}": r"\}",
        "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": r"\textless{}", ">": r"\textgreater{}",
        "|": r"\textbar{}", "\n": " ", "\r": " ",
    }
)  # fmt: skip
# What makes a name in a cell a link, a picture or a tag; the signs of emphasis are left readable.
_MARKDOWN = str.maketrans({**{each: f"\\{each}" for each in "\\|<[`*"}, "\n": " ", "\r": " "})


class Form(StrEnum):
    """How an answer is written."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"
    NDJSON = "ndjson"
    PARQUET = "parquet"
    MARKDOWN = "markdown"
    LATEX = "latex"


_SUFFIXES = {
    ".csv": Form.CSV, ".json": Form.JSON, ".ndjson": Form.NDJSON, ".jsonl": Form.NDJSON, ".parquet": Form.PARQUET,
    ".md": Form.MARKDOWN, ".tex": Form.LATEX,
}  # fmt: skip


def form_of(path: Path) -> Form:
    """The form that a file's name asks for.

    Raises:
        UsageError: for a name that asks for none.
    """
    form = _SUFFIXES.get(path.suffix.lower())
    if form is None:
        raise UsageError(
            f"{path.name} asks for no form that is known", expected=f"a name that ends in {', '.join(_SUFFIXES)}"
        )
    return form


def plain(value: Any) -> Any:
    """A value for programs: a count without a fraction as a whole number, lists and structures as they are."""
    return int(value) if isinstance(value, float) and value.is_integer() and abs(value) < 2**53 else value


def cell(value: Any) -> str:
    """A value in one cell of text; empty when there is none."""
    value = plain(value)
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return ",".join(map(cell, value))
    if isinstance(value, dict):
        return json.dumps(value, ensure_ascii=False)
    return repr(value) if isinstance(value, float) else str(value)


def written(table: Table, form: Form) -> str:
    """An answer as text.

    Raises:
        UsageError: for a form that is no text.
    """
    writers: dict[Form, Callable[[Table], str]] = {
        Form.CSV: _csv, Form.JSON: _json, Form.NDJSON: _ndjson, Form.MARKDOWN: _markdown, Form.LATEX: _latex,
    }  # fmt: skip
    if form not in writers:
        raise UsageError(f"{form.value} is no text", hint="write it to a file: --out results.parquet")
    return writers[form](table)


def _csv(table: Table) -> str:
    lines = _Lines()
    # A cell is quoted for what is in the line end, so also for a carriage return alone.
    writer = csv.writer(lines, lineterminator="\r\n")
    writer.writerow(table.names)
    writer.writerows([cell(value) for value in row] for row in table.rows)
    return "".join(lines)


class _Lines(list[str]):
    """What a writer of CSV writes to: its lines, with the usual end."""

    def write(self, line: str) -> None:
        self.append(line.removesuffix("\r\n") + "\n")


def _json(table: Table) -> str:
    value = {
        "columns": [{"name": each.name, "kind": each.kind.value, "unit": each.unit or None} for each in table.columns],
        "rows": _dicts(table),
    }
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


def _ndjson(table: Table) -> str:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in _dicts(table))


def _dicts(table: Table) -> list[dict[str, Any]]:
    return [{name: plain(value) for name, value in row.items()} for row in table.dicts()]


def _markdown(table: Table) -> str:
    def line(cells: list[str]) -> str:
        return "| " + " | ".join(each.translate(_MARKDOWN) for each in cells) + " |"

    rule = "|" + "|".join("---:" if each.kind.value == "number" else "---" for each in table.columns) + "|"
    lines = [line([each.heading for each in table.columns]), rule]
    lines += [line([cell(value) for value in row]) for row in table.rows]
    return "\n".join(lines) + "\n"


def _latex(table: Table) -> str:
    def line(cells: list[str]) -> str:
        text = " & ".join(each.translate(_LATEX) for each in cells)
        # After the end of the line before, a bracket or a star would be an argument of it.
        return ("{}" if text.lstrip().startswith(("[", "*")) else "") + text + r" \\"

    form = "".join("r" if each.kind.value == "number" else "l" for each in table.columns)
    lines = [rf"\begin{{tabular}}{{{form}}}", r"\hline", line([each.heading for each in table.columns]), r"\hline"]
    lines += [line([cell(value) for value in row]) for row in table.rows]
    return "\n".join([*lines, r"\hline", r"\end{tabular}"]) + "\n"
