"""Lines and files over a connection: what comes through, and how each way to fail is told."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from assay.errors import InvalidInputError, RunFailedError, UsageError
from assay.power.wire import Address, Wire


@pytest.fixture
def ends() -> Iterator[tuple[Wire, Wire]]:
    left, right = socket.socketpair()
    with Wire(left, "left", timeout_s=0.2) as one, Wire(right, "right", timeout_s=0.2) as other:
        yield one, other


def test_lines_come_through_whatever_their_end(ends: tuple[Wire, Wire]) -> None:
    one, other = ends
    one.send("Hello")
    one.connection.sendall(b"second\nthird\r\n")
    assert [other.receive() for _ in range(3)] == ["Hello", "second", "third"]


def test_no_answer_is_an_error_that_says_how_long(ends: tuple[Wire, Wire]) -> None:
    with pytest.raises(RunFailedError, match=r"left: no answer within 0\.2 s"):
        ends[0].ask("anybody?")


def test_half_a_line_is_no_answer(ends: tuple[Wire, Wire]) -> None:
    ends[1].connection.sendall(b"half")
    with pytest.raises(RunFailedError, match="no answer"):
        ends[0].receive()


def test_a_lost_connection_is_told(ends: tuple[Wire, Wire]) -> None:
    ends[1].close()
    with pytest.raises(RunFailedError, match="the connection is lost: closed by the other end"):
        ends[0].receive()


def test_a_line_without_an_end_is_not_kept_for_ever(ends: tuple[Wire, Wire]) -> None:
    ends[0].timeout_s = ends[1].timeout_s = 5
    sender = threading.Thread(target=ends[1].connection.sendall, args=(b"x" * 80_000,))
    sender.start()
    with pytest.raises(InvalidInputError, match="a line of more than"):
        ends[0].receive()
    sender.join()


def test_a_line_is_one_line(ends: tuple[Wire, Wire]) -> None:
    with pytest.raises(InvalidInputError):
        ends[0].send("two\nlines")


def test_files_come_through(ends: tuple[Wire, Wire], tmp_path: Path) -> None:
    one, other = ends
    source, target = tmp_path / "a", tmp_path / "b"
    source.write_bytes(b"\r\n17\n" * 1000)
    one.send_file(source)
    one.send("after")
    other.receive_file(target)
    assert target.read_bytes() == source.read_bytes()
    assert other.receive() == "after"


def test_a_file_that_breaks_off_leaves_nothing(ends: tuple[Wire, Wire], tmp_path: Path) -> None:
    one, other = ends
    one.send("100")
    one.connection.sendall(b"only this")
    one.close()
    with pytest.raises(RunFailedError, match="lost"):
        other.receive_file(tmp_path / "b")
    assert list(tmp_path.iterdir()) == []


def test_an_answer_in_place_of_a_file_is_told(ends: tuple[Wire, Wire], tmp_path: Path) -> None:
    ends[0].send("Error: no such session")
    with pytest.raises(RunFailedError, match="found Error: no such session"):
        ends[1].receive_file(tmp_path / "b")


def test_too_large_a_file_is_refused_before_it_comes(ends: tuple[Wire, Wire], tmp_path: Path) -> None:
    ends[0].send(str(2 << 30))
    with pytest.raises(RunFailedError, match="larger than 1 GiB"):
        ends[1].receive_file(tmp_path / "b")


def test_nobody_there_is_told_with_the_address() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        place = Address("127.0.0.1", taken.getsockname()[1])
        with pytest.raises(RunFailedError, match=f"{place}: cannot connect to the director"):
            Wire.connect(place, "the director", timeout_s=1)


def test_addresses_are_read() -> None:
    assert Address.parse("host:17") == Address("host", 17)
    assert Address.parse("[::1]:17") == Address("::1", 17)
    assert Address.parse("host", port=4950) == Address("host", 4950)
    for wrong in ("host", ":17", "host:", "host:x", "host:70000"):
        with pytest.raises(UsageError, match="not an address"):
            Address.parse(wrong)
