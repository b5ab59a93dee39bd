"""On a Whisper of a few kilobytes with random weights, which CTranslate2 loads in an instant."""

from __future__ import annotations

import shutil
import struct
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest

from assay.backends import ctranslate2 as module
from assay.backends.ctranslate2 import BACKEND, Ctranslate2Session
from assay.backends.protocol import BackendOptions, Decoding, Precision, Prompt
from assay.errors import InvalidInputError, MissingDependencyError, NotFoundError, UsageError

from ..tasks.speech_recognition.tiny_whisper import BANDS, tiny_whisper

pytest.importorskip("ctranslate2", reason="the extra speech is not installed")
EIGHT = Decoding(8)
ENGLISH = "<|startoftranscript|><|notimestamps|>"


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_whisper(tmp_path_factory.mktemp("whisper") / "tiny")


@pytest.fixture(scope="module")
def session(model: Path) -> Iterator[Ctranslate2Session]:
    opened = BACKEND.open(model, BackendOptions(threads=1, streams=2))
    yield opened
    opened.close()


def heard(seed: int, *, text: str = ENGLISH, frames: int = 40, bands: int = BANDS) -> Prompt:
    return Prompt(text=text, features=np.random.default_rng(seed).standard_normal((bands, frames)).astype(np.float32))


def tokens(session: Ctranslate2Session, prompts: Sequence[Prompt], decoding: Decoding = EIGHT) -> list[list[int]]:
    return [answer.tokens.tolist() for answer in session.stream().generate(prompts, decoding)]


def test_it_says_what_it_can_do() -> None:
    able = BACKEND.capabilities()
    assert able.version
    assert able.devices[0] == "CPU"
    assert {Precision.FP32, Precision.INT8} <= set(able.precisions)
    assert set(able.options) == {"device", "device_index", "context"}
    assert (BACKEND.name, BACKEND.formats) == ("ctranslate2", ("ctranslate2",))


@pytest.mark.parametrize(("precision", "computed"), [("fp32", "float32"), ("int8", "int8_float32")])
def test_a_session_describes_itself(model: Path, precision: str, computed: str) -> None:
    opened = BACKEND.open(model, BackendOptions(threads=2, streams=3, precision=Precision(precision)))
    facts = opened.describe()
    assert (opened.inputs, opened.outputs, opened.fixed_batches) == ((), (), False)
    assert (facts["engine"], facts["device"], facts["threads"], facts["streams"]) == ("ctranslate2", "CPU", "6", "3")
    assert (facts["precision"], facts["inference_precision"]) == (precision, computed)
    assert all(facts.values())
    opened.prepare([1, 8])
    assert len(tokens(opened, [heard(1)])) == 1
    opened.close()
    opened.close()
    with pytest.raises(UsageError, match="closed"):
        opened.stream()


# ---- what is refused


def test_graphs_are_not_run(session: Ctranslate2Session) -> None:
    with pytest.raises(UsageError, match="runs no graphs"):
        session.stream().run((np.zeros((1, 3, 8, 8), np.float32),))


@pytest.mark.parametrize(
    ("extra", "expected"),
    [
        ({"devise": "cpu"}, "device"),
        ({"device": "tpu"}, "cpu or cuda"),
        ({"device": "cuda", "device_index": "99"}, None),
        ({"device_index": "first"}, None),
        ({"context": "long"}, "2 to"),
        ({"context": "1"}, "2 to"),
        ({"compute_type": "int8"}, None),
        ({"inter_threads": "2"}, None),
    ],
)
def test_options_that_do_not_exist_are_refused(model: Path, extra: dict[str, str], expected: str | None) -> None:
    for call in (
        lambda: BACKEND.check_options(BackendOptions(extra=extra)),
        lambda: BACKEND.open(model, BackendOptions(extra=extra)),
    ):
        with pytest.raises(UsageError) as caught:
            call()
        if expected is not None:
            assert expected in str(caught.value.expected)


