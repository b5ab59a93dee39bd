"""What an OpenAI-compatible server answers, read piece by piece: server-sent events, or one JSON document.

Sources: OpenAI API reference, Completions and Chat Completions (streaming); WHATWG HTML, Server-sent events.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from assay.errors import RunFailedError

_MOST_EVENT = 4 << 20
_BROKEN = ("content_filter", "error", "abort", "aborted", "cancelled")
_DONE = "[DONE]"


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of an answer.

    Attributes:
        text: letters that came with it.
        finished: the server says that the answer is whole.
        made: tokens of the whole answer, where it says.
        read: tokens of the prompt, where it says.
    """

    text: str = ""
    finished: bool = False
    made: int | None = None
    read: int | None = None


class EventReader:
    """Cuts bytes into events; bounded."""

    def __init__(self) -> None:
        self._left = b""
        self._data: list[bytes] = []
        self._size = 0

    def feed(self, raw: bytes) -> Iterator[str]:
        """The data of the events that some bytes complete.

        Raises:
            RunFailedError: when an event has no end.
        """
        lines = (self._left + raw).replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
        self._left = lines.pop()
        for line in lines:
            if line.startswith(b"data:"):
                self._data.append(line.removeprefix(b"data:").removeprefix(b" "))
                self._size += len(line)
            elif not line and self._data:
                yield b"\n".join(self._data).decode("utf-8", "replace")
                self._data, self._size = [], 0
        if len(self._left) + self._size > _MOST_EVENT:
            raise RunFailedError("the server sends an event without an end")


def piece_of(data: str, *, chat: bool) -> Piece | None:
    """The piece that an event holds; None for the event that ends a stream.

    Raises:
        RunFailedError: when it is an error, or has another shape.
    """
    return None if data.strip() == _DONE else _piece(_object(data), "delta" if chat else None, whole=False)


def whole_answer(content: bytes, *, chat: bool) -> Piece:
    """The answer of a server that was asked for all at once.

    Raises:
        RunFailedError: when it is an error, has another shape, or is not finished.
    """
    piece = _piece(_object(content.decode("utf-8", "replace")), "message" if chat else None, whole=True)
    if not piece.finished:
        raise _shape("an answer without finish_reason")
    return piece


def error_text(content: bytes) -> str:
    """What the server says is wrong, in one line."""
    text = content[:4000].decode("utf-8", "replace")
    try:
        found = json.loads(text)
    except (json.JSONDecodeError, RecursionError):
        return _line(text)
    return _line(_reason(found) or text)


def _object(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except (json.JSONDecodeError, RecursionError) as error:
        raise _shape(f"no JSON: {_line(text)[:80]}") from error
    if not isinstance(found, dict):
        raise _shape(type(found).__name__)
    return found


def _piece(found: dict[str, Any], inner: str | None, *, whole: bool) -> Piece:
    if found.get("error"):
        raise RunFailedError(f"the server gives up: {_line(_reason(found) or 'no reason given')}")
    usage = found.get("usage")
    usage = usage if isinstance(usage, dict) else {}
    made, read = _count(usage.get("completion_tokens")), _count(usage.get("prompt_tokens"))
    choices = found.get("choices")
    if choices == [] and not whole:  # the last event holds the counts alone
        return Piece(made=made, read=read)
    if not isinstance(choices, list) or not choices or not isinstance(choices[0], dict):
        raise _shape("no choices")
    first = next((each for each in choices if isinstance(each, dict) and each.get("index", 0) == 0), None)
    if first is None:  # a further answer that nobody reads
        return Piece(made=made, read=read)
    reason = first.get("finish_reason")
    if reason in _BROKEN:
        raise RunFailedError("the server broke an answer off", found=f"finish_reason {reason}")
    return Piece(_text(first, inner), reason is not None, made, read)


def _text(choice: dict[str, Any], inner: str | None) -> str:
    if inner is None:
        text = choice.get("text")
    else:
        message = choice.get(inner)
        if not isinstance(message, dict):
            raise _shape(f"a choice without {inner}")
        text = message.get("content")
        text = "" if text is None else text
    if not isinstance(text, str):
        raise _shape("a choice without text")
    return text


def _count(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 1 << 31 else None


def _reason(found: Any) -> str:
    error = found.get("error", found.get("detail", found.get("message"))) if isinstance(found, dict) else found
    if isinstance(error, dict):
        error = error.get("message", error)
    return "" if error is None else str(error)


def _line(text: str) -> str:
    return "".join(letter if letter.isprintable() else " " for letter in text)[:300].strip()


def _shape(found: str) -> RunFailedError:
    return RunFailedError(
        "the server's answer has another shape than the OpenAI API",
        expected="choices with text (completions) or with a message (chat)",
        found=found,
        hint="check address and endpoint: assay backends show openai",
    )
