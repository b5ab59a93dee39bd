"""Clocks: how far that of another machine is from ours, over a connection or from a time server (SNTP)."""

from __future__ import annotations

import socket
import struct
import time
from collections.abc import Callable
from dataclasses import dataclass

from assay.errors import InvalidInputError, RunFailedError

LIMIT_MS = 200.0
"""As the client of mlcommons/power-dev had it in round v3.1; later ones allow 400."""

_NTP_PORT, _NTP_EPOCH = 123, 2_208_988_800
_REQUEST = bytes([0b00_100_011]) + bytes(47)
_TRIES = 3


@dataclass(frozen=True, slots=True)
class Offset:
    """By how much another clock is ahead of ours, in milliseconds: certainly between these two."""

    least_ms: float
    most_ms: float

    @property
    def worst_ms(self) -> float:
        """The largest difference that it may be."""
        return max(abs(self.least_ms), abs(self.most_ms))

    def __str__(self) -> str:
        return f"{self.least_ms:+.1f} to {self.most_ms:+.1f} ms"


def offset_of(read: Callable[[], float], clock: Callable[[], float] = time.time) -> Offset:
    """Ask another clock, between two looks at ours.

    Args:
        read: gives its time, seconds since 1970.
    """
    before = clock()
    there = read()
    after = clock()
    return Offset((there - after) * 1000, (there - before) * 1000)


def require_near(offset: Offset, whose: str, limit_ms: float = LIMIT_MS) -> None:
    """Refuse clocks that are too far apart.

    Raises:
        RunFailedError: when they may be.
    """
    if offset.worst_ms > limit_ms:
        raise RunFailedError(
            f"the clock of {whose} is off",
            expected=f"at most {limit_ms:g} ms",
            found=str(offset),
            hint="set both clocks from the same NTP server; a slow network looks the same: use a wired one",
        )


def ntp_offset(server: str, *, timeout_s: float = 3.0, clock: Callable[[], float] = time.time) -> Offset:
    """Ask a time server (SNTP, RFC 4330).

    Args:
        server: ``HOST`` or ``HOST:PORT``.

    Raises:
        RunFailedError: when it does not answer, or answers that it knows no time.
    """
    host, _, port = server.partition(":")
    try:
        address = (host, int(port or _NTP_PORT))
    except ValueError:
        raise InvalidInputError("not a time server", expected="HOST or HOST:PORT", found=repr(server)) from None
    problem = ""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as connection:
        connection.settimeout(timeout_s)
        for _ in range(_TRIES):
            try:
                before = clock()
                connection.sendto(_REQUEST, address)
                answer = connection.recv(1024)
                return _offset(answer, before, clock())
            except OSError as error:
                problem = str(error) or "no answer"
    hint = "is UDP port 123 open to it?"
    raise RunFailedError(f"the time server does not answer: {problem}", where=server, hint=hint)


def _offset(answer: bytes, sent: float, received: float) -> Offset:
    if len(answer) < 48 or answer[1] == 0:
        raise RunFailedError("the time server tells no time", expected="48 bytes, stratum above 0")
    arrived, left = (_seconds(answer[at : at + 8]) for at in (32, 40))
    return Offset((left - received) * 1000, (arrived - sent) * 1000)


def _seconds(stamp: bytes) -> float:
    whole, part = struct.unpack("!II", stamp)
    return float(whole - _NTP_EPOCH + part / 2**32)
