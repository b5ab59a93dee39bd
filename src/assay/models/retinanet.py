"""RetinaNet with a ResNeXt50-32x4d and feature pyramid for 264 classes, with seeded weights: for speed only.

Sources of the architecture: Lin et al. 2017 (RetinaNet; feature pyramid), Xie et al. 2017 (ResNeXt), and what the
official graph does (mlcommons/inference v3.1, retinanet-onnxruntime): normalisation and the search for the best boxes
are inside, one picture at a time. Scores are those of an untrained head that is sure enough of some thousand boxes for
that search to have its usual work.
"""

from __future__ import annotations

import math

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper

from assay.models.graph import Graph

IMAGE, CLASSES = 800, 264
_STAGES = ((3, 128), (4, 256), (6, 512), (3, 1024))
_GROUPS, _PYRAMID, _HEAD_LAYERS = 32, 256, 4
_RATIOS, _SIZES = (0.5, 1.0, 2.0), (32, 64, 128, 256, 512)
_ANCHORS = 9
_MEAN, _STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
_LEAST_SCORE, _OVERLAP, _CANDIDATES, _BEST = 0.05, 0.5, 1000, 300
_MOST_GROWTH = math.log(1000 / 16)
_RESIDUAL_SCALE = 0.25
# Drawn so that of 31.7 million scores some thousand are above the least one, in noise more than in photographs.
_PRIOR, _SPREAD = 0.01, 0.2


