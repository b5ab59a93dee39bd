"""On a model of a few kilobytes, which llama.cpp loads in an instant."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from assay.backends import llamacpp as module
from assay.backends.llamacpp import BACKEND, LlamaSession, weight_form
from assay.backends.protocol import BackendOptions, Decoding, Generated, Precision, Prompt
from assay.errors import InvalidInputError, MissingDependencyError, NotFoundError, RunFailedError, UsageError
from assay.models.gguf import read_gguf
from assay.models.tokenizer import open_tokenizer

from ..tasks.language_model.tiny_llama import CONTEXT, tiny_llama

pytest.importorskip("xllamacpp", reason="the extra llm is not installed")
EIGHT = Decoding(8)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_llama(tmp_path_factory.mktemp("llama") / "tiny.gguf")


@pytest.fixture(scope="module")
def session(model: Path) -> Iterator[LlamaSession]:
    opened = BACKEND.open(model, BackendOptions(threads=1, streams=2, extra={"slots": "2"}))
    yield opened
    opened.close()


def prompt(model: Path, text: str) -> Prompt:
    return Prompt(tokens=open_tokenizer(model).encode(text))


def test_it_says_what_it_can_do() -> None:
    able = BACKEND.capabilities()
    assert able.version
    assert Precision.FP32 in able.precisions
    assert set(able.options) == {"context", "slots"}
    assert BACKEND.formats == ("gguf",)


def test_a_session_describes_itself(session: LlamaSession) -> None:
    facts = session.describe()
    assert (session.inputs, session.outputs) == ((), ())
    assert (facts["engine"], facts["precision"], facts["architecture"]) == ("llama.cpp", "F32", "llama")
    assert (facts["context"], facts["slots"], facts["threads"], facts["streams"]) == (str(CONTEXT), "2", "2", "2")
    assert all(facts.values())
    session.prepare([1, 8])


def test_ids_text_and_moments_of_an_answer(session: LlamaSession, model: Path) -> None:
    (answer,) = session.stream().generate([prompt(model, "the cat in a hat")], EIGHT)
    assert answer.tokens.dtype == np.int32
    assert len(answer.tokens) == 8
    assert open_tokenizer(model).decode(answer.tokens) == answer.text != ""
    assert answer.first_token_ns is not None
    assert 0 < answer.first_token_ns < answer.total_ns
    assert answer.prompt_tokens == len(open_tokenizer(model).encode("the cat in a hat"))


def test_the_same_prompt_gives_the_same_answer(session: LlamaSession, model: Path) -> None:
    stream = session.stream()
    prompts = [prompt(model, text) for text in ("the cat", "a hat in the", "12 34", "the cat")]
    first = stream.generate(prompts, EIGHT)
    again = stream.generate(prompts, EIGHT)
    assert [answer.text for answer in first] == [answer.text for answer in again]
    assert first[0].text == first[3].text != first[1].text


def test_a_prompt_may_be_text(session: LlamaSession, model: Path) -> None:
    stream = session.stream()
    by_text = stream.generate([Prompt(text="the <|im_start|> cat")], EIGHT)
    by_ids = stream.generate([prompt(model, "the <|im_start|> cat")], EIGHT)
    assert by_text[0].text == by_ids[0].text


def test_streams_run_side_by_side(session: LlamaSession, model: Path) -> None:
    right = session.stream().generate([prompt(model, "the cat")], EIGHT)[0].text
    found: list[str] = []

    def work() -> None:
        stream = session.stream()
        for _ in range(5):
            found.extend(answer.text for answer in stream.generate([prompt(model, "the cat")] * 2, EIGHT))

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert found == [right] * 20


def test_letters_made_of_several_tokens_keep_their_ids(model: Path, session: LlamaSession) -> None:
    tokenizer = open_tokenizer(model)
    ids = tokenizer.encode("a€b")
    kept = module._Answer(pieces=["a", "€", "b"], ids=[int(ids[0]), int(ids[3]), int(ids[4])], ended=True)
    assert session._generated(kept, 0).tokens.tolist() == ids.tolist()


# ---- what is refused


def test_a_prompt_longer_than_the_context(session: LlamaSession, model: Path) -> None:
    long = Prompt(tokens=np.full(CONTEXT - 7, 260, np.int32))
    with pytest.raises(InvalidInputError, match="too long for the context") as caught:
        session.stream().generate([long], EIGHT)
    assert caught.value.found == f"{CONTEXT - 7} tokens"
    assert f"at most {CONTEXT - 8} tokens" in str(caught.value.expected)
    assert "context=" in str(caught.value.hint)
    fits = Prompt(tokens=np.full(CONTEXT - 8, 260, np.int32))
    assert len(session.stream().generate([fits], EIGHT)[0].tokens) == 8
    with pytest.raises(InvalidInputError, match="too long for the context"):
        session.stream().generate([Prompt(text="the cat " * CONTEXT)], EIGHT)


@pytest.mark.parametrize(
    "wrong", [Prompt(), Prompt(tokens=np.empty(0, np.int32)), Prompt(tokens=np.array([99_999], np.int32))], ids=range(3)
)
def test_a_prompt_that_is_none(session: LlamaSession, wrong: Prompt) -> None:
    with pytest.raises(InvalidInputError):
        session.stream().generate([wrong], EIGHT)


@pytest.mark.parametrize(
    "decoding", [Decoding(8, beams=4), Decoding(8, min_tokens=3), Decoding(8, extra={"magic": 1})], ids=range(3)
)
def test_a_decoding_that_it_has_not(session: LlamaSession, decoding: Decoding) -> None:
    with pytest.raises(UsageError):
        session.stream().generate([], decoding)


def test_it_runs_no_graphs(session: LlamaSession) -> None:
    with pytest.raises(InvalidInputError, match="runs no graphs"):
        session.stream().run([np.zeros(1)])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (BackendOptions(extra={"contxt": "9"}), "no option 'contxt'"),
        (BackendOptions(extra={"context": "many"}), "context is a number"),
        (BackendOptions(extra={"slots": "0"}), "slots is a number"),
        (BackendOptions(extra={"slots": "9" * 30}), "slots is a number"),
        (BackendOptions(precision=Precision.INT8), "does not make a model int8"),
    ],
    ids=range(5),
)
def test_options_that_do_not_exist(model: Path, options: BackendOptions, message: str) -> None:
    for call in (lambda: BACKEND.check_options(options), lambda: BACKEND.open(model, options)):
        with pytest.raises(UsageError, match=message):
            call()


def test_a_longer_context_than_the_model_has(model: Path) -> None:
    options = BackendOptions(extra={"context": str(CONTEXT + 1)})
    BACKEND.check_options(options)
    with pytest.raises(UsageError, match="shorter texts"):
        BACKEND.open(model, options)


def test_files_that_are_no_model(tmp_path: Path, model: Path) -> None:
    with pytest.raises(NotFoundError):
        BACKEND.open(tmp_path / "none.gguf", BackendOptions())
    broken = tmp_path / "broken.gguf"
    for content in (b"no model" * 64, model.read_bytes()[:5000], model.read_bytes()[:-5000]):
        broken.write_bytes(content)
        with pytest.raises(InvalidInputError) as caught:
            BACKEND.open(broken, BackendOptions(threads=1))
        assert caught.value.where == str(broken)


def test_an_architecture_that_it_does_not_know(tmp_path: Path) -> None:
    path = tiny_llama(tmp_path / "other.gguf", changes={"general.architecture": "murmur"})
    with pytest.raises(InvalidInputError, match="cannot load the model") as caught:
        BACKEND.open(path, BackendOptions(threads=1))
    assert "architecture murmur" in str(caught.value.found)


def test_a_missing_library_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "xllamacpp", None)
    with pytest.raises(MissingDependencyError) as caught:
        BACKEND.capabilities()
    assert caught.value.hint == 'pip install "assay[llm]"'


def test_a_closed_session_gives_no_streams(model: Path) -> None:
    opened = BACKEND.open(model, BackendOptions(threads=1))
    opened.close()
    opened.close()
    with pytest.raises(UsageError, match="closed"):
        opened.stream()


# ---- an engine that breaks


class Broken:
    """In the place of the library's server."""

    def __init__(self, *chunks: Any, error: Exception | None = None) -> None:
        self.chunks, self.error = chunks, error

    def handle_completions(self, body: Mapping[str, Any], callback: Any) -> None:
        if self.error:
            raise self.error
        for chunk in self.chunks:
            if callback(chunk):
                return


