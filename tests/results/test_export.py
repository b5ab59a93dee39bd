from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.errors import UsageError
from assay.expressions import Kind
from assay.results.export import Form, cell, form_of, plain, written
from assay.results.table import Column, Table


def table(columns: list[Column], *rows: tuple[Any, ...]) -> Table:
    return Table(None, "", (), tuple(columns), frozenset(), list(rows))  # type: ignore[arg-type]


SMALL = table(
    [Column("system", Kind.TEXT), Column("watts", Kind.NUMBER, "W"), Column("ok", Kind.BOOLEAN), Column("labels", Kind.TEXTS)],
    ("box 1", 400.0, True, ["a", "b"]),
    ("50% & <b>", 0.1, False, []),
    (None, None, None, None),
)  # fmt: skip


def test_csv() -> None:
    assert written(SMALL, Form.CSV) == (
        'system,watts,ok,labels\nbox 1,400,true,"a,b"\n50% & <b>,0.1,false,\n,,,\n'
    )  # fmt: skip


def test_json() -> None:
    text = written(SMALL, Form.JSON)
    assert json.loads(text) == {
        "columns": [
            {"name": "system", "kind": "text", "unit": None},
            {"name": "watts", "kind": "number", "unit": "W"},
            {"name": "ok", "kind": "boolean", "unit": None},
            {"name": "labels", "kind": SMALL.columns[3].kind.value, "unit": None},
        ],
        "rows": [
            {"system": "box 1", "watts": 400, "ok": True, "labels": ["a", "b"]},
            {"system": "50% & <b>", "watts": 0.1, "ok": False, "labels": []},
            {"system": None, "watts": None, "ok": None, "labels": None},
        ],
    }
    assert '"watts": 400,' in text and text.endswith("}\n")


def test_lines_of_json() -> None:
    assert written(SMALL, Form.NDJSON) == (
        '{"system": "box 1", "watts": 400, "ok": true, "labels": ["a", "b"]}\n'
        '{"system": "50% & <b>", "watts": 0.1, "ok": false, "labels": []}\n'
        '{"system": null, "watts": null, "ok": null, "labels": null}\n'
    )


def test_markdown() -> None:
    assert written(SMALL, Form.MARKDOWN) == (
        "| system | watts \\[W] | ok | labels |\n"
        "|---|---:|---|---|\n"
        "| box 1 | 400 | true | a,b |\n"
        "| 50% & \\<b> | 0.1 | false |  |\n"
        "|  |  |  |  |\n"
    )


def test_latex() -> None:
    assert written(SMALL, Form.LATEX) == (
        "\\begin{tabular}{lrll}\n"
        "\\hline\n"
        "system & watts [W] & ok & labels \\\\\n"
        "\\hline\n"
        "box 1 & 400 & true & a,b \\\\\n"
        "50\\% \\& \\textless{}b\\textgreater{} & 0.1 & false &  \\\\\n"
        " &  &  &  \\\\\n"
        "\\hline\n"
        "\\end{tabular}\n"
    )


HOSTILE = "a|b\\c`d\n<img src=x>[x](javascript:1) *y*\r{_}^~#$%&\"'"


def test_markdown_stays_a_table_and_text() -> None:
    text = written(table([Column("a", Kind.TEXT), Column("b", Kind.TEXT)], (HOSTILE, "x")), Form.MARKDOWN)
    assert text.splitlines()[2] == (
        "| a\\|b\\\\c\\`d \\<img src=x>\\[x](javascript:1) \\*y\\* {_}^~#$%&\"' | x |"
    )  # fmt: skip


def test_latex_has_no_commands_of_strangers() -> None:
    text = written(
        table([Column("a", Kind.TEXT)], (HOSTILE,), ("\\input{/etc/passwd}",), ("[3cm] x",), ("* y",)), Form.LATEX
    )
    assert text.splitlines()[4:8] == [
        "a\\textbar{}b\\textbackslash{}c`d \\textless{}img src=x\\textgreater{}[x](javascript:1) *y* "
        "\\{\\_\\}\\textasciicircum{}\\textasciitilde{}\\#\\$\\%\\&\"' \\\\",
        "\\textbackslash{}input\\{/etc/passwd\\} \\\\",
        # Else the line end before would take it for an argument.
        "{}[3cm] x \\\\",
        "{}* y \\\\",
    ]


_VALUE = (
    st.none() | st.booleans() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
    | st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=5), max_size=3)
)  # fmt: skip
TWO = [Column("a", Kind.TEXT), Column("b", Kind.NUMBER, "W")]


@given(st.lists(st.tuples(_VALUE, _VALUE), max_size=4))
def test_what_is_written_for_programs_can_be_read(rows: list[tuple[Any, Any]]) -> None:
    answer = table(TWO, *rows)
    read = list(csv.reader(io.StringIO(written(answer, Form.CSV), newline=""), strict=True))
    assert read == [["a", "b"], *([cell(value) for value in row] for row in rows)]
    values = [{"a": a, "b": b} for a, b in rows]
    assert json.loads(written(answer, Form.JSON))["rows"] == values
    assert [json.loads(line) for line in written(answer, Form.NDJSON).split("\n") if line] == values


@given(st.lists(st.tuples(_VALUE, _VALUE), max_size=4))
def test_a_row_is_a_line_wherever_people_read(rows: list[tuple[Any, Any]]) -> None:
    answer = table(TWO, *rows)
    markdown = written(answer, Form.MARKDOWN).split("\n")
    assert len(markdown) == len(rows) + 3
    for line in markdown[:-1]:
        assert line.replace("\\\\", "").replace("\\|", "").count("|") == 3
    latex = written(answer, Form.LATEX).split("\n")
    assert len(latex) == len(rows) + 7
    for line in latex[4:-3]:
        assert line.endswith(r" \\") and line.replace(r"\&", "").count("&") == 1


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""), (True, "true"), (False, "false"), (3.0, "3"), (-0.0, "0"), (0.1, "0.1"), (1e300, "1e+300"),
        (2.0**53, "9007199254740992.0"), (5e-324, "5e-324"), (7, "7"), ("x", "x"), ([], ""), (["a", None, 2.0], "a,,2"),
        ({"a": "ü"}, '{"a": "ü"}'),
    ],
)  # fmt: skip
def test_cells(value: Any, text: str) -> None:
    assert cell(value) == text


def test_a_figure_that_is_whole_is_written_so() -> None:
    assert (plain(3.0), plain(2.0**60), plain(True), plain("3.0")) == (3, 2.0**60, True, "3.0")
    assert type(plain(3.0)) is int and type(plain(2.0**60)) is float


@pytest.mark.parametrize("form", [Form.TABLE, Form.PARQUET])
def test_forms_that_are_no_text(form: Form) -> None:
    with pytest.raises(UsageError, match=f"{form} is no text"):
        written(SMALL, form)


@pytest.mark.parametrize(
    ("name", "form"),
    [("a.csv", Form.CSV), ("a.JSON", Form.JSON), ("a.b.ndjson", Form.NDJSON), ("a.jsonl", Form.NDJSON),
     ("a.parquet", Form.PARQUET), ("a.md", Form.MARKDOWN), ("a.tex", Form.LATEX)],
)  # fmt: skip
def test_the_form_that_a_name_asks_for(name: str, form: Form) -> None:
    assert form_of(Path(name)) is form


@pytest.mark.parametrize("name", ["a", "a.txt", ".csv", "csv", "a.csv "])
def test_names_that_ask_for_none(name: str) -> None:
    with pytest.raises(UsageError, match="no form") as caught:
        form_of(Path(name))
    assert ".csv" in str(caught.value.expected)
