from __future__ import annotations

import base64
import hashlib
from pathlib import Path

import pytest

from assay.errors import InvalidInputError
from assay.playground.accounts.refusals import TooLargeError
from assay.playground.receiving import Received, Receiver, check_digest

KIND = "multipart/form-data; boundary=XX"


def part(name: str, value: bytes, file_name: str | None = None) -> bytes:
    file = "" if file_name is None else f'; filename="{file_name}"'
    return f'--XX\r\nContent-Disposition: form-data; name="{name}"{file}\r\n\r\n'.encode() + value + b"\r\n"


def received(target: Path, *parts: bytes, most: int = 1000, piece: int = 7, end: bytes = b"--XX--\r\n") -> Received:
    receiver = Receiver(KIND, target, most)
    whole = b"".join(parts) + end
    try:
        for start in range(0, len(whole), piece):
            receiver.feed(whole[start : start + piece])
        return receiver.finish()
    except BaseException:
        receiver.discard()
        raise


@pytest.mark.parametrize("piece", [1, 2, 13, 10_000])
def test_a_file_lies_on_the_disk_as_it_was_sent_whatever_it_comes_in(tmp_path: Path, piece: int) -> None:
    content = b"\r\n--X not the end\r\n--XY\0" * 20
    found = received(
        tmp_path / "in",
        part("challenge", b"one"),
        part("file", content, "a.tar.gz"),
        part("challenge", b" two "),
        part("challenge", b"one"),
        part("note", "grün".encode()),
        piece=piece,
    )
    assert (tmp_path / "in").read_bytes() == content
    assert (found.file_name, found.size, found.sha256) == (
        "a.tar.gz",
        len(content),
        hashlib.sha256(content).hexdigest(),
    )
    assert (found.every("challenge"), found.one("note"), found.one("none")) == (("one", "two"), "grün", "")


def test_a_form_without_a_chosen_file(tmp_path: Path) -> None:
    found = received(tmp_path / "in", part("file", b"", ""), part("a", b"b"))
    assert (found.file_name, found.size, found.one("a")) == ("", 0, "b")
    assert not (tmp_path / "in").exists()


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        ((part("file", b"a", "a"), part("file", b"b", "b")), "more than one file"),
        ((part("note", b"x" * 9000),), "too long"),
        (tuple(part(f"f{number}", b"") for number in range(101)), "too many fields"),
        ((part("file", b"a", ""),), "no name"),
        ((b"rubbish",), "damaged"),
    ],
)
def test_what_is_refused_leaves_nothing(tmp_path: Path, parts: tuple[bytes, ...], words: str) -> None:
    with pytest.raises(InvalidInputError, match=words):
        received(tmp_path / "in", *parts)
    assert list(tmp_path.iterdir()) == []


def test_a_form_that_breaks_off(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match="breaks off"):
        received(tmp_path / "in", part("file", b"a" * 50, "a"), end=b"")
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_too_large_is_refused_before_its_end(tmp_path: Path) -> None:
    receiver = Receiver(KIND, tmp_path / "in", 100)
    receiver.feed(part("file", b"a" * 90, "a")[:-2])
    with pytest.raises(TooLargeError, match="too large"):
        receiver.feed(b"a" * 11)
    receiver.discard()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "kind", ["", "application/json", "multipart/form-data", f"multipart/form-data; boundary={'x' * 300}"]
)
def test_what_is_no_form(tmp_path: Path, kind: str) -> None:
    with pytest.raises(InvalidInputError, match="no form"):
        Receiver(kind, tmp_path / "in", 1)


def test_the_digest_is_held_against_the_file() -> None:
    sha256 = hashlib.sha256(b"a").hexdigest()
    found = Received("a", 1, sha256, {})
    check_digest(found, "")
    check_digest(found, f"sha-256={sha256}")
    check_digest(found, f"SHA-256={base64.b64encode(bytes.fromhex(sha256)).decode()}")
    check_digest(found, f"sha-256=:{base64.b64encode(bytes.fromhex(sha256)).decode()}:")
    with pytest.raises(InvalidInputError, match="did not arrive"):
        check_digest(found, f"sha-256={'0' * 64}")
    with pytest.raises(InvalidInputError, match="did not arrive"):
        check_digest(Received("a", 1, sha256, {"sha256": ("0" * 64,)}), "")
    for wrong in ("md5=abc", "sha-256=short", f"sha-256={'=' * 44}", f"sha-256={'A' * 43}"):
        with pytest.raises(InvalidInputError, match="no digest"):
            check_digest(found, wrong)
