from __future__ import annotations

import csv
import dataclasses
import json
from collections import Counter
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from assay.rules.load import load_round, round_names
from assay.rules.submission import ReportForm
from assay.submission.check import check
from assay.submission.report.final import Column, FinalReport, Link, final_report, form_of

from ..conftest import ORACLE
from .made import HEADER

# A small summary, and the cells of the workbooks that the official generators (pandas 2.0) made of it.
OFFICIAL: dict[str, Any] = json.loads(
    Path(__file__).with_name("official-final-report.json").read_text(encoding="utf-8")
)
ROWS: list[str] = OFFICIAL["csv"][1:]


def row(**changes: str) -> str:
    """A row of a summary."""
    values = next(csv.DictReader([HEADER, ROWS[0]]))
    assert set(changes) <= set(values)
    return ",".join(f'"{value}"' if "," in value else value for value in {**values, **changes}.values())


def final(*rows: str, round_name: str = "v3.0") -> FinalReport:
    return final_report(load_round(round_name), HEADER, rows)


def cell(name: str, *rows: str, place: int = 0, sheet: int = 0) -> object:
    found = final(*rows).sheets[sheet]
    return found.lines[place].index[found.index.index(name)]


def test_forms_of_the_rounds() -> None:
    forms = {name: form_of(load_round(name)) for name in round_names()}
    assert [forms[name].number for name in round_names()] == ["2.0", "2.1", "3.0", "3.1", "4.0"]
    assert forms["v3.0"].sheet("edge", "closed", power=True) == "closed,edge,power"
    assert forms["v3.1"].sheet("edge", "closed", power=True) == "edge - closed - power"
    assert forms["v2.0"].identifier(7) == "2.0-007"
    assert forms["v2.1"].identifier(7) == "2.1-0007"
    assert forms["v2.1"].energy == "Joules"
    assert "network" not in forms["v2.0"].divisions
    ours = dataclasses.replace(load_round("v3.1"), name="ours")
    assert ours.submission is not None
    nameless = dataclasses.replace(ours.submission, report=ReportForm())
    assert form_of(dataclasses.replace(ours, submission=nameless)).number == "ours"


def test_ids_follow_category_availability_submitter_and_unique_id() -> None:
    found = final(*ROWS)
    order: dict[object, tuple[object, ...]] = {}
    for sheet in found.sheets:
        for line in sheet.lines:
            named = dict(zip(sheet.index, line.index, strict=True))
            unique = named["Unique ID (e.g. for Audit)"]
            order[named["ID"]] = (str(unique).split("/")[1], named["Availability"], named["Submitter"], unique)
    assert [order[name] for name in sorted(order, key=str)] == sorted(order.values())
    assert order["3.0-0001"] == ("closed", "available", "Acme", "datacenter,edge/closed/Acme/both")
    # The system whose only result is of a scenario that is not asked for has a number and no row.
    assert "3.0-0003" not in order


def test_equal_rows_become_their_mean() -> None:
    sheet = final(row(Result="1"), row(Result="2"), row(Result="6")).sheets[0]
    assert len(sheet.lines) == 1
    assert sheet.lines[0].figures == {Column("resnet", "Offline", "Samples/s"): 3.0}


def test_a_column_is_of_numbers_only_when_all_of_it_is() -> None:
    assert cell("Nodes", row(number_of_nodes="2")) == 2
    assert cell("Nodes", row(number_of_nodes="2"), row(number_of_nodes="two"), place=0) == "2"
    assert cell("Nodes", row(number_of_nodes="2"), row(number_of_nodes="N/A"), place=1) == ""
    assert cell("Software", row(framework="1.5")) == 1.5
    assert cell("Notes", row(notes="True"), row(notes="false"), place=1) is True


def test_counts() -> None:
    assert cell("a#", row(accelerators_per_node="0")) == ""
    assert cell("a#", row(accelerators_per_node="4"), row(accelerators_per_node="(8,4)"), place=0) == 4
    assert cell("a#", row(accelerators_per_node="(8,4)")) == "(8,4)"
    assert cell("p#", row(host_processors_per_node="2")) == 2
    assert cell("p#", row(host_processors_per_node="two")) == "two"
    old = final(row(host_processors_per_node="2", number_of_nodes="3"), round_name="v2.0").sheets[0]
    assert old.lines[0].index[old.index.index("p#")] == 6
    assert "Nodes" not in old.index


