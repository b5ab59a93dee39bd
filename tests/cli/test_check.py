from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from assay.cli.main import run

from ..submission.smalltree import SmallTree, build, change_log


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SmallTree:
    monkeypatch.setenv("ASSAY_HOME", str(tmp_path / "home"))
    return build(tmp_path / "tree", "v3.0")


def outcome(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    code = run(["check", *map(str, arguments)])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def test_a_clean_tree_leaves_with_0_and_both_verdicts(tree: SmallTree, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = outcome(capsys, tree.root)
    assert code == 0
    assert "round v3.0, by the seeds in the logs" in err
    assert "accepted  3 results taken (official, mlcommons/inference v3.0" in out
    assert "accepted  3 results taken (strict, the written rules of v3.0)" in out


def test_the_exit_code_follows_the_verdict_that_is_asked_for(
    tree: SmallTree, capsys: pytest.CaptureFixture[str]
) -> None:
    change_log(tree.run_log("Offline"), effective_qsl_rng_seed=1)
    code, out, _ = outcome(capsys, tree.root, "--round", "v3.0")
    assert code == 0
    assert "seed-wrong: a random seed is not the round's  [official: note, strict: reject]  1 place" in out
    assert "mlperf_log_detail.txt:11  (effective_qsl_rng_seed; found 1; expected 10003631887983097364)" in out
    assert "what to do: Run with the mlperf.conf of the round." in out
    assert outcome(capsys, tree.root, "--round", "v3.0", "--strict")[0] == 1
    # Here the round's own tool refuses it, too.
    assert outcome(capsys, tree.root, "--round", "v3.1")[0] == 1


def test_the_official_flags_are_understood(tree: SmallTree, capsys: pytest.CaptureFixture[str]) -> None:
    csv = tree.root.parent / "summary.csv"
    code, _, _ = outcome(
        capsys, "--input", tree.root, "--version", "v3.0", "--submitter", "Acme", "--csv", csv, "--skip_compliance"
    )
    assert code == 0
    lines = csv.read_text(encoding="utf-8").splitlines()
    assert len(lines) == 4
    assert lines[0].startswith("Organization,Availability,Division,")
    flags = (
        "--skip-meaningful-fields-emptiness-check --skip-empty-files-check --skip-check-power-measure-files "
        "--skip-extra-files-in-root-check --more-power-check --submission-exceptions"
    )
    assert outcome(capsys, "--input", tree.root, "--version", "v3.0", *flags.split())[0] == 0


def test_json_is_one_document(tree: SmallTree, capsys: pytest.CaptureFixture[str]) -> None:
    change_log(tree.run_log("Offline"), result_validity="INVALID")
    code, out, err = outcome(capsys, tree.root, "--round", "v3.0", "--json", "--no-cache")
    assert (code, err) == (1, "")
    document = json.loads(out)
    assert document["official"]["ok"] is document["strict"]["ok"] is False
    assert document["official"]["refused"] == [
        "closed/Acme/results/box/resnet50/Offline",
        "closed/Acme/results/box/resnet50",
    ]
    offline = next(each for each in document["results"] if each["scenario"] == "Offline")
    finding = document["findings"][offline["findings"][0]]
    assert (finding["code"], finding["official"], finding["field"]) == ("result-invalid", "reject", "result_validity")
    assert offline["log"]["effective_qsl_rng_seed"] == tree.round.seeds.qsl
    assert offline["official"] is offline["strict"] is False


def test_many_places_are_cut_short_unless_all_are_asked_for(
    tree: SmallTree, capsys: pytest.CaptureFixture[str]
) -> None:
    for scenario in ("Offline", "SingleStream", "MultiStream"):
        change_log(
            tree.run_log(scenario),
            effective_qsl_rng_seed=1,
            effective_sample_index_rng_seed=1,
            effective_schedule_rng_seed=1,
        )
    short, whole = (outcome(capsys, tree.root, "--round", "v3.0", *more)[1] for more in ((), ("--all",)))
    assert "... and 5 places more" in short
    assert whole.count("_rng_seed;") == 9


def test_a_second_look_uses_the_first(tree: SmallTree, capsys: pytest.CaptureFixture[str]) -> None:
    first = outcome(capsys, tree.root)
    second = outcome(capsys, tree.root)
    assert "unchanged" not in first[2]
    assert "1 system unchanged" in second[2]
    assert first[1] == second[1]
    assert "unchanged" not in outcome(capsys, tree.root, "--no-cache")[2]


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["nothing"], 3, "the tree is not there"),
        ([], 2, "give the tree"),
        (["TREE", "--input", "TREE"], 2, "give the tree, once"),
        (["TREE", "--round", "v9.9"], 3, "unknown round"),
        (["TREE", "--ignore", "seeds-wrong"], 3, "seed-wrong"),
        (["TREE/closed", "--round", "v3.0"], 4, "no division is in the tree"),
        (["TREE", "--watch", "--json"], 2, "--watch"),
        (["TREE", "--watch", "--csv", "-"], 2, "--watch"),
        (["TREE", "--xlsx", "-"], 2, "a workbook does not go to standard output"),
        (["TREE", "--csv", "-", "--html", "-"], 2, "found --csv -, --html -"),
        (["TREE", "--sarif", "-", "--json"], 2, "--sarif -, --json"),
    ],
)
def test_a_wrong_command_is_told(
    arguments: list[str], code: int, words: str, tree: SmallTree, capsys: pytest.CaptureFixture[str]
) -> None:
    given = [each.replace("TREE", str(tree.root)) for each in arguments]
    found, out, err = outcome(capsys, *given)
    assert found == code
    assert words in out + err


