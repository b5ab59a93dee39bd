from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from assay.backends.protocol import ModelFormat
from assay.backends.registry import backends
from assay.campaign.formats import check_fit, default_backend, format_of, formats_of, is_remote
from assay.errors import InvalidInputError, UsageError


@pytest.mark.parametrize(
    ("name", "form"),
    [("m.onnx", "onnx"), ("M.GGUF", "gguf"), ("m.tflite", "tflite"), ("m.pt", "torch"), ("m.safetensors", "torch")],
)
def test_a_files_name_tells_its_form(tmp_path: Path, name: str, form: str) -> None:
    path = tmp_path / name
    path.write_bytes(b"")
    assert format_of(path).value == form


def test_a_folder_is_told_by_what_it_holds(tmp_path: Path) -> None:
    parts = tmp_path / "parts"
    parts.mkdir()
    with pytest.raises(InvalidInputError, match="no form that is known"):
        format_of(parts)
    (parts / "encoder.onnx").write_bytes(b"")
    assert format_of(parts) is ModelFormat.ONNX
    for name in ("model.bin", "config.json"):
        (parts / name).write_bytes(b"")
    assert format_of(parts) is ModelFormat.CTRANSLATE2


def test_an_unknown_ending_is_told(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match="no form that is known") as caught:
        format_of(tmp_path / "model.h5")
    assert caught.value.found == ".h5"


def test_onnx_is_run_by_onnx_runtime_unless_asked_otherwise() -> None:
    assert default_backend(ModelFormat.ONNX) == "onnxruntime"


def test_servers_of_language_models_speak_a_protocol_of_their_own() -> None:
    assert default_backend(ModelFormat.REMOTE, "language-model") == "openai"
    assert default_backend(ModelFormat.REMOTE, "image-classification") == "kserve"


def test_an_engine_that_does_not_read_the_model_is_refused_with_what_it_reads() -> None:
    engine = backends().get("null")
    check_fit(engine, ModelFormat.ONNX)
    with pytest.raises(UsageError, match="does not read gguf models") as caught:
        check_fit(engine, ModelFormat.GGUF)
    assert caught.value.expected == "one of onnx"
    assert caught.value.hint


def test_a_server_takes_any_model_and_a_plugin_that_says_nothing_reads_onnx() -> None:
    server: Any = SimpleNamespace(title="Server", formats=(ModelFormat.REMOTE,))
    assert is_remote(server)
    check_fit(server, ModelFormat.TORCH)
    silent: Any = SimpleNamespace(title="Silent")
    assert formats_of(silent) == (ModelFormat.ONNX,)
