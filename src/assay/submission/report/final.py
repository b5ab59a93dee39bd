"""The final report as tables: what the official generator makes of a ``summary.csv``, before it is a workbook.

Source: tools/submission/generate_final_report.py of mlcommons/inference at v3.0 to v4.0, generate-final-report.py at
v2.0 and v2.1. That tool leaves the reading of the CSV and the sorting to pandas; what they do to a value is done here:
a column whose every value is a number is a column of numbers, ``N/A`` and its like are empty, rows that share all but
the figure become one with the mean of the figures.
"""

from __future__ import annotations

import csv
import io
import itertools
import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import fmean

from assay.rules.model import Round
from assay.rules.submission import ReportForm
from assay.submission.report.words import plain

Value = str | int | float | bool

SUITES = ("datacenter", "edge")
_DIVISIONS = ("closed", "open", "network")
_SCENARIOS = ("SingleStream", "MultiStream", "Server", "Offline")
_MODELS = (
    "resnet",
    "retinanet",
    "ssd-small",
    "ssd-large",
    "3d-unet-99",
    "3d-unet-99.9",
    "rnnt",
    "bert-99",
    "bert-99.9",
    "dlrm-99",
    "dlrm-99.9",
    "dlrm-v2-99",
    "dlrm-v2-99.9",
    "gptj-99",
    "gptj-99.9",
    "stable-diffusion-xl",
    "llama2-70b-99",
    "llama2-70b-99.9",
)
# What pandas reads as nothing.
_NOTHING = frozenset(
    [
        *("", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN"),
        *("<NA>", "N/A", "NA", "NULL", "NaN", "None", "n/a", "nan", "null"),
    ]
)
_INTEGER = re.compile(r"[+-]?[0-9]{1,18}")
_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,3})?|[+-]?inf(inity)?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Form:
    """What differs between the generators of the rounds, by the round's rules."""

    rules: ReportForm
    number: str
    energy: str
    divisions: tuple[str, ...]

    def sheet(self, suite: str, division: str, *, power: bool) -> str:
        """Name of a sheet."""
        tail = ("power",) if power else ()
        if self.rules.suite_first:
            return " - ".join((suite, division, *tail))
        return ",".join((division, suite, *tail))

    def identifier(self, number: int) -> str:
        """The ID of the system with a running number."""
        return f"{self.number}-{number:0{self.rules.id_digits}}"

    def index(self, division: str) -> tuple[str, ...]:
        """The columns that say which row it is."""
        own = ("UsedModel", "Accuracy") if division == "open" else ()
        return (
            *("ID", "Unique ID (e.g. for Audit)", "ColorKey", "Submitter", "Availability", "System"),
            *(("Nodes",) if self.rules.nodes else ()),
            *("Processor", "p#", "Accelerator", "a#", "Software", "Notes"),
            *own,
            "Details",
            *(("Code",) if self.rules.code else ()),
        )


def form_of(round_: Round) -> Form:
    """The form of a round's workbook."""
    assert round_.submission is not None
    rules = round_.submission
    return Form(
        rules.report,
        rules.report.number or round_.name.removeprefix("v"),
        rules.power.energy_unit,
        tuple(each for each in _DIVISIONS if each in rules.divisions),
    )


@dataclass(frozen=True, slots=True)
class Link:
    """A cell that opens an address.

    Attributes:
        url: the address, not escaped.
    """

    url: str
    text: str


Cell = Value | Link


@dataclass(frozen=True, slots=True)
class Column:
    """A column of figures."""

    model: str
    scenario: str
    unit: str


@dataclass(frozen=True, slots=True)
class Line:
    """A row of a sheet.

    Attributes:
        color_key: availability and submitter; rows of one colour stand together.
        index: cells of the index columns.
        figures: column to figure; only those there are.
    """

    color_key: str
    index: tuple[Cell, ...]
    figures: Mapping[Column, float]


@dataclass(frozen=True, slots=True)
class Sheet:
    """One sheet of the final report."""

    name: str
    index: tuple[str, ...]
    columns: tuple[Column, ...]
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class FinalReport:
    """All sheets.

    Attributes:
        unread: lines of the CSV that are no row of it: a quote inside a name broke them. The official generator stops
            at the first.
    """

    sheets: tuple[Sheet, ...]
    unread: tuple[str, ...] = ()


