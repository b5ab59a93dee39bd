from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from assay.base.generation import Decoding, Generated, Prompt
from assay.tasks.speech_recognition.generator import Generator
from assay.tasks.speech_recognition.logmel import LogMel
from assay.tasks.speech_recognition.recipe import read_recipe

from .conftest import tone


@pytest.mark.parametrize(
    ("language", "start"),
    [
        (None, "<|startoftranscript|><|notimestamps|>"),
        ("de", "<|startoftranscript|><|de|><|transcribe|><|notimestamps|>"),
    ],
)
def test_the_engine_is_asked_by_spectrograms_and_a_prompt(language: str | None, start: str) -> None:
    asked: list[tuple[Sequence[Prompt], Decoding]] = []

    def generate(prompts: Sequence[Prompt], decoding: Decoding) -> list[Generated]:
        asked.append((prompts, decoding))
        return [Generated(np.array(ids, np.int32), "", None, 1) for ids in ([5, 7, 9], [])]

    features = LogMel()
    recipe = read_recipe(
        {"decoder": "whisper", "max_seconds": 30, "max_tokens": 17, "together": 8, "language": language}
    )
    pipeline = Generator(generate, features, recipe)
    answers = pipeline([(tone(16_000),), (tone(4_000),)])
    assert [answer.tolist() for answer in answers] == [[5, 7, 9], []]
    assert all(answer.dtype == np.int64 for answer in answers)
    ((prompts, decoding),) = asked
    assert (decoding.max_tokens, decoding.beams, decoding.min_tokens) == (17, 1, 0)
    assert [prompt.text for prompt in prompts] == [start, start]
    assert prompts[1].features is not None
    assert np.array_equal(prompts[1].features, features(tone(4_000)))
    assert pipeline.figures() == {"audio_s": 1.25, "tokens": 3.0}
    pipeline.reset()
    assert pipeline.figures() == {"audio_s": 0.0, "tokens": 0.0}


@pytest.mark.parametrize(("together", "groups"), [(1, [1, 1, 1, 1, 1]), (2, [2, 2, 1]), (8, [5])])
def test_a_batch_is_heard_in_groups(together: int, groups: list[int]) -> None:
    asked: list[int] = []

    def generate(prompts: Sequence[Prompt], decoding: Decoding) -> list[Generated]:
        asked.append(len(prompts))
        return [Generated(np.array([len(asked)], np.int32), "", None, 1) for _ in prompts]

    pipeline = Generator(generate, LogMel(), read_recipe({"decoder": "whisper", "together": together}))
    answers = pipeline([(tone(1_000),)] * 5)
    assert asked == groups
    assert [answer.tolist() for answer in answers] == [[n] for n, size in enumerate(groups, 1) for _ in range(size)]
