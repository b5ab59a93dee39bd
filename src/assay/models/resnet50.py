"""ResNet50-v1.5 with seeded weights: the true architecture of the benchmark, for speed only.

Version 1.5 has the stride of a downsampling block in its 3x3 convolution (v1 has it in the first 1x1), which is what
MLPerf's reference uses. Weights are drawn as at the start of training (He et al. 2015), the last convolution of every
block scaled down so that activations keep their range through 16 additions; outputs are finite and vary with the input.
"""

from __future__ import annotations

import numpy as np
import onnx
from numpy.typing import NDArray

from assay.models.graph import Graph

_STAGES = ((3, 64), (4, 128), (6, 256), (3, 512))
_RESIDUAL_SCALE = 0.25


class _Builder:
    def __init__(self, seed: int) -> None:
        self.graph = Graph("resnet50-v1.5", 224)
        self._random = np.random.default_rng(seed)

    def conv(
        self,
        x: str,
        channels: int,
        output: int,
        kernel: int,
        *,
        stride: int = 1,
        relu: bool = True,
        scale: float = 1.0,
    ) -> str:
        """A convolution with a drawn kernel and, as its folded normalisation leaves it, a small bias."""
        weight = self._draw((output, channels, kernel, kernel), np.sqrt(2.0 / (channels * kernel * kernel)) * scale)
        bias = self._draw((output,), 0.01)
        pad = kernel // 2
        x = self.graph.conv(x, weight, bias, stride=stride, pads=(pad, pad, pad, pad))
        return self.graph.relu(x) if relu else x

    def block(self, x: str, channels: int, width: int, stride: int) -> str:
        """A bottleneck: 1x1, 3x3 with the stride, 1x1, and the way around it."""
        output = width * 4
        y = self.conv(x, channels, width, 1)
        y = self.conv(y, width, width, 3, stride=stride)
        y = self.conv(y, width, output, 1, relu=False, scale=_RESIDUAL_SCALE)
        around = x if channels == output else self.conv(x, channels, output, 1, stride=stride, relu=False, scale=0.7)
        return self.graph.relu(self.graph.add(around, y))

    def classifier(self, classes: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Weights of the linear layer."""
        return self._draw((classes, 2048), 0.05), self._draw((classes,), 0.01)

    def _draw(self, shape: tuple[int, ...], deviation: float) -> NDArray[np.float64]:
        return self._random.standard_normal(shape) * deviation


def build_resnet50(seed: int, *, classes: int = 1000) -> onnx.ModelProto:
    """The graph: NCHW float32 ``input`` of 224x224 to ``logits``; the same seed gives the same bytes."""
    build = _Builder(seed)
    x = build.conv("input", 3, 64, 7, stride=2)
    x = build.graph.node("MaxPool", [x], kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1])
    channels = 64
    for stage, (blocks, width) in enumerate(_STAGES):
        for number in range(blocks):
            x = build.block(x, channels, width, 2 if stage > 0 and number == 0 else 1)
            channels = width * 4
    output = build.graph.pool_and_classify(x, *build.classifier(classes))
    return build.graph.model(output, classes)
