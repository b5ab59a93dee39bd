"""How far another clock is: bounds that hold, and time servers that are played here."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from assay.errors import InvalidInputError, RunFailedError
from assay.power.clocks import Offset, ntp_offset, offset_of, require_near

EPOCH = 2_208_988_800


class Clock:
    """A clock that is a tenth of a second later at each look."""

    def __init__(self, now: float) -> None:
        self.now = now

    def __call__(self) -> float:
        self.now += 0.1
        return self.now


def test_the_bounds_hold_the_true_offset() -> None:
    offset = offset_of(lambda: 1000.65, Clock(1000))
    assert (round(offset.least_ms), round(offset.most_ms)) == (450, 550)
    assert round(offset.worst_ms) == 550


def test_near_and_not() -> None:
    require_near(Offset(-199, 3), "the director")
    with pytest.raises(RunFailedError, match=r"the clock of the director is off; expected at most 200 ms"):
        require_near(Offset(-201, 3), "the director")


@contextmanager
def time_server(answer: bytes | None) -> Iterator[str]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))

        def serve() -> None:
            try:
                while True:
                    _, peer = server.recvfrom(1024)
                    if answer is not None:
                        server.sendto(answer, peer)
            except OSError:
                return

        threading.Thread(target=serve, daemon=True).start()
        yield f"127.0.0.1:{server.getsockname()[1]}"


def answered(moment: float, stratum: int = 1) -> bytes:
    stamp = struct.pack("!II", int(moment) + EPOCH, int(moment % 1 * 2**32))
    return bytes([0x24, stratum, 0, 0xEC]) + bytes(28) + stamp + stamp


def test_a_time_server_is_asked() -> None:
    with time_server(answered(1005.25)) as place:
        offset = ntp_offset(place, timeout_s=2, clock=Clock(1005))
    assert (round(offset.least_ms), round(offset.most_ms)) == (50, 150)


def test_a_time_server_that_knows_no_time() -> None:
    with time_server(answered(1000, stratum=0)) as place, pytest.raises(RunFailedError, match="tells no time"):
        ntp_offset(place, timeout_s=2)


def test_a_time_server_that_says_nothing() -> None:
    with time_server(None) as place, pytest.raises(RunFailedError, match=f"{place}: the time server does not answer"):
        ntp_offset(place, timeout_s=0.02)


def test_no_address() -> None:
    with pytest.raises(InvalidInputError, match="not a time server"):
        ntp_offset("host:noon")
