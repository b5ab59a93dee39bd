"""Ranges of a network's activations from calibration samples: what the 256 steps of int8 have to span.

The smallest and largest value seen span everything, and a single outlier makes the steps coarse for all the others. So of
convolutional networks one value in ten thousand is left out: measured on CenterNet, it takes 4 to 6 dB off the noise of the
last maps. Values are drawn inside the graph, so that the activations of a sample never leave it whole.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assay.base.tensors import Array

Range = tuple[float, float]

_BINS = 2048
_DRAWN = 1 << 16
_OUTSIDE = 1e-4
_NODES = ("flat", "size", "half", "even", "step", "drawn", "least", "most")


class Ranges(StrEnum):
    """How the range of an activation is chosen."""

    MINMAX = "minmax"
    PERCENTILE = "percentile"


@dataclass(slots=True)
class Histogram:
    """Values of one tensor, by size, and the outermost ones exactly.

    Attributes:
        low: smallest value seen, or 0: the range has to hold 0, which padding is made of.
        high: largest value seen, or 0.
        counts: of values between them, in bins of one width.
    """

    low: float = 0.0
    high: float = 0.0
    counts: NDArray[np.float64] = field(default_factory=lambda: np.zeros(_BINS))

    def add(self, values: NDArray[Any], low: float, high: float) -> None:
        """Take in some values of a sample, and its outermost ones."""
        wider = (min(self.low, low), max(self.high, high))
        if wider != (self.low, self.high):
            edges = self._edges()
            old = np.histogram((edges[:-1] + edges[1:]) / 2, _BINS, wider, weights=self.counts)[0]
            self.low, self.high, self.counts = *wider, old
        if self.high > self.low:
            self.counts += np.histogram(values, _BINS, (self.low, self.high))[0]

    def range(self, how: Ranges) -> Range:
        """The range to quantise in; by percentile, half of what is left out is at each end."""
        total = float(self.counts.sum())
        if how is Ranges.MINMAX or not total:
            return self.low, self.high
        share, edges = np.cumsum(self.counts) / total, self._edges()
        first, last = np.searchsorted(share, (_OUTSIDE / 2, 1 - _OUTSIDE / 2))
        return min(float(edges[first]), 0.0), max(float(edges[min(last, _BINS - 1) + 1]), 0.0)

    def _edges(self) -> NDArray[np.float64]:
        return np.linspace(self.low, self.high, _BINS + 1)


def activation_ranges(model: Path, feeds: Iterable[Mapping[str, Array]], how: Ranges) -> dict[str, Range]:
    """The range of every float tensor that a network computes or is given.

    Args:
        model: ONNX file whose tensors have known types.
        feeds: inputs of the model by name, one mapping for each call.
        how: the ranges are chosen.
    """
    import onnxruntime

    graph, names = _watched(model)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
    found = {name: Histogram() for name in names}
    wanted = [f"{name}:{part}" for name in names for part in ("drawn", "least", "most")]
    for feed in feeds:
        got = iter(session.run(wanted, dict(feed)))
        for name in names:
            values, low, high = next(got), next(got), next(got)
            if np.isfinite(low) and np.isfinite(high):
                found[name].add(values, float(low), float(high))
    return {name: histogram.range(how) for name, histogram in found.items()}


def _watched(model: Path) -> tuple[bytes, list[str]]:
    """The graph with three outputs for each float tensor: some of its values, the smallest and the largest one."""
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    loaded = onnx.load(str(model))
    graph = loaded.graph
    constants = {constant.name for constant in graph.initializer}
    kinds = {info.name: info.type.tensor_type.elem_type for info in (*graph.value_info, *graph.input, *graph.output)}
    used = dict.fromkeys(name for node in graph.node for name in (*node.input, *node.output))
    names = [name for name in used if kinds.get(name) == TensorProto.FLOAT and name not in constants]
    numbers = {"flat": -1, "zero": 0, "one": 1, "two": 2, "pairs": 2 * _DRAWN, "end": np.iinfo(np.int64).max}
    graph.initializer.extend(numpy_helper.from_array(np.array([n], np.int64), f":{key}") for key, n in numbers.items())
    for name in names:
        flat, size, half, even, step, drawn, least, most = (f"{name}:{part}" for part in _NODES)
        graph.node.extend(
            (
                helper.make_node("Reshape", [name, ":flat"], [flat]),
                helper.make_node("Size", [name], [size]),
                helper.make_node("Div", [size, ":pairs"], [half]),
                helper.make_node("Mul", [half, ":two"], [even]),
                # An even step would meet the same columns of a picture again and again.
                helper.make_node("Add", [even, ":one"], [step]),
                helper.make_node("Slice", [flat, ":zero", ":end", ":zero", step], [drawn]),
                helper.make_node("ReduceMin", [name], [least], keepdims=0),
                helper.make_node("ReduceMax", [name], [most], keepdims=0),
            )
        )
        graph.output.append(helper.make_tensor_value_info(drawn, TensorProto.FLOAT, [None]))
        graph.output.extend(helper.make_tensor_value_info(end, TensorProto.FLOAT, []) for end in (least, most))
    return loaded.SerializeToString(), names
