from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from assay.models.spared import first_layers, last_layers, noise, spared_layers


def chain(path: Path, layers: int) -> Path:
    """Convolutions one after the other and two at the end, each a multiplication by 1."""
    nodes, constants, previous = [], [], "x"
    for number in range(layers):
        constants.append(numpy_helper.from_array(np.ones((1, 1, 1, 1), np.float32), f"w{number}"))
        nodes.append(helper.make_node("Conv", [previous, f"w{number}"], [f"y{number}"], name=f"conv{number}"))
        previous = f"y{number}"
    constants.append(numpy_helper.from_array(np.ones((1, 1, 1, 1), np.float32), "w"))
    for side in ("left", "right"):
        nodes.append(helper.make_node("Conv", [previous, "w"], [f"{side}-map"], name=side))
        nodes.append(helper.make_node("Relu", [f"{side}-map"], [f"{side}-answer"], name=f"{side}-relu"))
    shape: list[str | int | None] = ["n", 1, 2, 2]
    graph = helper.make_graph(
        nodes,
        "chain",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info(f"{side}-answer", TensorProto.FLOAT, shape) for side in ("left", "right")],
        constants,
    )
    path.write_bytes(
        helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8).SerializeToString()
    )
    return path


def test_the_last_layers_are_those_that_no_other_follows(tmp_path: Path) -> None:
    assert last_layers(chain(tmp_path / "m.onnx", 3)) == ["left", "right"]
    assert last_layers(chain(tmp_path / "m.onnx", 0)) == []


def test_the_first_layers_take_along_what_lies_between(tmp_path: Path) -> None:
    path = chain(tmp_path / "m.onnx", 2)
    assert first_layers(path, 0) == []
    assert first_layers(path, 2) == ["conv0", "conv1"]
    assert first_layers(path, 4) == ["conv0", "conv1", "left", "left-relu", "right"]


@pytest.mark.parametrize(("harmful", "kept"), [(0, 0), (2, 2), (3, 4), (9, 0)])
def test_as_many_first_layers_are_spared_as_pay(tmp_path: Path, harmful: int, kept: int) -> None:
    """Stand-ins for int8 files: each of the first layers that is not spared, and harmful, makes the maps weaker."""
    path = chain(tmp_path / "m.onnx", 32)

    def write(target: Path, spared: Sequence[str]) -> None:
        loaded = onnx.load(str(path))
        for constant in loaded.graph.initializer:
            number = constant.name[1:]
            if number and int(number) < harmful and f"conv{number}" not in spared:
                constant.CopyFrom(numpy_helper.from_array(np.full((1, 1, 1, 1), 0.5, np.float32), constant.name))
        onnx.save(loaded, str(target))

    feeds = [{"x": np.ones((1, 1, 2, 2), np.float32)}]
    found = spared_layers(path, tmp_path, feeds, write)
    assert found == ["left", "right", *(f"conv{number}" for number in range(kept))]


def test_a_small_network_spares_its_last_layers_only(tmp_path: Path) -> None:
    path = chain(tmp_path / "m.onnx", 5)
    assert spared_layers(path, tmp_path, [], lambda target, spared: None) == ["left", "right"]


def test_noise_is_that_of_the_worst_array() -> None:
    right = [np.ones(100), np.ones(100)]
    assert noise(right, [np.full(100, 1.1), np.full(100, 0.99)]) == pytest.approx(-20, abs=0.01)
    assert noise(right, right) < -200
