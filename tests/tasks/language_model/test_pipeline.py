from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from assay.base.generation import Decoding, Generated, Prompt
from assay.errors import RunFailedError
from assay.models.tokenizer import open_tokenizer
from assay.tasks.language_model.pipeline import GeneratingPipeline, prompt_of, response_of, text_or_ids
from assay.tasks.protocol import Counted, Sample, TellsFirst

NO_IDS = np.empty(0, np.int32)


def sample(ids: Sequence[int], text: str) -> Sample:
    return np.array(ids, np.int32), np.frombuffer(text.encode(), np.uint8)


def answer(
    ids: Sequence[int] = (), text: str = "", first: int | None = None, total: int = 0, count: int | None = None
) -> Generated:
    return Generated(np.array(ids, np.int32), text, first, total, prompt_tokens=10, token_count=count)


def test_prompts_have_ids_where_there_are_any() -> None:
    prompt = prompt_of(*sample([3, 4], "né"))
    assert prompt.tokens is not None
    assert (prompt.tokens.tolist(), prompt.text) == ([3, 4], "né")
    assert prompt_of(*sample([], "né")).tokens is None


def test_responses_are_the_ids_of_the_new_tokens_as_int64() -> None:
    response = response_of(answer([5, 70_000], "text"))
    assert (response.dtype, response.tolist()) == (np.int64, [5, 70_000])
    found = text_or_ids(response.tobytes())
    assert isinstance(found, np.ndarray)
    assert found.tolist() == [5, 70_000]


def test_or_the_text_when_no_ids_are_known() -> None:
    for text in ("né 😀", "eight by", "x" * 16, ""):
        assert text_or_ids(response_of(answer(text=text)).tobytes()) == text
    assert text_or_ids(response_of(answer(text="a\0b")).tobytes()) == "a\ufffdb"
    assert text_or_ids(response_of(answer(text="a\ud800")).tobytes()) == "a?"


def test_a_tokenizer_makes_ids_of_a_text(model: Path) -> None:
    tokenizer = open_tokenizer(model)
    response = response_of(answer(text="the cat"), tokenizer)
    assert response.dtype == np.int64
    assert tokenizer.decode(response) == "the cat"


@pytest.mark.parametrize(
    "wrong",
    [b"\xff\xfe", b"\0", b"\0" * 9, np.array([-1], np.int64).tobytes(), np.array([1 << 40], np.int64).tobytes()],
)
def test_bytes_that_are_neither(wrong: bytes) -> None:
    assert text_or_ids(wrong) is None


def pipeline_of(*answers: Generated) -> tuple[GeneratingPipeline, list[tuple[Sequence[Prompt], Decoding]]]:
    asked: list[tuple[Sequence[Prompt], Decoding]] = []

    def generate(prompts: Sequence[Prompt], decoding: Decoding) -> Sequence[Generated]:
        asked.append((prompts, decoding))
        return answers

    return GeneratingPipeline(generate, Decoding(7)), asked


def test_figures_are_those_since_the_reset() -> None:
    pipeline, asked = pipeline_of(
        answer([1, 2, 3], first=100, total=300), answer(text="abc", first=200, total=1200, count=6)
    )
    samples = [sample([1], "a"), sample([], "b")]
    assert pipeline.figures() == {"prompt_tokens": 0, "answer_tokens": 0}
    responses = pipeline(samples)
    assert len(responses) == 2
    assert asked[0][1].max_tokens == 7
    figures = dict(pipeline.figures())
    assert figures.pop("answer_tokens_per_second") > 0
    assert figures == {
        "prompt_tokens": 20,
        "answer_tokens": 9,
        "first_token_p50_ns": 150,
        "first_token_p90_ns": pytest.approx(190),
        "first_token_p99_ns": pytest.approx(199),
        "next_token_p50_ns": 150,  # (300 - 100) / 2 and (1200 - 200) / 5
        "next_token_p90_ns": pytest.approx(190),
        "next_token_p99_ns": pytest.approx(199),
    }
    pipeline.reset()
    assert pipeline.figures() == {"prompt_tokens": 0, "answer_tokens": 0}


def test_an_engine_that_cannot_tell_has_no_moments() -> None:
    pipeline, _ = pipeline_of(answer(text="abc", total=5))
    pipeline([sample([], "a")])
    assert set(pipeline.figures()) == {"prompt_tokens", "answer_tokens"}


def test_too_few_answers_fail_the_run() -> None:
    pipeline, _ = pipeline_of(answer([1]))
    with pytest.raises(RunFailedError, match="another number of answers"):
        pipeline([sample([1], "a"), sample([1], "b")])


def test_the_tokens_of_each_answer_are_counted() -> None:
    pipeline, _ = pipeline_of(answer([1, 2, 3]), answer(text="abc", count=6), answer(text="abc"), answer())
    responses = pipeline([sample([1], "a")] * 4)
    assert isinstance(responses, Counted)
    assert responses.counts == (3, 6, 0, 0)


def test_a_first_token_is_told_as_it_comes_and_begins_its_response(model: Path) -> None:
    tokenizer = open_tokenizer(model)
    told: list[tuple[int, Any]] = []
    made = (answer([5, 6]), answer(text="the cat", count=9))

    def generate(prompts: Sequence[Prompt], decoding: Decoding) -> Sequence[Generated]:
        assert decoding.tell_first is not None
        decoding.tell_first(1, None, "t")
        decoding.tell_first(0, 5, "five")
        decoding.tell_first(0, 6, "once only")
        assert len(told) == 2, "before the answers"
        return made

    prompts = [sample([1], "a"), sample([], "b")]
    pipeline = GeneratingPipeline(generate, Decoding(7), tokenizer)
    assert isinstance(pipeline, TellsFirst)
    responses = pipeline.answer(prompts, lambda place, token: told.append((place, token.tolist())))
    assert isinstance(responses, Counted)
    assert dict(told) == {0: [5], 1: tokenizer.encode("t").tolist()}
    # By itself "the" would be one token: the letters that came first are one here.
    assert [row.tolist()[0] for row in responses] == [5, tokenizer.encode("t")[0]]
    assert responses.counts == (2, 1 + len(tokenizer.encode("he cat")))
    assert tokenizer.decode(responses[1]) == "the cat"


def test_without_a_tokenizer_the_first_letters_are_told() -> None:
    told: list[bytes] = []

    def generate(prompts: Sequence[Prompt], decoding: Decoding) -> Sequence[Generated]:
        assert decoding.tell_first is not None
        decoding.tell_first(0, None, "n\u00e9")
        return [answer(text="n\u00e9e", count=2)]

    pipeline = GeneratingPipeline(generate, Decoding(7))
    responses = pipeline.answer([sample([], "a")], lambda place, token: told.append(token.tobytes()))
    assert isinstance(responses, Counted)
    assert (told, responses[0].tobytes(), responses.counts) == (["n\u00e9".encode()], "n\u00e9e".encode(), (2,))
