"""int8 forms of ONNX models, by ONNX Runtime's quantiser.

*Static*, in the QDQ form that ONNX Runtime and OpenVINO both run: weights per channel and symmetrically, activations per
tensor from the range seen on calibration samples; of convolutional networks the layers that noise does most harm to stay in
fp32. Of networks without convolutions only the matrix products: measured on MiniLM, everything else in int8 costs 6 points
of correlation in a hundred, and the products alone 1.5. *Dynamic*: weights alone, activations by the range of each batch
while the model runs; for recurrent networks, and where there is no data.
"""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from enum import StrEnum
from itertools import chain, islice
from pathlib import Path
from typing import Any

import numpy as np

from assay.base.tensors import Array
from assay.errors import InvalidInputError, MissingDependencyError
from assay.models.ranges import Range, Ranges, activation_ranges
from assay.models.spared import HEAVY, spared_layers

QUANTIZER_VERSION = "5"
_QUANTISED = (
    "QuantizeLinear",
    "DynamicQuantizeLinear",
    "QLinearConv",
    "QLinearMatMul",
    "ConvInteger",
    "MatMulInteger",
    "DynamicQuantizeLSTM",
    "DynamicQuantizeMatMul",
)
_RECURRENT = ("LSTM", "GRU", "RNN")
_CONVOLUTIONS = ("Conv", "ConvTranspose")
_MEASURED = 4
_MOST_BYTES = 2 << 30

Feeds = Iterable[Mapping[str, Array]]
"""Model inputs by name, one mapping for each call of the model."""


class Method(StrEnum):
    """How the ranges of activations are found."""

    STATIC = "static"
    DYNAMIC = "dynamic"


class _Reader:
    """Feeds calibration samples to ONNX Runtime's quantiser one at a time."""

    def __init__(self, feeds: Iterator[Mapping[str, Array]]) -> None:
        self._feeds = feeds

    def get_next(self) -> dict[str, Array] | None:
        """The next sample; None after the last."""
        found = next(self._feeds, None)
        return None if found is None else dict(found)


def operations_of(model: Path) -> set[str]:
    """Types of the operations of an ONNX model.

    Raises:
        InvalidInputError: when it is no ONNX model.
    """
    import onnx
    from google.protobuf.message import DecodeError

    try:
        return {node.op_type for node in onnx.load(str(model), load_external_data=False).graph.node}
    except (DecodeError, OSError) as error:
        raise InvalidInputError("not an ONNX model", where=model, hint="give an .onnx file") from error


def is_quantised(model: Path) -> bool:
    """Whether an ONNX model holds quantised layers."""
    return not operations_of(model).isdisjoint(_QUANTISED)


def usual_method(model: Path) -> Method:
    """Static, which every engine computes in int8; dynamic for recurrent networks, which cannot be made so."""
    operations = operations_of(model)
    return Method.DYNAMIC if operations & set(_RECURRENT) and not operations & set(_CONVOLUTIONS) else Method.STATIC


def convolves(model: Path) -> bool:
    """Whether a model is a convolutional network."""
    return bool(operations_of(model) & set(_CONVOLUTIONS))


def quantize_static(model: Path, target: Path, inputs: Sequence[Array]) -> None:
    """Write the static int8 form of a model from calibration samples in memory.

    Args:
        model: fp32 ONNX file.
        target: where the int8 file goes.
        inputs: calibration samples, one array ``(n, ...)`` for each input.

    Raises:
        MissingDependencyError: when ONNX Runtime is not installed.
        InvalidInputError: when the model cannot be quantised.
    """
    from assay.models.inspection import inspect_onnx

    names = [spec.name for spec in inspect_onnx(model)[0]]
    if len(names) != len(inputs):
        raise InvalidInputError(
            "the calibration samples are not what the model takes", where=model, expected=", ".join(names)
        )
    arrays = [np.asarray(array) for array in inputs]
    rows = range(len(arrays[0]))
    quantize_int8(model, target, ({n: a[row : row + 1] for n, a in zip(names, arrays, strict=True)} for row in rows))


