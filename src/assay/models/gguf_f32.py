"""A quantised GGUF file as one of single precision: the same numbers, unpacked; it shows what quantised sums cost.

Source of the blocks: ggml-org/llama.cpp, ggml-common.h and the ``dequantize_row_*`` functions of ggml-quants.c.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from assay.errors import InvalidInputError
from assay.models.gguf import TYPES, TensorInfo, read_gguf
from assay.models.gguf_write import write_gguf

_ALL_F32 = 0
_FILE_TYPE = "general.file_type"
_DROPPED = ("general.quantization_version", "general.alignment")
Blocks = NDArray[np.uint8]
Values = NDArray[np.float32]


def dequantised(source: Path, target: Path) -> None:
    """Write a file with the same header and all tensors in single precision, one tensor in memory at a time.

    Raises:
        InvalidInputError: when the source is no GGUF file, is cut off, or packs a tensor in a way that is not known.
    """
    header = read_gguf(source)
    raw = np.memmap(source, np.uint8, "r")
    metadata = {key: value for key, value in header.metadata.items() if key not in _DROPPED}
    if _FILE_TYPE in metadata:
        metadata[_FILE_TYPE] = _ALL_F32
    shapes = {name: info.shape for name, info in header.tensors.items()}
    values = (tensor_values(raw, info, source) for info in header.tensors.values())
    write_gguf(target, metadata, header.kinds, shapes, values)


def tensor_values(raw: NDArray[np.uint8], info: TensorInfo, where: Path) -> Values:
    """One tensor in single precision, in its shape.

    Args:
        raw: the whole file.
        info: which tensor.
        where: the file, for the error.

    Raises:
        InvalidInputError: when it is packed in a way that is not known.
    """
    form = TYPES.get(info.kind)
    unpack = _UNPACK.get(form.name) if form else None
    if form is None or unpack is None:
        raise InvalidInputError(
            f"tensor {info.name!r} is packed in a way that is not read here",
            where=where,
            expected=" or ".join(_UNPACK),
            found=form.name if form else f"type {info.kind}",
        )
    if info.count % form.block:
        raise InvalidInputError(f"tensor {info.name!r} is not made of whole blocks", where=where, found=str(info.shape))
    blocks = info.count // form.block
    packed = raw[info.offset : info.offset + blocks * form.size].reshape(blocks, form.size)
    return np.ascontiguousarray(unpack(packed), np.float32).reshape(info.shape)


def _halves(blocks: Blocks, start: int) -> Values:
    """A half-precision number of each block, ``(blocks, 1)``."""
    return np.ascontiguousarray(blocks[:, start : start + 2]).view(np.float16).astype(np.float32)


def _nibbles(blocks: Blocks, start: int) -> NDArray[np.uint8]:
    """32 values of 4 bits of each block: the low halves of 16 bytes, then the high ones."""
    packed = blocks[:, start : start + 16]
    return np.concatenate([packed & 15, packed >> 4], axis=1)


def _fifths(blocks: Blocks, start: int) -> NDArray[np.uint8]:
    """The fifth bit of 32 values of each block, as 0 or 16."""
    bits = np.unpackbits(blocks[:, start : start + 4], axis=1, bitorder="little")
    return np.left_shift(bits, 4, dtype=np.uint8)


def _f32(blocks: Blocks) -> Values:
    return np.ascontiguousarray(blocks).view(np.float32)


def _f16(blocks: Blocks) -> Values:
    return np.ascontiguousarray(blocks).view(np.float16).astype(np.float32)


def _bf16(blocks: Blocks) -> Values:
    return (np.ascontiguousarray(blocks).view(np.uint16).astype(np.uint32) << 16).view(np.float32)


def _q4_0(blocks: Blocks) -> Values:
    return _halves(blocks, 0) * (_nibbles(blocks, 2).astype(np.float32) - 8)


def _q4_1(blocks: Blocks) -> Values:
    return _halves(blocks, 0) * _nibbles(blocks, 4).astype(np.float32) + _halves(blocks, 2)


def _q5_0(blocks: Blocks) -> Values:
    return _halves(blocks, 0) * ((_nibbles(blocks, 6) | _fifths(blocks, 2)).astype(np.float32) - 16)


def _q5_1(blocks: Blocks) -> Values:
    return _halves(blocks, 0) * (_nibbles(blocks, 8) | _fifths(blocks, 4)).astype(np.float32) + _halves(blocks, 2)


def _q8_0(blocks: Blocks) -> Values:
    return _halves(blocks, 0) * np.ascontiguousarray(blocks[:, 2:]).view(np.int8).astype(np.float32)


def _q6_k(blocks: Blocks) -> Values:
    low, high = blocks[:, :128].reshape(-1, 2, 2, 32), blocks[:, 128:192].reshape(-1, 2, 32)
    scales = np.ascontiguousarray(blocks[:, 192:208]).view(np.int8).astype(np.float32)
    quarters = [
        (low[:, :, 0] & 15) | ((high & 3) << 4),
        (low[:, :, 1] & 15) | (((high >> 2) & 3) << 4),
        (low[:, :, 0] >> 4) | (((high >> 4) & 3) << 4),
        (low[:, :, 1] >> 4) | (((high >> 6) & 3) << 4),
    ]
    values = np.stack(quarters, axis=2).astype(np.float32).reshape(-1, 16, 16) - 32
    return (_halves(blocks, 208)[:, :, None] * scales[:, :, None] * values).reshape(len(blocks), 256)


_UNPACK: dict[str, Callable[[Blocks], Values]] = {
    "F32": _f32,
    "F16": _f16,
    "BF16": _bf16,
    "Q4_0": _q4_0,
    "Q4_1": _q4_1,
    "Q5_0": _q5_0,
    "Q5_1": _q5_1,
    "Q8_0": _q8_0,
    "Q6_K": _q6_k,
}
