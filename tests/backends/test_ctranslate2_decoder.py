"""On a GPT-J of a few kilobytes, against the same model written down in plain arithmetic."""

from __future__ import annotations

import itertools
import shutil
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import psutil
import pytest

from assay.backends import ctranslate2_decoder as module
from assay.backends.ctranslate2 import BACKEND, Ctranslate2Session
from assay.backends.ctranslate2_decoder import groups_of
from assay.backends.protocol import BackendOptions, Decoding, Generated, Precision, Prompt
from assay.errors import InvalidInputError, MachineError, RunFailedError, UsageError

from ..models.tiny_gptj import SMALL, PlainGptj, tiny_gptj

ctranslate2 = pytest.importorskip("ctranslate2", reason="the extra speech is not installed")
TWELVE = Decoding(12)
LENGTHS = (9, 5, 14, 5, 2)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_gptj(tmp_path_factory.mktemp("gptj") / "tiny")


@pytest.fixture(scope="module")
def plain(model: Path) -> PlainGptj:
    return PlainGptj(model)


@pytest.fixture(scope="module")
def session(model: Path) -> Iterator[Ctranslate2Session]:
    opened = BACKEND.open(model, BackendOptions(threads=1, streams=2))
    yield opened
    opened.close()


def ids(seed: int, length: int) -> list[int]:
    return [int(token) for token in np.random.default_rng(seed).integers(8, SMALL.vocabulary, length)]


def prompt(tokens: Sequence[int]) -> Prompt:
    return Prompt(tokens=np.array(tokens, np.int32), text="not looked at")


def answers(session: Ctranslate2Session, asked: Sequence[Sequence[int]], decoding: Decoding) -> Sequence[Generated]:
    return session.stream().generate([prompt(tokens) for tokens in asked], decoding)


def made(session: Ctranslate2Session, asked: Sequence[Sequence[int]], decoding: Decoding = TWELVE) -> list[list[int]]:
    return [answer.tokens.tolist() for answer in answers(session, asked, decoding)]


# ---- it is GPT-J


def test_scores_are_those_of_gptj(model: Path, plain: PlainGptj) -> None:
    """All of them: rotary places, two branches behind one norm, the tanh GELU, the bias of the last layer."""
    loaded = ctranslate2.Generator(str(model), compute_type="float32", intra_threads=1)
    tokens = ids(1, 30)
    (found,) = np.array(loaded.forward_batch([tokens]))
    wanted = plain.logits(tokens)
    assert found.shape == wanted.shape == (30, SMALL.vocabulary)
    assert wanted.std() > 0.5
    assert np.abs(found - wanted).max() < 1e-4


def test_a_greedy_answer_is_that_of_gptj(session: Ctranslate2Session, plain: PlainGptj) -> None:
    asked = [ids(seed, length) for seed, length in enumerate(LENGTHS)]
    together = made(session, asked)
    assert together == [plain.greedy(tokens, 12) for tokens in asked]
    assert len(set(map(tuple, together))) > 1, "what is asked matters"


def test_a_batch_answers_as_each_by_itself(session: Ctranslate2Session) -> None:
    asked = [ids(seed, length) for seed, length in enumerate((*LENGTHS, 1, 1, 40))]
    for decoding in (TWELVE, Decoding(12, beams=3), Decoding(12, min_tokens=12)):
        assert made(session, asked, decoding) == [made(session, [tokens], decoding)[0] for tokens in asked]


def test_beams_find_a_text_that_is_as_likely_as_any(session: Ctranslate2Session, plain: PlainGptj) -> None:
    """Of all pairs of tokens, where the beams are many enough."""

    def likely(tokens: list[int]) -> np.ndarray[Any, Any]:
        scores = plain.logits(tokens)[-1].copy()
        scores[plain.end] = -np.inf
        return scores - np.log(np.exp(scores).sum())

    asked = ids(5, 6)
    first = likely(asked)
    pairs = {
        (one, two): first[one] + then
        for one in range(SMALL.vocabulary)
        if one != plain.end
        for two, then in enumerate(likely([*asked, one]))
    }
    best = max(pairs, key=lambda pair: pairs[pair])
    assert made(session, [asked], Decoding(2, 2, beams=16)) == [list(best)]


# ---- how long, and when


def test_an_answer_ends_at_its_end_or_its_length(session: Ctranslate2Session, plain: PlainGptj) -> None:
    asked = [ids(seed, 6) for seed in range(60)]
    free = made(session, asked, Decoding(20))
    assert any(len(answer) < 20 for answer in free), "some come to their end"
    assert all(plain.end not in answer for answer in free)
    for beams in (1, 2):
        held = made(session, asked, Decoding(20, 20, beams))
        assert {len(answer) for answer in held} == {20}
        assert all(plain.end not in answer for answer in held)
    assert {len(answer) for answer in made(session, asked, Decoding(3, 3))} == {3}


