from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from safetensors.numpy import save_file

from assay.errors import MissingDependencyError
from assay.models.bert import write_pieces
from assay.models.bert_training import Schedule, like_lengths, train_spans, training_articles

from .test_bert import BertShape
from .text.made import pieces, write_squad, write_vocabulary


def test_five_sixths_are_trained_on() -> None:
    assert [training_articles(count) for count in (48, 12, 6, 1)] == [40, 10, 5, 0]


def test_batches_hold_every_example_once_and_are_of_like_lengths() -> None:
    lengths = np.random.default_rng(1).integers(40, 385, 103).tolist()
    batches = like_lengths(lengths, 8, np.random.default_rng(2))
    assert sorted(index for batch in batches for index in batch) == list(range(103))
    assert {len(batch) for batch in batches} <= {8, 7}
    waste = sum(max(lengths[i] for i in batch) * len(batch) for batch in batches) / sum(lengths)
    assert waste < 1.1
    assert batches != like_lengths(lengths, 8, np.random.default_rng(3))


def test_without_pytorch_it_is_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(MissingDependencyError, match="PyTorch") as caught:
        train_spans(tmp_path, tmp_path, 1)
    assert "assay[torch]" in str(caught.value.hint)


def test_a_tiny_model_learns_and_keeps_what_it_was_made_of(tmp_path: Path) -> None:
    pytest.importorskip("torch", reason="the extra torch is not installed")
    from assay.models.bert import BertGraph, seeded

    write_vocabulary(tmp_path)
    shape = BertShape(layers=1, hidden=16, heads=2, inner=32, pieces=len(pieces()), positions=400)
    graph = BertGraph("small", shape)
    graph.encoder()
    take = seeded(1)
    save_file({name: take(name, size) for name, size, _ in graph._weights}, tmp_path / "model.safetensors")
    plan = Schedule(epochs=2, batch=4, rate=1e-3, threads=1)
    made = train_spans(tmp_path, write_squad(tmp_path), 1, schedule=plan, shape=shape)
    path = tmp_path / "model.onnx"
    write_pieces(made, path)
    facts = {item.key: item.value for item in onnx.load(str(path)).metadata_props}
    assert "articles 0 to 4 of 6" in facts["data"]
    assert "seed 1" in facts["schedule"]
    first, last = map(float, facts["losses"].split(", "))
    assert last < first
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    ones = np.ones((2, 9), np.int64)
    start, _ = session.run(None, dict.fromkeys(("input_ids", "input_mask", "segment_ids"), ones))
    assert np.isfinite(start).all()
