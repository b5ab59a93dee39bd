"""EfficientNet-Lite for ImageNet (TensorFlow TPU models), with the tensor names of its PyTorch checkpoints.

Lite1 and Lite2 are Lite0 made wider, deeper and sharper; unlike in EfficientNet, the stem, the head, and the depth of the
first and last stage are never scaled (tpu/models/official/efficientnet/lite: ``fix_head_stem``).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import onnx

from assay.models.graph import Graph, Weights, fold_norm, same_pads

_EPSILON = 1e-3
# expansion, output channels, repeats, stride of the first, kernel: EfficientNet-B0's stages (Tan and Le 2019, table 1)
_STAGES = (
    (1, 16, 1, 1, 3),
    (6, 24, 2, 2, 3),
    (6, 40, 2, 2, 5),
    (6, 80, 3, 2, 3),
    (6, 112, 3, 1, 5),
    (6, 192, 4, 2, 5),
    (6, 320, 1, 1, 3),
)


@dataclass(frozen=True, slots=True)
class _Scale:
    """How a member of the family differs from Lite0.

    Attributes:
        width: factor of channels.
        depth: factor of repeats.
        image: height and width of its input.
    """

    width: float
    depth: float
    image: int

    def channels(self, base: int) -> int:
        """Channels scaled and rounded to eights, never more than a tenth below (Tan and Le 2019)."""
        scaled = base * self.width
        rounded = max(8, int(scaled + 4) // 8 * 8)
        return rounded + 8 if rounded < 0.9 * scaled else rounded

    def repeats(self, stage: int, base: int) -> int:
        """Blocks of a stage; the first and the last keep theirs."""
        return base if stage in (0, len(_STAGES) - 1) else math.ceil(self.depth * base)


# tpu/models/official/efficientnet/lite/efficientnet_lite_builder.py, efficientnet_lite_params
_SCALES = {0: _Scale(1.0, 1.0, 224), 1: _Scale(1.0, 1.1, 240), 2: _Scale(1.1, 1.2, 260)}


class _Builder:
    """Keeps track of the image's size, which TensorFlow's padding depends on."""

    def __init__(self, weights: Weights, member: int) -> None:
        image = _SCALES[member].image
        self.graph = Graph(f"efficientnet-lite{member}", image)
        self.weights = weights
        self.size = image

    def conv(
        self,
        x: str,
        conv: str,
        norm: str,
        shape: tuple[int, int, int, int],
        *,
        stride: int = 1,
        groups: int = 1,
        clip: bool = True,
    ) -> str:
        """Convolution, folded normalisation, ReLU6."""
        kernel, bias = fold_norm(self.weights.take(f"{conv}.weight", shape), self.weights, norm, _EPSILON)
        pads = same_pads(self.size, shape[2], stride)
        self.size = -(-self.size // stride)
        x = self.graph.conv(x, kernel, bias, stride=stride, pads=pads, groups=groups)
        return self.graph.relu6(x) if clip else x

    def block(self, x: str, name: str, channels: int, output: int, expansion: int, stride: int, kernel: int) -> str:
        """An inverted residual without squeeze and excitation."""
        hidden, entry = channels * expansion, x
        if expansion != 1:
            x = self.conv(x, f"{name}._expand_conv", f"{name}._bn0", (hidden, channels, 1, 1))
        x = self.conv(
            x,
            f"{name}._depthwise_conv",
            f"{name}._bn1",
            (hidden, 1, kernel, kernel),
            stride=stride,
            groups=hidden,
        )
        x = self.conv(x, f"{name}._project_conv", f"{name}._bn2", (output, hidden, 1, 1), clip=False)
        return self.graph.add(entry, x) if stride == 1 and channels == output else x


def build_efficientnet_lite0(weights: Weights, *, classes: int = 1000) -> onnx.ModelProto:
    """The graph: NCHW float32 ``input`` of 224x224 to ``logits``.

    Raises:
        InvalidInputError: when the weights are of another architecture.
    """
    return build_efficientnet_lite(weights, 0, classes=classes)


def build_efficientnet_lite(weights: Weights, member: int, *, classes: int = 1000) -> onnx.ModelProto:
    """The graph of one of the family: NCHW float32 ``input`` to ``logits``.

    Args:
        weights: of its checkpoint.
        member: 0 (224x224), 1 (240x240) or 2 (260x260).
        classes: of its last layer.

    Raises:
        InvalidInputError: when the weights are of another architecture.
    """
    scale, build = _SCALES[member], _Builder(weights, member)
    x = build.conv("input", "_conv_stem", "_bn0", (32, 3, 3, 3), stride=2)
    channels, number = 32, 0
    for stage, (expansion, base, repeats, stride, kernel) in enumerate(_STAGES):
        output = scale.channels(base)
        for repeat in range(scale.repeats(stage, repeats)):
            x = build.block(x, f"_blocks.{number}", channels, output, expansion, stride if repeat == 0 else 1, kernel)
            channels, number = output, number + 1
    x = build.conv(x, "_conv_head", "_bn1", (1280, channels, 1, 1))
    head = weights.take("_fc.weight", (classes, 1280)), weights.take("_fc.bias", (classes,))
    output_name = build.graph.pool_and_classify(x, *head)
    weights.finish()
    return build.graph.model(output_name, classes)
