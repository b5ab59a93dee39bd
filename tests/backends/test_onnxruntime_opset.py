"""Each refusal is the library's own, so that a release that says it in other words is noticed."""

from __future__ import annotations

from pathlib import Path

import pytest
from onnx import TensorProto, helper

from assay.backends.onnxruntime import BACKEND
from assay.backends.onnxruntime_opset import wrong_opset
from assay.backends.protocol import BackendOptions
from assay.errors import InvalidInputError


def one_node(path: Path, operation: str, opset: int, ir_version: int) -> Path:
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", 4]) for name in ("x", "y")]
    graph = helper.make_graph([helper.make_node(operation, ["x"], ["y"])], "one", ends[:1], ends[1:])
    opsets = [helper.make_opsetid("", opset)]
    path.write_bytes(helper.make_model(graph, opset_imports=opsets, ir_version=ir_version).SerializeToString())
    return path


@pytest.mark.parametrize(
    ("operation", "opset", "ir_version", "what", "found"),
    [
        ("Relu", 99, 8, "newer opset", "opset 99"),
        ("Relu", 17, 99, "newer form", "IR version 99"),
        ("Attention", 17, 8, "no operation 'Attention'", "opset 17"),
        ("Relu", 3, 3, "'Relu' as it was in opset 1", None),
    ],
    ids=["newer", "newer file", "not in this opset", "older"],
)
def test_a_wrong_opset_is_told_in_numbers(
    tmp_path: Path, operation: str, opset: int, ir_version: int, what: str, found: str | None
) -> None:
    path = one_node(tmp_path / "model.onnx", operation, opset, ir_version)
    with pytest.raises(InvalidInputError, match=what) as caught:
        BACKEND.open(path, BackendOptions(threads=1))
    assert (caught.value.where, caught.value.found) == (str(path), found)
    assert "opset" in (caught.value.hint or "")
    assert "onnxruntime_src" not in str(caught.value)


def test_other_refusals_are_not_of_the_opset() -> None:
    assert wrong_opset(RuntimeError("Protobuf parsing failed."), Path("model.onnx")) is None
