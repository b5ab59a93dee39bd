from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from assay.errors import InvalidInputError
from assay.rules.load import load_round, read_round
from assay.rules.submission import Level


@pytest.mark.parametrize(
    ("directory", "benchmark"),
    [
        ("resnet", "resnet"),
        ("resnet50", "resnet"),
        ("ssd-resnet34", "retinanet"),
        ("mobilenet-v3", "resnet"),
        ("my-efficientnet-b7", "resnet"),
        ("yolov5", "ssd-small"),
        ("bert-99.9-pruned", "bert-99.9"),
        ("bert-99-pruned", "bert-99"),
        ("own", "rnnt"),
        ("alexnet", "alexnet"),
    ],
)
def test_a_model_directory_stands_for_a_benchmark(directory: str, benchmark: str) -> None:
    round_ = load_round("v3.0")
    assert round_.submission is not None
    found = round_.submission.benchmark_name(directory, round_.benchmarks, {"own": "rnnt", "resnet": "bert-99"})
    assert found == benchmark


def test_a_mapping_that_is_no_text_is_passed_over() -> None:
    round_ = load_round("v3.0")
    assert round_.submission is not None
    assert round_.submission.benchmark_name("own", round_.benchmarks, {"own": ["rnnt"]}) == "own"


def test_rounds_differ_in_facts_not_in_code() -> None:
    rules = [load_round(name).submission for name in ("v2.0", "v2.1", "v3.0", "v3.1", "v4.0")]
    assert all(each is not None for each in rules)
    assert [each.files.folder_checks for each in rules if each] == [False, False, True, True, True]
    assert [each.compliance.judges_runs for each in rules if each] == [False, True, True, True, True]
    assert [each.power.energy_unit for each in rules if each] == ["Joules"] * 2 + ["millijoules"] * 3
    assert [each.accuracy.every_line for each in rules if each] == [False, False, False, True, True]
    assert [each.csv.compliance_column for each in rules if each] == ["compilance"] * 2 + ["compliance"] * 3
    assert [len(each.system.required) for each in rules if each] == [33, 33, 33, 35, 35]
    assert [each.power.passes_other_lines for each in rules if each] == [False] * 4 + [True]


def test_an_unknown_key_is_told_with_file_and_line(tmp_path: Path) -> None:
    path = tmp_path / "v9.9.yaml"
    path.write_text(
        "format: 1\nname: v9.9\nextends: v3.1\nsource: ours\nsubmission:\n  colour: red\n", encoding="utf-8"
    )
    with pytest.raises(InvalidInputError, match=r"v9.9.yaml:6.*submission.*colour") as told:
        read_round(path)
    assert told.value.exit_code == 4


def test_a_round_may_give_a_finding_another_level(tmp_path: Path) -> None:
    path = tmp_path / "v9.9.yaml"
    path.write_text(
        "format: 1\nname: v9.9\nextends: v3.1\nsource: ours\nsubmission:\n  severity: {seed-wrong: note}\n",
        encoding="utf-8",
    )
    rules = read_round(path).submission
    assert rules is not None
    assert rules.severity == {"seed-wrong": Level.NOTE}


def test_levels_are_ordered() -> None:
    assert [level.rank for level in Level] == [0, 1, 2, 3, 4]


def test_rules_cannot_be_changed() -> None:
    rules = load_round("v3.0").submission
    assert rules is not None
    with pytest.raises(dataclasses.FrozenInstanceError):
        rules.min_duration_ms = 1  # type: ignore[misc]
