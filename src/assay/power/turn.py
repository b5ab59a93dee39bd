"""The turn of a run in somebody else's measurement: a command that does nothing but wait while the run is done here.

The official client has to be given a shell command as its workload. ``python -m assay.power.turn PORT WORD`` connects to
the process that started the client, which then runs LoadGen as always (with its progress, its Ctrl-C, whatever program
it is), and ends when that is done.
"""

from __future__ import annotations

import contextlib
import hmac
import secrets
import socket
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Self

from assay.errors import RunFailedError

_HOST = "127.0.0.1"
_LONGEST = 200
_TICK_S = 0.2
_HELLO_S = 10.0
_DONE = b"done\n"


@dataclass(slots=True)
class Turns:
    """The side that does the runs; a context that closes its port."""

    word: str = field(default_factory=lambda: secrets.token_hex(16))
    _listener: socket.socket = field(default_factory=lambda: socket.create_server((_HOST, 0)))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.close()

    @property
    def command(self) -> list[str]:
        """What the other side is given as its workload."""
        return [sys.executable, "-m", "assay.power.turn", str(self._listener.getsockname()[1]), self.word]

    def take(self, work: Callable[[], object], *, alive: Callable[[], bool]) -> bool:
        """Wait for a turn and do the work in it; False when the other side ended without one.

        Args:
            alive: whether the other side is still there.
        """
        self._listener.settimeout(_TICK_S)
        while alive():
            try:
                connection, _ = self._listener.accept()
            except TimeoutError:
                continue
            with connection:
                if not self._asked(connection):
                    continue
                work()
                # One that is gone meanwhile is told by its end.
                with contextlib.suppress(OSError):
                    connection.sendall(_DONE)
                return True
        return False

    def _asked(self, connection: socket.socket) -> bool:
        """Whether it is our own command that has come, and no stranger of this machine."""
        try:
            connection.settimeout(_HELLO_S)
            with connection.makefile("rb") as stream:
                return hmac.compare_digest(stream.readline(_LONGEST).strip(), self.word.encode())
        except OSError:
            return False


def wait_for_turn(port: int, word: str) -> None:
    """The command: wait until the work is done.

    Raises:
        RunFailedError: when it failed, or nobody is there.
    """
    try:
        with socket.create_connection((_HOST, port), timeout=_HELLO_S) as connection:
            connection.sendall(f"{word}\n".encode())
            connection.settimeout(None)
            with connection.makefile("rb") as stream:
                done = stream.readline(_LONGEST) == _DONE
    except OSError as error:
        raise RunFailedError(f"nobody does the run: {error}") from error
    if not done:
        raise RunFailedError("the run failed")


if __name__ == "__main__":
    wait_for_turn(int(sys.argv[1]), sys.argv[2])
