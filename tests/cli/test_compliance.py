"""The commands around compliance tests; that tests find what they are there for is proved in tests/campaign."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from .conftest import Call, document

PROGRAMS = Path(__file__).parents[1] / "programs"


@pytest.fixture
def setting(home: Path, classifier: Path, pictures: Path) -> list[object]:
    """The tiny model on six pictures with the null engine, for a moment."""
    del home
    return [
        "image-classification", "--model", classifier, "--dataset", pictures, "--backend", "null", "--duration", "0s",
        "--recipe", "resize={short_side: 36}", "--recipe", "crop=32", "--recipe", "output={kind: logits}",
        "--target-qps", 1000, "--samples", 64,
    ]  # fmt: skip


def test_the_plan_is_shown_and_nothing_is_run(home: Path, setting: list[object], call: Call) -> None:
    code, out, _ = call("compliance", "run", *setting, "--dry-run")
    assert code == 0
    assert "TEST01, TEST04, TEST05" in out and "it is run first" in out
    plan = document(call("compliance", "run", *setting, "--test", "TEST05", "--dry-run", "--json"))
    assert (plan["tests"], plan["run_first"]) == (["TEST05"], ["performance"])
    assert not (home / "runs").exists()


def test_a_test_that_the_round_does_not_ask_is_an_error(setting: list[object], call: Call) -> None:
    code, _, err = call("compliance", "run", *setting, "--test", "TEST04-A")
    assert code == 2
    assert "round v3.1 does not ask TEST04-A of resnet" in err


def test_the_outcome_is_told_with_the_folder(home: Path, setting: list[object], call: Call) -> None:
    code, out, err = call("compliance", "run", *setting, "--test", "TEST01")
    assert "TEST01" in out and "0 of 64 answers differ" in out, out + err
    if code:
        # The null engine is so fast that a busy machine changes its speed; its answers are the same.
        assert "TEST01 was not passed" in out and "TEST01 speed" in out
    (folder,) = (home / "runs").glob("*/compliance/TEST01")
    assert "TEST PASS" in (folder / "verify_accuracy.txt").read_text()
    _, out, _ = call("runs", "show", "last")
    assert "Offline TEST01: " in out and "judged against" in out and "the test" in out
    _, out, _ = call("compliance", "run", *setting, "--test", "TEST01", "--json", "--quiet")
    assert '"compliance": "TEST01"' in out and '"judged_against"' in out


def test_help_names_the_options_of_a_plain_run(call: Call) -> None:
    _, out, _ = call("compliance", "run", "--help")
    for option in (
        "--batch-size", "--backend-option", "--target-qps", "--performance RUN", "--test", "--again", "--implementation",
    ):  # fmt: skip
        assert option in out
    assert "-m, --mode" not in out


def test_a_program_of_others_is_tested_through_its_manifest(home: Path, pictures: Path, call: Call) -> None:
    del home
    words = ["image-classification", "--dataset", pictures, "--implementation", PROGRAMS / "stand-in.yaml"]
    words += ["--implementation-option", f"python={sys.executable}", "--samples", 8, "--test", "TEST04", "--dry-run"]
    plan = document(call("compliance", "run", *words, "--json"))
    assert (plan["tests"], plan["run_first"], plan["passed_before"]) == (["TEST04"], ["performance"], {})
    code, _, err = call("compliance", "run", *words, "--backend", "null")
    assert code == 2 and "--backend is of assay's own harness" in err
