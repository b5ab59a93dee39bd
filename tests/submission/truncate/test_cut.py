from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.submission.truncate.cut import (
    VIEW,
    has_hash,
    looks_cut,
    recorded_hash,
    shortened,
    with_hash,
    without_hash,
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b"accuracy=76.1%\nhash=abc123\n", "abc123"),
        (b"accuracy=76.1%\r\nhash=abc123\r\n", "abc123"),
        (b"hash=one\nhash=two\n", "one"),
        (b"accuracy=76.1%hash=abc\n", None),
        (b"hash=\n", None),
        (b" hash=abc\n", None),
        (b"hash=abc def\n", None),
        (b"\xff\xfe\nhash=abc", "abc"),
        (b"", None),
    ],
)
def test_the_hash_stands_on_a_line_of_its_own(text: bytes, expected: str | None) -> None:
    assert recorded_hash(text) == expected


def test_the_hash_goes_to_the_end_and_never_onto_an_unfinished_line() -> None:
    assert with_hash(b"accuracy=1%\n", "ab") == b"accuracy=1%\nhash=ab\n"
    assert with_hash(b"accuracy=1%", "ab") == b"accuracy=1%\nhash=ab\n"
    assert with_hash(None, "ab") == with_hash(b"", "ab") == b"hash=ab\n"


@given(st.lists(st.sampled_from([b"hash=ab", b"hash=cd", b"acc=1", b""]), max_size=6))
def test_taking_the_hash_out_undoes_putting_it_in(lines: list[bytes]) -> None:
    text = b"".join(line + b"\n" for line in lines)
    assert has_hash(with_hash(text, "ab"), "ab")
    assert without_hash(with_hash(text, "ab"), "ab") == text
    assert without_hash(text, "ef") == text


@pytest.mark.parametrize("size", [4095, 4096, 4097, 8192, 30000])
def test_both_ends_of_a_log_stay(tmp_path: Path, size: int) -> None:
    data = b"".join(b"%07d\n" % number for number in range(size // 8 + 1))[:size]
    log = tmp_path / "log"
    log.write_bytes(data)
    expected = None if size < VIEW else data[:4096] + b"\n\n...\n\n" + data[-4096:]
    assert shortened(str(log)) == expected


def test_the_head_is_counted_in_characters_and_line_ends_become_plain(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_bytes("é".encode() * 5000 + b"x\r\ny\rz" * 1000)
    cut = shortened(str(log))
    assert cut is not None
    head, tail = cut.decode().split("\n\n...\n\n")
    assert head == "é" * 4096
    assert tail == (b"x\r\ny\rz" * 1000)[-4096:].decode().replace("\r\n", "\n").replace("\r", "\n")


@pytest.mark.parametrize("data", [b"\xff" * 20000, "é".encode() * 20000 + b"b"])
def test_what_is_no_text_is_cut_by_bytes(tmp_path: Path, data: bytes) -> None:
    """Letters beyond ASCII that the cut would split, too."""
    log = tmp_path / "log"
    log.write_bytes(data)
    assert shortened(str(log)) == data[:4096] + b"\n\n...\n\n" + data[-4096:]


def test_a_log_that_was_cut_is_known_again(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_bytes(b"1234567\n" * 2000)
    assert not looks_cut(str(log), 10240)
    log.write_bytes(shortened(str(log)) or b"")
    assert looks_cut(str(log), 10240)
    assert not looks_cut(str(log), 100)