def generate_with(model: Path, server: Broken) -> Generated:
    header = read_gguf(model)
    plan = module._Plan(context=100, slots=1, threads=1)
    opened = LlamaSession(server, header, BackendOptions(), plan, "1")
    return opened.stream().generate([Prompt(text="the")], EIGHT)[0]


@pytest.mark.parametrize(
    ("server", "message"),
    [
        (Broken(error=RuntimeError("out of luck")), "broke while it made text: out of luck"),
        (Broken(None, {"error": {"code": 500, "message": "no luck"}}), "gives no answer: no luck"),
        (Broken({"error": {}}), "no reason given"),
        (Broken({"choices": [{"index": 0, "text": "a", "finish_reason": None}]}), "stopped in the middle"),
        (Broken(), "stopped in the middle"),
    ],
    ids=range(5),
)
def test_an_engine_that_breaks_fails_the_run(model: Path, server: Broken, message: str) -> None:
    with pytest.raises(RunFailedError, match=message):
        generate_with(model, server)


def test_an_answer_may_be_empty(model: Path) -> None:
    end = {"choices": [{"index": 0, "text": "", "finish_reason": "stop"}], "usage": {"prompt_tokens": 3}}
    answer = generate_with(model, Broken(end))
    assert (answer.text, len(answer.tokens), answer.first_token_ns, answer.prompt_tokens) == ("", 0, None, 3)


