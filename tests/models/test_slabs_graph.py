from __future__ import annotations

import numpy as np
import onnx
import pytest

from assay.errors import InvalidInputError
from assay.models import slabs_graph as module
from assay.models.slabs_graph import Piece, SlabGraph, Volume
from assay.models.unet3d_graph import VolumeGraph

from .slab_nets import answer

VOLUME = Volume(1, 8, 2, 3)


@pytest.fixture
def given() -> onnx.ModelProto:
    graph = VolumeGraph("given", "volume", (1, 8, 2, 3))
    graph.node("Identity", ["volume"], "answer")
    return graph.model("answer", (1, 8, 2, 3))


@pytest.fixture
def graph(given: onnx.ModelProto) -> SlabGraph:
    """Of which ``x`` is in pieces of three, three and two rows of the volume, doubled."""
    made = SlabGraph(given, {"volume": VOLUME, "x": VOLUME, "y": Volume(2, 8, 2, 3)})
    two = made.constant(np.array(2.0), "two")
    made.pieces["x"] = [
        Piece(start, stop, made.node("Mul", [made.rows("volume", start, stop), two], "piece"))
        for start, stop in ((0, 3), (3, 6), (6, 8))
    ]
    return made


VALUES = np.arange(96, dtype=np.float32).reshape(2, 1, 8, 2, 3)


def finished(graph: SlabGraph, name: str) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    graph.keep(onnx.helper.make_node("Identity", ["volume"], ["answer"]))
    model = graph.model()
    del model.graph.output[:]
    model.graph.output.extend([onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, None)])
    return answer(model, VALUES)


def test_bytes_of_a_row() -> None:
    assert Volume(32, 128, 128, 64).row_bytes == 32 * 128 * 64 * 4


@pytest.mark.parametrize(("start", "stop"), [(0, 8), (0, 3), (1, 2), (2, 4), (1, 7), (6, 8), (5, 6), (0, 6)])
def test_any_rows(graph: SlabGraph, start: int, stop: int) -> None:
    graph.node("Identity", [graph.rows("x", start, stop)], "seen")
    assert np.array_equal(finished(graph, "seen"), 2 * VALUES[:, :, start:stop])


def test_channels_side_by_side(graph: SlabGraph) -> None:
    graph.beside["y"] = ["volume", "x"]
    assert graph.is_cut("y")
    graph.node("Identity", [graph.rows("y", 2, 7)], "seen")
    assert np.array_equal(finished(graph, "seen"), np.concatenate([VALUES, 2 * VALUES], axis=1)[:, :, 2:7])


def test_a_tensor_is_put_together_once(graph: SlabGraph) -> None:
    assert graph.is_cut("x")
    graph.joined("x")
    graph.joined("x")
    assert not graph.is_cut("x")
    graph.beside["y"] = ["volume", "x"]
    graph.joined("y")
    assert np.array_equal(finished(graph, "y"), np.concatenate([VALUES, 2 * VALUES], axis=1))


def test_constants_of_the_model_by_name() -> None:
    graph = VolumeGraph("constant", "volume", (1, 8, 2, 3))
    graph.node("Add", ["volume", graph.constant(np.array([1.0, 2.0, 3.0]), "ramp")], "answer")
    made = SlabGraph(graph.model("answer", (1, 8, 2, 3)), {})
    found = made.value_of("ramp")
    assert found is not None
    assert found.tolist() == [1, 2, 3]
    assert made.value_of("volume") is None


def test_a_graph_has_bounds(graph: SlabGraph, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MOST_NODES", 6)
    with pytest.raises(InvalidInputError, match="too large"):
        graph.rows("x", 1, 7)


def test_a_graph_that_does_not_hold_is_refused(graph: SlabGraph) -> None:
    graph.node("Relu", ["nothing"], "answer")
    with pytest.raises(InvalidInputError, match="cannot be cut"):
        graph.model()
