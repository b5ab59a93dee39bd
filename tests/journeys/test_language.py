"""Language models through whole commands: the stand-in on its texts, and BERT on files of the official layout."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock

from assay.assets.catalogue import load_catalogue
from assay.assets.store import AssetStore
from assay.base.progress import SILENT
from assay.base.settings import Settings
from assay.errors import NotFoundError
from assay.models.bert import BERT_TINY, BertShape, build_bert, write_pieces
from assay.models.build import materialise
from assay.tasks.language import TASK

from ..models.text.made import pieces, write_squad, write_vocabulary
from ..typed import typed

XQUAD = Path(__file__).resolve().parents[3] / "shared" / "data" / "xquad.en.json"
OWN = BertShape(2, 128, 2, 512, pieces=len(pieces()))


def run_json(*arguments: str) -> list[dict[str, Any]]:
    done = typed("run", *arguments, "--json")
    assert done.returncode in (0, 1), done.stdout + done.stderr  # 1: a short run is INVALID
    return list(json.loads(done.stdout))


@pytest.fixture
def language_home(stand_in_home: Path, stand_in_assets: Path) -> Path:
    """A home with the language stand-in and its texts."""
    settings = Settings(home=stand_in_home)
    with FileLock(stand_in_assets.parent / "language.lock"):
        catalogue = load_catalogue(settings)
        store = AssetStore(settings, catalogue)
        try:
            materialise(store, catalogue.get("minilm-l6"), progress=SILENT)
            store.ensure("lee50")
        except NotFoundError as error:
            pytest.skip(f"the stand-in cannot be fetched: {error}")
    return stand_in_home


@pytest.fixture
def official(home: Path, tmp_path: Path) -> Path:
    """A home where SQuAD and BERT's vocabulary are registered, of the official layout and small; the model's file."""
    store = AssetStore(settings := Settings(home=home), load_catalogue(settings))
    store.register("squad-v1.1", write_squad(tmp_path), partial=True)
    store.register("bert-vocab", write_vocabulary(tmp_path))
    write_pieces(build_bert(1, OWN, "bert-tiny"), model := tmp_path / "model.onnx")
    return model


def test_likeness_of_texts_is_what_it_should_be(language_home: Path) -> None:
    (record,) = run_json("minilm-l6", "--mode", "accuracy", "--scenario", "Offline", "--threads", "1")
    figures = record["figures"]
    assert figures["accuracy"]["Pearson"] == pytest.approx(0.656, abs=0.003)
    assert figures["accuracy_details"]["Spearman"] == pytest.approx(0.508, abs=0.003)
    assert record["labels"] == ["stand-in-model", "small-dataset"]
    text = (language_home / "runs" / record["id"] / "accuracy.txt").read_text()
    assert text.startswith("pearson=0.656")


def test_files_of_the_official_layout_are_scored_in_the_official_form(official: Path, home: Path) -> None:
    size = f"vocabulary_size={len(pieces())}"
    (record,) = run_json("bert-99", "--model", str(official), "--recipe", size, "--mode", "accuracy", "--threads", "1")
    assert record["figures"]["samples_scored"] == 14
    assert 0 <= record["figures"]["accuracy"]["F1"] < 60
    assert record["labels"] == ["custom-model", "partial-dataset"]
    text = (home / "runs" / record["id"] / "accuracy.txt").read_text()
    assert text.startswith('{"exact_match": ')
    assert "hash=" in text
    responses = json.loads((home / "runs" / record["id"] / "mlperf_log_accuracy.json").read_text())
    lengths = {item["qsl_idx"]: len(item["data"]) // 16 for item in responses}
    assert (lengths[4], lengths[5]) == (11, 384)


def test_every_scenario_of_the_benchmark_runs(official: Path, home: Path) -> None:
    scenarios = ("Offline", "SingleStream", "Server")
    records = run_json(
        *("bert-99", "--model", str(official), "--recipe", f"vocabulary_size={len(pieces())}", "--threads", "1"),
        *("--duration", "300ms", "--target-qps", "30", "--target-latency", "100ms", "--no-trace"),
        *(word for name in scenarios for word in ("--scenario", name)),
    )
    assert [record["scenario"] for record in records] == list(scenarios)
    assert all(record["status"] == "finished" and record["failed_queries"] == 0 for record in records)


def test_a_vocabulary_of_another_model_is_told_before_anything_runs(official: Path) -> None:
    done = typed("run", "bert-99", "--model", str(official), "--mode", "accuracy")
    assert done.returncode == 4
    assert "not that of the model" in done.stderr


@pytest.mark.shared
@pytest.mark.skipif(not XQUAD.is_file(), reason="no verification data beside the checkout")
def test_real_questions_become_the_samples_of_the_reference(language_home: Path) -> None:
    store = AssetStore(settings := Settings(home=language_home), load_catalogue(settings))
    folder = store.ensure("minilm-l6-weights").path
    data = TASK.open_dataset(
        XQUAD, {"vocabulary": str(folder), "vocabulary_size": 30_522}, cache=settings.cache_dir, progress=SILENT
    )
    assert data.count == 1232
    assert data.sizes is not None
    assert (int(data.sizes.sum()), int(data.sizes.max())) == (225_824, 384)
    assert BERT_TINY.pieces == 30_522
