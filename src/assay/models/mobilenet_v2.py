"""MobileNetV2 for ImageNet (Sandler et al. 2018), with the tensor names of its PyTorch checkpoints."""

from __future__ import annotations

import onnx

from assay.models.graph import Graph, Weights, fold_norm

_EPSILON = 1e-5
# expansion, output channels, repeats, stride of the first: table 2 of the paper
_STAGES = (
    (1, 16, 1, 1),
    (6, 24, 2, 2),
    (6, 32, 3, 2),
    (6, 64, 4, 2),
    (6, 96, 3, 1),
    (6, 160, 3, 2),
    (6, 320, 1, 1),
)


def build_mobilenet_v2(weights: Weights, *, classes: int = 1000) -> onnx.ModelProto:
    """The graph: NCHW float32 ``input`` of 224x224 to ``logits``.

    Raises:
        InvalidInputError: when the weights are of another architecture.
    """
    graph = Graph("mobilenet-v2", 224)
    x = _conv(graph, weights, "input", "features.0.0", "features.0.1", (32, 3, 3, 3), stride=2)
    channels, number = 32, 1
    for expansion, output, repeats, stride in _STAGES:
        for repeat in range(repeats):
            x = _block(
                graph,
                weights,
                x,
                f"features.{number}.conv",
                channels,
                output,
                expansion,
                stride if repeat == 0 else 1,
            )
            channels, number = output, number + 1
    x = _conv(graph, weights, x, f"features.{number}.0", f"features.{number}.1", (1280, channels, 1, 1), stride=1)
    head = weights.take("classifier.1.weight", (classes, 1280)), weights.take("classifier.1.bias", (classes,))
    output_name = graph.pool_and_classify(x, *head)
    weights.finish()
    return graph.model(output_name, classes)


def _block(
    graph: Graph, weights: Weights, x: str, name: str, channels: int, output: int, expansion: int, stride: int
) -> str:
    """An inverted residual: expand, depthwise, project; added to its input where the shapes allow."""
    hidden, entry, step = channels * expansion, x, 0
    if expansion != 1:
        x = _conv(graph, weights, x, f"{name}.0.0", f"{name}.0.1", (hidden, channels, 1, 1), stride=1)
        step = 1
    x = _conv(
        graph,
        weights,
        x,
        f"{name}.{step}.0",
        f"{name}.{step}.1",
        (hidden, 1, 3, 3),
        stride=stride,
        groups=hidden,
    )
    x = _conv(
        graph,
        weights,
        x,
        f"{name}.{step + 1}",
        f"{name}.{step + 2}",
        (output, hidden, 1, 1),
        stride=1,
        clip=False,
    )
    return graph.add(entry, x) if stride == 1 and channels == output else x


def _conv(
    graph: Graph,
    weights: Weights,
    x: str,
    conv: str,
    norm: str,
    shape: tuple[int, int, int, int],
    *,
    stride: int,
    groups: int = 1,
    clip: bool = True,
) -> str:
    kernel, bias = fold_norm(weights.take(f"{conv}.weight", shape), weights, norm, _EPSILON)
    pad = shape[2] // 2
    x = graph.conv(x, kernel, bias, stride=stride, pads=(pad, pad, pad, pad), groups=groups)
    return graph.relu6(x) if clip else x
