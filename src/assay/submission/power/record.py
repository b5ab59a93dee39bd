"""``client.json`` and ``server.json``: what each side of a session wrote down of it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from assay.submission.checks.context import shown
from assay.submission.issue import Issue


class MalformedError(Exception):
    """The official checker raises here, or asserts something that is not so."""

    def __init__(
        self, path: str, field: str, detail: str = "", found: str = "", expected: str = "", line: int | None = None
    ) -> None:
        super().__init__(detail or field)
        self.parts = (path, detail, field, found, expected, line)

    def issue(self, code: str) -> Issue:
        """The same as an issue."""
        return Issue(code, *self.parts)


@dataclass(frozen=True, slots=True)
class Session:
    """One of the two files.

    Attributes:
        path: relative to the tree.
        data: the object in it.
    """

    path: str
    data: dict[str, Any]
    _text: str

    def at(self, *keys: str | int) -> Any:
        """A value.

        Raises:
            MalformedError: when it is not there.
        """
        value: Any = self.data
        for depth, key in enumerate(keys):
            try:
                value = value[key]
            except (KeyError, IndexError, TypeError):
                raise MalformedError(self.path, dotted(keys[: depth + 1]), "it is not there", "nothing") from None
        return value

    def wrong(self, *keys: str | int, expected: str = "", detail: str = "") -> MalformedError:
        """The error of a value that is there and cannot be taken."""
        return MalformedError(self.path, dotted(keys), detail, shown(self.at(*keys)), expected, self.line(*keys))

    def count(self, *keys: str | int) -> int:
        """Length of a value.

        Raises:
            MalformedError: when it has none.
        """
        try:
            return len(self.at(*keys))
        except TypeError:
            raise self.wrong(*keys, expected="a list") from None

    def text(self, *keys: str | int) -> str:
        """A value that is a text.

        Raises:
            MalformedError: when it is none.
        """
        value = self.at(*keys)
        if not isinstance(value, str):
            raise self.wrong(*keys, expected="a text")
        return value

    def number(self, *keys: str | int) -> float:
        """A value that can be compared and subtracted.

        Raises:
            MalformedError: when it is no number.
        """
        value = self.at(*keys)
        if not isinstance(value, int | float):
            raise self.wrong(*keys, expected="a number")
        return value

    def line(self, *keys: str | int) -> int | None:
        """Line of the file where a value stands, as far as its name and content tell; None when they do not."""
        try:
            value, name = self.at(*keys), keys[-1]
            start = self._text.find(json.dumps(keys[0]))
            if start < 0 or not isinstance(name, str):
                return None if start < 0 else self._text.count("\n", 0, start) + 1
            written = f"{json.dumps(name)}: {json.dumps(value)}" if isinstance(value, str) else json.dumps(name)
            before = keys[-2] if len(keys) > 2 else 0
            earlier = range(before) if isinstance(before, int) else ()
            for index in earlier:
                if self.at(*keys[:-2], index, name) == value:
                    start = self._text.index(written, start) + 1
            return self._text.count("\n", 0, self._text.index(written, start)) + 1
        except (MalformedError, ValueError):
            return None


def parse_session(raw: bytes, path: str, required: Iterable[str]) -> Session:
    """Read the content of a file.

    Raises:
        MalformedError: when it is no JSON object, or lacks one of the ``required`` keys.
    """
    try:
        text = raw.decode("utf-8")
        data = json.loads(text)
    except UnicodeDecodeError as error:
        raise MalformedError(path, "", f"not UTF-8 text at byte {error.start}") from None
    except json.JSONDecodeError as error:
        raise MalformedError(path, "", f"no JSON: {error.msg}", line=error.lineno) from None
    except (ValueError, RecursionError) as error:
        raise MalformedError(path, "", f"no JSON: {str(error).partition(';')[0]}") from None
    if not isinstance(data, dict):
        raise MalformedError(path, "", "no JSON object", type(data).__name__, "an object")
    absent = sorted(set(required) - data.keys())
    if absent:
        raise MalformedError(path, absent[0], "it is not there", "nothing", ", ".join(absent))
    return Session(path, data, text)


def dotted(keys: Iterable[str | int]) -> str:
    """``phases.ranging[1][0]``."""
    return "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in keys).removeprefix(".")
