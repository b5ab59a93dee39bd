"""CenterNet with MobileNetV3, from its TensorFlow.js graph, for any batch.

The graph was made for one picture: its last part flattens the batch away. What comes before, the map of class scores
and the map of box sides, does not depend on the batch and is converted as it is; the last part is written anew for any
batch: peaks of the score map (Zhou et al. 2019, section 4), the best 100, and the sides of the box at each.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper

from assay.errors import InvalidInputError
from assay.models.graph import Graph
from assay.models.tfjs import TfGraph, read_tfjs
from assay.models.tfjs_convert import Converter

_SCORES, _SIDES = "tower_0/keypoints", "tower_0/wh"
_CLASSES, _MAP, _STRIDE, _BEST = 80, 128, 4.0, 100
OUTPUT = "detections"
"""``(batch, 100, 6)``: left, top, right, bottom in pixels of the 512x512 picture, score, class from 0; best first."""


def build_centernet(folder: Path) -> onnx.ModelProto:
    """The graph: NHWC float32 pictures of 512x512, 0 to 255, to :data:`OUTPUT`.

    Args:
        folder: holds ``centernet.json`` and its shard.

    Raises:
        NotFoundError: when a file is not there.
        InvalidInputError: when they are of another model, or damaged.
    """
    source = read_tfjs(folder / "centernet.json")
    converter = Converter(source, "centernet-mobilenetv3", batch="batch")
    maps = [converter.convert(name) for name in (_SCORES, _SIDES)]
    wanted = [(-1, _MAP, _MAP, _CLASSES), (-1, _MAP, _MAP, 4)]
    if [value.shape for value in maps] != wanted:
        raise InvalidInputError(
            "the maps of scores and sides have another shape",
            where=source.where,
            expected=str(wanted),
            found=str([value.shape for value in maps]),
        )
    _check_decoding(source)
    graph = converter.graph
    _decode(graph, *(converter.planar(value) for value in maps))
    return graph.finish([helper.make_tensor_value_info(OUTPUT, TensorProto.FLOAT, ["batch", _BEST, 6])])


def _check_decoding(source: TfGraph) -> None:
    """The graph's own last part has the numbers of the one that is written in its place."""
    known = {"mul_3/y": _STRIDE, "mul_4/y": _STRIDE, "mul_5/y": _STRIDE, "mul_6/y": _STRIDE, "TopKV2/k": _BEST}
    for name, value in known.items():
        weight = source.weights.get(f"tower_0/{name}")
        if weight is None or weight.size != 1 or weight.item() != value:
            raise InvalidInputError(
                f"tower_0/{name} has another value",
                where=source.where,
                expected=str(value),
                found="nothing" if weight is None else str(weight.reshape(-1)[:4]),
            )


def _decode(graph: Graph, scores: str, sides: str) -> None:
    """From the maps, ``(batch, 80, 128, 128)`` and ``(batch, 4, 128, 128)``, to the detections."""
    best = graph.node("MaxPool", [scores], kernel_shape=[3, 3], strides=[1, 1], pads=[1, 1, 1, 1])
    peak = graph.node("Cast", [graph.node("Equal", [scores, best])], to=TensorProto.FLOAT)
    flat = graph.node("Reshape", [graph.node("Mul", [scores, peak]), graph.integers([0, -1])])
    graph.named("TopK", [flat, graph.integers([_BEST])], ["score", "place"])
    cells = graph.integers(_MAP * _MAP)
    label = graph.node("Cast", [graph.node("Div", ["place", cells])], to=TensorProto.FLOAT)
    cell = graph.node("Mod", ["place", cells])
    side = graph.integers(_MAP)
    centre = [
        graph.node("Cast", [graph.node(operation, [cell, side])], to=TensorProto.FLOAT) for operation in ("Mod", "Div")
    ]
    stride = graph.constant(np.array(_STRIDE), "stride")
    x, y = (graph.node("Unsqueeze", [graph.node("Mul", [name, stride]), graph.integers([2])]) for name in centre)
    per_cell = graph.node("Transpose", [graph.node("Reshape", [sides, graph.integers([0, 4, -1])])], perm=[0, 2, 1])
    index = graph.node("Unsqueeze", [cell, graph.integers([2])])
    reach = graph.node("GatherND", [per_cell, index], batch_dims=1)
    graph.named("Split", [reach, graph.integers([2, 2])], ["before", "after"], axis=2)
    middle = graph.node("Concat", [x, y], axis=2)
    corners = [graph.node("Sub", [middle, "before"]), graph.node("Add", [middle, "after"])]
    rest = [graph.node("Unsqueeze", [name, graph.integers([2])]) for name in ("score", label)]
    graph.named("Concat", [*corners, *rest], [OUTPUT], axis=2)
