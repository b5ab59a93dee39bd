from __future__ import annotations

import os
from pathlib import Path

import pytest

from assay.submission.checks.context import names, read_json, read_text, shown


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"[1]", "a JSON list"),
        (b"7", "a JSON number"),
        (b'"x"', "a JSON string"),
        (b"null", "a JSON null"),
        (b"true", "a JSON truth value"),
        (b'{"a": }', "line 1, column 7"),
        (b"\xff\xfe", "not UTF-8"),
        (b"[" * 100_000, "too many levels"),
        (b'{"a": ' + b"1" * 5000 + b"}", "4300 digits"),
    ],
)
def test_what_is_no_json_object_is_told(content: bytes, problem: str, tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    path.write_bytes(content)
    found, told = read_json(str(path))
    assert found is None
    assert problem in told


def test_a_large_or_missing_text_is_told(tmp_path: Path) -> None:
    path = tmp_path / "x"
    with path.open("wb") as file:
        file.truncate((8 << 20) + 1)
    assert read_text(str(path)) == (None, "larger than 8 MiB")
    assert read_text(str(tmp_path / "nothing"))[0] is None
    assert read_text(str(tmp_path))[0] is None
    assert read_text("a\0b")[0] is None


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert read_text(str(tmp_path / "pipe")) == (None, "no regular file")


def test_line_ends_are_those_of_text(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(b"a\r\nb\rc\n")
    assert read_text(str(path)) == ("a\nb\nc\n", "")


def test_values_are_shown_short_and_printable() -> None:
    assert shown("a\x1b[31mb\n") == "a?[31mb?"
    assert shown("x" * 500) == "x" * 120 + "..."
    assert shown(["a"]) == "['a']"
    assert names({"b", "a"}) == "a, b"
    assert names({str(number) for number in range(20)}).endswith(" and 12 more")
