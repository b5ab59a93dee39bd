from __future__ import annotations

import csv
import io
import lzma
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assay.errors import InvalidInputError, NotFoundError
from assay.results.importers import summary_csv
from assay.results.importers.source import Source
from assay.results.importers.summary_csv import looks_like_summary, summary_rows
from assay.results.model import Method, Origin
from assay.results.row import Row, uid_of

ORACLE = Path(__file__).resolve().parents[4] / "shared" / "oracle"
SOURCE = Source("mine")
LINE: dict[str, Any] = {
    "Organization": "Acme", "Availability": "available", "Division": "closed", "SystemType": "edge",
    "SystemName": "The Box, green", "Platform": "box", "Model": "bert-99", "MlperfModel": "bert-99",
    "Scenario": "SingleStream", "Result": "4.0", "Accuracy": "90.25", "number_of_nodes": "1",
    "host_processor_model_name": "AMD EPYC 7713", "host_processors_per_node": "2", "host_processor_core_count": "64",
    "accelerator_model_name": "", "accelerators_per_node": "0", "framework": "TensorRT", "operating_system": "Ubuntu",
    "Location": "closed/Acme/results/box/bert-99/SingleStream", "notes": "", "compliance": "1", "errors": "0",
    "version": "v3.0", "inferred": "0", "has_power": "False", "Units": "Latency (ms)",
}  # fmt: skip