def quantize_int8(
    model: Path, target: Path, feeds: Feeds, method: Method = Method.STATIC, ranges: Ranges | None = None
) -> None:
    """Write the int8 form of a model.

    Args:
        model: fp32 ONNX file.
        target: where the int8 file goes.
        feeds: calibration samples; not looked at by the dynamic method.
        method: how the ranges of activations are found.
        ranges: how static ones are chosen; as usual for the model when not given.

    Raises:
        MissingDependencyError: when ONNX Runtime is not installed.
        InvalidInputError: when the model is quantised already or cannot be, or there is no calibration sample.
    """
    try:
        from onnxruntime import quantization as q
        from onnxruntime.quantization.shape_inference import quant_pre_process
    except ImportError as error:
        raise MissingDependencyError(
            f"quantising needs ONNX Runtime: {error}", hint="pip install onnxruntime"
        ) from error
    check_fp32(model)
    first = _first(feeds, model) if method is Method.STATIC else iter(())
    try:
        with _silence(), tempfile.TemporaryDirectory(prefix="assay-quantise-", dir=target.parent) as scratch:
            prepared = Path(scratch) / "prepared.onnx"
            quant_pre_process(str(model), str(prepared), skip_symbolic_shape=True)
            if method is Method.DYNAMIC:
                q.quantize_dynamic(str(prepared), str(target), per_channel=True, weight_type=q.QuantType.QInt8)
            else:
                _static(q, prepared, target, first, ranges or usual_ranges(prepared))
    except (ValueError, RuntimeError, KeyError, AssertionError, IndexError) as error:
        raise InvalidInputError(
            f"the model cannot be quantised: {str(error)[:300]}",
            where=model,
            hint="give a quantised model with --model",
        ) from error
    if not is_quantised(target):
        raise InvalidInputError("the model has no layer that can be quantised", where=model)


def usual_ranges(model: Path) -> Ranges:
    """By percentile for convolutional networks; of the others the outermost values are what they live on."""
    return Ranges.PERCENTILE if convolves(model) else Ranges.MINMAX


def _static(q: Any, prepared: Path, target: Path, feeds: Iterator[Mapping[str, Array]], ranges: Ranges) -> None:
    """Find the ranges, then the layers to spare, and write the file."""
    _name_nodes(prepared)
    few = list(islice(feeds, _MEASURED))
    found = activation_ranges(prepared, chain(few, feeds), ranges)
    behind = nodes_behind(prepared)

    def write(path: Path, spared: Sequence[str], operations: list[str] | None = None) -> None:
        q.quantize_static(
            str(prepared),
            str(path),
            # The ranges are given: ONNX Runtime's own, of one sample, are not looked at.
            _reader(q, iter(few[:1])),
            quant_format=q.QuantFormat.QDQ,
            per_channel=True,
            weight_type=q.QuantType.QInt8,
            activation_type=q.QuantType.QUInt8,
            nodes_to_exclude=[*behind, *spared],
            op_types_to_quantize=operations,
            extra_options={"TensorQuantOverrides": _overrides(found)},
        )

    if convolves(prepared):
        write(target, spared_layers(prepared, prepared.parent, few, write))
    else:
        write(target, (), ["MatMul", "Gemm"])


def _name_nodes(model: Path) -> None:
    """Nodes are left out by name, and a model may have none."""
    import onnx

    loaded = onnx.load(str(model))
    for place, node in enumerate(loaded.graph.node):
        node.name = node.name or f"node:{place}"
    onnx.save(loaded, str(model))


def _overrides(ranges: Mapping[str, Range]) -> dict[str, list[dict[str, Any]]]:
    """Ranges in the form of ONNX Runtime's options."""
    return {name: [{"rmin": np.float32(low), "rmax": np.float32(high)}] for name, (low, high) in ranges.items()}


def nodes_behind(model: Path) -> list[str]:
    """Names of the nodes that come after the last convolution or matrix product.

    They turn the network's maps into answers (coordinates, classes, the best of many), have next to no work, and share
    no range: 256 steps for pixels and scores alike would leave nothing of the scores.
    """
    import onnx

    nodes = onnx.load(str(model), load_external_data=False).graph.node
    before: set[str] = set()
    behind: list[str] = []
    for node in reversed(nodes):
        if node.op_type in HEAVY or before.intersection(node.output):
            before.update(node.input)
        else:
            behind.append(node.name)
    return [name for name in reversed(behind) if name]


def check_fp32(model: Path) -> None:
    """Refuse a model that is quantised already, or too large for one file.

    Raises:
        InvalidInputError: saying so.
    """
    if is_quantised(model):
        raise InvalidInputError(
            "the model is quantised already", where=model, hint="take the fp32 model that it was made from"
        )
    if model.stat().st_size >= _MOST_BYTES:
        raise InvalidInputError(
            "the model is too large to be quantised here", where=model, expected="less than 2 GiB in one file"
        )


@contextmanager
def _silence() -> Iterator[None]:
    """The quantiser tells its advice through the root logger."""
    previous = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(previous)


def _first(feeds: Feeds, model: Path) -> Iterator[Mapping[str, Array]]:
    """The feeds, of which there has to be one."""
    iterator = iter(feeds)
    first = next(iterator, None)
    if first is None:
        raise InvalidInputError(
            "there are no calibration samples", where=model, hint="give a dataset with --dataset, or --method dynamic"
        )

    def chained() -> Iterator[Mapping[str, Array]]:
        yield first
        yield from iterator

    return chained()


def _reader(q: Any, feeds: Iterator[Mapping[str, Array]]) -> Any:
    base: Any = q.CalibrationDataReader
    return type("Reader", (_Reader, base), {})(feeds)
