"""3D U-Net of MLPerf Inference with seeded weights: the true architecture of the benchmark, for speed only.

Source: mlcommons/inference v3.1, vision/medical_imaging/3d-unet-kits19, pytorch_checkpoint_SUT.py: two convolutions at
each of five levels, then a bottleneck; convolutions of stride 2 lead down and transposed ones lead up; instance
normalisation with scale and shift, and ReLU, after every convolution but the transposed and the last.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
import onnx
from numpy.typing import NDArray

from assay.models.unet3d_graph import VolumeGraph

FILTERS = (32, 64, 128, 256, 320)
_EPSILON = 1e-5


class _Builder:
    def __init__(self, seed: int, size: int) -> None:
        self.graph = VolumeGraph("3d-unet", "input", (1, size, size, size))
        self._random = np.random.default_rng(seed)

    def conv(self, x: str, channels: int, output: int, *, stride: int = 1) -> str:
        """A convolution without bias, instance normalisation, ReLU."""
        kernel = self._draw((output, channels, 3, 3, 3), np.sqrt(2.0 / (channels * 27)))
        x = self.graph.conv(x, kernel, stride=stride)
        scale, shift = 1 + self._draw((output,), 0.05), self._draw((output,), 0.05)
        names = [x, self.graph.constant(scale), self.graph.constant(shift)]
        return self.graph.node("Relu", [self.graph.node("InstanceNormalization", names, epsilon=_EPSILON)])

    def level(self, x: str, channels: int, output: int, *, stride: int) -> str:
        """Two convolutions, the first with the stride."""
        return self.conv(self.conv(x, channels, output, stride=stride), output, output)

    def up(self, x: str, skip: str, channels: int, output: int) -> str:
        """Twice the edges, beside what the way down had there, and two convolutions."""
        kernel = self._draw((channels, output, 2, 2, 2), np.sqrt(1.0 / channels))
        x = self.graph.upconv(x, kernel, self._draw((output,), 0.01), ends=0)
        return self.level(self.graph.node("Concat", [x, skip], axis=1), 2 * output, output, stride=1)

    def head(self, x: str, channels: int, classes: int) -> str:
        """The score of each class in each voxel."""
        kernel = self._draw((classes, channels, 1, 1, 1), np.sqrt(2.0 / channels))
        return self.graph.conv(x, kernel, self._draw((classes,), 0.01), output="output")

    def _draw(self, shape: tuple[int, ...], deviation: float) -> NDArray[np.float64]:
        return self._random.standard_normal(shape) * deviation


def build_unet3d(seed: int, *, filters: Sequence[int] = FILTERS, classes: int = 3, size: int = 128) -> onnx.ModelProto:
    """The graph: ``input`` ``(batch, 1, size, size, size)`` to ``output`` ``(batch, classes, size, size, size)``.

    The same seed gives the same bytes.

    Args:
        seed: of the weights.
        filters: channels of each level; there is one more level with the last number.
        classes: scores of each voxel, the background's first.
        size: edge of the window, a multiple of two to the power of the number of levels.
    """
    build = _Builder(seed, size)
    x = build.level("input", 1, filters[0], stride=1)
    levels = [x]
    for channels, output in itertools.pairwise(filters):
        x = build.level(x, channels, output, stride=2)
        levels.append(x)
    x = build.level(x, filters[-1], filters[-1], stride=2)
    channels = filters[-1]
    for skip, output in zip(reversed(levels), reversed(filters), strict=True):
        x = build.up(x, skip, channels, output)
        channels = output
    return build.graph.model(build.head(x, channels, classes), (classes, size, size, size))