class _Builder:
    def __init__(self, seed: int, image: int) -> None:
        self.graph = Graph("retinanet-resnext50-32x4d-fpn", image, "images", [1, 3, image, image])
        self._random = np.random.default_rng(seed)
        self._kept = 0

    def conv(
        self,
        x: str,
        channels: int,
        output: int,
        kernel: int,
        *,
        stride: int = 1,
        groups: int = 1,
        relu: bool = False,
        scale: float = 1.0,
    ) -> str:
        """A convolution with a drawn kernel and a small bias."""
        weights, pad = self.weights(channels, output, kernel, groups, scale), kernel // 2
        x = self.graph.conv(x, *weights, stride=stride, pads=(pad, pad, pad, pad), groups=groups)
        return self.graph.relu(x) if relu else x

    def weights(
        self, channels: int, output: int, kernel: int, groups: int = 1, scale: float = 1.0
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Kernel and bias of a convolution."""
        inner = channels // groups
        deviation = math.sqrt(2.0 / (inner * kernel * kernel)) * scale
        return self._draw((output, inner, kernel, kernel), deviation), self._draw((output,), 0.01)

    def kept(self, weights: tuple[NDArray[np.float64], NDArray[np.float64]]) -> list[str]:
        """Names of a kernel and a bias that several convolutions share."""
        self._kept += 1
        return [
            self.graph.constant(value, f"head_{self._kept}.{name}")
            for value, name in zip(weights, ("weight", "bias"), strict=True)
        ]

    def block(self, x: str, channels: int, width: int, output: int, stride: int) -> str:
        """A bottleneck whose 3x3 convolution is in 32 groups, and the way around it."""
        y = self.conv(x, channels, width, 1, relu=True)
        y = self.conv(y, width, width, 3, stride=stride, groups=_GROUPS, relu=True)
        y = self.conv(y, width, output, 1, scale=_RESIDUAL_SCALE)
        around = x if channels == output else self.conv(x, channels, output, 1, stride=stride, scale=0.7)
        return self.graph.relu(self.graph.add(around, y))

    def _draw(self, shape: tuple[int, ...], deviation: float) -> NDArray[np.float64]:
        return self._random.standard_normal(shape) * deviation


def build_retinanet(seed: int, *, image: int = IMAGE) -> onnx.ModelProto:
    """The graph: NCHW float32 ``images`` of 800x800, 0 to 1, to ``boxes`` (left, top, right, bottom in pixels),
    ``labels`` and ``scores``, best first; the same seed gives the same bytes.

    Args:
        seed: of the weights.
        image: height and width of the picture, a multiple of 32.
    """
    build = _Builder(seed, image)
    graph = build.graph
    mean = graph.constant(np.array(_MEAN).reshape(1, 3, 1, 1), "mean")
    std = graph.constant(np.array(_STD).reshape(1, 3, 1, 1), "std")
    x = graph.node("Div", [graph.node("Sub", ["images", mean]), std])
    levels = _pyramid(build, _backbone(build, x))
    _search(graph, _heads(build, levels), image)
    kinds = {"boxes": (TensorProto.FLOAT, 2), "labels": (TensorProto.INT64, 1), "scores": (TensorProto.FLOAT, 1)}
    shape: list[int | str | None] = ["found", 4]
    return graph.finish(
        [helper.make_tensor_value_info(name, kind, shape[:rank]) for name, (kind, rank) in kinds.items()]
    )


def _backbone(build: _Builder, x: str) -> list[tuple[str, int]]:
    """The last three stages of ResNeXt50-32x4d and their channels."""
    x = build.conv(x, 3, 64, 7, stride=2, relu=True)
    x = build.graph.node("MaxPool", [x], kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1])
    channels, stages = 64, []
    for stage, (blocks, width) in enumerate(_STAGES):
        for number in range(blocks):
            x = build.block(x, channels, width, width * 2, 2 if stage > 0 and number == 0 else 1)
            channels = width * 2
        stages.append((x, channels))
    return stages[1:]


def _pyramid(build: _Builder, stages: list[tuple[str, int]]) -> list[str]:
    """Five levels of 256 channels: 100, 50, 25, 13 and 7 cells wide."""
    graph = build.graph
    scales = graph.constant(np.array([1.0, 1.0, 2.0, 2.0]), "twice")
    above, levels = "", list[str]()
    for x, channels in reversed(stages):
        side = build.conv(x, channels, _PYRAMID, 1, scale=0.7)
        if above:
            doubled = graph.node(
                "Resize",
                [above, "", scales],
                mode="nearest",
                coordinate_transformation_mode="asymmetric",
                nearest_mode="floor",
            )
            side = graph.add(side, doubled)
        above = side
        levels.insert(0, build.conv(side, _PYRAMID, _PYRAMID, 3, scale=0.7))
    sixth = build.conv(levels[-1], _PYRAMID, _PYRAMID, 3, stride=2, scale=0.7)
    return [*levels, sixth, build.conv(graph.relu(sixth), _PYRAMID, _PYRAMID, 3, stride=2)]


def _heads(build: _Builder, levels: list[str]) -> list[tuple[str, str]]:
    """Class scores ``(cells * 9 * 264,)`` and box changes ``(cells * 9, 4)`` of each level; the weights are shared."""
    kernel, bias = build.weights(_PYRAMID, _ANCHORS * CLASSES, 3, scale=_SPREAD)
    # Features are all above zero: without this a few classes would win everywhere.
    kernel -= kernel.mean(axis=(1, 2, 3), keepdims=True)
    last = (kernel, bias - math.log((1 - _PRIOR) / _PRIOR)), build.weights(_PYRAMID, _ANCHORS * 4, 3, scale=0.1)
    classify, regress = (
        [build.kept(weights) for weights in [*(build.weights(_PYRAMID, _PYRAMID, 3) for _ in range(_HEAD_LAYERS)), end]]
        for end in last
    )
    made = []
    for level in levels:
        scores, changes = (
            _per_anchor(build.graph, _tower(build.graph, level, layers), width)
            for layers, width in ((classify, CLASSES), (regress, 4))
        )
        flat = build.graph.node("Reshape", [build.graph.node("Sigmoid", [scores]), build.graph.integers([-1])])
        made.append((flat, changes))
    return made


def _tower(graph: Graph, x: str, layers: list[list[str]]) -> str:
    """Convolutions of 3x3 with their weights; all but the last cut off below zero."""
    for number, weights in enumerate(layers):
        x = graph.node("Conv", [x, *weights], kernel_shape=[3, 3], pads=[1, 1, 1, 1])
        x = graph.relu(x) if number < len(layers) - 1 else x
    return x


def _per_anchor(graph: Graph, x: str, width: int) -> str:
    """From ``(1, 9 * width, height, width)`` to ``(cells * 9, width)``."""
    apart = graph.node("Reshape", [x, graph.integers([_ANCHORS, width, -1])])
    return graph.node("Reshape", [graph.node("Transpose", [apart], perm=[2, 0, 1]), graph.integers([-1, width])])


def _search(graph: Graph, levels: list[tuple[str, str]], image: int) -> None:
    """The best boxes: a thousand candidates of each level, of which none overlaps a better one of its class."""
    parts = [_candidates(graph, level_anchors(number, image), *level, image) for number, level in enumerate(levels)]
    boxes, labels, scores = (graph.node("Concat", [part[place] for part in parts], axis=0) for place in range(3))
    # Boxes of different classes are moved apart, so that one search does for all.
    away = graph.node("Mul", [graph.node("Cast", [labels], to=TensorProto.FLOAT), graph.number(image + 1.0)])
    apart = graph.add(boxes, graph.node("Unsqueeze", [away, graph.integers([1])]))
    chosen = graph.node(
        "NonMaxSuppression",
        [
            graph.node("Unsqueeze", [apart, graph.integers([0])]),
            graph.node("Unsqueeze", [scores, graph.integers([0, 1])]),
            graph.integers([_BEST]),
            graph.number(_OVERLAP),
        ],
    )
    kept = graph.node("Gather", [chosen, graph.integers(2)], axis=1)
    for name, values in (("boxes", boxes), ("labels", labels), ("scores", scores)):
        graph.named("Gather", [values, kept], [name], axis=0)


def _candidates(
    graph: Graph, boxes: NDArray[np.float64], scores: str, changes: str, image: int
) -> tuple[str, str, str]:
    """Boxes, labels and scores of the best of one level that reach the least score."""
    above = graph.node("Greater", [scores, graph.number(_LEAST_SCORE)])
    places = graph.node("Reshape", [graph.node("NonZero", [above]), graph.integers([-1])])
    values = graph.node("Gather", [scores, places], axis=0)
    count = graph.node("Min", [graph.node("Shape", [values]), graph.integers([_CANDIDATES])])
    best, order = f"best_{len(boxes)}", f"order_{len(boxes)}"
    graph.named("TopK", [values, count], [best, order])
    place = graph.node("Gather", [places, order], axis=0)
    anchor = graph.node("Div", [place, graph.integers(CLASSES)])
    label = graph.node("Mod", [place, graph.integers(CLASSES)])
    anchors = graph.constant(boxes, f"anchors_{len(boxes)}")
    starts, moves = (graph.node("Gather", [values, anchor], axis=0) for values in (anchors, changes))
    moved = graph.node("Clip", [_moved(graph, starts, moves), graph.number(0.0), graph.number(float(image))])
    return moved, label, best


def _moved(graph: Graph, anchors: str, changes: str) -> str:
    """Boxes from anchors and changes: the centre is moved by parts of the side, the side grows by a power of e."""
    low, high = graph.integers([0, 1]), graph.integers([2, 3])
    first, last = (graph.node("Gather", [anchors, part], axis=1) for part in (low, high))
    side = graph.node("Sub", [last, first])
    half = graph.number(0.5)
    centre = graph.add(first, graph.node("Mul", [side, half]))
    shift, growth = (graph.node("Gather", [changes, part], axis=1) for part in (low, high))
    centre = graph.add(centre, graph.node("Mul", [shift, side]))
    most = graph.node("Min", [growth, graph.number(_MOST_GROWTH)])
    reach = graph.node("Mul", [graph.node("Mul", [graph.node("Exp", [most]), side]), half])
    return graph.node("Concat", [graph.node("Sub", [centre, reach]), graph.add(centre, reach)], axis=1)


def level_anchors(level: int, image: int = IMAGE) -> NDArray[np.float64]:
    """Anchors of a level of the pyramid, ``(cells * 9, 4)``: left, top, right, bottom in pixels, row by row."""
    sizes = [int(_SIZES[level] * 2 ** (third / 3)) for third in range(3)]
    height = np.sqrt(np.array(_RATIOS))
    halves = np.stack([np.outer(1 / height, sizes).reshape(-1), np.outer(height, sizes).reshape(-1)], axis=1) / 2
    shapes = np.round(np.concatenate([-halves, halves], axis=1))
    cells = -(-image // (8 << level))
    steps = np.arange(cells) * (image // cells)
    y, x = np.meshgrid(steps, steps, indexing="ij")
    places = np.stack([x, y, x, y], axis=-1).reshape(-1, 1, 4)
    return np.asarray((places + shapes).reshape(-1, 4), np.float64)
