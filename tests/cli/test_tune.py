"""The command of the search: what it asks for, what it shows, how it goes on; that it finds the best is proved elsewhere."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from assay.campaign.setting import read_setting
from assay.campaign.tuning.bench import LoadgenBench

from ..campaign.tuning import fakes
from ..campaign.tuning.fakes import FakeBench
from .conftest import Call, document


@pytest.fixture
def model(home: Path, classifier: Path, pictures: Path) -> list[object]:
    """The tiny model on six pictures, in few settings."""
    del home
    return [
        "image-classification", "--model", classifier, "--dataset", pictures, "--backend", "null", "--precision", "fp32",
        "--recipe", "resize={short_side: 36}", "--recipe", "crop=32", "--recipe", "output={kind: logits}",
        "--batch-size", 1, "--batch-size", 8, "--batch-size", 32, "--streams", 1, "--streams", 4, "--threads", 2,
    ]  # fmt: skip


@pytest.fixture
def made_up(monkeypatch: pytest.MonkeyPatch) -> FakeBench:
    """A machine on which batches of 32 in four streams are best."""
    bench = FakeBench()
    monkeypatch.setitem(fakes.SPEED, "null fp32", 100.0)
    for name in ("probe", "accuracy", "measure"):
        monkeypatch.setattr(LoadgenBench, name, _of(bench, name))
    return bench


@pytest.fixture(autouse=True)
def quick_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """A search waits for the disk a dozen times a trial."""
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)


def _of(bench: FakeBench, name: str) -> Any:
    return lambda self, *arguments: getattr(bench, name)(*arguments)


def test_the_space_is_shown_and_nothing_is_run(home: Path, model: list[object], call: Call) -> None:
    code, out, _ = call("tune", *model, "--dry-run", "--max-memory", "2GB", "--accuracy", "98%")
    assert code == 0
    for text in ("1, 8, 32", "null fp32", "98.0% of the usual setting's accuracy", "at most 2.0 GB of memory"):
        assert text in out
    plan = document(call("tune", *model, "--dry-run", "--json", "--trials", 7))
    assert plan["settings"] == 6 and plan["request"]["trials"] == 7
    assert not (home / "runs").exists() and not (home / "tunings").exists()


def test_trials_confirmation_and_winner_are_told(
    model: list[object], made_up: FakeBench, call: Call, tmp_path: Path
) -> None:
    best = tmp_path / "best.yaml"
    code, out, err = call("tune", *model, "--write", best, "--finalists", 2)
    assert code == 0, err
    assert "usual setting: null fp32, batch 8, 1 stream, its own threads: 42.5" in err and "pass 3, trial" in err
    assert "Run again beside the usual setting, 3 passes of 20.0 s:" in out
    assert "times as good as the usual setting" in out and f"--setting {best}" in out
    assert "accuracy of null fp32: acc 90% over 20 samples" in out
    setting = read_setting(best).setting
    assert (setting.batch_size, setting.streams, setting.threads) == (32, 4, 2)
    again = document(call("tune", *model, "--json", "--finalists", 2))
    assert (
        again["winner"] == json.loads(next(Path(best.parent).glob("home/tunings/*/result.json")).read_text())["winner"]
    )
    assert again["gain"]["middle"] > 1.3


def test_an_interrupted_search_is_taken_up_by_its_name(
    home: Path, model: list[object], made_up: FakeBench, call: Call
) -> None:
    made_up.interrupt = 3
    code, out, err = call("tune", *model)
    assert code == 130 and "usual" in out
    (folder,) = (home / "tunings").iterdir()
    assert f"go on with: assay tune --resume {folder.name}" in err
    made_up.interrupt = None
    before = len(made_up.runs())
    found = document(call("tune", "--resume", folder.name, "--repeats", 1, "--json"))
    assert found["name"] == folder.name and len(found["trials"]) == 7
    assert len(found["confirmed"][0]["passes"]) == 1 and len(made_up.runs()) > before


def test_what_cannot_be_meant_is_refused(model: list[object], call: Call) -> None:
    code, _, err = call("tune")
    assert code == 2 and "a search is about a model" in err
    code, _, err = call("tune", "mobilenet-v2", "--resume", "x")
    assert code == 2 and "knows what was asked" in err
    code, _, err = call("tune", "--resume", "x", "--seed", 5)
    assert code == 2 and "knows what was asked" in err
    code, _, err = call("tune", "--resume", "x")
    assert code == 3 and "unknown search 'x'" in err
    code, _, err = call("tune", *model, "--trade-off", "watts")
    assert code == 2 and "only a meter tells watts" in err
    code, _, err = call("tune", *model, "--max-memory", "lots")
    assert code == 2 and "is not a size" in err
    code, _, err = call("tune", *model, "--name", "../x", "--dry-run")
    assert code == 2 and "cannot be the name of a folder" in err


def test_a_front_is_shown(model: list[object], made_up: FakeBench, call: Call) -> None:
    code, out, _ = call("tune", *model, "--trade-off", "memory", "--repeats", 0)
    assert code == 0 and "Nothing beats these in Samples/s and memory:" in out
    assert "best of single runs, not confirmed" in out
