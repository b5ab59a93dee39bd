from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

from assay.backends.onnxruntime import BACKEND
from assay.backends.protocol import BackendOptions
from assay.models.dlrm_graph import dlrm_graph
from assay.models.dlrm_network import Network, Shape, draw_parameters, sigmoid, table_name
from assay.models.dlrm_synthetic import Official, draw_official

SHAPE = Shape(dense=3, rows=(50, 4, 7), width=4, bottom=(6, 4), top=(5, 1))


def run(model: onnx.ModelProto, folder: Path, dense: Any, ids: Any) -> Any:
    path = folder / "model.onnx"
    path.write_bytes(model.SerializeToString())
    session = BACKEND.open(path, BackendOptions(threads=1))
    assert [(spec.name, spec.shape[0]) for spec in session.inputs] == [("dense", -1), ("ids", -1)]
    answer = np.array(session.stream().run((dense, ids))[0])
    session.close()
    assert answer.shape == (len(dense), 1)
    return answer[:, 0]


def pairs(rows: tuple[int, ...], hots: tuple[int, ...], dense: int, count: int) -> tuple[Any, Any]:
    random = np.random.default_rng(2)
    ids = random.integers(0, np.repeat(rows, hots), (count, sum(hots))).astype(np.int32)
    return random.standard_normal((count, dense)).astype(np.float32), ids


@pytest.mark.parametrize("count", [1, 9])
def test_the_graph_computes_what_was_trained(tmp_path: Path, count: int) -> None:
    parameters = draw_parameters(SHAPE, 1)
    model = dlrm_graph("small", parameters, hots=(1, 1, 1), bottom=2, top=2, metadata={"seed": "1"})
    dense, ids = pairs(SHAPE.rows, (1, 1, 1), 3, count)
    expected = sigmoid(Network(SHAPE).logits(parameters, dense, ids))
    assert run(model, tmp_path, dense, ids) == pytest.approx(expected, abs=1e-6)
    assert {item.key: item.value for item in model.metadata_props} == {"seed": "1"}


SMALL = Official(rows=(50, 4, 7), hots=(3, 1, 2), bottom=(6, 4), top=(5, 1), dense=3, width=4, cross=2, rank=3)


def crossed(tensors: Any, official: Official, dense: Any, ids: Any) -> Any:
    """DLRM-DCN of one pair after the other in double precision, from the papers."""
    answers = []
    for numbers, wanted in zip(dense.astype(np.float64), ids, strict=True):
        x = numbers
        for layer in range(len(official.bottom)):
            x = np.maximum(tensors[f"bottom.{layer}.weight"] @ x + tensors[f"bottom.{layer}.bias"], 0)
        vectors, column = [x], 0
        for number, hots in enumerate(official.hots):
            vectors.append(sum(tensors[table_name(number)][row] for row in wanted[column : column + hots]))
            column += hots
        x0 = x = np.concatenate(vectors)
        for layer in range(official.cross):
            low = tensors[f"cross.{layer}.v"] @ x
            x = x0 * (tensors[f"cross.{layer}.w"] @ low + tensors[f"cross.{layer}.bias"]) + x
        for layer in range(len(official.top)):
            x = tensors[f"top.{layer}.weight"] @ x + tensors[f"top.{layer}.bias"]
            x = np.maximum(x, 0) if layer < len(official.top) - 1 else x
        answers.append(1 / (1 + np.exp(-x[0])))
    return np.array(answers)


def test_cross_layers_and_sums_of_rows(tmp_path: Path) -> None:
    tensors = draw_official(SMALL, 4, max_rows=1000)
    model = dlrm_graph("small", tensors, hots=SMALL.hots, bottom=2, top=2, cross=2)
    dense, ids = pairs(SMALL.rows, SMALL.hots, 3, 8)
    answers = run(model, tmp_path, dense, ids)
    assert answers == pytest.approx(crossed(tensors, SMALL, dense, ids), abs=1e-5)
    assert answers.std() > 1e-3, "answers depend on the pair"


def test_the_same_weights_give_the_same_bytes() -> None:
    one, two = (
        dlrm_graph("small", draw_parameters(SHAPE, 1), hots=(1, 1, 1), bottom=2, top=2).SerializeToString(
            deterministic=True
        )
        for _ in range(2)
    )
    assert one == two