def test_options_are_checked_without_a_model() -> None:
    BACKEND.check_options(BackendOptions(threads=1, extra={"device": "CPU", "device_index": "0"}))


@pytest.mark.parametrize("precision", list(Precision))
def test_a_format_is_met_or_refused(model: Path, precision: Precision) -> None:
    options = BackendOptions(threads=1, precision=precision)
    if precision in BACKEND.capabilities().precisions:
        BACKEND.check_options(options)
        assert BACKEND.open(model, options).describe()["precision"] == precision.value
        return
    for call in (lambda: BACKEND.check_options(options), lambda: BACKEND.open(model, options)):
        with pytest.raises(UsageError) as caught:
            call()
        assert caught.value.hint == "give --precision fp32 or int8"


def test_another_format_than_asked_for_is_no_success(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(module._TYPES, Precision.BF16, "bfloat16")
    monkeypatch.setattr(module, "_check_precision", lambda *arguments: None)
    monkeypatch.setitem(module._TYPES, Precision.FP32, "int8")
    with pytest.raises(UsageError, match="would compute in int8_float32 and not in fp32"):
        BACKEND.open(model, BackendOptions(threads=1))


@pytest.mark.parametrize("name", ["model.bin", "config.json", "vocabulary.txt"])
def test_a_folder_with_a_file_missing_is_told_which(model: Path, tmp_path: Path, name: str) -> None:
    folder = Path(shutil.copytree(model, tmp_path / "model"))
    (folder / name).unlink()
    with pytest.raises(NotFoundError, match=name.replace(".", r"\.")) as caught:
        BACKEND.open(folder, BackendOptions())
    assert caught.value.where == str(folder)


def test_what_is_no_model_is_refused(model: Path, tmp_path: Path) -> None:
    with pytest.raises(NotFoundError):
        BACKEND.open(tmp_path / "none", BackendOptions())
    with pytest.raises(InvalidInputError, match="a file"):
        BACKEND.open(model / "model.bin", BackendOptions())
    folder = Path(shutil.copytree(model, tmp_path / "model"))
    for content in (b"", b"this is no model" * 64, struct.pack("<IH", 6, 9) + b"Whisp\xff\xff\0\0" * 20):
        (folder / "model.bin").write_bytes(content)
        with pytest.raises(InvalidInputError, match="not a Whisper or language model") as caught:
            BACKEND.open(folder, BackendOptions())
        assert str(folder) in str(caught.value)


def test_another_architecture_is_named(tmp_path: Path) -> None:
    folder = tiny_whisper(tmp_path / "other", kind="TransformerSpec")
    with pytest.raises(InvalidInputError) as caught:
        BACKEND.open(folder, BackendOptions())
    assert (caught.value.expected, caught.value.found) == ("WhisperSpec or TransformerDecoderSpec", "TransformerSpec")


def test_a_cut_off_model_is_refused(model: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(model, tmp_path / "model"))
    whole = (folder / "model.bin").read_bytes()
    (folder / "model.bin").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InvalidInputError, match="cannot load the model") as caught:
        BACKEND.open(folder, BackendOptions())
    assert str(folder) in str(caught.value)


def test_a_missing_library_is_told_with_the_command(monkeypatch: pytest.MonkeyPatch, model: Path) -> None:
    monkeypatch.setitem(sys.modules, "ctranslate2", None)
    for call in (
        BACKEND.capabilities,
        lambda: BACKEND.check_options(BackendOptions()),
        lambda: BACKEND.open(model, BackendOptions()),
    ):
        with pytest.raises(MissingDependencyError) as caught:
            call()
        assert caught.value.hint == 'pip install "assay[speech]"'


def test_whisper_has_the_places_it_has(model: Path) -> None:
    with pytest.raises(UsageError, match="context is for language models"):
        BACKEND.open(model, BackendOptions(extra={"context": "100"}))
