"""Instance normalisation of a volume in slabs: what it asks of the whole volume is put together from its pieces.

Mean and sum of squared differences of each piece, around its own mean; from these the mean and the variance of the volume
(Chan, Golub and LeVeque, 1979), which loses no more digits than two passes over the whole; from these a factor and an offset of each
channel.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import onnx

from assay.models.slabs_graph import DEPTH, Piece, SlabGraph
from assay.models.slabs_reach import attributes_of

_VOLUME = (2, 3, 4)
_EPSILON = 1e-5


def instance_norm(graph: SlabGraph, node: onnx.NodeProto, pieces: Sequence[Piece]) -> bool:
    """Write the normalisation of a tensor in pieces; false where its scale and shift are no constants."""
    scale, shift = (graph.value_of(name) for name in node.input[1:])
    if scale is None or shift is None:
        return False
    output = node.output[0]
    mean, variance = _moments(graph, pieces, output, graph.area(output))
    epsilon = graph.constant(np.array(attributes_of(node).get("epsilon", _EPSILON)), f"{output}_epsilon")
    deviation = graph.node("Sqrt", [graph.node("Add", [variance, epsilon], f"{output}_above")], f"{output}_deviation")
    wide = (1, -1, 1, 1, 1)
    factor = graph.node("Div", [graph.constant(scale.reshape(wide), f"{output}_scale"), deviation], f"{output}_factor")
    moved = graph.node("Mul", [mean, factor], f"{output}_moved")
    offset = graph.node("Sub", [graph.constant(shift.reshape(wide), f"{output}_shift"), moved], f"{output}_offset")
    graph.pieces[output] = [
        Piece(
            each.start,
            each.stop,
            graph.node(
                "Add",
                [graph.node("Mul", [each.name, factor], f"{output}_scaled{each.start}"), offset],
                f"{output}_row{each.start}",
            ),
        )
        for each in pieces
    ]
    return True


def _moments(graph: SlabGraph, pieces: Sequence[Piece], output: str, area: int) -> tuple[str, str]:
    """Mean and variance of each channel, ``(batch, channels, 1, 1, 1)``."""
    rows = np.array([each.stop - each.start for each in pieces], np.float64)
    means, squares = [], []
    for each in pieces:
        mean = graph.reduce("ReduceMean", each.name, _VOLUME, f"{output}_mean{each.start}")
        apart = graph.node("Sub", [each.name, mean], f"{output}_apart{each.start}")
        means.append(mean)
        squares.append(graph.reduce("ReduceSumSquare", apart, _VOLUME, f"{output}_squares{each.start}"))

    # In a mean over pieces each counts by its rows.
    weight = graph.constant((rows / rows.mean()).reshape(1, 1, -1, 1, 1), f"{output}_weight")
    share = graph.constant(np.array(1 / (rows.mean() * area)), f"{output}_share")
    each_mean = graph.node("Concat", means, f"{output}_means", axis=DEPTH)
    weighed = graph.node("Mul", [each_mean, weight], f"{output}_means_weighed")
    mean = graph.reduce("ReduceMean", weighed, [DEPTH], f"{output}_mean")
    away = graph.node("Sub", [each_mean, mean], f"{output}_away")
    between = graph.node("Mul", [graph.node("Mul", [away, away], f"{output}_away2"), weight], f"{output}_between")
    each_square = graph.node("Concat", squares, f"{output}_squares", axis=DEPTH)
    within = graph.node("Mul", [each_square, share], f"{output}_within")
    spread = graph.node("Add", [within, between], f"{output}_spread")
    return mean, graph.reduce("ReduceMean", spread, [DEPTH], f"{output}_variance")
