"""Servers that misbehave: each ends in words, never in an answer of nothing."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from assay.backends.openai_http import OpenAiConnection, Received
from assay.backends.openai_options import read_endpoint
from assay.errors import AssayError, InvalidInputError, NotFoundError, RunFailedError

from .openai_fixtures import DONE, GOOD, Fake, data, event, fake_server, free_port


@pytest.fixture
def fake() -> Iterator[Fake]:
    with fake_server() as server:
        yield server


def connection(fake: Fake, **options: str) -> OpenAiConnection:
    return OpenAiConnection(read_endpoint({"address": fake.address, "retries": "0", **options}), 2)


def ask(fake: Fake, **options: str) -> Received:
    asked = connection(fake, **options)
    try:
        return asked.ask({"prompt": "x"})
    finally:
        asked.close()


def failure(fake: Fake, **options: str) -> AssayError:
    with pytest.raises(AssayError) as caught:
        ask(fake, **options)
    return caught.value


def test_an_answer_with_its_moments(fake: Fake) -> None:
    fake.pieces = (
        GOOD[0],
        0.15,
        *GOOD[1:3],
        data({"choices": [], "usage": {"completion_tokens": 3, "prompt_tokens": 7}}),
        DONE,
    )
    received = ask(fake)
    assert "".join(received.pieces) == "Two words."
    assert (received.made, received.read, received.finished) == (3, 7, True)
    assert received.first is not None
    assert received.started < received.first < received.last - 100_000_000


def test_an_answer_taken_whole(fake: Fake) -> None:
    fake.kind = "application/json"
    fake.pieces = (b'{"choices": [{"text": "all", "finish_reason": "stop"}]}',)
    received = ask(fake, stream="off")
    assert (received.pieces, received.first, received.finished) == (["all"], None, True)
    error = failure(fake)
    assert "does not send tokens as they come" in error.what
    assert "stream=off" in str(error.hint)


# ---- failures before the first byte may be tried again, later ones not


def test_a_server_that_is_not_there() -> None:
    fake = Fake(address=f"http://127.0.0.1:{free_port()}")
    error = failure(fake)
    assert isinstance(error, NotFoundError)
    assert "no server answers" in error.what


@pytest.mark.parametrize("failures", [[503], [429, 0], [0]], ids=range(3))
def test_tries_again_while_nothing_has_come(fake: Fake, failures: list[int]) -> None:
    fake.first_failures = list(failures)
    started = time.perf_counter_ns()
    received = ask(fake, retries="2")
    assert "".join(received.pieces) == "Two words."
    assert len(fake.asked) == len(failures) + 1
    # The time of the tries counts.
    assert started <= received.started
    assert received.first is not None
    assert received.first - received.started > 150_000_000


def test_gives_up_after_the_tries(fake: Fake) -> None:
    fake.first_failures = [503, 503, 503]
    error = failure(fake, retries="1")
    assert isinstance(error, RunFailedError)
    assert "answers 503: not now" in error.what
    assert len(fake.asked) == 2


def test_a_connection_that_is_dropped_before_anything(fake: Fake) -> None:
    fake.pieces, fake.drop = (), True
    assert "dropped the connection" in failure(fake).what


def test_a_connection_that_is_dropped_in_the_middle(fake: Fake) -> None:
    fake.pieces, fake.drop = GOOD[:2], True
    error = failure(fake, retries="3")
    assert isinstance(error, RunFailedError)
    assert "broke off in the middle" in error.what
    assert error.found == "2 pieces, 10 letters"
    assert len(fake.asked) == 1


@pytest.mark.parametrize("pieces", [GOOD[:2], (*GOOD[:2], DONE), (DONE,), ()], ids=range(4))
def test_an_answer_that_ends_without_saying_so(fake: Fake, pieces: tuple[bytes, ...]) -> None:
    fake.pieces = pieces
    assert "broke off in the middle" in failure(fake).what


def test_a_server_that_is_silent(fake: Fake) -> None:
    fake.pieces = (2.0, *GOOD)
    error = failure(fake, timeout="0.2")
    assert "silent for 0.2 s" in error.what
    assert "timeout=" in str(error.hint)
    fake.pieces = (GOOD[0], 2.0, *GOOD[1:])
    assert "silent for 0.2 s" in failure(fake, timeout="0.2").what


def test_a_server_that_drips(fake: Fake) -> None:
    fake.pieces = (*(piece for _ in range(40) for piece in (event(text="x"), 0.03)), *GOOD)
    error = failure(fake, longest="0.3")
    assert "longer than 0.3 s" in error.what


# ---- refusals and other shapes


@pytest.mark.parametrize(
    ("status", "kind", "message"),
    [
        (400, InvalidInputError, "refuses a request: no such thing"),
        (404, InvalidInputError, "refuses a request"),
        (401, InvalidInputError, "wants a key"),
        (500, RunFailedError, "answers 500"),
        (302, RunFailedError, "answers 302"),
    ],
    ids=range(5),
)
def test_refusals(fake: Fake, status: int, kind: type[AssayError], message: str) -> None:
    fake.status, fake.pieces = status, (b'{"error": {"message": "no such thing"}}',)
    error = failure(fake, retries="3")
    assert isinstance(error, kind)
    assert message in error.what
    assert len(fake.asked) == 1


def test_a_key_is_sent_and_never_told(fake: Fake, tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_text("sk-secret")
    fake.status, fake.pieces = 401, (b'{"error": {"message": "bad key sk-secret"}}',)
    error = failure(fake, **{"key-file": str(path)})
    assert fake.asked[0].headers["Authorization"] == "Bearer sk-secret"
    assert error.found == "401 bad key ***"


@pytest.mark.parametrize(
    ("pieces", "message"),
    [
        ((b"data: no json\n\n",), "another shape"),
        ((data({"hello": 1}),), "another shape"),
        ((GOOD[0], data({"error": {"message": "out of memory"}})), "gives up: out of memory"),
        ((GOOD[0], event(text="", finish_reason="abort")), "broke an answer off"),
        ((b"data: " + b"x" * (5 << 20),), "without an end"),
    ],
    ids=range(5),
)
def test_answers_of_another_shape(fake: Fake, pieces: tuple[bytes, ...], message: str) -> None:
    fake.pieces = pieces
    error = failure(fake)
    assert isinstance(error, RunFailedError)
    assert message in error.what


def test_bodies_without_an_end(fake: Fake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("assay.backends.openai_http._MOST_ANSWER", 100)
    fake.pieces = (event(text="x" * 200), *GOOD)
    assert "has no end" in failure(fake).what
    fake.status, fake.pieces = 400, (b"x" * (65 << 10),)
    assert "too large" in failure(fake).what


# ---- the list of models


def models(fake: Fake) -> Any:
    asked = connection(fake, timeout="3")
    try:
        return asked.models()
    finally:
        asked.close()


def test_models_of_a_server(fake: Fake) -> None:
    assert models(fake) == ["tiny"]
    fake.models_status = 404
    assert models(fake) is None


@pytest.mark.parametrize("content", [b"<html>", b"{}", b'{"data": 3}', b'{"data": [1]}', b"[" * 100_000], ids=range(5))
def test_a_server_of_another_kind(fake: Fake, content: bytes) -> None:
    fake.models = content
    with pytest.raises(InvalidInputError, match="no OpenAI-compatible server"):
        models(fake)


def test_a_server_that_fails_to_list(fake: Fake) -> None:
    fake.models_status, fake.models = 500, {"error": "broken"}
    with pytest.raises(RunFailedError, match="answers 500: broken"):
        models(fake)
