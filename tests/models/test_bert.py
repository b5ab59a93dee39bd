from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from numpy.typing import NDArray

from assay.models.bert import BERT_LARGE, BERT_TINY, BertGraph, BertShape, build_bert, seeded, write_pieces
from assay.models.inspection import inspect_onnx

SMALL = BertShape(layers=2, hidden=16, heads=4, inner=24, pieces=40, positions=32)
Tensors = dict[str, NDArray[np.float32]]


def varied(name: str, shape: tuple[int, ...]) -> NDArray[np.float32]:
    """Weights large enough that every part of the graph shows in its outputs."""
    random = np.random.default_rng(sum(name.encode()) + len(name))
    around = 1.0 if name.endswith("LayerNorm.weight") else 0.0
    return (random.standard_normal(shape) * 0.3 + around).astype(np.float32)


class Numpy:
    """BERT as the paper has it, in double precision."""

    def __init__(self, shape: BertShape, take: Any) -> None:
        self.shape = shape
        self.take = take

    def dense(self, x: NDArray[np.float64], name: str, size: int, to: int) -> NDArray[np.float64]:
        return x @ self.take(f"{name}.weight", (to, size)).T + self.take(f"{name}.bias", (to,))

    def norm(self, x: NDArray[np.float64], name: str) -> NDArray[np.float64]:
        size = (self.shape.hidden,)
        scaled = (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + self.shape.epsilon)
        return scaled * self.take(f"{name}.weight", size) + self.take(f"{name}.bias", size)

    def encode(self, ids: NDArray[np.int64], segments: NDArray[np.int64]) -> NDArray[np.float64]:
        """One text without padding: ``(length, hidden)``."""
        s, heads = self.shape, self.shape.heads
        x = self.take("embeddings.word_embeddings.weight", (s.pieces, s.hidden))[ids].astype(np.float64)
        x = x + self.take("embeddings.position_embeddings.weight", (s.positions, s.hidden))[: len(ids)]
        x = x + self.take("embeddings.token_type_embeddings.weight", (s.segments, s.hidden))[segments]
        x = self.norm(x, "embeddings.LayerNorm")
        for layer in range(s.layers):
            name = f"encoder.layer.{layer}"
            q, k, v = (
                self.dense(x, f"{name}.attention.self.{part}", s.hidden, s.hidden).reshape(len(ids), heads, -1)
                for part in ("query", "key", "value")
            )
            scores = np.einsum("qhd,khd->hqk", q, k) / math.sqrt(s.hidden // heads)
            weights = np.exp(scores - scores.max(-1, keepdims=True))
            weights /= weights.sum(-1, keepdims=True)
            context = np.einsum("hqk,khd->qhd", weights, v).reshape(len(ids), -1)
            attended = self.dense(context, f"{name}.attention.output.dense", s.hidden, s.hidden)
            x = self.norm(attended + x, f"{name}.attention.output.LayerNorm")
            inner = self.dense(x, f"{name}.intermediate.dense", s.hidden, s.inner)
            inner = inner * 0.5 * (1 + np.vectorize(math.erf)(inner / math.sqrt(2)))
            x = self.norm(self.dense(inner, f"{name}.output.dense", s.inner, s.hidden) + x, f"{name}.output.LayerNorm")
        return x


def texts() -> list[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    random = np.random.default_rng(3)
    return [(random.integers(1, 40, n), (np.arange(n) > n // 3).astype(np.int64)) for n in (5, 32, 1, 17)]


def padded(width: int) -> dict[str, NDArray[np.int64]]:
    found = {name: np.zeros((4, width), np.int64) for name in ("input_ids", "input_mask", "segment_ids")}
    for row, (ids, segments) in enumerate(texts()):
        found["input_ids"][row, : len(ids)] = ids
        found["segment_ids"][row, : len(ids)] = segments
        found["input_mask"][row, : len(ids)] = 1
    return found


def write(folder: Path, head: str) -> Path:
    graph = BertGraph("small", SMALL)
    encoded = graph.encoder()
    outputs = graph.spans(encoded) if head == "spans" else graph.mean(encoded)
    path = folder / "small.onnx"
    write_pieces(graph.pieces(outputs, varied, {"made": "for a test"}), path)
    onnx.checker.check_model(str(path), full_check=True)
    return path


def engines(path: Path) -> dict[str, Any]:
    """The model in each engine there is, as a function from inputs to outputs."""
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    found: dict[str, Any] = {"onnxruntime": lambda inputs: session.run(None, inputs)}
    try:
        from assay.backends.openvino import OpenVinoBackend
        from assay.backends.protocol import BackendOptions

        stream = OpenVinoBackend().open(path, BackendOptions(threads=1)).stream()
        found["openvino"] = lambda inputs: stream.run(list(inputs.values()))
    except ImportError:
        pass
    return found


def test_it_computes_what_the_paper_says_whatever_the_padding(tmp_path: Path) -> None:
    model = Numpy(SMALL, varied)
    expected = [model.dense(model.encode(ids, segments), "qa_outputs", SMALL.hidden, 2) for ids, segments in texts()]
    for name, run in engines(write(tmp_path, "spans")).items():
        for _ in range(2):
            start, end = run(padded(32))
            for row, logits in enumerate(expected):
                found = np.stack((start[row], end[row]), axis=-1)[: len(logits)]
                assert np.abs(found - logits).max() < 1e-4, name


def test_the_vector_of_a_text_is_the_mean_of_its_tokens(tmp_path: Path) -> None:
    model = Numpy(SMALL, varied)
    for name, run in engines(write(tmp_path, "mean")).items():
        (vectors,) = run(padded(32))
        for row, (ids, segments) in enumerate(texts()):
            mean = model.encode(ids, segments).mean(axis=0)
            assert np.abs(vectors[row] - mean / np.linalg.norm(mean)).max() < 1e-4, name


def test_batch_and_length_are_free_and_names_are_those_of_mlperf(tmp_path: Path) -> None:
    path = write(tmp_path, "spans")
    inputs, outputs = inspect_onnx(path)
    assert [(spec.name, spec.dtype, spec.shape) for spec in inputs] == [
        (name, np.int64, (-1, -1)) for name in ("input_ids", "input_mask", "segment_ids")
    ]
    assert [(spec.name, spec.shape) for spec in outputs] == [
        ("output_start_logits", (-1, -1)),
        ("output_end_logits", (-1, -1)),
    ]
    run = engines(path)["onnxruntime"]
    for batch, length in ((1, 1), (3, 7), (1, 32)):
        ones = np.ones((batch, length), np.int64)
        assert run(dict.fromkeys(("input_ids", "input_mask", "segment_ids"), ones))[0].shape == (batch, length)


def test_a_text_longer_than_the_model_takes_breaks_the_run(tmp_path: Path) -> None:
    run = engines(write(tmp_path, "spans"))["onnxruntime"]
    ones = np.ones((1, 33), np.int64)
    with pytest.raises(Exception, match=r"(?i)shape|broadcast|dimension"):
        run(dict.fromkeys(("input_ids", "input_mask", "segment_ids"), ones))


def test_what_it_was_made_of_is_kept(tmp_path: Path) -> None:
    model = onnx.load(str(write(tmp_path, "spans")))
    assert {item.key: item.value for item in model.metadata_props} == {"made": "for a test"}
    assert len(model.graph.initializer) > 30


def test_the_same_seed_gives_the_same_bytes() -> None:
    one, again, other = (b"".join(build_bert(seed, SMALL, "s")) for seed in (1, 1, 2))
    assert one == again != other


def test_the_large_one_has_the_size_of_the_paper() -> None:
    """335 million parameters are those of BERT-Large (340 million with the pooler and the heads of pre-training)."""
    graph = BertGraph("large", BERT_LARGE)
    graph.spans(graph.encoder())
    count = sum(math.prod(shape) for _, shape, _ in graph._weights)
    assert (BERT_LARGE.layers, BERT_LARGE.hidden, BERT_LARGE.heads, BERT_LARGE.inner) == (24, 1024, 16, 4096)
    assert count == 334_094_338


def test_seeded_weights_give_finite_logits_that_vary(tmp_path: Path) -> None:
    path = tmp_path / "tiny.onnx"
    write_pieces(build_bert(1, BERT_TINY, "bert-tiny"), path)
    assert path.stat().st_size < 20 << 20
    start, end = engines(path)["onnxruntime"](padded(32))
    assert np.isfinite(start).all()
    assert np.isfinite(end).all()
    assert start[1].std() > 0.01
    assert seeded(1)("x.bias", (3,)).tolist() == [0, 0, 0]
