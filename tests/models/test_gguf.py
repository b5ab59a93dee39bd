from __future__ import annotations

import struct
from pathlib import Path

import pytest

from assay.errors import InvalidInputError, NotFoundError
from assay.models.gguf import TYPES, TensorInfo, read_gguf

from ..tasks.language_model.tiny_llama import CONTEXT, LAYERS, WIDTH, tensors, tiny_llama, vocabulary


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return tiny_llama(tmp_path / "tiny.gguf")


def test_a_header_tells_what_the_model_is(model: Path) -> None:
    header = read_gguf(model)
    assert header.architecture == "llama"
    assert header.number("context_length") == CONTEXT
    assert header.number("nothing of the kind") is None
    assert header.metadata["tokenizer.ggml.tokens"] == vocabulary()
    assert header.metadata["tokenizer.ggml.add_bos_token"] is False
    assert header.metadata["llama.attention.layer_norm_rms_epsilon"] == pytest.approx(1e-5)


def test_tensors_are_found_with_numpys_shape(model: Path) -> None:
    header = read_gguf(model)
    assert len(header.tensors) == len(tensors()) == 3 + 9 * LAYERS
    info = header.tensors["token_embd.weight"]
    assert info.shape == (len(vocabulary()), WIDTH)
    assert TYPES[info.kind].name == "F32"
    assert info.nbytes == info.count * 4
    last = max(header.tensors.values(), key=lambda each: each.offset)
    assert last.offset + (last.nbytes or 0) <= model.stat().st_size


def test_bytes_of_packed_tensors() -> None:
    kinds = {form.name: kind for kind, form in TYPES.items()}
    assert TensorInfo("t", (2, 32), kinds["Q4_1"], 0).nbytes == 40
    assert TensorInfo("t", (256,), kinds["Q6_K"], 0).nbytes == 210
    assert TensorInfo("t", (256,), 999, 0).nbytes is None


@pytest.mark.parametrize("kept", [0, 3, 4, 20, 200, 9000, -40_000, -200])
def test_a_file_that_is_cut_off_is_told(model: Path, kept: int) -> None:
    model.write_bytes(model.read_bytes()[:kept])
    with pytest.raises(InvalidInputError) as caught:
        read_gguf(model)
    assert caught.value.where == str(model)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError):
        read_gguf(tmp_path / "none.gguf")


def head(*, version: int = 3, tensors: int = 0, keys: int = 0) -> bytes:
    return b"GGUF" + struct.pack("<IQQ", version, tensors, keys)


def text(value: str) -> bytes:
    return struct.pack("<Q", len(value)) + value.encode()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"not a model at all, only text", "not a GGUF file"),
        (head(version=1), "another version"),
        (head(version=0x03000000), "another version"),
        (head(keys=1 << 40), "too many entries"),
        (head(tensors=1 << 63), "too many entries"),
        (head(keys=1) + struct.pack("<Q", 1 << 62), "too long"),
        (head(keys=1) + text("k") + struct.pack("<I", 77), "unknown type"),
        (head(keys=1) + text("k") + struct.pack("<IIQ", 9, 9, 1), "nested or too long"),
        (head(keys=1) + text("k") + struct.pack("<IIQ", 9, 4, 1 << 60), "nested or too long"),
        (head(keys=1) + text("k") + struct.pack("<IIQ", 9, 4, 1 << 20), "cut off"),
        (head(keys=1) + text("general.alignment") + struct.pack("<II", 4, 0), "alignment"),
        (head(tensors=1) + text("t") + struct.pack("<I", 9), "too many dimensions"),
        (head(tensors=1) + text("t") + struct.pack("<IQIQ", 1, 1 << 50, 0, 0), "ends behind it"),
        (head(tensors=1) + text("t") + struct.pack("<IQIQ", 1, 1, 0, 1 << 60), "ends behind it"),
    ],
    ids=range(14),
)
def test_what_is_hostile_is_refused(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "bad.gguf"
    path.write_bytes(content)
    with pytest.raises(InvalidInputError, match=message):
        read_gguf(path)