def write(path: Path, *lines: dict[str, Any], encoding: str = "utf-8") -> Path:
    stream = io.StringIO()
    writer = csv.DictWriter(stream, list(lines[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(lines)
    path.write_bytes(stream.getvalue().encode(encoding))
    return path


def rows(tmp_path: Path, *lines: dict[str, Any], round_: str | None = None) -> list[Row]:
    return summary_rows(write(tmp_path / "summary.csv", *lines), SOURCE, round_)


def test_a_result_and_its_power_are_one_row(tmp_path: Path) -> None:
    power = {**LINE, "Result": "60.0", "Units": "millijoules", "has_power": "True"}
    (row,) = rows(tmp_path, {**LINE, "has_power": "True"}, power)
    assert row.uid == uid_of("v3.0", LINE["Location"], "bert-99", "SingleStream")
    assert (row.value, row.unit, row.power, row.power_value, row.power_unit) == (
        4.0, "Latency (ms)", True, 60.0, "millijoules",
    )  # fmt: skip
    assert (row.joules_per_query, row.latency, row.watts) == (0.06, 4e6, None)
    assert (row.source_kind, row.source, row.origin, row.method) == ("summary", "mine", Origin.LOCAL, Method.MEASURED)
    assert (row.system_name, row.accelerator, row.official) == ("The Box, green", None, True)


@pytest.mark.parametrize("heading", ["compliance", "compilance"])
@pytest.mark.parametrize(("cell", "told"), [("1", True), ("0", False), ("", None), ("yes", None)])
def test_compliance_in_both_spellings_of_the_tools(tmp_path: Path, heading: str, cell: str, told: bool | None) -> None:
    line = {(heading if name == "compliance" else name): value for name, value in LINE.items()} | {heading: cell}
    (row,) = rows(tmp_path, line)
    assert row.compliance is told


def test_an_inferred_result(tmp_path: Path) -> None:
    (row,) = rows(tmp_path, {**LINE, "inferred": "1"})
    assert row.method is Method.INFERRED


def test_a_round_of_the_file_goes_before_the_one_that_is_said(tmp_path: Path) -> None:
    assert [row.round for row in rows(tmp_path, LINE, round_="v2.0")] == ["v3.0"]
    without = {name: value for name, value in LINE.items() if name != "version"}
    assert [row.round for row in rows(tmp_path, without, round_="v2.0")] == ["v2.0"]
    with pytest.raises(InvalidInputError, match="the round is not told") as caught:
        rows(tmp_path, LINE, {**LINE, "version": ""})
    assert caught.value.where == f"{tmp_path / 'summary.csv'}:3" and "--round" in str(caught.value.hint)


def test_further_columns_are_passed_over_and_cannot_pose_as_others(tmp_path: Path) -> None:
    strange = {"assay_row": "{}", "assay": "{}", "Result_Power": "5", "git_url": "https://example.org/x", "": "x"}
    (row,) = rows(tmp_path, {**LINE, **strange})
    assert (row.power_value, row.source, row.url) == (None, "mine", None)


def test_line_ends_and_a_byte_order_mark(tmp_path: Path) -> None:
    path = write(tmp_path / "summary.csv", LINE, encoding="utf-8-sig")
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert len(summary_rows(path, SOURCE, None)) == 1


def test_names_that_are_no_text(tmp_path: Path) -> None:
    line = {**LINE, "Platform": "café", "Location": "open/café/x"}
    path = write(tmp_path / "summary.csv", line, encoding="latin-1")
    (row,) = summary_rows(path, SOURCE, None)
    assert (row.system, row.location) == ("caf?", "open/caf?/x")


@pytest.mark.parametrize(
    ("content", "what", "line"),
    [
        ("a,b\n1,2\n", "not an official summary", 1),
        ("", "not an official summary", 1),
        ("{head}\nAcme,closed\n", "not as many fields", 2),
        ("{head}\n{line},more\n", "not as many fields", 2),
        ('{head}\n{line}\n"Acme"x,{line}\n', "not CSV", 3),
        ('{head}\n"Acme', "not CSV", 2),
    ],
)
def test_what_is_no_summary_is_told_with_its_line(tmp_path: Path, content: str, what: str, line: int) -> None:
    path = tmp_path / "summary.csv"
    usual = ",".join('""' if "," in str(value) else str(value) for value in LINE.values())
    path.write_text(content.replace("{head}", ",".join(LINE)).replace("{line}", usual))
    with pytest.raises(InvalidInputError, match=what) as caught:
        summary_rows(path, SOURCE, None)
    assert caught.value.where == f"{path}:{line}"


def test_a_file_that_is_not_there_or_too_large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(NotFoundError):
        summary_rows(tmp_path / "none.csv", SOURCE, None)
    monkeypatch.setattr(summary_csv, "_MAX", 100)
    with pytest.raises(InvalidInputError, match="too large"):
        rows(tmp_path, LINE)


def test_what_a_summary_looks_like(tmp_path: Path) -> None:
    assert looks_like_summary(write(tmp_path / "summary.csv", LINE))
    for number, content in enumerate([b"", b"\xff\xfe", b"Organization,Division\n", b"x" * 10**6]):
        path = tmp_path / str(number)
        path.write_bytes(content)
        assert not looks_like_summary(path)
    assert not looks_like_summary(tmp_path) and not looks_like_summary(tmp_path / "nothing")


@given(st.lists(st.fixed_dictionaries({name: st.text(max_size=5) for name in ("Result", "Units", "notes", "version")})))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_cells_are_rows_or_a_clear_error(tmp_path: Path, lines: list[dict[str, str]]) -> None:
    path = tmp_path / "summary.csv"
    write(path, LINE, *({**LINE, **each} for each in lines), encoding="utf-8")
    try:
        found = summary_rows(path, SOURCE, "v3.0")
    except InvalidInputError as error:
        assert str(path) in str(error)
    else:
        assert len(found) <= len(lines) + 1


@pytest.mark.shared
@pytest.mark.skipif(not ORACLE.is_dir(), reason="the official summary of v2.1 is not there")
def test_the_official_summary_of_a_round(tmp_path: Path) -> None:
    """Round v2.1: 7,868 lines, of which each one of power belongs to a result."""
    path = tmp_path / "summary.csv"
    path.write_bytes(lzma.decompress((ORACLE / "official-summary-v2.1.csv.xz").read_bytes()))
    with path.open(encoding="utf-8") as stream:
        lines = list(csv.DictReader(stream))
    found = summary_rows(path, SOURCE, None)
    power = [line for line in lines if line["Units"] in ("Watts", "Joules")]
    places = {(line["Location"], line["Scenario"]) for line in lines}
    assert len(lines) == 7868 and len(found) == len(places) == len(lines) - len(power)
    assert sum(row.power_value is not None for row in found) == len(power)
    assert {row.compliance for row in found if row.division != "open"} == {True}
    assert all(row.value is not None and row.accuracy is not None and row.task for row in found)
    inferred = {(line["Location"], line["Scenario"]) for line in lines if line["inferred"] == "1"}
    assert sum(row.method is Method.INFERRED for row in found) == len(inferred)
    assert not {row.organisation for row in found} & {"CTuning", "KRAI", "NeuralMagic"}