def final_report(round_: Round, header: str, rows: Iterable[str]) -> FinalReport:
    """The sheets that the official generator makes of a summary.

    Args:
        round_: the round, with rules of submissions.
        header: heading of the summary.
        rows: its lines.
    """
    form = form_of(round_)
    records, unread = _read(header, rows)
    if not records:
        return FinalReport((), unread)
    entries = _entries(records, form)
    required = _required(round_)
    sheets = []
    for division in form.divisions:
        for suite in SUITES:
            own = [each for each in entries if each.division == division and suite in each.suite]
            asked = [each for each in own if each.column.scenario in required[suite].get(each.column.model, ())]
            measured = [each for each in (asked if form.rules.required_power_only else own) if each.has_power]
            plain_units = [each for each in asked if each.column.unit not in _power_units(form)]
            for power, chosen in ((False, plain_units), (True, measured)):
                if chosen:
                    name = form.sheet(suite, division, power=power)
                    sheets.append(_sheet(name, form, division, chosen, tuple(required[suite])))
    return FinalReport(tuple(sheets), unread)


def _power_units(form: Form) -> tuple[str, ...]:
    return ("Watts", form.energy, f"{form.energy}/Stream")


def _required(round_: Round) -> dict[str, dict[str, tuple[str, ...]]]:
    """Suite to model to required scenarios."""
    asked = {
        suite: {
            name: tuple(
                scenario.value
                for category, scenarios in benchmark.required.items()
                if category.value == suite
                for scenario in scenarios
            )
            for name, benchmark in round_.benchmarks.items()
        }
        for suite in SUITES
    }
    return {suite: {name: models[name] for name in _ordered(models)} for suite, models in asked.items()}


def _ordered(models: Iterable[str]) -> list[str]:
    """Models in the order of the generators, others behind them in the order given."""
    names = list(models)
    return [*(name for name in _MODELS if name in names), *(name for name in names if name not in _MODELS)]


# ---- the summary as columns


def _read(header: str, rows: Iterable[str]) -> tuple[list[dict[str, str]], tuple[str, ...]]:
    names = header.split(",")
    records, unread = [], []
    for row in rows:
        try:
            parsed = list(csv.reader(io.StringIO(row, newline="")))
        except csv.Error:
            parsed = []
        if len(parsed) == 1 and len(parsed[0]) == len(names):
            records.append(dict(zip(names, parsed[0], strict=True)))
        else:
            unread.append(row)
    return records, tuple(unread)


def _typed(texts: Sequence[str]) -> list[Value]:
    """A column as pandas reads it: whole numbers, numbers, truths or texts; nothing is an empty text."""
    there = [text for text in texts if text not in _NOTHING]
    if not there:
        return [""] * len(texts)
    convert: Callable[[str], Value] = plain
    if all(_INTEGER.fullmatch(text) for text in there):
        convert = int if len(there) == len(texts) else float
    elif all(_NUMBER.fullmatch(text) for text in there):
        convert = float
    elif all(text in ("True", "TRUE", "true", "False", "FALSE", "false") for text in there):
        convert = _truth
    return [convert(text) if text not in _NOTHING else "" for text in texts]


def _truth(text: str) -> bool:
    return text.lower() == "true"


@dataclass(slots=True)
class _Entry:
    """A row of the summary with the names of the final report."""

    division: str
    suite: str
    has_power: bool
    column: Column
    figure: float
    unique: str
    color_key: str
    order: tuple[str, ...]
    cells: dict[str, Cell] = field(default_factory=dict)


def _entries(records: Sequence[Mapping[str, str]], form: Form) -> list[_Entry]:
    """Rows in the order of the IDs, each with its ID."""
    numbers = {name: _typed([each[name] for each in records]) for name in _TYPED}
    entries = []
    for place, record in enumerate(records):
        figure = numbers["Result"][place]
        if isinstance(figure, str):
            continue
        typed = {name: values[place] for name, values in numbers.items()}
        entries.append(_entry(record, typed, float(figure), form))
    entries.sort(key=lambda each: each.order)
    identifiers = {name: place for place, name in enumerate(dict.fromkeys(each.unique for each in entries), start=1)}
    for each in entries:
        each.cells["ID"] = form.identifier(identifiers[each.unique])
    return entries


