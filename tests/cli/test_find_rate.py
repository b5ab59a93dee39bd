"""What the search for the Server rate prints; that it finds it is proved in tests/loadgen and tests/campaign."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from assay.campaign.find_rate import Searched
from assay.loadgen.attempts import Attempt, Judged, Step, Tried
from assay.loadgen.search import Found

from ..campaign.test_execute import MANIFEST
from .conftest import Call, document

ATTEMPTS = (
    Tried(Attempt(80.0, 10.0, 800, 1, 79.9, True, run="first"), Step.BRACKET, Judged.HELD),
    Tried(Attempt(82.0, 600.0, 49200, 900, 81.9, False, run="second"), Step.CONFIRM, Judged.MISSED),
    Tried(Attempt(80.0, 600.0, 48000, 300, 79.9, True, run="third"), Step.CONFIRM, Judged.HELD),
)
COMMAND = "assay run mobilenet-v2 --scenario Server --target-qps 80"


@pytest.fixture
def setting(home: Path, classifier: Path, pictures: Path) -> list[object]:
    """The tiny model on six pictures."""
    del home
    return [
        "image-classification", "--model", classifier, "--dataset", pictures, "--backend", "null",
        "--recipe", "resize={short_side: 36}", "--recipe", "crop=32", "--recipe", "output={kind: logits}",
    ]  # fmt: skip


def answer(monkeypatch: pytest.MonkeyPatch, found: Found, *, interrupted: bool = False) -> list[bool]:
    """A search that is over at once; the list tells of each whether it had to begin anew."""
    begun: list[bool] = []

    def searched(plan: object, settings: object, progress: object, told: Any, *, fresh: bool) -> Searched:
        begun.append(fresh)
        for each in found.tried:
            told(each)
        if interrupted:
            raise KeyboardInterrupt
        return Searched(found, Path("trace.json"), COMMAND if found.rate else "", Path("trace.html"))

    monkeypatch.setattr("assay.campaign.find_rate.carry_out_search", searched)
    return begun


def test_the_plan_is_shown_and_nothing_is_run(home: Path, setting: list[object], call: Call) -> None:
    code, out, _ = call("find-rate", *setting, "--dry-run", "--tolerance", "5%", "--start-qps", 30)
    assert code == 0
    assert "99% of the queries take at most 15.0 ms, from 30 queries/s" in out and "within 5 %" in out
    plan = document(call("find-rate", *setting, "--dry-run", "--json", "--tolerance", "0.05", "--duration", "40s"))
    assert (plan["aim"]["tolerance"], plan["aim"]["full_s"], plan["aim"]["attempt_s"]) == (0.05, 40.0, 10.0)
    assert not (home / "runs").exists() and not (home / "searches").exists()


def test_attempts_winner_and_command_are_told(
    setting: list[object], call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer(monkeypatch, Found(80.0, True, 82.0, ATTEMPTS))
    code, out, err = call("find-rate", *setting)
    assert code == 0
    rows = [line.split() for line in out.splitlines()]
    assert rows[0] == ["attempt", "rate", "length", "queries", "late", "share", "completed", "says", "run"]
    assert rows[2] == ["confirm", "82", "10m", "00s", "49,200", "900", "1.83%", "81.9", "missed", "second"]
    assert "80 queries/s, confirmed at full length; 82 missed" in out
    assert COMMAND in out and "trace: trace.json" in err and "page:  trace.html" in err
    assert "kept from an interrupted" not in err
    found = document(call("find-rate", *setting, "--json", "--quiet"))
    assert found["kept"] == 0 and (found["rate"], found["run"], found["command"]) == (80.0, "third", COMMAND)
    assert [each["run"] for each in found["attempts"]] == ["first", "second", "third"]
    assert (found["trace"], found["report"]) == ("trace.json", "trace.html")


def test_fresh_begins_anew(setting: list[object], call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    begun = answer(monkeypatch, Found(80.0, True, 82.0, ATTEMPTS))
    call("find-rate", *setting)
    call("find-rate", *setting, "--fresh")
    assert begun == [False, True]


def test_the_exit_code_says_whether_a_rate_was_found(
    setting: list[object], call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer(monkeypatch, Found(80.0, False, 82.0, ATTEMPTS[:1], "the search ended after 1 attempts"))
    code, out, err = call("find-rate", *setting)
    assert code == 1 and "not confirmed" in out and "note: the search ended" in err
    assert call("find-rate", *setting, "--no-confirm")[0] == 0
    answer(monkeypatch, Found(None, False, 82.0, ATTEMPTS[1:2], "no rate held the bound, down to 41/s"))
    code, out, err = call("find-rate", *setting)
    assert code == 1 and "no rate held the latency bound" in out and "note: no rate held the bound, down to 41/s" in err


def test_an_interrupt_leaves_what_was_measured(
    setting: list[object], call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer(monkeypatch, Found(80.0, True, 82.0, ATTEMPTS), interrupted=True)
    code, out, err = call("find-rate", *setting)
    assert code == 130
    assert "second" in out and "what was finished is kept" in err and "the same command goes on from here" in err


def test_a_tolerance_that_is_none_is_an_error(setting: list[object], call: Call) -> None:
    code, _, err = call("find-rate", *setting, "--tolerance", "little")
    assert code == 2 and "'little' is not a share, such as 2% or 0.02" in err
    assert call("find-rate", *setting, "--tolerance", "90%")[0] != 0


def test_a_setting_is_taken_and_options_hold_over_it(setting: list[object], call: Call, tmp_path: Path) -> None:
    kept = tmp_path / "best.yaml"
    kept.write_text("format: 1\nstreams: 2\nbatch_size: 8\nbatch_wait: 2ms\nthreads: 1\n")
    words = ("find-rate", *setting, "--dry-run", "--json", "--setting", kept)
    run = document(call(*words))["setting"]
    assert (run["batch_size"], run["streams"]) == (8, 2)
    run = document(call(*words, "--streams", "1"))["setting"]
    assert (run["batch_size"], run["streams"]) == (8, 1)
    assert call("find-rate", *setting, "--dry-run", "--setting", tmp_path / "none.yaml")[0] == 3


def test_a_program_makes_the_attempts(home: Path, pictures: Path, call: Call) -> None:
    (home / "manifests").mkdir(parents=True)
    (home / "manifests" / "colours.yaml").write_text(MANIFEST)
    program = Path(__file__).parents[1] / "programs" / "stand-in.yaml"
    words = ("find-rate", "colours", "--dataset", pictures, "--dry-run", "--implementation", program)
    code, out, err = call(*words, "--implementation-option", f"python={sys.executable}")
    assert code == 0 and "by A program of somebody else's" in out and "what its last run told" in out, err
    code, _, err = call(*words, "--backend", "openvino")
    assert code == 2 and "--backend is of assay's own harness" in err
    code, _, err = call("find-rate", "colours", "--dataset", pictures, "--dry-run", "--container", "podman")
    assert code == 2 and "--container means nothing without --implementation" in err


def test_help_names_the_options_of_a_plain_run(call: Call) -> None:
    _, out, _ = call("find-rate", "--help")
    own = ("--batch-size", "--backend-option", "--target-latency", "--attempt-duration", "--confirm")
    for option in (*own, "--setting", "--implementation-dir", "--container"):
        assert option in out
    assert "-m, --mode" not in out and "--target-qps" not in out
