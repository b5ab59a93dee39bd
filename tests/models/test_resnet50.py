from __future__ import annotations

import numpy as np
import onnxruntime
import pytest

from assay.models.resnet50 import build_resnet50


@pytest.fixture(scope="module")
def model() -> bytes:
    return build_resnet50(1).SerializeToString(deterministic=True)


def test_it_is_the_true_architecture(model: bytes) -> None:
    import onnx

    graph = onnx.load_model_from_string(model).graph
    convolutions = [node for node in graph.node if node.op_type == "Conv"]
    assert len(convolutions) == 53
    # Folding moves the scale and shift of every normalisation into the convolution: 25,557,032 less 26,560.
    assert sum(int(np.prod(item.dims)) for item in graph.initializer) == 25_530_472
    strided = [
        list(a.ints) for node in convolutions for a in node.attribute
        if a.name == "kernel_shape" and any(b.name == "strides" and list(b.ints) == [2, 2] for b in node.attribute)
    ]  # fmt: skip
    # v1.5: the stride of a block is in its 3x3; the 1x1 are the ways around.
    assert strided.count([3, 3]) == 3
    assert strided.count([1, 1]) == 3


def test_answers_are_finite_and_depend_on_the_picture(model: bytes) -> None:
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    pictures = np.random.default_rng(0).uniform(-120, 120, (2, 3, 224, 224)).astype(np.float32)
    (logits,) = session.run(None, {"input": pictures})
    assert logits.shape == (2, 1000)
    assert np.isfinite(logits).all()
    assert np.abs(logits[0] - logits[1]).max() > 1e-3


def test_a_seed_is_a_model() -> None:
    assert build_resnet50(3).SerializeToString(deterministic=True) == build_resnet50(3).SerializeToString(
        deterministic=True
    )
