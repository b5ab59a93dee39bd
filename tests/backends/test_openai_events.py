from __future__ import annotations

import json
from typing import Any

import pytest

from assay.backends.openai_events import EventReader, Piece, error_text, piece_of, whole_answer
from assay.errors import RunFailedError

STREAM = (
    b': ping\r\n\r\ndata: {"a": 1}\r\n\r\nevent: x\ndata:two\ndata: lines\n\nid: 3\n\ndata: \xe2\x82\xac\r\rdata: left'
)
EVENTS = ['{"a": 1}', "two\nlines", "€"]


@pytest.mark.parametrize("size", [1000, 64, 7])
def test_events_are_found_however_they_are_cut(size: int) -> None:
    reader = EventReader()
    # A carriage return at the end of a piece could be half a line's end; servers end lines the same way throughout.
    stream = STREAM.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    found = [data for start in range(0, len(stream), size) for data in reader.feed(stream[start : start + size])]
    assert found == EVENTS
    if size == 1000:
        assert list(EventReader().feed(STREAM)) == EVENTS


def test_an_event_without_an_end_is_refused() -> None:
    reader = EventReader()
    with pytest.raises(RunFailedError, match="without an end"):
        for _ in range(100):
            list(reader.feed(b"data: " + b"x" * (1 << 16)))
    reader = EventReader()
    with pytest.raises(RunFailedError, match="without an end"):
        for _ in range(100):
            list(reader.feed(b"data: " + b"x" * (1 << 16) + b"\n"))


def completion(**choice: Any) -> str:
    return json.dumps({"choices": [{"index": 0, "text": "", "finish_reason": None, **choice}]})


def test_pieces_of_a_completion() -> None:
    assert piece_of(completion(text="a"), chat=False) == Piece("a")
    assert piece_of(completion(finish_reason="length"), chat=False) == Piece("", finished=True)
    assert piece_of("[DONE]", chat=False) is None
    counts = {"choices": [], "usage": {"completion_tokens": 3, "prompt_tokens": 9}}
    assert piece_of(json.dumps(counts), chat=True) == Piece(made=3, read=9)
    odd = {"choices": [], "usage": {"completion_tokens": -3, "prompt_tokens": "9"}}
    assert piece_of(json.dumps(odd), chat=True) == Piece()
    assert piece_of(completion(text="second", index=1), chat=False) == Piece()


def test_pieces_of_a_chat() -> None:
    for delta, text in (({"content": "a"}, "a"), ({"role": "assistant", "content": None}, ""), ({}, "")):
        choice = {"index": 0, "delta": delta, "finish_reason": None}
        assert piece_of(json.dumps({"choices": [choice]}), chat=True) == Piece(text)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ("no json", "no JSON"),
        ("[1]", "list"),
        ("{}", "no choices"),
        ('{"choices": [7]}', "no choices"),
        ('{"choices": [{"index": 0}]}', "without text"),
        ('{"choices": [{"index": 0, "text": 7}]}', "without text"),
        ("[" * 100_000, "no JSON"),
        ('{"error": {"message": "no\\nluck", "code": 500}}', "no luck"),
        ('{"error": "gone"}', "gone"),
        ('{"choices": [{"index": 0, "text": "", "finish_reason": "content_filter"}]}', "content_filter"),
    ],
    ids=range(10),
)
def test_other_shapes_are_told(data: str, message: str) -> None:
    with pytest.raises(RunFailedError) as caught:
        piece_of(data, chat=False)
    assert message in str(caught.value)


def test_a_chat_without_a_message() -> None:
    with pytest.raises(RunFailedError, match="delta"):
        piece_of(completion(text="a"), chat=True)


def test_whole_answers() -> None:
    found = {"choices": [{"message": {"content": "a b"}, "finish_reason": "stop"}], "usage": {"completion_tokens": 2}}
    assert whole_answer(json.dumps(found).encode(), chat=True) == Piece("a b", finished=True, made=2)
    for wrong in (completion(text="a"), '{"choices": []}'):
        with pytest.raises(RunFailedError):
            whole_answer(wrong.encode(), chat=False)


def test_what_a_server_says_is_wrong() -> None:
    assert error_text(b'{"error": {"message": "too long"}}') == "too long"
    assert error_text(b'{"detail": "Not Found"}') == "Not Found"
    assert error_text(b'{"message": "m"}') == "m"
    assert error_text(b"<html>\nx\x1b[31m" + b"y" * 9000).startswith("<html> x [31my")
    assert len(error_text(b"y" * 9000)) == 300
    assert error_text(b"[" * 5000) == "[" * 300
