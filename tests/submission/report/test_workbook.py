from __future__ import annotations

import re
import zipfile
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import openpyxl
import pytest
from openpyxl.worksheet.worksheet import Worksheet

from assay.errors import MachineError
from assay.rules.load import load_round
from assay.submission.check import check
from assay.submission.report import write
from assay.submission.report.final import Column, FinalReport, Line, Link, Sheet, final_report
from assay.submission.report.workbook import link_formula, write_sheets

from .made import HEADER, report
from .test_final import OFFICIAL, ROWS, row


def cells(sheet: Worksheet) -> dict[str, Any]:
    return {cell.coordinate: cell.value for line in sheet.iter_rows() for cell in line if cell.value not in (None, "")}


def book(rows: list[str], folder: Path, round_name: str = "v3.0") -> Any:
    target = folder / "final.xlsx"
    write("xlsx", report([], rows=tuple(rows), round=round_name, rules=load_round(round_name)), target)
    assert list(folder.iterdir()) == [target]
    return openpyxl.load_workbook(target)


@pytest.mark.parametrize("round_name", sorted(OFFICIAL["workbooks"]))
def test_cells_are_those_of_the_official_generator(round_name: str, tmp_path: Path) -> None:
    found, official = book(ROWS, tmp_path, round_name), OFFICIAL["workbooks"][round_name]
    assert found.sheetnames == list(official)
    for sheet in found:
        assert cells(sheet) == official[sheet.title]["cells"], sheet.title
        assert sorted(map(str, sheet.merged_cells.ranges)) == official[sheet.title]["merged"]


def test_looks(tmp_path: Path) -> None:
    found = book([row(Organization=name, Platform=name) for name in ("A", "B", "C")], tmp_path)["closed,edge"]
    assert [(each.min, each.max) for each in found.column_dimensions.values() if each.hidden] == [(2, 3)]
    assert found.freeze_panes == "E6"
    assert found["O6"].number_format == "#,##0.00"
    assert [found[f"A{number}"].fill.fgColor.rgb for number in (6, 7, 8)] == ["00000000", "FFEFEFEF", "00000000"]
    assert found["N6"].value == (
        '=HYPERLINK("https://github.com/mlcommons/submissions_inference_3.0/tree/master/closed/A/results/A","details")'
    )


HOSTILE = [
    "=cmd|' /C calc'!A0",
    "+1+1",
    "-2+3|x",
    "@SUM(1)",
    "http://x.invalid/",
    "=1",
    "\t=1",
    "file:///etc/passwd",
    "{=1}",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_names_are_never_formulas_or_links(text: str, tmp_path: Path) -> None:
    book([row(Organization=text, SystemName=text, framework=text, notes=text, Platform=text)], tmp_path)
    with zipfile.ZipFile(tmp_path / "final.xlsx") as archive:
        page = archive.read("xl/worksheets/sheet1.xml").decode()
        assert not any("rels" in name and "sheet" in name for name in archive.namelist())
    (formula,) = re.findall(r"<f>(.*?)</f>", page)
    assert formula.startswith('HYPERLINK("https://github.com/')
    assert "<hyperlink" not in page
    preserve = ' xml:space="preserve"' if text[0].isspace() else ""
    assert f"<is><t{preserve}>{escape(text)}</t></is>" in page


def test_an_address_cannot_leave_its_quotes() -> None:
    assert link_formula(Link('https://x/"&cmd|"', "details")) == '=HYPERLINK("https://x/""&cmd|""","details")'
    assert link_formula(Link("https://x/" + "a" * 300, "details")) is None


def test_a_long_address_is_text(tmp_path: Path) -> None:
    found = book([row(Platform="p" * 300)], tmp_path)["closed,edge"]
    assert found["N6"].value.endswith("p" * 300)
    assert found["N6"].value.startswith("https://")


def test_control_characters_and_long_texts(tmp_path: Path) -> None:
    found = book([row(notes="a\x00\x1b\udcff", SystemName="s" * 40_000)], tmp_path)["closed,edge"]
    assert found["F6"].value == "s" * 32767
    assert found["M6"].value == "a\ufffd\ufffd\ufffd"


def test_rows_that_are_none_have_a_sheet_of_their_own(tmp_path: Path) -> None:
    found = book(["=1+1,x", row()], tmp_path)
    assert found.sheetnames == ["closed,edge", "rows left out"]
    with zipfile.ZipFile(tmp_path / "final.xlsx") as archive:
        assert b"<f>" not in archive.read("xl/worksheets/sheet2.xml")
    assert found["rows left out"]["A2"].value == "=1+1,x"


def test_nothing_taken(tmp_path: Path) -> None:
    assert book([], tmp_path).sheetnames == ["no results"]


def test_equal_neighbours_are_one_cell(tmp_path: Path) -> None:
    def line(number: float, identifier: str = "1", kind: str = "k") -> Line:
        return Line("x", (identifier, kind, number), {Column("m", "Offline", "Samples/s"): number})

    lines = (line(1), line(2), line(3, kind="other"), line(4, "2", "other"))
    sheet = Sheet("s", ("ID", "Kind", "Last"), (Column("m", "Offline", "Samples/s"),), lines)
    write_sheets(FinalReport((sheet,)), tmp_path / "x.xlsx")
    found = openpyxl.load_workbook(tmp_path / "x.xlsx")["s"]
    assert {str(each) for each in found.merged_cells.ranges} == {"A6:A8", "B6:B7"}
    assert [found[f"A{number}"].value for number in range(6, 10)] == ["1", None, None, "2"]
    assert [found[f"B{number}"].value for number in range(6, 10)] == ["k", None, "other", "other"]


def test_a_file_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(MachineError):
        write_sheets(FinalReport(()), tmp_path / "file" / "x.xlsx")


def test_the_sample(sample_tree: Path, tmp_path: Path) -> None:
    made = check(sample_tree, "v3.0", jobs=1)
    write("xlsx", made, tmp_path / "x.xlsx")
    found = openpyxl.load_workbook(tmp_path / "x.xlsx")
    # Names and counts of cells with a value, as the generator of v3.0 wrote them of the same rows.
    assert {sheet.title: len(cells(sheet)) for sheet in found} == {
        "closed,datacenter": 88,
        "closed,datacenter,power": 120,
        "closed,edge": 97,
        "closed,edge,power": 128,
        "open,datacenter": 39,
        "open,edge": 61,
        "open,edge,power": 70,
        "network,datacenter": 46,
    }
    assert found["closed,datacenter"]["O6"].value == 203512
    assert final_report(made.rules, made.header, made.rows).unread == ()
    assert made.header == HEADER
