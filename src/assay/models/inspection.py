"""ONNX files: what goes in, what comes out."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from assay.base.tensors import TensorSpec
from assay.errors import InvalidInputError, NotFoundError


def inspect_onnx(path: Path) -> tuple[list[TensorSpec], list[TensorSpec]]:
    """Inputs and outputs of a model, initialisers left out.

    Raises:
        NotFoundError: when the file is not there.
        InvalidInputError: when it is no ONNX model.
    """
    import onnx
    from google.protobuf.message import DecodeError

    try:
        model = onnx.load(str(path), load_external_data=False)
    except FileNotFoundError as error:
        raise NotFoundError("model not found", where=path) from error
    except (DecodeError, ValueError, IsADirectoryError) as error:
        raise InvalidInputError("not an ONNX model", where=path, hint="give an .onnx file") from error
    if not model.graph.node:
        raise InvalidInputError("not an ONNX model: it has no nodes", where=path, hint="give an .onnx file")
    constants = {item.name for item in model.graph.initializer}
    inputs = [_spec(item) for item in model.graph.input if item.name not in constants]
    return inputs, [_spec(item) for item in model.graph.output]


def _spec(item: object) -> TensorSpec:
    import onnx

    assert isinstance(item, onnx.ValueInfoProto)
    tensor = item.type.tensor_type
    try:
        dtype = np.dtype(onnx.helper.tensor_dtype_to_np_dtype(tensor.elem_type))
    except KeyError:
        dtype = np.dtype(np.void)
    shape = tuple(d.dim_value if d.HasField("dim_value") and d.dim_value > 0 else -1 for d in tensor.shape.dim)
    return TensorSpec(item.name, dtype, shape)
