"""Against a real llama.cpp server with a model of a few kilobytes, and one that misbehaves."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from assay.backends.llamacpp import BACKEND as LLAMA
from assay.backends.openai import BACKEND, OpenAiSession
from assay.backends.protocol import NO_FILE, BackendOptions, Decoding, Precision, Prompt
from assay.errors import InvalidInputError, NotFoundError, RunFailedError, UsageError
from assay.models.tokenizer import open_tokenizer

from ..tasks.language_model.tiny_llama import tiny_llama
from .openai_fixtures import DONE, GOOD, Fake, data, event, fake_server, free_port, llama_server

EIGHT = Decoding(8)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_llama(tmp_path_factory.mktemp("llama") / "tiny.gguf")


@pytest.fixture(scope="module")
def address(model: Path) -> Iterator[str]:
    pytest.importorskip("xllamacpp", reason="the extra llm is not installed")
    with llama_server(model) as found:
        yield found


@pytest.fixture
def fake() -> Iterator[Fake]:
    with fake_server() as server:
        yield server


def opened(address: str, *, streams: int = 1, **options: str) -> OpenAiSession:
    return BACKEND.open(NO_FILE, BackendOptions(streams=streams, extra={"address": address, **options}))


def test_it_says_what_it_can_do() -> None:
    able = BACKEND.capabilities()
    assert able.version
    assert Precision.FP32 in able.precisions
    assert BACKEND.formats == ("remote",)


def test_a_real_server_gives_what_the_engine_gives(address: str, model: Path) -> None:
    local = LLAMA.open(model, BackendOptions(threads=1))
    right = local.stream().generate([Prompt(text="the cat in"), Prompt(text="a hat")], EIGHT)
    local.close()
    session = opened(address)
    found = session.stream().generate([Prompt(text="the cat in"), Prompt(text="a hat")], EIGHT)
    session.close()
    assert [answer.text for answer in found] == [answer.text for answer in right]
    for answer, same in zip(found, right, strict=True):
        assert len(answer.tokens) == 0
        assert answer.token_count == 8
        assert answer.prompt_tokens == same.prompt_tokens
        assert answer.first_token_ns is not None
        assert 0 < answer.first_token_ns < answer.total_ns


@pytest.mark.parametrize("options", [{"stream": "off"}, {"prompt": "tokens"}, {"field.seed": "3"}], ids=range(3))
def test_other_ways_to_ask_a_real_server(address: str, model: Path, options: dict[str, str]) -> None:
    prompt = Prompt(tokens=open_tokenizer(model).encode("the cat in"), text="the cat in")
    plain, other = opened(address), opened(address, **options)
    (right,), (found,) = plain.stream().generate([prompt], EIGHT), other.stream().generate([prompt], EIGHT)
    assert (found.text, found.token_count) == (right.text, right.token_count)
    assert (found.first_token_ns is None) == ("stream" in options)


def test_a_real_server_chats(address: str) -> None:
    session = opened(address, endpoint="chat")
    (answer,) = session.stream().generate([Prompt(text="the cat")], EIGHT)
    assert answer.token_count == 8
    assert answer.text


def test_streams_ask_side_by_side(address: str) -> None:
    session = opened(address, streams=2)
    right = session.stream().generate([Prompt(text="the cat")], EIGHT)[0].text
    found: list[str] = []

    def work() -> None:
        stream = session.stream()
        found.extend(stream.generate([Prompt(text="the cat")], EIGHT)[0].text for _ in range(5))

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert found == [right] * 10


def test_a_prompt_that_is_too_long_for_a_real_server(address: str) -> None:
    with pytest.raises(InvalidInputError, match="exceeds the available context size"):
        opened(address).stream().generate([Prompt(text="the cat " * 600)], EIGHT)


# ---- what is sent


def test_fields_of_a_completion(fake: Fake) -> None:
    opened(fake.address).stream().generate([Prompt(text="né")], Decoding(5))
    request = fake.asked[-1]
    assert request.path == "/v1/completions"
    assert request.body == {
        "model": "tiny",
        "prompt": "né",
        "max_tokens": 5,
        "temperature": 0,
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    assert "Authorization" not in request.headers


def test_fields_of_a_chat_and_further_ones(fake: Fake) -> None:
    fake.kind = "application/json"
    fake.pieces = (b'{"choices": [{"message": {"content": "a"}, "finish_reason": "stop"}]}',)
    session = opened(fake.address, endpoint="chat", stream="off", decoding="server", **{"field.n": "4"})
    session.stream().generate([Prompt(text="hi")], Decoding(5, min_tokens=3, beams=4))
    assert fake.asked[-1].path == "/v1/chat/completions"
    assert fake.asked[-1].body == {
        "model": "tiny",
        "messages": [{"role": "user", "content": "hi"}],
        "max_tokens": 5,
        "temperature": 0,
        "n": 4,
    }


def test_tokens_have_to_be_there_to_be_sent(fake: Fake) -> None:
    with pytest.raises(InvalidInputError, match="no token ids"):
        opened(fake.address, prompt="tokens").stream().generate([Prompt(text="a")], EIGHT)


@pytest.mark.parametrize("decoding", [Decoding(8, beams=4), Decoding(8, min_tokens=3)], ids=["beams", "min"])
def test_beams_are_not_left_out_in_silence(fake: Fake, decoding: Decoding) -> None:
    with pytest.raises(UsageError, match="no beam search") as caught:
        opened(fake.address).stream().generate([Prompt(text="a")], decoding)
    assert "decoding=server" in str(caught.value.hint)


def test_a_session_describes_itself_without_the_key(fake: Fake, tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_text("sk-secret")
    session = opened(fake.address, **{"key-file": str(path), "field.seed": "3"})
    facts = session.describe()
    assert facts["model"] == "tiny"
    assert facts["device"] == f"server {fake.address}/v1"
    assert facts["field seed"] == "3"
    assert all(facts.values())
    assert "sk-secret" not in str(facts)
    session.prepare([1])


# ---- the model on the server


def test_the_only_model_is_taken_and_others_are_named(fake: Fake) -> None:
    fake.models = {"data": [{"id": "one"}, {"id": "other"}]}
    with pytest.raises(UsageError, match="several models"):
        opened(fake.address)
    assert opened(fake.address, model="other").describe()["model"] == "other"
    with pytest.raises(NotFoundError, match="no model 'othr'") as caught:
        opened(fake.address, model="othr")
    assert caught.value.expected == "other"
    fake.models = {"data": []}
    with pytest.raises(NotFoundError, match="has no model"):
        opened(fake.address)


def test_a_server_that_does_not_tell_its_models(fake: Fake) -> None:
    fake.models_status = 404
    with pytest.raises(UsageError, match="does not tell its models"):
        opened(fake.address)
    assert opened(fake.address, model="any").describe()["model"] == "any"


def test_a_server_that_is_not_there() -> None:
    with pytest.raises(NotFoundError, match="no server answers"):
        opened(f"http://127.0.0.1:{free_port()}")


def test_options_are_refused_without_a_server() -> None:
    BACKEND.check_options(BackendOptions(extra={"address": "http://127.0.0.1:1"}))
    for options in (
        BackendOptions(extra={}),
        BackendOptions(extra={"address": "x", "magic": "1"}),
        BackendOptions(threads=2, extra={"address": "x"}),
        BackendOptions(precision=Precision.INT8, extra={"address": "x"}),
    ):
        with pytest.raises(UsageError):
            BACKEND.check_options(options)
    with pytest.raises(NotFoundError, match="the model is not there"):
        BACKEND.open(Path("none.gguf"), BackendOptions(extra={"address": "x"}))


# ---- answers


def test_an_answer_may_be_empty_but_not_uncounted(fake: Fake) -> None:
    fake.pieces = (event(text="", finish_reason="stop"), data({"choices": [], "usage": {"completion_tokens": 0}}), DONE)
    stream = opened(fake.address).stream()
    (answer,) = stream.generate([Prompt(text="a")], EIGHT)
    assert (answer.text, answer.token_count, answer.first_token_ns) == ("", 0, None)
    fake.pieces = (*GOOD[:3], data({"choices": [], "usage": {"completion_tokens": 0}}), DONE)
    with pytest.raises(RunFailedError, match="counts no tokens"):
        stream.generate([Prompt(text="a")], EIGHT)


def test_it_runs_no_graphs(fake: Fake) -> None:
    with pytest.raises(InvalidInputError, match="runs no graphs"):
        opened(fake.address).stream().run([np.zeros(1)])


def test_the_first_letters_are_told_as_they_come(fake: Fake) -> None:
    told: list[tuple[int, int | None, str]] = []
    fake.pieces = (event(text=""), *GOOD)
    session = opened(fake.address)
    tell = lambda place, token, text: told.append((place, token, text))  # noqa: E731
    prompts = [Prompt(text="a"), Prompt(text="b")]
    session.stream().generate(prompts, Decoding(8, tell_first=tell))
    session.close()
    assert told == [(0, None, "Two "), (1, None, "Two ")]


def test_a_server_that_does_not_stream_tells_no_first_letters(address: str) -> None:
    told: list[int] = []
    session = opened(address, stream="off")
    session.stream().generate([Prompt(text="a")], Decoding(8, tell_first=lambda place, token, text: told.append(place)))
    session.close()
    assert told == []