@pytest.mark.parametrize("command", ["check", "truncate", "preprocess"])
def test_nothing_is_said_of_the_round_of_a_tree_that_is_not_there(
    command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run([command, str(tmp_path / "NOPE")]) == 3
    out, err = capsys.readouterr()
    assert (out, err) == ("", f"error: {tmp_path}/NOPE: the tree is not there\n")


@pytest.mark.parametrize("form", ["csv", "sarif", "junit", "html"])
def test_a_form_can_be_printed(
    form: str, tree: SmallTree, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tree.root.parent)
    code, out, err = outcome(capsys, tree.root, f"--{form}", "-")
    assert code == 0
    begins = {"csv": "Organization,", "sarif": "{", "junit": "<?xml", "html": "<!doctype html>"}
    assert out.lower().startswith(begins[form].lower())
    assert "accepted  3 results taken (strict" in err
    assert "results taken" not in out or form == "html"
    assert not Path("-").exists()
    if form == "csv":
        outcome(capsys, tree.root, "--csv", "summary.csv", "--quiet")
        assert out == Path("summary.csv").read_text(encoding="utf-8")
        assert outcome(capsys, tree.root, "--csv", "-", "--quiet")[2] == ""


def test_a_tree_without_logs_takes_the_newest_round(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "closed" / "Acme").mkdir(parents=True)
    code, _, err = outcome(capsys, tmp_path, "--no-cache")
    assert code == 0
    assert "no log shows the seeds of a round; taking v3.1" in err


def test_watching_says_what_a_change_does(tree: SmallTree) -> None:
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    process = subprocess.Popen(
        [sys.executable, "-m", "assay", "check", str(tree.root), "--watch"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=environment,
    )
    assert process.stdout is not None
    try:
        _until(process, "watching")
        change_log(tree.run_log("Offline"), result_validity="INVALID")
        _until(process, "result-invalid")
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=20) == 1
    finally:
        process.kill()
        process.stdout.close()


def _until(process: subprocess.Popen[str], words: str) -> None:
    assert process.stdout is not None
    started = time.monotonic()
    for line in process.stdout:
        if words in line:
            return
        assert time.monotonic() - started < 60
    raise AssertionError(words)
