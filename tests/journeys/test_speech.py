"""Speech recognition as a user runs it: the stand-in's word error rate, and the official layout and model made small."""

from __future__ import annotations

import importlib.util
import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from assay.assets.catalogue import load_catalogue
from assay.assets.store import AssetStore
from assay.base.settings import Settings
from assay.loadgen.logs import read_accuracy
from assay.models.rnnt import Sizes, build_rnnt
from assay.models.rnnt_weights import seeded_weights

from ..typed import typed

SMALL = Sizes(hidden=16, embedded=8, joined=16)
_spec = importlib.util.spec_from_file_location(
    "speech_makers", Path(__file__).parents[1] / "tasks" / "speech_recognition" / "conftest.py"
)
assert _spec is not None
assert _spec.loader is not None
make: Any = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(make)


def assay(*arguments: str, code: int = 0) -> subprocess.CompletedProcess[str]:
    done = typed(*arguments)
    assert done.returncode == code, f"{arguments}: {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done


def run(*arguments: str, code: int = 0) -> list[dict[str, Any]]:
    return list(json.loads(assay("run", *arguments, "--json", code=code).stdout))


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """RNN-T's three graphs, small, with a blank that leaves room for characters."""
    weights = seeded_weights(1, SMALL)
    weights._left["joint.net.3.bias"][-1] = 3.0
    build_rnnt(weights, tmp_path / "rnnt", SMALL)
    return tmp_path / "rnnt"


@pytest.fixture
def librispeech(home: Path, tmp_path: Path) -> Path:
    """LibriSpeech dev-clean's layout with a few short recordings and one that is too long, registered in part."""
    texts = ["he was in", "a fevered state", "of mind owing to the blight", "his wife's action", "threatened to cast"]
    folder = Path(make.write_official(tmp_path / "data", [*texts, "too long"], seconds=[0.5, 0.3, 0.9, 0.4, 0.7, 15.2]))
    settings = Settings(home=home)
    AssetStore(settings, load_catalogue(settings)).register("librispeech-dev-clean", folder, partial=True)
    return folder


def test_the_stand_in_reaches_its_word_error_rate(home: Path, fetched: Callable[[str], Path]) -> None:
    pytest.importorskip("ctranslate2", reason="the extra speech is not installed")
    found = fetched("whisper-tiny")
    fetched("librivox-5")
    home.mkdir()
    (home / "assets").symlink_to(next(path for path in found.parents if path.name == "assets"), True)
    (record,) = run("whisper-tiny", "--mode", "accuracy", "--scenario", "Offline", "--threads", "1")
    # 4 of 71 words; one of them is "Mr." for "mister", which spelling out forgives.
    figures = record["figures"]
    assert figures["accuracy"]["WER"] == pytest.approx(100 - 100 * 4 / 71, abs=100 / 71 + 0.01)
    assert figures["accuracy_details"]["word_error_rate"] == pytest.approx(100 * 4 / 71, abs=100 / 71 + 0.01)
    assert figures["accuracy_details"]["word_error_rate_spelled_out"] < figures["accuracy_details"]["word_error_rate"]
    assert record["labels"] == ["stand-in-model", "small-dataset"]
    assert record["backend"]["engine"] == "ctranslate2"
    text = (home / "runs" / record["id"] / "accuracy.txt").read_text()
    assert text.startswith("Word Error Rate: ")
    assert "%, accuracy=" in text


def test_the_official_layout_runs_in_every_scenario(home: Path, librispeech: Path, model: Path) -> None:
    scenarios = [word for name in ("SingleStream", "Offline", "Server") for word in ("--scenario", name)]
    records = run("rnnt", "--model", str(model), *scenarios, "--mode", "accuracy")
    logs = [read_accuracy(home / "runs" / record["id"] / "mlperf_log_accuracy.json") for record in records]
    answers = [dict(zip(log.qsl_idx.tolist(), log.data, strict=True)) for log in logs]
    assert sorted(answers[0]) == [0, 1, 2, 3, 4], "the recording of more than 15 s is left out"
    assert answers[0] == answers[1] == answers[2], "neither scenario nor batch makes a difference"
    assert any(answers[0].values())
    for record in records:
        assert record["status"] == "finished"
        assert {"custom-model", "partial-dataset"} <= set(record["labels"])
        assert record["figures"]["samples_scored"] == 5


def test_a_performance_run_tells_how_much_was_heard(home: Path, librispeech: Path, model: Path) -> None:
    (record,) = run("rnnt", "--model", str(model), "--scenario", "SingleStream", "--duration", "1s", "--samples", "70")
    assert record["verdict"]["valid"], record["verdict"]
    measured = record["figures"]["measured"]
    assert measured["audio_s"] == pytest.approx(record["figures"]["queries"] * 0.56, rel=0.4)
    assert measured["characters"] > 0


def test_a_model_folder_with_a_part_missing_is_told(home: Path, librispeech: Path, model: Path) -> None:
    (model / "joint.onnx").unlink()
    done = assay("run", "rnnt", "--model", str(model), "--mode", "accuracy", code=3)
    assert "joint" in done.stderr


def test_bad_audio_ends_the_run_before_it_begins(home: Path, librispeech: Path, model: Path) -> None:
    broken = librispeech / "dev-clean-wav/84/121123/84-121123-0003.wav"
    make.write_wav(broken, np.zeros(8_000, np.int16), rate=8_000)
    done = assay("run", "rnnt", "--model", str(model), "--mode", "accuracy", code=4)
    assert "8,000 Hz" in done.stderr
    assert broken.name in done.stderr
    (record,) = run("rnnt", "--model", str(model), "--mode", "accuracy", "--skip-bad")
    assert record["figures"]["samples_scored"] == 4
    assert "skipped-samples" in record["labels"]
