from __future__ import annotations

import json

import pytest

from assay.cli.main import run
from assay.rules.findings import catalogue


def test_a_code_is_explained_for_a_round(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["explain", "seed-wrong", "--round", "v3.0"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("seed-wrong: a random seed is not the round's")
    assert "Official tool  v3.0 note\n" in out
    assert "Written rules  v3.0 reject\n" in out


def test_a_code_is_explained_for_all_rounds(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["explain", "seed-wrong"]) == 0
    out = capsys.readouterr().out
    assert "Official tool  v2.0 note, v2.1 note, v3.0 note, v3.1 reject, v4.0 reject\n" in out
    assert "Written rules  reject (all rounds)\n" in out


def test_all_codes_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["explain", "--list", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert {each["code"] for each in document} == set(catalogue())
    assert run(["explain", "--list"]) == 0
    assert "latency-bound" in capsys.readouterr().out


def test_json_has_the_levels_of_every_round(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["explain", "seed-wrong", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["official_by_round"] == {"v2.0": "note", "v3.1": "reject"}
    assert document["official"] == "reject"


@pytest.mark.parametrize(("arguments", "code", "words"), [([], 2, "--list"), (["seed-rong"], 3, "seed-wrong")])
def test_what_is_unknown_is_told(
    arguments: list[str], code: int, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["explain", *arguments]) == code
    assert words in capsys.readouterr().err
