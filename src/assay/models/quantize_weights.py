"""Models whose weights are stored in half the bytes, bf16 or fp16, and computed as the engine computes them.

Each large float32 constant becomes a half-precision one with a conversion behind it, which engines do once when they
load the model. What it costs in accuracy is the rounding of the weights alone.
"""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assay.errors import InvalidInputError
from assay.models.quantize import check_fp32

_FEWEST = 64
_OPSETS = {"bf16": 13, "fp16": 9}


class Storage(StrEnum):
    """Format that weights are stored in."""

    BF16 = "bf16"
    FP16 = "fp16"


def store_weights(model: Path, target: Path, storage: Storage) -> int:
    """Write a model with its weights in half precision; how many tensors were stored so.

    Constants of fewer than 64 numbers, and those beyond fp16's range, stay as they are.

    Args:
        model: fp32 ONNX file.
        target: where the new file goes.
        storage: the format.

    Raises:
        InvalidInputError: when the model is quantised or stored so already, has no weights, or is of too old an opset.
    """
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    check_fp32(model)
    loaded = onnx.load(str(model))
    graph = loaded.graph
    _check(model, loaded, storage)
    kind = TensorProto.BFLOAT16 if storage is Storage.BF16 else TensorProto.FLOAT16
    nodes, kept, count = [], [], 0
    for constant in graph.initializer:
        values = numpy_helper.to_array(constant) if constant.data_type == TensorProto.FLOAT else None
        half = None if values is None or values.size < _FEWEST else _rounded(values, storage)
        if half is None:
            kept.append(constant)
            continue
        name = f"{constant.name}.{storage.value}"
        kept.append(helper.make_tensor(name, kind, constant.dims, half.tobytes(), raw=True))
        nodes.append(helper.make_node("Cast", [name], [constant.name], name=f"{name}.cast", to=TensorProto.FLOAT))
        count += 1
    if not count:
        raise InvalidInputError("the model has no float32 weights to store in half precision", where=model)
    inputs = [item for item in graph.input if item.name not in {node.output[0] for node in nodes}]
    nodes += graph.node
    for field, values_of in (("input", inputs), ("initializer", kept), ("node", nodes)):
        graph.ClearField(field)
        getattr(graph, field).extend(values_of)
    onnx.checker.check_model(loaded)
    target.write_bytes(loaded.SerializeToString())
    return count


def _check(model: Path, loaded: Any, storage: Storage) -> None:
    from onnx import TensorProto

    half = (TensorProto.FLOAT16, TensorProto.BFLOAT16)
    if any(constant.data_type in half for constant in loaded.graph.initializer):
        raise InvalidInputError(
            "weights of the model are in half precision already",
            where=model,
            hint="take the fp32 model that it was made from",
        )
    opset = next((entry.version for entry in loaded.opset_import if entry.domain in ("", "ai.onnx")), 0)
    if opset < _OPSETS[storage.value]:
        raise InvalidInputError(
            f"the model's opset is too old for {storage.value}",
            where=model,
            expected=f"opset {_OPSETS[storage.value]} or later",
            found=f"opset {opset}",
        )


def _rounded(values: NDArray[Any], storage: Storage) -> NDArray[np.uint16] | None:
    """The bits of each number rounded to nearest, ties to even; None when one is beyond the format's range."""
    if storage is Storage.FP16:
        with np.errstate(over="ignore"):
            half = values.astype(np.float16)
        return half.view(np.uint16) if np.isfinite(half).all() else None
    bits = np.ascontiguousarray(values, np.float32).view(np.uint32).astype(np.uint64)
    rounded = ((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16).astype(np.uint16)
    finite: bool = bool(np.isfinite(values).all() and ((rounded & 0x7F80) != 0x7F80).all())
    return rounded if finite else None
