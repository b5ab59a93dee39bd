"""The oddities of the official book."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from assay.rules.model import Scenario
from assay.submission.check import check
from assay.submission.official import header

from .cases import system
from .smalltree import build, change_log


def columns(row: str) -> list[str]:
    return row.split(",")


def test_the_count_of_errors_goes_on_to_later_scenarios(tmp_path: Path) -> None:
    tree = build(tmp_path, "v3.0")
    for scenario in ("Offline", "SingleStream", "MultiStream"):
        (tree.measurements(scenario) / "README.md").unlink()
    report = check(tmp_path, "v3.0", jobs=1)
    assert sorted(columns(row)[22] for row in report.rows) == ["1", "2", "3"]
    assert report.official.ok


def test_a_row_is_kept_without_measurements_and_the_tree_refused(tmp_path: Path) -> None:
    tree = build(tmp_path, "v3.0")
    shutil.rmtree(tree.measurements("Offline"))
    report = check(tmp_path, "v3.0", jobs=1)
    assert len(report.rows) == 3
    assert report.official.refused == ("closed/Acme/measurements/box/resnet50/Offline",)


def test_a_scenario_counts_as_there_when_only_its_accuracy_is_wrong(tmp_path: Path) -> None:
    tree = build(tmp_path, "v3.0")
    (tree.result("Offline") / "accuracy" / "accuracy.txt").write_text("accuracy=1%\nhash=00\n", encoding="utf-8")
    report = check(tmp_path, "v3.0", jobs=1)
    assert report.official.refused == ("closed/Acme/results/box/resnet50/Offline",)
    assert len(report.rows) == 2


def test_a_measured_result_has_two_rows(tmp_path: Path) -> None:
    build(tmp_path, "v3.0", power=True)
    report = check(tmp_path, "v3.0", jobs=1)
    rows = {(columns(row)[8], columns(row)[-1]): columns(row)[9] for row in report.rows}
    # Samples at :00.500, :10.500 ... of ten minutes: 100, 110 ... 150 W.
    assert rows["Offline", "Watts"] == "125.0"
    assert rows["SingleStream", "millijoules"] == "1250.0"
    assert rows["SingleStream", "Latency (ms)"] == "3.25"
    assert {columns(row)[-2] for row in report.rows} == {"True"}


def test_energy_is_in_joules_before_v3_0(tmp_path: Path) -> None:
    build(tmp_path, "v2.1", power=True)
    rows = check(tmp_path, "v2.1", jobs=1).rows
    assert {(columns(row)[8], columns(row)[9]) for row in rows if row.endswith("Joules")} == {
        ("SingleStream", "1.25"), ("MultiStream", "1.25"),
    }  # fmt: skip


def test_multistream_inferred_from_singlestream(tmp_path: Path) -> None:
    tree = build(tmp_path, "v3.0", power=True)
    changes = {
        "effective_scenario": "SingleStream",
        "effective_samples_per_query": 1,
        "effective_target_latency_percentile": 0.9,
        "early_stopping_latency_ms": 4_000_000,
    }
    change_log(tree.run_log("MultiStream"), **changes)
    rows = [columns(row) for row in check(tmp_path, "v3.0", jobs=1).rows if ",MultiStream," in row]
    assert [(row[9], row[-3], row[-1]) for row in rows] == [
        ("32.0", "1", "Latency (ms)"), ("10000.0", "1", "millijoules"),
    ]  # fmt: skip


def test_offline_inferred_from_multistream(tmp_path: Path) -> None:
    tree = build(tmp_path, "v3.0")
    changes = {
        "effective_scenario": "MultiStream",
        "effective_samples_per_query": 8,
        "effective_target_latency_percentile": 0.99,
        "early_stopping_met": True,
        "early_stopping_latency_ms": 4_000_000,
    }
    change_log(tree.run_log("Offline"), **changes)
    report = check(tmp_path, "v3.0", jobs=1)
    (row,) = [columns(row) for row in report.rows if ",Offline," in row]
    assert (row[9], row[-3]) == ("500.0", "1")


def test_notes_are_joined_as_each_tool_joins_them(tmp_path: Path) -> None:
    for name, expected in (("v2.0", '". later"'), ("v3.0", '"later"')):
        tree = build(tmp_path / name, name)
        system(sw_notes="later")(tree)
        rows = check(tree.root, name, jobs=1).rows
        assert all(f",{expected}," in row for row in rows), rows


def test_the_heading_is_spelt_as_the_tool_spells_it(tmp_path: Path) -> None:
    from assay.rules.load import load_round

    old, new = load_round("v2.1").submission, load_round("v3.0").submission
    assert old is not None
    assert new is not None
    assert ",compilance," in header(old)
    assert ",compliance," in header(new)
    assert header(old).count(",") == header(new).count(",") == 26
    build(tmp_path, "v3.0")
    assert all(row.count(",") == 26 for row in check(tmp_path, "v3.0", jobs=1).rows)


def test_the_location_of_a_row_has_slashes_only(tmp_path: Path) -> None:
    tree = build(tmp_path, "v2.1")
    for kind in ("results", "measurements", "compliance"):
        (tree.submitter / kind / "box").rename(tree.submitter / kind / "b\\x")
    tree.system_json.rename(tree.system_json.with_name("b\\x.json"))
    rows = check(tmp_path, "v2.1", jobs=1).rows
    assert {(columns(row)[5], columns(row)[17].split("/")[3]) for row in rows} == {("b\\x", "b")}


def test_a_folder_of_files_out_of_the_tree_is_not_taken_for_looked_at(tmp_path: Path) -> None:
    root, outside = tmp_path / "tree", tmp_path / "outside"
    tree = build(root, "v3.0")
    (tree.submitter / "results" / "box").rename(outside)
    (tree.submitter / "results" / "box").symlink_to(outside)
    report = check(root, "v3.0", jobs=1)
    assert not report.rows
    assert not report.official.ok
    assert not report.strict.ok


def test_a_submitter_out_of_the_tree_is_told(tmp_path: Path) -> None:
    root, outside = tmp_path / "tree", tmp_path / "outside"
    tree = build(root, "v3.0")
    tree.submitter.rename(outside)
    tree.submitter.symlink_to(outside)
    report = check(root, "v3.0", jobs=1)
    assert report.official.refused == report.strict.refused == ("closed/Acme",)
    assert [each.code for each in report.findings] == ["link-outside"]


def test_results_that_are_a_file_are_told(tmp_path: Path) -> None:
    tree = build(tmp_path, "v3.0")
    shutil.rmtree(tree.submitter / "results")
    (tree.submitter / "results").touch()
    report = check(tmp_path, "v3.0", jobs=1)
    assert report.official.refused == report.strict.refused == ("closed/Acme/results",)


@pytest.mark.parametrize(
    ("text", "errors"), [("shared", 0), ("", 0), ("../code/shared\n", 0), ("a/b/c", 0), ("a/b/x", 1), ("nowhere", 1)]
)
def test_code_of_a_model_may_be_a_file_that_names_a_folder(text: str, errors: int, tmp_path: Path) -> None:
    code = build(tmp_path, "v3.0", scenarios=(Scenario.OFFLINE,)).submitter / "code"
    (code / "resnet50").rename(code / "shared")
    (code / "a" / "b" / "c").mkdir(parents=True)
    (code / "a" / "b" / "c" / "run.py").touch()
    (code / "resnet50").write_text(text, encoding="utf-8")
    (row,) = check(tmp_path, "v3.0", jobs=1).rows
    assert int(columns(row)[22]) == errors


def test_an_implementation_that_is_a_list_lacks_all_fields(tmp_path: Path) -> None:
    tree = build(tmp_path, "v3.0", scenarios=(Scenario.OFFLINE,))
    (tree.measurements("Offline") / "box_impl_Offline.json").write_text("[]", encoding="utf-8")
    report = check(tmp_path, "v3.0", jobs=1)
    assert columns(report.rows[0])[22] == "1"
    assert not report.strict.ok


@pytest.mark.parametrize("value", ["1234.5 a second", True, [1, 2], {"a": 1}, "\ud800"])
def test_an_inferred_figure_that_is_no_number_is_no_result(value: object, tmp_path: Path) -> None:
    """Apart from the official tool on purpose: it writes whatever stands there into the row."""
    tree = build(tmp_path, "v3.0")
    shutil.copy(tree.run_log("SingleStream"), tree.run_log("Offline"))
    change_log(tree.run_log("Offline"), result_qps_without_loadgen_overhead=value)
    report = check(tmp_path, "v3.0", jobs=1)
    assert "closed/Acme/results/box/resnet50/Offline" in report.official.refused
    assert [each.code for each in report.findings if each.code != "scenario-missing"] == ["result-absent"]