def test_nothing_in_its_many_spellings() -> None:
    for text in ("N/A", "None", "nan", "NULL", ""):
        assert cell("Accelerator", row(accelerator_model_name=text)) == ""
    assert cell("Accelerator", row(accelerator_model_name="-")) == ""
    assert cell("Accelerator", row(accelerator_model_name="n.a.")) == "n.a."


def test_on_premise_is_available() -> None:
    assert cell("Availability", row(Availability="on-premise")) == "available"
    assert cell("ColorKey", row(Availability="on-premise")) == "availableZed"


def test_open_results_are_told_by_model_and_accuracy() -> None:
    found = final(row(Division="open", Model="m", Accuracy="75.5")).sheets[0]
    assert found.name == "open,edge"
    assert found.lines[0].index[1] == "edge/open/Zed/box/m"
    assert found.lines[0].index[-3:-1] == ("m", 75.5)


def test_links() -> None:
    base = "https://github.com/mlcommons/submissions_inference_3.0/tree/master"
    assert cell("Details", row()) == Link(f"{base}/closed/Zed/results/box", "details")
    sheet = final(row(), round_name="v3.1").sheets[0]
    assert sheet.lines[0].index[-1] == Link(
        "https://github.com/mlcommons/submissions_inference_3.1/tree/main/closed/Zed/code", "code"
    )


def test_power_stands_on_its_own_sheet() -> None:
    measured = row(has_power="True", Units="Watts", Result="99"), row(has_power="True")
    found = final(*measured)
    assert [sheet.name for sheet in found.sheets] == ["closed,edge", "closed,edge,power"]
    assert [column.unit for column in found.sheets[0].columns] == ["Samples/s"]
    assert [column.unit for column in found.sheets[1].columns] == ["Samples/s", "Watts"]


def test_scenarios_that_are_not_required_are_left_out() -> None:
    assert final(row(Scenario="Server", Units="Queries/s")).sheets == ()
    server = row(Scenario="Server", Units="Queries/s", SystemType="datacenter,edge")
    assert [sheet.name for sheet in final(server).sheets] == ["closed,datacenter"]


def test_benchmarks_that_no_generator_knew_come_last() -> None:
    known = load_round("v3.1")
    ours = dataclasses.replace(known, benchmarks={"new": known.benchmarks["resnet"], **known.benchmarks})
    found = final_report(ours, HEADER, [row(MlperfModel="new"), row()]).sheets
    assert [sheet.name for sheet in found] == ["edge - closed"]
    assert [column.model for column in found[0].columns] == ["resnet", "new"]


def test_rows_that_a_quote_broke_are_kept_apart() -> None:
    broken = row().replace('"The Box"', '"a","b"') + ',"more"'
    odd = row().replace("Zed", '"Zed')
    found = final(broken, row(), odd)
    assert found.unread == (broken, odd)
    assert len(found.sheets[0].lines) == 1


def test_nothing_at_all() -> None:
    assert final() == FinalReport(())


@given(st.lists(st.text(max_size=300), max_size=8))
def test_no_row_breaks_it(rows: list[str]) -> None:
    found = final(*rows, row())
    assert sum(len(sheet.lines) for sheet in found.sheets) >= 1
    assert len(found.unread) <= len(rows)


@given(
    st.dictionaries(
        st.sampled_from(HEADER.split(",")), st.text(st.characters(exclude_characters='"\r\n,'), max_size=20)
    )
)
def test_no_value_breaks_it(values: dict[str, str]) -> None:
    final(row(), row(**values))


def test_every_figure_of_the_sample_is_there(sample_tree: Path) -> None:
    report = check(sample_tree, "v3.0", jobs=1)
    found = final_report(report.rules, report.header, report.rows)
    own = (ORACLE / "sample-v3.0-summary.csv").read_text(encoding="utf-8").splitlines()
    assert found == final_report(load_round("v3.0"), own[0], own[1:])
    figures = Counter(
        figure
        for sheet in found.sheets
        if "power" not in sheet.name
        for line in sheet.lines
        for figure in line.figures.values()
    )
    records = list(csv.DictReader(own))
    expected = Counter(float(each["Result"]) for each in records if each["Units"] not in ("Watts", "millijoules"))
    assert not figures - expected
    assert sum(figures.values()) == 44