def test_the_first_tokens_moment_is_known_without_beams(session: Ctranslate2Session) -> None:
    asked = [ids(seed, length) for seed, length in enumerate((*LENGTHS, 60))]
    for answer, tokens in zip(answers(session, asked, Decoding(12, 12)), asked, strict=True):
        assert answer.first_token_ns is not None
        assert 0 < answer.first_token_ns < answer.total_ns
        assert (answer.text, answer.prompt_tokens, answer.tokens.dtype) == ("", len(tokens), np.int32)
    for answer in answers(session, asked, Decoding(12, beams=2)):
        assert answer.first_token_ns is None
        assert answer.total_ns > 0


def test_moments_are_those_of_their_own_text(session: Ctranslate2Session, monkeypatch: pytest.MonkeyPatch) -> None:
    """The library sorts a batch by length; what it tells of a step is of the text it names."""
    seen: list[dict[int, list[int]]] = []

    class Listening(module._Clock):
        def __init__(self, places: Sequence[int], decoding: Decoding) -> None:
            super().__init__(places, decoding)
            self.told = {row: [] for row in range(len(places))}  # type: ignore[var-annotated]
            seen.append(self.told)

        def __call__(self, step: Any) -> bool:
            self.told[step.batch_id].append(step.token_id)
            return super().__call__(step)

    monkeypatch.setattr(module, "_Clock", Listening)
    asked = [ids(seed, length) for seed, length in enumerate((3, 9, 5, 7, 5))]
    found = made(session, asked, Decoding(12, 12))
    (told,) = seen
    by_length = sorted(range(5), key=lambda place: -len(asked[place]))
    assert [told[row] for row in range(5)] == [found[place] for place in by_length]


def test_first_tokens_are_told_of_the_place_in_the_call(session: Ctranslate2Session) -> None:
    told: dict[int, int | None] = {}
    tell = lambda place, token, text: told.update({place: token})  # noqa: E731
    asked = [ids(seed, length) for seed, length in enumerate((*LENGTHS, 60))]
    found = made(session, asked, Decoding(12, 12, tell_first=tell))
    assert told == {place: tokens[0] for place, tokens in enumerate(found)}
    told.clear()
    answers(session, asked, Decoding(12, beams=2, tell_first=tell))
    assert told == {}, "with beams nobody knows it before the end"


# ---- prompts of different length


def steps(groups: Sequence[Sequence[int]], most: int) -> int:
    return sum(max(group) - min(group) + most for group in groups)


def test_groups_take_the_fewest_steps() -> None:
    random = np.random.default_rng(1)
    for _ in range(200):
        lengths = [int(n) for n in random.integers(2, 60, random.integers(1, 7))]
        found = [[lengths[place] for place in group] for group in groups_of(lengths, 10)]
        ordered = sorted(lengths, reverse=True)
        assert list(itertools.chain.from_iterable(found)) == ordered
        count = len(ordered) - 1
        ways = (
            [ordered[a:b] for a, b in itertools.pairwise([0, *(i + 1 for i in range(count) if cuts[i]), len(ordered)])]
            for cuts in itertools.product((False, True), repeat=count)
        )
        assert steps(found, 10) == min(steps(way, 10) for way in ways)


def test_prompts_of_one_token_are_apart() -> None:
    assert groups_of([1, 3, 1, 2], 10) == [[1, 3], [0, 2]]
    assert groups_of([1, 1], 10) == [[0, 1]]
    assert groups_of([], 10) == []


def test_no_prompts_have_no_answers(session: Ctranslate2Session) -> None:
    assert made(session, []) == []


def test_streams_run_side_by_side(session: Ctranslate2Session) -> None:
    right = [made(session, [ids(seed, 6)])[0] for seed in range(3)]
    wrong: list[int] = []

    def work(seed: int) -> None:
        stream = session.stream()
        for _ in range(10):
            (answer,) = stream.generate([prompt(ids(seed, 6))], TWELVE)
            if answer.tokens.tolist() != right[seed]:
                wrong.append(seed)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not wrong


def test_int8_computes_nearly_the_same(model: Path, plain: PlainGptj) -> None:
    opened = BACKEND.open(model, BackendOptions(threads=1, precision=Precision.INT8))
    facts = opened.describe()
    assert (facts["precision"], facts["inference_precision"], facts["context"]) == ("int8", "int8_float32", "2048")
    asked = [ids(seed, 6) for seed in range(20)]
    first = [answer[0] for answer in made(opened, asked, Decoding(1, 1))]
    assert np.mean([one == plain.greedy(tokens, 1, 1)[0] for one, tokens in zip(first, asked, strict=True)]) > 0.7
    assert made(opened, asked) == made(opened, asked), "nothing is left to chance"
    opened.close()
    with pytest.raises(UsageError, match="closed"):
        opened.stream()


