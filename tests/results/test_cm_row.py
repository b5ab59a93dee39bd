from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from assay.errors import InvalidInputError
from assay.loadgen.record import RunRecord
from assay.results.cm_row import meaning_of, notes_of, result_from_row, row_of
from assay.results.from_run import results_of

MakeRecord = Callable[..., RunRecord]

CM_FIELDS = {
    "uid", "version", "Organization", "SystemName", "Division", "Availability", "SystemType", "Model", "MlperfModel",
    "Scenario", "Result", "Units", "Result_Units", "Accuracy", "accelerator_model_name", "accelerators_per_node",
    "host_processor_core_count", "host_processor_model_name", "host_processors_per_node", "number_of_nodes",
    "operating_system", "framework", "notes", "has_power", "inferred", "compliance", "errors", "Location",
}  # fmt: skip


def test_a_row_has_cms_names_and_comes_back_whole(make_record: MakeRecord) -> None:
    (result,) = results_of([make_record(mode="accuracy"), make_record(tail="0002")])
    row = row_of(result, location="runs/x")
    assert set(row) >= CM_FIELDS
    assert (row["Result"], row["Units"], row["Accuracy"]) == (208.5, "Samples/s", 90.0)
    assert (row["Model"], row["MlperfModel"], row["SystemType"], row["Division"]) == (
        "mobilenet-v2",
        "resnet",
        "edge",
        "open",
    )
    assert row["Organization"] is None and row["inferred"] == 0 and row["has_power"] is False
    assert row["host_processor_model_name"] == "AMD EPYC"
    assert result_from_row(json.loads(json.dumps(row)), where="x") == result


def test_an_accuracy_run_alone_has_no_result(make_record: MakeRecord) -> None:
    row = row_of(results_of([make_record(mode="accuracy")])[0])
    assert row["Result"] is None and row["Units"] is None and row["Accuracy"] == 90.0


def test_the_notes_say_what_the_figure_is(make_record: MakeRecord) -> None:
    notes = notes_of(results_of([make_record()])[0])
    assert notes.startswith("taken with assay on this machine, not an official result")
    assert "performance run: VALID but not acceptable to the round" in notes
    assert "stand-in-model: another model than the benchmark's" in notes
    assert meaning_of("label-of-tomorrow") == "label-of-tomorrow"


def test_rows_of_others_are_not_ours() -> None:
    assert result_from_row({"Result": 1.0}, where="x") is None
    assert result_from_row({"assay": "text"}, where="x") is None


def test_another_version_and_a_wrong_value_are_named(make_record: MakeRecord) -> None:
    row = json.loads(json.dumps(row_of(results_of([make_record()])[0])))
    with pytest.raises(InvalidInputError, match="another version"):
        result_from_row({**row, "assay": {**row["assay"], "format": 99}}, where="x")
    with pytest.raises(InvalidInputError) as caught:
        result_from_row({**row, "assay": {**row["assay"], "performance": {"value": "fast"}}}, where="file")
    assert caught.value.where is not None and caught.value.where.startswith("file: assay.performance.")
