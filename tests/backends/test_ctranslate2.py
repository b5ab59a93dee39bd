"""On a Whisper of a few kilobytes with random weights, which CTranslate2 loads in an instant."""

from __future__ import annotations

import shutil
import struct
import sys
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from assay.backends import ctranslate2 as module
from assay.backends.ctranslate2 import BACKEND, Ctranslate2Session
from assay.backends.protocol import BackendOptions, Decoding, Precision, Prompt
from assay.errors import InvalidInputError, MissingDependencyError, NotFoundError, RunFailedError, UsageError

from ..tasks.speech_recognition.tiny_whisper import BANDS, SPECIAL, tiny_whisper

pytest.importorskip("ctranslate2", reason="the extra speech is not installed")
EIGHT = Decoding(8)
ENGLISH = "<|startoftranscript|><|notimestamps|>"
TOLD = "<|startoftranscript|><|en|><|transcribe|><|notimestamps|>"
START = [40 + SPECIAL.index(token) for token in ("<|startoftranscript|>", "<|notimestamps|>")]


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
    assert set(able.options) == {"device", "device_index"}
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


def test_answers_are_ids_without_the_prompt(session: Ctranslate2Session) -> None:
    (answer,) = session.stream().generate([heard(1)], EIGHT)
    assert answer.tokens.dtype == np.int32
    assert 0 < len(answer.tokens) <= 8
    assert answer.tokens.max() < 40 + len(SPECIAL)
    assert answer.tokens[:2].tolist() != START
    assert (answer.text, answer.first_token_ns, answer.prompt_tokens) == ("", None, 2)
    assert answer.total_ns > 0


@pytest.mark.parametrize("most", [1, 2, 5, 100, 224])
def test_an_answer_is_as_long_as_was_asked(session: Ctranslate2Session, most: int) -> None:
    lengths = {len(answer) for answer in tokens(session, [heard(seed) for seed in range(4)], Decoding(most))}
    assert max(lengths) <= most
    if most <= 5:
        assert max(lengths) == most


def test_a_batch_answers_as_each_by_itself(session: Ctranslate2Session) -> None:
    prompts = [heard(seed) for seed in range(4)]
    before = [np.array(prompt.features) for prompt in prompts]
    together = tokens(session, prompts)
    assert together == [tokens(session, [prompt])[0] for prompt in prompts]
    assert len(set(map(tuple, together))) > 1, "what is heard matters"
    assert all(np.array_equal(prompt.features, same) for prompt, same in zip(prompts, before, strict=True))  # type: ignore[arg-type]


def test_a_prompt_may_be_ids_and_part_of_a_larger_array(session: Ctranslate2Session) -> None:
    by_text = heard(3)
    assert by_text.features is not None
    larger = np.stack([np.zeros_like(by_text.features), by_text.features])
    by_ids = Prompt(tokens=np.array(START, np.int32), text="not looked at", features=larger[1])
    assert tokens(session, [by_ids]) == tokens(session, [by_text])


def test_streams_run_side_by_side(session: Ctranslate2Session) -> None:
    right = [tokens(session, [heard(seed)])[0] for seed in range(3)]
    wrong: list[int] = []

    def work(seed: int) -> None:
        stream = session.stream()
        for _ in range(10):
            (answer,) = stream.generate([heard(seed)], EIGHT)
            if answer.tokens.tolist() != right[seed]:
                wrong.append(seed)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not wrong


def test_settings_reach_the_library(session: Ctranslate2Session, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: dict[str, Any] = {}

    def generate(features: Any, starts: Any, **options: Any) -> list[Any]:
        seen.update(options, shape=features.shape)
        return [SimpleNamespace(sequences_ids=[[1, 2]]) for _ in starts]

    stream = session.stream()
    monkeypatch.setattr(stream, "_model", SimpleNamespace(generate=generate))
    decoding = Decoding(100, beams=3, extra={"repetition_penalty": 1.2})
    assert len(stream.generate([heard(1), heard(2)], decoding)) == 2
    assert seen == {"beam_size": 3, "max_length": 200, "repetition_penalty": 1.2, "shape": [2, BANDS, 40]}


# ---- what is refused


@pytest.mark.parametrize(
    ("prompts", "what"),
    [
        ([heard(1), heard(2, frames=50)], "spectrograms of one size"),
        ([heard(1, bands=128)], "spectrograms of one size"),
        ([Prompt(text=ENGLISH)], "spectrograms of one size"),
        ([], "spectrograms of one size"),
        ([heard(1, text="say it")], "special tokens"),
        ([heard(1, text="")], "special tokens"),
        ([heard(1, text=TOLD)], "English only"),
    ],
)
def test_a_prompt_that_whisper_cannot_take(session: Ctranslate2Session, prompts: list[Prompt], what: str) -> None:
    with pytest.raises(InvalidInputError, match=what):
        session.stream().generate(prompts, EIGHT)


def test_a_model_of_several_languages_wants_to_be_told_one(
    session: Ctranslate2Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    stream = session.stream()
    monkeypatch.setattr(stream, "_multilingual", True)
    assert len(stream.generate([heard(1, text=TOLD)], EIGHT)) == 1
    with pytest.raises(InvalidInputError, match="several languages") as caught:
        stream.generate([heard(1)], EIGHT)
    assert caught.value.hint == "give language in the recipe"


@pytest.mark.parametrize(
    ("decoding", "what"),
    [
        (Decoding(225), "no room"),
        (Decoding(0), "no room"),
        (Decoding(8, min_tokens=1), "no shortest"),
        (Decoding(8, extra={"no_such": 1}), "no setting 'no_such'"),
    ],
)
def test_a_decoding_that_whisper_does_not_have(session: Ctranslate2Session, decoding: Decoding, what: str) -> None:
    with pytest.raises(InvalidInputError, match=what):
        session.stream().generate([heard(1)], decoding)


def test_graphs_are_not_run(session: Ctranslate2Session) -> None:
    with pytest.raises(UsageError, match="runs no graphs"):
        session.stream().run((np.zeros((1, 3, 8, 8), np.float32),))


def test_an_engine_that_breaks_is_told_as_a_failed_run(
    session: Ctranslate2Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks(*arguments: Any, **options: Any) -> Any:
        raise RuntimeError("out of luck\nmore")

    stream = session.stream()
    monkeypatch.setattr(stream, "_model", SimpleNamespace(generate=breaks))
    with pytest.raises(RunFailedError, match="out of luck$"):
        stream.generate([heard(1)], EIGHT)


@pytest.mark.parametrize(
    ("extra", "expected"),
    [
        ({"devise": "cpu"}, "device"),
        ({"device": "tpu"}, "cpu or cuda"),
        ({"device": "cuda", "device_index": "99"}, None),
        ({"device_index": "first"}, None),
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
        with pytest.raises(InvalidInputError, match="not a Whisper model") as caught:
            BACKEND.open(folder, BackendOptions())
        assert str(folder) in str(caught.value)


def test_another_architecture_is_named(tmp_path: Path) -> None:
    folder = tiny_whisper(tmp_path / "other", kind="TransformerSpec")
    with pytest.raises(InvalidInputError) as caught:
        BACKEND.open(folder, BackendOptions())
    assert (caught.value.expected, caught.value.found) == ("WhisperSpec", "TransformerSpec")


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
