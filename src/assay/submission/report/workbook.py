"""The final report as a workbook, with the sheets, rows and cells of the official generator's.

Looks differ where the official ones do not work outside of one program: the bands by submitter are colours of the cells
instead of a formula that only Google Sheets knows, and rows below the 200th have them, too. Nothing that comes out of a
tree is ever a formula: text is written as text, and the addresses behind *details* and *code* are escaped.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

import xlsxwriter  # type: ignore[import-untyped]
from xlsxwriter.exceptions import XlsxFileError  # type: ignore[import-untyped]
from xlsxwriter.worksheet import Worksheet  # type: ignore[import-untyped]

from assay import __version__
from assay.base.files import atomic_path
from assay.errors import MachineError
from assay.submission.model import CheckReport
from assay.submission.report.final import Cell, FinalReport, Line, Link, Sheet, final_report
from assay.submission.report.words import plain

if TYPE_CHECKING:
    from xlsxwriter.format import Format  # type: ignore[import-untyped]

_HEADINGS = ("Result", "Model", "Scenario", "Units")
_WIDTHS = {"ID": 10, "Submitter": 14, "Availability": 11, "System": 34, "Processor": 30, "Accelerator": 28}
_WIDTHS |= {"Software": 30, "Notes": 30, "UsedModel": 18, "Accuracy": 14, "Nodes": 7, "p#": 5, "a#": 6}
_HIDDEN = ("Unique ID (e.g. for Audit)", "ColorKey")
# ID to submitter, which stay in sight.
_FROZEN = 4
_BAND = "#EFEFEF"
# Excel reads no text of a formula that is longer, and no cell.
_MAX_FORMULA_TEXT = 255
_MAX_CELL = 32767


def write(report: CheckReport, path: Path) -> None:
    """Write the final report of the rows that the official tool takes.

    Raises:
        MachineError: when the file cannot be written.
    """
    write_sheets(final_report(report.rules, report.header, report.rows), path)


def write_sheets(final: FinalReport, path: Path) -> None:
    """Write a final report; one without rows has an empty sheet, for a workbook cannot have none."""
    with atomic_path(path) as temporary, _machine_errors(path):
        options = {
            "constant_memory": True,
            "strings_to_formulas": False,
            "strings_to_urls": False,
            "strings_to_numbers": False,
            "nan_inf_to_errors": True,
        }
        with xlsxwriter.Workbook(str(temporary), options) as book:
            book.set_properties({"title": "MLPerf Inference results", "comments": f"Written by assay {__version__}"})
            styles = _Styles(book)
            for sheet in final.sheets:
                _SheetWriter(book, sheet, styles).write()
            if final.unread:
                _unread(book, final.unread, styles)
            if not final.sheets and not final.unread:
                book.add_worksheet("no results")


@contextlib.contextmanager
def _machine_errors(path: Path) -> Iterator[None]:
    """The library's own error for a file that it cannot write, in the house's words."""
    try:
        yield
    except XlsxFileError as error:
        raise MachineError(f"the workbook cannot be written: {error}", where=path) from error


def link_formula(link: Link) -> str | None:
    """The formula of a link; None when its address is too long for one."""
    if max(len(link.url), len(link.text)) > _MAX_FORMULA_TEXT:
        return None
    url, text = (part.replace('"', '""') for part in (link.url, link.text))
    return f'=HYPERLINK("{url}","{text}")'


def _unread(book: Any, rows: Sequence[str], styles: _Styles) -> None:
    page = book.add_worksheet("rows left out")
    page.write_string(0, 0, "Rows of summary.csv that are none: a quote or line end inside a name", styles.head)
    for number, row in enumerate(rows, start=1):
        page.write_string(number, 0, plain(row)[:_MAX_CELL])


class _Page(Worksheet):  # type: ignore[misc]
    """A sheet whose cells can be joined without being written again."""

    def join(self, first_row: int, first_column: int, last_row: int, last_column: int) -> None:
        """Show cells as one. In constant memory a row is gone once the next one is begun, so none is written here."""
        if (first_row, first_column) != (last_row, last_column):
            self.merge.append([first_row, first_column, last_row, last_column])


class _Styles:
    """Formats by what a cell is and whether it is in a band."""

    def __init__(self, book: Any) -> None:
        self.head: Format = book.add_format({"bold": True, "align": "center", "border": 1})
        bands: tuple[dict[str, Any], ...] = ({}, {"bg_color": _BAND})
        top = {"valign": "top"}
        self.index: list[Format] = [book.add_format({**top, **band}) for band in bands]
        self.link: list[Format] = [
            book.add_format({**top, "font_color": "#0563C1", "underline": 1, **band}) for band in bands
        ]
        self.figure: list[Format] = [book.add_format({**top, "num_format": "#,##0.00", **band}) for band in bands]


class _SheetWriter:
    """Writes one sheet, from its first row to its last."""

    def __init__(self, book: Any, sheet: Sheet, styles: _Styles) -> None:
        self._sheet = sheet
        self._styles = styles
        self._page: Any = book.add_worksheet(sheet.name, _Page)

    def write(self) -> None:
        """Write all of it."""
        sheet, page = self._sheet, self._page
        for number, name in enumerate(sheet.index):
            page.set_column(number, number, _WIDTHS.get(name, 9), None, {"hidden": name in _HIDDEN})
        if sheet.columns:
            page.set_column(len(sheet.index), len(sheet.index) + len(sheet.columns) - 1, 13)
        page.freeze_panes(len(_HEADINGS) + 1, _FROZEN)
        self._heads()
        self._lines()

    def _heads(self) -> None:
        sheet, page, head = self._sheet, self._page, self._styles.head
        left = len(sheet.index)
        names = [("Result", each.model, each.scenario, each.unit) for each in sheet.columns]
        for level, heading in enumerate(_HEADINGS):
            page.write_string(level, left - 1, "" if level == 0 else heading, head)
            for first, count in _runs([name[: level + 1] for name in names], join=level < len(_HEADINGS) - 1):
                page.write_string(level, left + first, names[first][level], head)
                for extra in range(first + 1, first + count):
                    page.write_blank(level, left + extra, None, head)
                page.join(level, left + first, level, left + first + count - 1)
        for number, name in enumerate(sheet.index):
            page.write_string(len(_HEADINGS), number, name, head)

    def _lines(self) -> None:
        sheet = self._sheet
        spans = [
            dict(_runs([line.index[: number + 1] for line in sheet.lines], join=number < len(sheet.index) - 1))
            for number in range(len(sheet.index))
        ]
        for place, (line, band) in enumerate(zip(sheet.lines, _bands(sheet.lines), strict=True)):
            row = len(_HEADINGS) + 1 + place
            for number, cell in enumerate(line.index):
                count = spans[number].get(place)
                self._cell(row, number, "" if count is None else cell, band)
                if count is not None:
                    self._page.join(row, number, row + count - 1, number)
            for number, column in enumerate(sheet.columns, start=len(sheet.index)):
                figure = line.figures.get(column)
                self._cell(row, number, "" if figure is None else figure, band, figure=True)

    def _cell(self, row: int, column: int, cell: Cell, band: int, *, figure: bool = False) -> None:
        style = (self._styles.figure if figure else self._styles.index)[band]
        if cell == "":
            self._page.write_blank(row, column, None, style)
        elif isinstance(cell, Link):
            formula = link_formula(cell)
            if formula is None:
                self._page.write_string(row, column, cell.url[:_MAX_CELL], style)
            else:
                self._page.write_formula(row, column, formula, self._styles.link[band], cell.text)
        elif isinstance(cell, str):
            self._page.write_string(row, column, cell[:_MAX_CELL], style)
        elif isinstance(cell, bool):
            self._page.write_boolean(row, column, cell, style)
        else:
            self._page.write_number(row, column, cell, style)


def _runs(values: Sequence[object], *, join: bool) -> Iterator[tuple[int, int]]:
    """Where equal neighbours begin, and how many they are; each by itself unless they are joined."""
    at = 0
    for _, group in groupby(enumerate(values), key=lambda item: item[1] if join else item[0]):
        count = sum(1 for _ in group)
        yield at, count
        at += count


def _bands(lines: Sequence[Line]) -> Iterator[int]:
    """0 or 1 for each line: the other one whenever the submitter or its availability changes."""
    for number, (_, group) in enumerate(groupby(lines, key=lambda line: line.color_key)):
        for _ in group:
            yield number % 2
