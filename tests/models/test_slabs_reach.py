"""Rows that are looked at, against what a plain loop over the definition finds."""

from __future__ import annotations

from typing import Any

import pytest
from onnx import helper

from assay.models.slabs_reach import attributes_of, conv_reach, rise_reach

WEIGHTS = {"w": (2, 2, 3, 3, 3)}


def node(operation: str = "Conv", **attributes: Any) -> Any:
    return helper.make_node(operation, ["x", "w"], ["y"], **attributes)


@pytest.mark.parametrize("depth", [4, 7, 16])
@pytest.mark.parametrize(
    ("kernel", "stride", "before", "behind", "dilation"),
    [
        (3, 1, 1, 1, 1),
        (3, 2, 1, 1, 1),
        (2, 2, 0, 0, 1),
        (5, 1, 2, 2, 1),
        (1, 1, 0, 0, 1),
        (3, 1, 2, 2, 2),
        (3, 2, 0, 1, 1),
    ],
)
def test_a_convolution(depth: int, kernel: int, stride: int, before: int, behind: int, dilation: int) -> None:
    reach = conv_reach(
        node(
            kernel_shape=[kernel] * 3,
            strides=[stride] * 3,
            pads=[before, 1, 1, behind, 1, 1],
            dilations=[dilation] * 3,
        ),
        {},
        depth,
    )
    assert reach is not None
    spread = (kernel - 1) * dilation + 1
    rows = (depth + before + behind - spread) // stride + 1
    for start in range(rows):
        for stop in range(start + 1, rows + 1):
            first, end, pads = reach(start, stop)
            assert 0 <= first < end <= depth
            assert (pads[1], pads[2], pads[4], pads[5]) == (1, 1, 1, 1)
            assert (end - first + pads[0] + pads[3] - spread) // stride + 1 == stop - start
            assert first - pads[0] == start * stride - before
            assert pads[0] == 0 or first == 0
            assert pads[3] == 0 or end == depth


@pytest.mark.parametrize("depth", [4, 7])
@pytest.mark.parametrize(
    ("kernel", "stride", "before", "behind"), [(2, 2, 0, 0), (3, 2, 0, 1), (3, 2, 1, 1), (4, 1, 0, 0)]
)
def test_a_transposed_convolution(depth: int, kernel: int, stride: int, before: int, behind: int) -> None:
    reach = rise_reach(
        node("ConvTranspose", kernel_shape=[kernel] * 3, strides=[stride] * 3, pads=[before, 0, 0, behind, 0, 0]),
        {},
        depth,
    )
    assert reach is not None
    rows = (depth - 1) * stride + kernel - before - behind
    for start in range(rows):
        for stop in range(start + 1, rows + 1):
            first, end, pads = reach(start, stop)
            made = {i for i in range(depth) for o in range(start, stop) if 0 <= o + before - i * stride < kernel}
            assert set(range(first, end)) == made
            assert min(pads) >= 0
            assert (end - first - 1) * stride + kernel - pads[0] - pads[3] == stop - start
            assert first * stride + pads[0] == start + before


@pytest.mark.parametrize(
    ("operation", "attributes"),
    [
        ("Conv", {"auto_pad": "SAME_UPPER", "kernel_shape": [3, 3, 3]}),
        ("Conv", {"kernel_shape": [3, 3, 3], "pads": [3, 0, 0, 0, 0, 0]}),
        ("Conv", {"kernel_shape": [3, 3], "pads": [1, 1, 1, 1]}),
        ("MaxPool", {"kernel_shape": [2, 2, 2], "ceil_mode": 1}),
        ("ConvTranspose", {"kernel_shape": [2, 2, 2], "strides": [3, 3, 3]}),
        ("ConvTranspose", {"kernel_shape": [2, 2, 2], "output_padding": [1, 0, 0]}),
        ("ConvTranspose", {"kernel_shape": [2, 2, 2], "output_shape": [8, 8, 8]}),
        ("ConvTranspose", {"kernel_shape": [2, 2, 2], "dilations": [2, 1, 1]}),
    ],
)
def test_what_is_not_cut(operation: str, attributes: dict[str, Any]) -> None:
    reach = rise_reach if operation == "ConvTranspose" else conv_reach
    assert reach(node(operation, **attributes), {}, 8) is None


def test_a_kernel_s_edges_may_be_told_by_its_weights() -> None:
    reach = conv_reach(node(pads=[1] * 6), WEIGHTS, 8)
    assert reach is not None
    assert reach(2, 4) == (1, 5, [0, 1, 1, 0, 1, 1])
    assert conv_reach(node(), {}, 8) is None


def test_attributes_by_name() -> None:
    assert attributes_of(node(group=1, pads=[0, 1])) == {"group": 1, "pads": [0, 1]}
