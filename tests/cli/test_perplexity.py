from __future__ import annotations

import os
from pathlib import Path

import pytest

from assay.backends import llamacpp
from assay.errors import MissingDependencyError

from ..tasks.language_model.tiny_llama import tiny_llama
from .conftest import Call, document

TEXT = "the cat in a hat and a dog in the sun " * 8
SHORT = ("--tokens", 70, "--window", 32, "--threads", 1)


@pytest.fixture
def engine() -> None:
    if not os.environ.get("CI"):
        pytest.importorskip("xllamacpp", reason="the extra llm is not installed")


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return tiny_llama(tmp_path / "tiny.gguf")


@pytest.fixture
def text(tmp_path: Path) -> Path:
    path = tmp_path / "text.txt"
    path.write_text(TEXT, encoding="utf-8")
    return path


@pytest.mark.usefixtures("engine")
def test_the_figure_is_told_with_what_it_is_of(home: Path, model: Path, text: Path, call: Call) -> None:
    found = document(call("perplexity", model, "--text", text, *SHORT, "--json"))
    assert found["perplexity"] > 27
    assert (found["tokens"], found["window"]) == (64, 32)
    assert found["model"]["name"] == str(model)
    assert found["model"]["precision"] == "F32"
    assert found["text"]["name"] == str(text)
    assert len(found["model"]["sha256"]) == len(found["text"]["sha256"]) == 64
    assert found["engine"]["name"] == "llama.cpp"
    assert found["engine"]["version"]
    assert found["labels"] == ["custom-model", "custom-dataset"]
    code, out, err = call("perplexity", model, "--text", text, *SHORT)
    assert code == 0
    lines = dict(line.split(maxsplit=1) for line in out.splitlines())
    assert lines["perplexity"] == f"{found['perplexity']:.2f}"
    assert lines["tokens"] == "64 in windows of 32"
    assert lines["text"].endswith(found["text"]["sha256"])
    assert lines["labels"] == "custom-model, custom-dataset"
    assert "perplexity (2 windows)" in err


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("mobilenet-v2",), 4, ("no GGUF model", "smollm2-135m-instruct", "onnx for image-classification")),
        (("whisper-tiny",), 4, ("no GGUF model", "ctranslate2")),
        (("gptj",), 4, ("no GGUF model", "remote")),
        (("smolm2-135m-instruct",), 3, ("smollm2-135m-instruct",)),
        (("none.gguf",), 3, ("none.gguf", "not there")),
        (("./none.onnx",), 3, ("none.onnx", "not there")),
        (("smollm2-135m-instruct", "--tokens", 100), 2, ("2 to 100", "--window 100")),
        (("smollm2-135m-instruct", "--window", 1), 2, ("--window",)),
    ],
)
def test_mistakes_are_told_before_anything_is_fetched(
    home: Path, call: Call, arguments: tuple[object, ...], code: int, words: tuple[str, ...]
) -> None:
    found, out, err = call("perplexity", *arguments)
    assert found == code, err
    assert all(word in err for word in words), err
    assert out == ""
    assert "Traceback" not in err
    assert not (home / "assets").exists()


def test_files_of_other_forms_are_told(home: Path, tmp_path: Path, call: Call) -> None:
    for name, found in (("mine.onnx", ".onnx"), ("mine", "no ending")):
        (tmp_path / name).write_bytes(b"GGUF")
        code, _, err = call("perplexity", tmp_path / name)
        assert code == 4
        assert f"found {found}" in err
        assert "smollm2-135m-instruct" in err
    code, _, err = call("perplexity", tmp_path)
    assert (code, "found a folder" in err) == (4, True)
    (tmp_path / "bad.gguf").write_bytes(b"no model")
    code, _, err = call("perplexity", tmp_path / "bad.gguf")
    assert (code, "not a GGUF file" in err) == (4, True)


@pytest.mark.usefixtures("engine")
def test_texts_that_cannot_be_read_are_told(home: Path, tmp_path: Path, model: Path, text: Path, call: Call) -> None:
    code, _, err = call("perplexity", model, "--text", tmp_path / "none.txt")
    assert (code, "the text is not there" in err) == (3, True)
    text.write_bytes(b"caf\xe9")
    code, _, err = call("perplexity", model, "--text", text)
    assert (code, "not UTF-8" in err, "0xe9" in err) == (4, True, True)
    text.write_text("the cat", encoding="utf-8")
    code, _, err = call("perplexity", model, "--text", text, *SHORT)
    assert (code, "shorter than a window" in err) == (4, True)
    assert "--window " in err


def test_a_missing_engine_is_told_before_anything_is_fetched(
    home: Path, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing() -> None:
        raise MissingDependencyError("xllamacpp cannot be imported", hint='pip install "assay[llm]"')

    monkeypatch.setattr(llamacpp, "engine_library", missing)
    code, _, err = call("perplexity", "smollm2-135m-instruct")
    assert (code, 'pip install "assay[llm]"' in err) == (3, True)
    assert not (home / "assets").exists()