_TYPED = (
    *("Result", "Accuracy", "number_of_nodes", "host_processors_per_node", "accelerators_per_node"),
    *("host_processor_model_name", "accelerator_model_name", "framework", "notes", "SystemName"),
)


def _entry(record: Mapping[str, str], typed: Mapping[str, Value], figure: float, form: Form) -> _Entry:
    texts = {name: "" if value in _NOTHING else plain(value) for name, value in record.items()}
    division, submitter = texts["Division"], texts["Organization"]
    available = "available" if texts["Availability"] == "on-premise" else texts["Availability"]
    names = (texts["SystemType"], division, submitter, texts["Platform"])
    unique = "/".join((*names, texts["Model"]) if division == "open" else names)
    accelerator = typed["accelerator_model_name"]
    address = "/".join((form.rules.address, division, submitter))
    cells: dict[str, Cell] = {
        "Unique ID (e.g. for Audit)": unique,
        "ColorKey": available + submitter,
        "Submitter": submitter,
        "Availability": available,
        "System": typed["SystemName"],
        "Nodes": typed["number_of_nodes"],
        "Processor": typed["host_processor_model_name"],
        "p#": _processors(typed, form),
        "Accelerator": "" if accelerator == "-" else accelerator,
        "a#": _accelerators(typed["accelerators_per_node"]),
        "Software": typed["framework"],
        "Notes": typed["notes"],
        "UsedModel": texts["Model"],
        "Accuracy": typed["Accuracy"],
        "Details": Link(f"{address}/results/{texts['Platform']}", "details"),
        "Code": Link(f"{address}/code", "code"),
    }
    return _Entry(
        division=division,
        suite=texts["SystemType"],
        has_power=texts["has_power"] == "True",
        column=Column(texts["MlperfModel"], texts["Scenario"], texts["Units"]),
        figure=figure,
        unique=unique,
        color_key=available + submitter,
        order=(division, available, submitter, unique),
        cells=cells,
    )


def _processors(typed: Mapping[str, Value], form: Form) -> Value:
    """Processors of a node (v2.0: of all nodes); the text itself where it is no count."""
    count = _whole(typed["host_processors_per_node"])
    nodes = 1 if form.rules.nodes else _whole(typed["number_of_nodes"])
    return typed["host_processors_per_node"] if count is None or nodes is None else count * nodes


def _accelerators(value: Value) -> Value:
    whole = int(value) if isinstance(value, str) and value.isdecimal() else value
    return "" if whole == 0 else whole


def _whole(value: Value) -> int | None:
    if isinstance(value, str):
        return int(value) if _INTEGER.fullmatch(value.strip()) else None
    return int(value) if math.isfinite(value) else None


# ---- one sheet


def _sheet(name: str, form: Form, division: str, entries: Sequence[_Entry], models: Sequence[str]) -> Sheet:
    index = form.index(division)
    figures: dict[tuple[Cell, ...], dict[Column, list[float]]] = {}
    color_keys = {}
    for each in entries:
        key = tuple(each.cells[column] for column in index)
        figures.setdefault(key, {}).setdefault(each.column, []).append(each.figure)
        color_keys[key] = each.color_key
    there = {column for row in figures.values() for column in row}
    units = ("Latency (ms)", "Samples/s", "Queries/s", form.energy, "Watts")
    columns = tuple(
        column for column in itertools.starmap(Column, itertools.product(models, _SCENARIOS, units)) if column in there
    )
    lines = tuple(
        Line(color_keys[key], key, {column: fmean(values) for column, values in row.items()})
        for key, row in sorted(figures.items(), key=lambda item: [_sort_key(cell) for cell in item[0]])
    )
    return Sheet(name, index, columns, lines)


def _sort_key(cell: Cell) -> tuple[int, float, str]:
    """Numbers before texts, as pandas sorts a column of both."""
    if isinstance(cell, Link):
        return (1, 0, cell.url)
    return (1, 0, cell) if isinstance(cell, str) else (0, cell, "")
