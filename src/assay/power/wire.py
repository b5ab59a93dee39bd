"""Lines of text over a connection, with a time limit for each: how the daemon, the director and the client talk."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from assay.base.files import atomic_path
from assay.errors import InvalidInputError, RunFailedError, UsageError

_LONGEST_LINE = 1 << 16
_LARGEST_FILE = 1 << 30
_PIECE = 1 << 16
_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class Address:
    """A host and a port."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"

    @classmethod
    def parse(cls, text: str, *, port: int | None = None) -> Address:
        """Read ``HOST:PORT``, or ``HOST`` where a port is the usual one.

        Raises:
            UsageError: when it is neither.
        """
        host, colon, number = text.rpartition(":")
        if not colon and port is not None:
            return cls(text, port)
        if not host or not number.isascii() or not number.isdigit() or int(number) > 65_535:
            raise UsageError("not an address", expected="HOST:PORT", found=repr(text))
        return cls(host.strip("[]"), int(number))


@dataclass(slots=True)
class Wire:
    """One end of a connection.

    Attributes:
        connection: the socket; this object closes it.
        peer: who is at the other end, for errors.
        timeout_s: how long an answer may take; None waits for ever.
    """

    connection: socket.socket
    peer: str
    timeout_s: float | None = 10.0
    _buffer: bytes = field(default=b"", repr=False)

    @classmethod
    def connect(cls, address: Address, peer: str, *, timeout_s: float | None = 10.0) -> Wire:
        """Open a connection.

        Raises:
            RunFailedError: when nobody answers there.
        """
        try:
            connection = socket.create_connection((address.host, address.port), timeout=timeout_s or 30)
        except OSError as error:
            hint = "is it running, and does the firewall let the port through?"
            raise RunFailedError(f"cannot connect to {peer}: {error}", where=str(address), hint=hint) from error
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        keep_alive(connection)
        return cls(connection, f"{peer} at {address}", timeout_s)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection; closing it again is fine."""
        self.connection.close()

    def send(self, line: str) -> None:
        """Send a line.

        Raises:
            RunFailedError: when the connection is lost.
            InvalidInputError: for a text that would be two lines.
        """
        if "\n" in line or "\r" in line:
            raise InvalidInputError("a line with a line's end in it", found=repr(line[:60]))
        self._send(line.encode() + b"\r\n")

    def _send(self, raw: bytes) -> None:
        try:
            self.connection.settimeout(self.timeout_s)
            self.connection.sendall(raw)
        except OSError as error:
            raise self._lost(str(error)) from error

    def receive(self) -> str:
        """The next line, without its end.

        Raises:
            RunFailedError: when none comes in time, or the connection is lost.
            InvalidInputError: for a line without an end.
        """
        limit = None if self.timeout_s is None else time.monotonic() + self.timeout_s
        while b"\n" not in self._buffer:
            if len(self._buffer) > _LONGEST_LINE:
                raise InvalidInputError(f"a line of more than {_LONGEST_LINE} bytes", where=self.peer)
            self._fill(limit)
        line, _, self._buffer = self._buffer.partition(b"\n")
        return line.rstrip(b"\r").decode("utf-8", "replace")

    def ask(self, line: str) -> str:
        """Send a line and wait for the answer."""
        self.send(line)
        return self.receive()

    def send_file(self, path: Path) -> None:
        """Send a file in chunks, each behind its length; a chunk of nothing ends it.

        Raises:
            RunFailedError: when it cannot be read, or the connection is lost.
        """
        try:
            with path.open("rb") as file:
                for chunk in iter(lambda: file.read(_CHUNK), b""):
                    self.send(str(len(chunk)))
                    self._send(chunk)
        except OSError as error:
            raise RunFailedError(f"cannot send a file: {error.strerror}", where=path) from error
        self.send("0")

    def receive_file(self, path: Path) -> None:
        """Receive what :meth:`send_file` sends; nothing is left behind when it breaks off.

        Raises:
            RunFailedError: when it breaks off, or is larger than 1 GiB.
        """
        with atomic_path(path) as target, target.open("wb") as file:
            for chunk in self._chunks():
                file.write(chunk)

    def _chunks(self) -> Iterator[bytes]:
        total = 0
        while True:
            line = self.receive()
            # What is no length is an answer in words: the other end has no such file.
            if not line.isascii() or not line.isdigit():
                raise RunFailedError("the file was not sent", where=self.peer, found=line[:200])
            length = int(line)
            total += length
            if length == 0:
                return
            if total > _LARGEST_FILE:
                raise RunFailedError("the file is larger than 1 GiB", where=self.peer)
            while length:
                piece = self._take(length)
                length -= len(piece)
                yield piece

    def _take(self, length: int) -> bytes:
        if not self._buffer:
            self._fill(None if self.timeout_s is None else time.monotonic() + self.timeout_s)
        piece, self._buffer = self._buffer[:length], self._buffer[length:]
        return piece

    def _fill(self, limit: float | None) -> None:
        """Read more.

        Args:
            limit: the monotonic time until which something has to come.
        """
        try:
            self.connection.settimeout(None if limit is None else max(limit - time.monotonic(), 0.001))
            more = self.connection.recv(_PIECE)
        except TimeoutError:
            hint = "it hangs, or needs longer: a larger time limit"
            raise RunFailedError(f"no answer within {self.timeout_s:g} s", where=self.peer, hint=hint) from None
        except OSError as error:
            raise self._lost(str(error)) from error
        if not more:
            raise self._lost("closed by the other end")
        self._buffer += more

    def _lost(self, why: str) -> RunFailedError:
        return RunFailedError(f"the connection is lost: {why}", where=self.peer, hint="measure again")


def keep_alive(connection: socket.socket) -> None:
    """Let the system notice within half a minute that the other machine is gone, however long a run is silent."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in (("TCP_KEEPIDLE", 5), ("TCP_KEEPINTVL", 5), ("TCP_KEEPCNT", 5)):
        if hasattr(socket, name):
            connection.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
