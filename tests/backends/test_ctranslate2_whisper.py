"""On a Whisper of a few kilobytes with random weights."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from assay.backends.ctranslate2 import BACKEND, Ctranslate2Session
from assay.backends.protocol import BackendOptions, Decoding, Prompt
from assay.errors import InvalidInputError, RunFailedError

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


def test_an_engine_that_breaks_is_told_as_a_failed_run(
    session: Ctranslate2Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks(*arguments: Any, **options: Any) -> Any:
        raise RuntimeError("out of luck\nmore")

    stream = session.stream()
    monkeypatch.setattr(stream, "_model", SimpleNamespace(generate=breaks))
    with pytest.raises(RunFailedError, match="out of luck$"):
        stream.generate([heard(1)], EIGHT)