def test_settings_reach_the_library(session: Ctranslate2Session, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: dict[str, Any] = {}

    def generate(starts: Any, **options: Any) -> list[Any]:
        seen.update(options, starts=starts)
        return [SimpleNamespace(sequences_ids=[[1, 2]]) for _ in starts]

    stream = session.stream()
    monkeypatch.setattr(stream, "_model", SimpleNamespace(generate_batch=generate))
    further = {"early_stopping": True, "patience": 2.0, "length_penalty": 0.5}
    stream.generate([prompt([9, 7])], Decoding(100, 30, beams=4, extra=further))
    assert seen == {
        "beam_size": 4,
        "max_length": 100,
        "min_length": 30,
        "patience": 2.0,
        "length_penalty": 0.5,
        "include_prompt_in_result": False,
        "starts": [["<9>", "<|endoftext|>"]],
    }


# ---- what is refused


@pytest.mark.parametrize(
    ("asked", "what"),
    [
        (Prompt(text="say it"), "asked by token ids"),
        (Prompt(tokens=np.empty(0, np.int32)), "asked by token ids"),
        (prompt([3, SMALL.vocabulary]), "not in the model's vocabulary"),
        (prompt([3, -1]), "not in the model's vocabulary"),
        (prompt([9] * 2037), "too long for the model"),
    ],
)
def test_a_prompt_that_cannot_be_taken(session: Ctranslate2Session, asked: Prompt, what: str) -> None:
    with pytest.raises(InvalidInputError, match=what) as caught:
        session.stream().generate([prompt([9, 9]), asked], TWELVE)
    assert caught.value.hint


def test_the_context_is_as_long_as_the_user_says(model: Path) -> None:
    opened = BACKEND.open(model, BackendOptions(threads=1, extra={"context": "20"}))
    assert opened.describe()["context"] == "20"
    assert len(made(opened, [ids(1, 8)], Decoding(12, 12))[0]) == 12
    with pytest.raises(InvalidInputError, match="too long") as caught:
        made(opened, [ids(1, 9)])
    assert (caught.value.found, "context=21" in str(caught.value.hint)) == ("9 tokens", True)


@pytest.mark.parametrize(
    ("decoding", "what"),
    [
        (Decoding(0), "such a length"),
        (Decoding(8, min_tokens=9), "such a length"),
        (Decoding(8, min_tokens=-1), "such a length"),
        (Decoding(8, extra={"paitence": 2}), "no setting 'paitence'"),
    ],
)
def test_a_decoding_that_the_library_has_not(session: Ctranslate2Session, decoding: Decoding, what: str) -> None:
    with pytest.raises(InvalidInputError, match=what):
        made(session, [ids(1, 4)], decoding)


def test_graphs_are_not_run(session: Ctranslate2Session) -> None:
    with pytest.raises(UsageError, match="runs no graphs"):
        session.stream().run((np.zeros((1, 3), np.float32),))


def test_too_little_memory_for_a_batch_is_told(session: Ctranslate2Session, monkeypatch: pytest.MonkeyPatch) -> None:
    one_text = SMALL.layers * 2 * SMALL.width * 4 * (6 + 12)
    monkeypatch.setattr(psutil, "virtual_memory", lambda: SimpleNamespace(available=one_text))
    assert len(made(session, [ids(1, 6)])) == 1
    for asked, decoding in (([ids(1, 6), ids(2, 6)], TWELVE), ([ids(1, 6)], Decoding(12, beams=2))):
        with pytest.raises(MachineError, match="keys and values of a batch"):
            made(session, asked, decoding)


def test_an_engine_that_breaks_is_told_as_a_failed_run(
    session: Ctranslate2Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks(*arguments: Any, **options: Any) -> Any:
        raise RuntimeError("out of luck\nmore")

    stream = session.stream()
    monkeypatch.setattr(stream, "_model", SimpleNamespace(generate_batch=breaks))
    with pytest.raises(RunFailedError, match="out of luck$"):
        stream.generate([prompt([9])], TWELVE)


def test_a_cut_off_model_is_refused(model: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(model, tmp_path / "model"))
    whole = (folder / "model.bin").read_bytes()
    (folder / "model.bin").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InvalidInputError, match="cut off") as caught:
        BACKEND.open(folder, BackendOptions())
    assert str(folder) in str(caught.value.where)


def test_a_model_that_the_library_refuses(model: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(model, tmp_path / "model"))
    (folder / "config.json").write_text("{")
    with pytest.raises(InvalidInputError, match="cannot load the model"):
        BACKEND.open(folder, BackendOptions())
