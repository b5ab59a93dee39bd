from __future__ import annotations

from pathlib import Path

import click
import pytest

from assay.cli.benchmarks import benchmarks, show_benchmark
from assay.cli.round_options import (
    accuracy_text,
    complete_benchmark,
    complete_round,
    find_round,
    seeds_text,
    target_text,
)
from assay.errors import NotFoundError
from assay.rules.load import load_round
from assay.rules.model import QualityTarget, Seeds


def test_a_name_is_a_packaged_round_and_a_path_is_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = "extends: v3.1\nname: v9.1\nsource: mine\n"
    (tmp_path / "mine.yaml").write_text(text)
    (tmp_path / "v3.1").write_text(text)
    monkeypatch.chdir(tmp_path)
    assert find_round("3.1") is load_round("v3.1")
    assert find_round("mine.yaml").name == "v9.1"
    assert find_round("./mine.yaml").name == "v9.1"
    assert find_round("v3.1").name == "v3.1"
    assert find_round("./v3.1").name == "v9.1"
    with pytest.raises(NotFoundError, match="file not found"):
        find_round("absent.yml")
    with pytest.raises(NotFoundError, match="unknown round"):
        find_round("mine")


def completed(incomplete: str, **given: str) -> list[str]:
    context = click.Context(show_benchmark)
    context.params.update(given)
    return [item.value for item in complete_benchmark(context, show_benchmark.params[0], incomplete)]


def test_the_shell_completes_names() -> None:
    assert completed("BERT") == ["bert-99", "bert", "bert-99.9"]
    assert completed("resnet5", round_name="v3.1") == ["resnet50"]
    assert completed("bert", round_name="v0.0") == []
    context = click.Context(benchmarks)
    assert [item.value for item in complete_round(context, benchmarks.params[0], "V3")] == ["v3.0", "v3.1"]


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (75.69539999999999, "percent", "75.6954 %"),
        (0.8608383000000001, "fraction", "0.8608383"),
        (3615190.2, "characters", "3,615,190.2 characters"),
        (4016878, "characters", "4,016,878 characters"),
    ],
)
def test_accuracies_carry_their_unit(value: float, unit: str, text: str) -> None:
    assert accuracy_text(value, unit) == text


def test_words() -> None:
    assert target_text(QualityTarget("F1", "percent", 90.874, 0.99, 89.96526)) == "F1 89.96526 %"
    assert seeds_text(Seeds(1, 2, 3)) == "QSL 1, sample index 2, schedule 3"
