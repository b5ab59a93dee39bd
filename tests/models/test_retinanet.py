"""The whole network on pictures of 128x128, which take a fortieth of the time of the benchmark's 800x800."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper

from assay.models.retinanet import CLASSES, build_retinanet, level_anchors

SIDE = 128
Arrays = dict[str, NDArray[Any]]


@pytest.fixture(scope="module")
def model() -> onnx.ModelProto:
    return build_retinanet(1, image=SIDE)


@pytest.fixture(scope="module")
def found(model: onnx.ModelProto) -> Arrays:
    """Outputs on noise, and the scores of each level that the search for boxes begins with."""
    inner = [node.output[0] for node in model.graph.node if node.op_type == "Sigmoid"]
    model.graph.output.extend(helper.make_tensor_value_info(name, TensorProto.FLOAT, [None, CLASSES]) for name in inner)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    noise = np.random.default_rng(0).random((1, 3, SIDE, SIDE)).astype(np.float32)
    names = [item.name for item in session.get_outputs()]
    return dict(zip(names, session.run(None, {"images": noise}), strict=True))


def test_inputs_and_outputs_are_the_official_ones(model: onnx.ModelProto) -> None:
    whole = {
        item.name: [d.dim_value or d.dim_param for d in item.type.tensor_type.shape.dim] for item in model.graph.input
    }
    assert whole == {"images": [1, 3, SIDE, SIDE]}
    assert [item.name for item in model.graph.output[:3]] == ["boxes", "labels", "scores"]


def test_the_weights_are_as_many_as_the_architecture_has(model: onnx.ModelProto) -> None:
    """Convolutions of ResNeXt50-32x4d, the pyramid and two heads of five, a bias for each kernel."""
    stem = 3 * 64 * 49 + 64
    body, channels = 0, 64
    for blocks, width in ((3, 128), (4, 256), (6, 512), (3, 1024)):
        for number in range(blocks):
            body += (channels * width + width) + (width * width // 32 * 9 + width) + (width * 2 * width + 2 * width)
            body += 0 if number else channels * 2 * width + 2 * width
            channels = 2 * width
    pyramid = sum(size * 256 + 256 for size in (512, 1024, 2048)) + 5 * (256 * 256 * 9 + 256)
    heads = 8 * (256 * 256 * 9 + 256) + sum(256 * 9 * 9 * size + 9 * size for size in (CLASSES, 4))
    weights = [item for item in model.graph.initializer if item.name.endswith((".weight", ".bias"))]
    assert sum(int(np.prod(item.dims)) for item in weights) == stem + body + pyramid + heads


def test_anchors_are_those_of_five_levels() -> None:
    levels = [level_anchors(level) for level in range(5)]
    assert [len(each) for each in levels] == [90_000, 22_500, 5_625, 1_521, 441]
    assert levels[0][0].tolist() == [-23, -11, 23, 11]
    assert levels[0][9].tolist() == [-15, -11, 31, 11]
    sides = levels[4][:9, 2:] - levels[4][:9, :2]
    assert np.allclose(np.sqrt(sides.prod(axis=1)).reshape(3, 3), [512, 645, 812], rtol=0.01)
    assert np.allclose((sides[:, 1] / sides[:, 0]).reshape(3, 3).mean(axis=1), [0.5, 1, 2], rtol=0.01)


def test_the_best_boxes_lie_in_the_picture_and_apart(found: Arrays) -> None:
    boxes, labels, scores = found["boxes"], found["labels"], found["scores"]
    count = len(scores)
    assert 0 < count <= 300
    assert (boxes.shape, labels.shape, labels.dtype) == ((count, 4), (count,), np.int64)
    assert (np.diff(scores) <= 0).all()
    assert scores.min() >= 0.05
    assert labels.min() >= 0
    assert labels.max() < CLASSES
    assert boxes.min() >= 0
    assert boxes.max() <= SIDE
    for label in np.unique(labels):
        own = boxes[labels == label]
        overlap = overlaps(own)
        np.fill_diagonal(overlap, 0)
        assert overlap.max(initial=0) <= 0.5 + 1e-4


def test_the_best_score_of_all_is_found(found: Arrays) -> None:
    levels = [values for name, values in found.items() if name not in ("boxes", "labels", "scores")]
    assert len(levels) == 5
    best = max(float(values.max()) for values in levels)
    assert found["scores"][0] == pytest.approx(best, rel=1e-6)
    level = max(levels, key=lambda values: float(values.max()))
    assert found["labels"][0] == int(np.argmax(level)) % CLASSES


def overlaps(boxes: NDArray[np.float32]) -> NDArray[np.float64]:
    """Intersection over union of every two boxes."""
    low = np.maximum(boxes[:, None, :2], boxes[None, :, :2])
    high = np.minimum(boxes[:, None, 2:], boxes[None, :, 2:])
    shared = np.clip(high - low, 0, None).prod(axis=2).astype(np.float64)
    areas = (boxes[:, 2:] - boxes[:, :2]).prod(axis=1)
    return np.asarray(shared / np.maximum(areas[:, None] + areas[None] - shared, 1e-9))
