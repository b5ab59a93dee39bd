from __future__ import annotations

from pathlib import Path

import numpy as np
import onnxruntime
import pytest
from safetensors.numpy import save_file

from assay.errors import InvalidInputError, NotFoundError
from assay.models.bert import write_pieces
from assay.models.minilm import build_minilm, read_safetensors

from .test_bert import SMALL, Numpy, padded, texts, varied


def tensors() -> dict[str, np.ndarray]:
    """All tensors of a small model, as a checkpoint has them."""
    from assay.models.bert import BertGraph

    graph = BertGraph("small", SMALL)
    graph.encoder()
    found = {name: varied(name, shape) for name, shape, _ in graph._weights}
    return found | {
        "embeddings.position_ids": np.arange(SMALL.positions)[None],
        "pooler.dense.weight": varied("p", (16, 16)),
        "pooler.dense.bias": varied("b", (16,)),
    }


def test_a_checkpoint_becomes_a_model_that_computes_the_same(tmp_path: Path) -> None:
    save_file(tensors(), tmp_path / "model.safetensors")
    write_pieces(build_minilm(tmp_path, SMALL), tmp_path / "m.onnx")
    session = onnxruntime.InferenceSession(str(tmp_path / "m.onnx"), providers=["CPUExecutionProvider"])
    (vectors,) = session.run(None, padded(32))
    for row, (ids, segments) in enumerate(texts()):
        mean = Numpy(SMALL, varied).encode(ids, segments).mean(axis=0)
        assert np.abs(vectors[row] - mean / np.linalg.norm(mean)).max() < 1e-4


@pytest.mark.parametrize("change", ["missing", "more", "shape", "no number"])
def test_weights_of_another_architecture_are_refused(tmp_path: Path, change: str) -> None:
    found = tensors()
    name = "encoder.layer.1.output.dense.weight"
    if change == "missing":
        del found[name]
    elif change == "more":
        found["encoder.layer.2.output.dense.weight"] = found[name]
    elif change == "shape":
        found[name] = np.ascontiguousarray(found[name].T)
    else:
        found[name][0, 0] = np.nan
    save_file(found, tmp_path / "model.safetensors")
    with pytest.raises(InvalidInputError, match="tensor"):
        write_pieces(build_minilm(tmp_path, SMALL), tmp_path / "m.onnx")


def test_what_is_no_safetensors_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    with pytest.raises(NotFoundError, match="not there"):
        read_safetensors(path)
    for content in (b"", b"no tensors at all", (2**40).to_bytes(8, "little") + b"{}"):
        path.write_bytes(content)
        with pytest.raises(InvalidInputError, match="not a safetensors file"):
            read_safetensors(path)
