"""Whether a model computes in int8, so that no engine runs one format and reports another."""

from __future__ import annotations

from pathlib import Path

from assay.backends.protocol import Precision
from assay.errors import UsageError

_OPERATIONS = (
    "QuantizeLinear",
    "DynamicQuantizeLinear",
    "QLinearConv",
    "QLinearMatMul",
    "ConvInteger",
    "MatMulInteger",
    "DynamicQuantizeLSTM",
    "QAttention",
    "QGemm",
)
# An operation's type in an ONNX file: field 4 of NodeProto, a length, the name. Source: onnx/onnx.proto.
_MARKS = tuple(b"\x22" + bytes((len(name),)) + name.encode("ascii") for name in _OPERATIONS)
_CHUNK = 8 << 20
_OVERLAP = max(map(len, _MARKS))


def holds_quantised_layers(model: Path) -> bool:
    """Whether an ONNX file has quantised operations.

    The bytes are searched instead of parsed: a model of a gigabyte would take two more to parse, which would show in
    the run's peak of memory.
    """
    tail = b""
    with model.open("rb") as stream:
        while chunk := stream.read(_CHUNK):
            block = tail + chunk
            if any(mark in block for mark in _MARKS):
                return True
            tail = block[-_OVERLAP:]
    return False


def check_format(model: Path, precision: Precision, *, quantised: bool) -> None:
    """Refuse a format that the model would not be computed in.

    Raises:
        UsageError: ``int8`` with a model that is not quantised, or another format with one that is.
    """
    if precision is Precision.INT8 and not quantised:
        raise UsageError(
            "the model is not quantised, so it would not run in int8",
            expected="a model with quantised layers",
            found=str(model),
            hint="give --precision fp32, or a quantised model with --model",
        )
    if precision is not Precision.INT8 and quantised:
        raise UsageError(
            f"the model is quantised, so its layers would run in int8 and not in {precision.value}",
            found=str(model),
            hint="give --precision int8",
        )
