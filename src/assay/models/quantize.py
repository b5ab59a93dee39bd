"""Static int8 quantisation of ONNX models, in the QDQ form that ONNX Runtime and OpenVINO both run.

Weights are quantised per channel and symmetrically, activations per tensor from the range seen on calibration samples.
"""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from assay.base.tensors import Array
from assay.errors import InvalidInputError, MissingDependencyError

QUANTIZER_VERSION = "1"


class _Reader:
    """Feeds calibration samples to ONNX Runtime's quantiser one at a time."""

    def __init__(self, name: str, samples: Array) -> None:
        self._rows = iter([{name: samples[row : row + 1]} for row in range(len(samples))])

    def get_next(self) -> dict[str, Array] | None:
        """The next sample; None after the last."""
        return next(self._rows, None)


def is_quantised(model: Path) -> bool:
    """Whether an ONNX model holds quantised layers."""
    import onnx

    graph = onnx.load(str(model), load_external_data=False).graph
    return any(node.op_type in ("QuantizeLinear", "QLinearConv", "ConvInteger") for node in graph.node)


def quantize_static(model: Path, target: Path, inputs: Sequence[Array]) -> None:
    """Write the int8 form of a model with one input.

    Args:
        model: fp32 ONNX file.
        target: where the int8 file goes.
        inputs: calibration samples, one array ``(n, ...)``.

    Raises:
        MissingDependencyError: when ONNX Runtime is not installed.
        InvalidInputError: when the model cannot be quantised.
    """
    try:
        from onnxruntime import quantization as q
        from onnxruntime.quantization.shape_inference import quant_pre_process
    except ImportError as error:
        raise MissingDependencyError(
            f"quantising needs ONNX Runtime: {error}", hint="pip install onnxruntime"
        ) from error
    from assay.models.inspection import inspect_onnx

    names = [spec.name for spec in inspect_onnx(model)[0]]
    if len(names) != 1 or len(inputs) != 1:
        raise InvalidInputError("only models with one input are quantised", where=model, found=", ".join(names))
    previous = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with tempfile.TemporaryDirectory(prefix="assay-quantise-", dir=target.parent) as scratch:
            prepared = Path(scratch) / "prepared.onnx"
            quant_pre_process(str(model), str(prepared), skip_symbolic_shape=True)
            q.quantize_static(
                str(prepared),
                str(target),
                _reader(q, names[0], np.asarray(inputs[0])),
                quant_format=q.QuantFormat.QDQ,
                per_channel=True,
                weight_type=q.QuantType.QInt8,
                activation_type=q.QuantType.QUInt8,
                calibrate_method=q.CalibrationMethod.MinMax,
            )
    except (ValueError, RuntimeError, KeyError) as error:
        raise InvalidInputError(
            f"the model cannot be quantised: {error}", where=model, hint="give a quantised model with --model"
        ) from error
    finally:
        logging.disable(previous)


def _reader(q: Any, name: str, samples: Array) -> Any:
    base: Any = q.CalibrationDataReader
    return type("Reader", (_Reader, base), {})(name, samples)
