"""Operations on images: convolutions, pooling, scaling. All in NCHW, padded with numbers that are known beforehand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assay.models.tfjs import TfNode
from assay.models.tfjs_values import Value, Values


class Images(Values):
    """Emits what has a height and a width."""

    def _conv(self, node: TfNode) -> list[Value]:
        image, kernel = self._image(node), self._weight(node, 1, rank=4)
        if kernel.shape[2] != self._shape(node, image)[3]:
            raise self._bad(node, "the kernel does not fit", found=f"{kernel.shape} on {image.shape}")
        return self._convolved(node, image, kernel, kernel.transpose(3, 2, 0, 1), groups=1)

    def _depthwise(self, node: TfNode) -> list[Value]:
        image, kernel = self._image(node), self._weight(node, 1, rank=4)
        height, width, channels, times = kernel.shape
        if channels != self._shape(node, image)[3]:
            raise self._bad(node, "the kernel does not fit", found=f"{kernel.shape} on {image.shape}")
        weight = kernel.transpose(2, 3, 0, 1).reshape(channels * times, 1, height, width)
        return self._convolved(node, image, kernel, weight, groups=channels)

    def _convolved(
        self, node: TfNode, image: Value, kernel: NDArray[Any], weight: NDArray[Any], *, groups: int
    ) -> list[Value]:
        fused = node.texts("fused_ops")
        steps = self._window(node, "strides")
        spread = self._window(node, "dilations") if node.integers("dilations") else (1, 1)
        size = [(k - 1) * d + 1 for k, d in zip(kernel.shape[:2], spread, strict=True)]
        pads, (height, width) = self._pads(node, image, size, steps)
        inputs = [self.planar(image), self._constant(weight)]
        if "BiasAdd" in fused:
            bias = self._weight(node, 2, rank=1)
            if bias.shape != weight.shape[:1]:
                raise self._bad(node, "the bias does not fit", found=f"{bias.shape} for {weight.shape[0]} channels")
            inputs.append(self._constant(bias))
        made = self.graph.node(
            "Conv",
            inputs,
            kernel_shape=list(weight.shape[2:]),
            strides=list(steps),
            dilations=list(spread),
            pads=pads,
            group=groups,
        )
        for operation in fused:
            if operation not in ("BiasAdd", "Relu", "Relu6"):
                raise self._bad(node, f"the fused operation {operation} is not known")
            if operation != "BiasAdd":
                made = self.graph.relu6(made) if operation == "Relu6" else self.graph.relu(made)
        assert image.shape is not None
        return [Value(planar=made, shape=(image.shape[0], height, width, weight.shape[0]))]

    def _max_pool(self, node: TfNode) -> list[Value]:
        image = self._image(node)
        size, steps = self._window(node, "ksize"), self._window(node, "strides")
        pads, (height, width) = self._pads(node, image, size, steps)
        made = self.graph.node("MaxPool", [self.planar(image)], kernel_shape=list(size), strides=list(steps), pads=pads)
        assert image.shape is not None
        return [Value(planar=made, shape=(image.shape[0], height, width, image.shape[3]))]

    def _resize(self, node: TfNode) -> list[Value]:
        image, target = self._image(node), self._numbers(node, 1)
        shape = self._shape(node, image)
        if node.flag("align_corners") or len(target) != 2 or min(target) < 1:
            raise self._bad(node, "only bilinear scaling to a fixed size without aligned corners is known")
        scales = np.array([1, 1, target[0] / shape[1], target[1] / shape[2]])
        form = "half_pixel" if node.flag("half_pixel_centers") else "asymmetric"
        made = self.graph.node(
            "Resize",
            [self.planar(image), "", self._constant(scales)],
            mode="linear",
            coordinate_transformation_mode=form,
        )
        return [Value(planar=made, shape=(shape[0], target[0], target[1], shape[3]))]

    def _mean(self, node: TfNode) -> list[Value]:
        image, axes = self._image(node), sorted(self._numbers(node, 1))
        shape = self._shape(node, image)
        if axes != [1, 2] or not node.flag("keep_dims"):
            raise self._bad(node, "only the mean over height and width is known", found=f"axes {axes}")
        return [
            Value(planar=self.graph.node("GlobalAveragePool", [self.planar(image)]), shape=(shape[0], 1, 1, shape[3]))
        ]

    def _window(self, node: TfNode, key: str) -> tuple[int, int]:
        """Height and width of four numbers in the order NHWC."""
        values = node.integers(key)
        if node.text("data_format", "TkhXQw==") != "NHWC":
            raise self._bad(node, "only NHWC is known")
        if len(values) != 4 or values[0] != 1 or values[3] != 1 or not 0 < min(values) <= max(values) < 4096:
            raise self._bad(node, f"{key} is wrong", found=str(values))
        return values[1], values[2]

    def _pads(
        self, node: TfNode, image: Value, size: Sequence[int], steps: Sequence[int]
    ) -> tuple[list[int], tuple[int, int]]:
        """Padding (top, left, bottom, right) and the size of the outcome; of an odd SAME padding more is at the end."""
        padding, before, after, made = node.text("padding"), [], [], []
        for have, want, step in zip(self._shape(node, image)[1:3], size, steps, strict=True):
            if padding == "SAME":
                out = -(-have // step)
                total = max((out - 1) * step + want - have, 0)
            elif padding == "VALID" and have >= want:
                out, total = (have - want) // step + 1, 0
            else:
                raise self._bad(node, "the window does not fit, or its padding is not known", found=padding)
            before.append(total // 2)
            after.append(total - total // 2)
            made.append(out)
        return [*before, *after], (made[0], made[1])