def test_the_form_of_most_weights(model: Path) -> None:
    assert weight_form(read_gguf(model)) == "F32"
    empty: Any = SimpleNamespace(tensors={})
    assert weight_form(empty) == "unknown"


def test_first_tokens_are_told_as_they_come(session: LlamaSession, model: Path) -> None:
    told: dict[int, tuple[int | None, str, int]] = {}
    tell = lambda place, token, text: told.update({place: (token, text, time.perf_counter_ns())})  # noqa: E731
    prompts = [prompt(model, text) for text in ("the cat in", "a hat", "in the")]
    answers = session.stream().generate(prompts, Decoding(8, tell_first=tell))
    ended = time.perf_counter_ns()
    plain = session.stream().generate(prompts, EIGHT)
    assert [answer.text for answer in answers] == [answer.text for answer in plain]
    for place, answer in enumerate(answers):
        token, text, moment = told[place]
        assert token == answer.tokens[0] and answer.text.startswith(text) and moment < ended
        assert answer.total_ns > (answer.first_token_ns or 0) > 0


def test_a_first_letter_of_several_tokens_is_told_as_the_answer_has_it(model: Path, session: LlamaSession) -> None:
    """The engine tells the last of its ids alone; the tokenizer tells them all."""
    found = module._Answer(pieces=["\u00e9", "t", "\u00e9"], ids=[4, 9, 4])
    found.pieces, rest = found.pieces[:1], found.pieces[1:]
    found.ids, ids = found.ids[:1], found.ids[1:]
    told: list[tuple[int, str]] = []
    session._begin(found, lambda token, text: told.append((token, text)))
    found.pieces += rest
    found.ids += ids
    tokenizer = open_tokenizer(model)
    made = session._ids(found)
    assert told == [(int(tokenizer.encode("\u00e9")[0]), "\u00e9")]
    assert made[0] == told[0][0] and tokenizer.decode(made) == "\u00e9t\u00e9"
