from __future__ import annotations

import numpy as np
import onnx
import pytest
from onnx.reference import ReferenceEvaluator

from assay.errors import InvalidInputError
from assay.models.graph import Graph, Weights, fold_norm, same_pads


def test_weights_are_handed_out_once_and_all_of_them() -> None:
    weights = Weights(
        {"a": np.ones((2,), np.float32), "b": np.ones((3,), np.float32), "n.num_batches_tracked": np.array(1)}, "w"
    )
    assert weights.take("a", (2,)).dtype == np.float64
    with pytest.raises(InvalidInputError, match="1 tensors that this architecture does not have: b"):
        weights.finish()
    with pytest.raises(InvalidInputError, match="'a' is missing"):
        weights.take("a", (2,))
    with pytest.raises(InvalidInputError, match=r"another shape; expected \(2,\); found \(3,\)"):
        weights.take("b", (2,))


def test_values_that_are_no_numbers_are_refused() -> None:
    with pytest.raises(InvalidInputError, match="no numbers"):
        Weights({"a": np.array([np.nan])}, "w").take("a", (1,))


def test_a_folded_normalisation_is_the_same_function() -> None:
    random = np.random.default_rng(0)
    kernel, x = random.standard_normal((4, 3, 1, 1)), random.standard_normal((3,))
    values = {name: random.uniform(0.5, 2, 4) for name in ("n.weight", "n.bias", "n.running_mean", "n.running_var")}
    folded, bias = fold_norm(kernel, Weights(values, "w"), "n", 1e-5)
    plain = kernel[:, :, 0, 0] @ x
    wanted = (plain - values["n.running_mean"]) / np.sqrt(values["n.running_var"] + 1e-5) * values["n.weight"] + values[
        "n.bias"
    ]
    assert np.allclose(folded[:, :, 0, 0] @ x + bias, wanted, atol=1e-12)


@pytest.mark.parametrize(
    ("size", "kernel", "stride", "pads"),
    [(224, 3, 2, (0, 0, 1, 1)), (112, 3, 1, (1, 1, 1, 1)), (56, 5, 2, (1, 1, 2, 2)), (7, 1, 1, (0, 0, 0, 0))],
)
def test_same_padding_puts_the_odd_one_at_the_end(size: int, kernel: int, stride: int, pads: tuple[int, ...]) -> None:
    assert same_pads(size, kernel, stride) == pads


def build() -> onnx.ModelProto:
    graph = Graph("tiny", 4)
    kernel = np.zeros((2, 3, 1, 1))
    kernel[0, 0], kernel[1, 2] = 1.0, -1.0
    x = graph.relu6(graph.conv("input", kernel, np.array([0.0, 1.0]), stride=1, pads=(0, 0, 0, 0)))
    x = graph.add(x, graph.relu(x))
    return graph.model(graph.pool_and_classify(x, np.eye(2), np.zeros(2)), 2)


def test_a_graph_computes_what_it_says_and_takes_any_batch() -> None:
    image = np.zeros((3, 3, 4, 4), np.float32)
    image[0, 0], image[1, 0], image[2, 2] = 2.0, 9.0, 5.0
    (logits,) = ReferenceEvaluator(build()).run(None, {"input": image})
    # Red is doubled after a clip at 6; blue is taken from 1 and clipped at 0.
    assert logits.tolist() == [[4.0, 2.0], [12.0, 2.0], [0.0, 0.0]]


def test_the_same_graph_is_the_same_bytes() -> None:
    assert build().SerializeToString(deterministic=True) == build().SerializeToString(deterministic=True)
