from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from assay.base.settings import Settings
from assay.cli.render import Output
from assay.cli.results_view import show_result, show_table, shown
from assay.expressions import Kind
from assay.results.fields import FIELDS
from assay.results.one import Found
from assay.results.query import COLUMNS, EVERYTHING, Query, run_query
from assay.results.store import open_store
from assay.results.table import Column, Table

from ..results.rows import make_row, put
from .conftest import Call

WIDE = "r282_z93_q5e-qaic-v1.8.3.7-aic100-with-a-name-that-never-ends"


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (None, "W", ""),
        (True, "", "yes"),
        (False, "", "no"),
        (1.5e6, "ns", "1.50 ms"),
        (600.0, "s", "10m 00s"),
        (8.6e9, "B", "8.6 GB"),
        (1234567.0, "", "1,234,567"),
        (0.123456, "J/sample", "0.1235"),
        (59598.4, "", "59,598"),
        (["edge", "datacenter"], "", "edge, datacenter"),
        ([], "", ""),
        ("[bold]x", "", "[bold]x"),
        ({"a": "b"}, "", '{"a": "b"}'),
    ],
)
def test_values_for_people(value: Any, unit: str, text: str) -> None:
    assert shown(value, unit) == text


def table_of(columns: tuple[Column, ...], rows: list[tuple[Any, ...]]) -> Table:
    return Table(None, "", (), columns, _rows=rows)  # type: ignore[arg-type]


COLUMNS_OF = (Column("system", Kind.TEXT), Column("round", Kind.TEXT), Column("per", Kind.NUMBER, "samples/J"))


def test_a_heading_is_no_mark_up(capsys: pytest.CaptureFixture[str]) -> None:
    show_table(table_of(COLUMNS_OF, [("[red]a", "v3.0", 1.5)]), Output())
    out = capsys.readouterr().out
    assert "per [samples/J]" in out and "[red]a" in out


def test_what_is_the_same_is_said_once_in_a_brief_table(capsys: pytest.CaptureFixture[str]) -> None:
    rows: list[tuple[Any, ...]] = [("a", "v3.0", None), ("b", "v3.0", None)]
    show_table(table_of(COLUMNS_OF, rows), Output(), brief=True)
    assert capsys.readouterr().out.split() == ["round", "v3.0", "system", "a", "b"]
    show_table(table_of(COLUMNS_OF, rows), Output())
    assert "round" in capsys.readouterr().out.splitlines()[0]
    show_table(table_of(COLUMNS_OF, rows[:1]), Output(), brief=True)
    assert capsys.readouterr().out.splitlines()[0].split() == ["system", "round"]
    show_table(table_of(COLUMNS_OF, []), Output(), brief=True)
    assert capsys.readouterr().out.split() == ["system", "round", "per", "[samples/J]"]


@pytest.mark.parametrize("width", [100, 200])
def test_on_a_terminal_long_names_are_broken_and_nothing_else(
    results_home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, width: int
) -> None:
    rows = [
        make_row(
            number, system=f"{WIDE}-{number}", accelerator=f"Cloud AI 100 PCIe/HHHL Pro {number}", scenario=scenario,
            organisation=f"Hewlett Packard {number}", watts=500.0 + number,
        )
        for number, scenario in enumerate(("Offline", "SingleStream", "MultiStream"))
    ]  # fmt: skip
    put(Settings(results_home), rows)
    monkeypatch.setenv("COLUMNS", str(width))
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    with open_store(Settings(results_home)) as store:
        show_table(run_query(store, Query(columns=COLUMNS)), Output(), brief=True)
    out = re.sub(r"\x1b\[[0-9;]*m", "", capsys.readouterr().out)
    lines = out.splitlines()
    assert max(len(line.rstrip()) for line in lines[1:]) <= width
    for word in ("SingleStream", "MultiStream", "Hewlett Packard", "102", "watts [W]"):
        assert word in out
    assert (WIDE in out) == (width == 200)
    assert len(lines) <= (14 if width == 100 else 5)


def test_every_field_that_has_a_value_is_shown(results_home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    row = make_row(0, watts=10.0, accuracy=76.0, findings=("seed-wrong",), logs={"a/b.txt": "0" * 64})
    put(Settings(results_home), [row])
    with open_store(Settings(results_home)) as store:
        found = store.run(f"SELECT {', '.join(f'{chr(34)}{field.name}{chr(34)}' for field in FIELDS)} FROM results")
        values = dict(zip([field.name for field in FIELDS], found.fetchall()[0], strict=True))
    one = Found(values, (("feedface", "Server", None, None),))
    show_result(one, Output(), everything=True)
    text = capsys.readouterr().out
    told_first = {
        "round",
        "benchmark",
        "scenario",
        "division",
        "category",
        "value",
        "unit",
        "lower_is_better",
        "format",
    }
    elsewhere = {"logs", "accuracies", "task", "organisation_given", "accelerator_given", "processor_given"}
    elsewhere |= {"memory_given", "power"}
    missing = [
        field.name
        for field in FIELDS
        if field.name not in told_first | elsewhere and not re.search(rf"^  {field.name}\b", text, re.MULTILINE)
    ]
    assert missing == []
    assert f"    {'0' * 64}  a/b.txt" in text
    assert "What the findings mean: assay explain seed-wrong" in text
    show_result(one, Output(as_json=True), everything=False)
    document = json.loads(capsys.readouterr().out)
    assert set(document) == {field.name for field in FIELDS} | {"siblings"}


def test_hostile_names_stay_text(call: Call, results_home: Path) -> None:
    names = {"system": "[link=x]s[/link]", "organisation": 'a"; DROP TABLE rows; --', "location": "closed/x\\y`|&$"}
    put(Settings(results_home), [make_row(0, **names)])
    for form in ("table", "csv", "markdown", "latex", "json"):
        code, out, _ = call("results", "query", "--format", form)
        assert code == 0
        assert "link=x" in out and "DROP TABLE" in out
    code, out, _ = call("results", "show", names["location"])
    assert code == 0 and names["system"] in out
    code, out, _ = call("results", "query", "--organisation", names["organisation"])
    assert code == 0 and "DROP" in out
    with open_store(Settings(results_home)) as store:
        assert len(run_query(store, Query(scope=EVERYTHING)).rows) == 1
