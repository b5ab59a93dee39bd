from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from assay.errors import InvalidInputError
from assay.models.gguf import TYPES, TensorInfo, read_gguf
from assay.models.gguf_f32 import dequantised, tensor_values

from ..tasks.language_model.tiny_llama import tensors, tiny_llama

KINDS = {form.name: kind for kind, form in TYPES.items()}
HALF = np.float16(0.5).tobytes()
SHIFT = np.float16(-1.5).tobytes()
NIBBLES = bytes(low | (15 - low) << 4 for low in range(16))
LOW = np.arange(16, dtype=np.float32)
UP_AND_DOWN = np.concatenate([LOW, 15 - LOW])
FIFTH = (0x0000FFFF).to_bytes(4, "little")
WITH_FIFTH = np.concatenate([LOW + 16, 15 - LOW])


def q6_k() -> tuple[bytes, np.ndarray]:
    """A block whose value number i is i % 64, packed the way llama.cpp's quantize_row_q6_K does."""
    values = np.arange(256) % 64
    low, high = bytearray(128), bytearray(64)
    for half in range(2):
        for place in range(32):
            four = [int(values[half * 128 + quarter * 32 + place]) for quarter in range(4)]
            low[half * 64 + place] = (four[0] & 15) | (four[2] & 15) << 4
            low[half * 64 + 32 + place] = (four[1] & 15) | (four[3] & 15) << 4
            high[half * 32 + place] = sum((value >> 4) << (2 * number) for number, value in enumerate(four))
    scales = bytes(range(1, 17))
    right = 0.5 * np.repeat(np.arange(1, 17), 16) * (values - 32)
    return bytes(low) + bytes(high) + scales + HALF, right


@pytest.mark.parametrize(
    ("form", "block", "values"),
    [
        ("F32", np.float32([1.25, -7]).tobytes(), [1.25, -7]),
        ("F16", np.float16([1.25, -7]).tobytes(), [1.25, -7]),
        ("BF16", bytes([0xA0, 0x3F, 0xE0, 0xC0]), [1.25, -7]),
        ("Q4_0", HALF + NIBBLES, (UP_AND_DOWN - 8) / 2),
        ("Q4_1", HALF + SHIFT + NIBBLES, UP_AND_DOWN / 2 - 1.5),
        ("Q5_0", HALF + FIFTH + NIBBLES, (WITH_FIFTH - 16) / 2),
        ("Q5_1", HALF + SHIFT + FIFTH + NIBBLES, WITH_FIFTH / 2 - 1.5),
        ("Q8_0", HALF + np.arange(-16, 16, dtype=np.int8).tobytes(), np.arange(-16, 16) / 2),
        ("Q6_K", *q6_k()),
    ],
    ids=["F32", "F16", "BF16", "Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q8_0", "Q6_K"],
)
def test_blocks_are_unpacked(form: str, block: bytes, values: np.ndarray) -> None:
    size = len(values)
    raw = np.frombuffer(b"12345678" + block * 3, np.uint8)
    found = tensor_values(raw, TensorInfo("t", (3, size), KINDS[form], 8), Path("x"))
    assert found.dtype == np.float32
    assert np.array_equal(found, np.tile(np.float32(values), (3, 1)))


def test_what_is_packed_in_another_way_is_refused() -> None:
    raw = np.zeros(4096, np.uint8)
    for kind in (KINDS["Q3_K"], 99):
        with pytest.raises(InvalidInputError, match="packed in a way"):
            tensor_values(raw, TensorInfo("t", (256,), kind, 0), Path("x"))
    with pytest.raises(InvalidInputError, match="whole blocks"):
        tensor_values(raw, TensorInfo("t", (33,), KINDS["Q8_0"], 0), Path("x"))


def test_a_file_is_written_out_with_its_header(tmp_path: Path) -> None:
    source, target = tiny_llama(tmp_path / "tiny.gguf", changes={"general.file_type": 3}), tmp_path / "f32.gguf"
    dequantised(source, target)
    header = read_gguf(target)
    assert header.metadata == {**read_gguf(source).metadata, "general.file_type": 0}
    raw = np.memmap(target, np.uint8, "r")
    for name, array in tensors().items():
        assert np.array_equal(tensor_values(raw, header.tensors[name], target), array)
