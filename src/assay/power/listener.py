"""A port that serves one client after the other, in this thread or in one of its own: the daemon's and the director's."""

from __future__ import annotations

import contextlib
import select
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Protocol

from assay.errors import MachineError
from assay.power.wire import Address, keep_alive

_TICK_S = 0.1
_JOIN_S = 30.0


@dataclass(slots=True)
class Listener:
    """The port."""

    _socket: socket.socket | None = field(default=None, init=False)
    _stop: threading.Event = field(default_factory=threading.Event, init=False)

    @property
    def stopped(self) -> bool:
        """Whether no more clients are wanted."""
        return self._stop.is_set()

    def listen(self, address: Address) -> Address:
        """Take a port (0: any free one); gives the address.

        Raises:
            MachineError: when it is taken.
        """
        try:
            self._socket = socket.create_server((address.host, address.port))
        except OSError as error:
            raise MachineError(f"cannot listen: {error.strerror}", where=str(address)) from error
        return Address(*self._socket.getsockname()[:2])

    def clients(self, most: int | None = None) -> Iterator[tuple[socket.socket, Address]]:
        """One client after the other, until :meth:`stop` or so many; whoever takes one closes its connection."""
        assert self._socket is not None, "listen first"
        served = 0
        with self._socket:
            while not self.stopped and served != most:
                if select.select([self._socket], [], [], _TICK_S)[0]:
                    connection, peer = self._socket.accept()
                    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                    keep_alive(connection)
                    served += 1
                    yield connection, Address(*peer[:2])

    def stop(self) -> None:
        """Let :meth:`clients` end; from another thread."""
        self._stop.set()

    def wait(self, seconds: float) -> None:
        """Wait, but not longer than until :meth:`stop`."""
        self._stop.wait(seconds)


class Server(Protocol):
    """Something that listens and serves."""

    def listen(self, address: Address) -> Address:
        """Take a port; gives the address."""
        ...

    def serve(self) -> None:
        """Serve until :meth:`stop`."""
        ...

    def stop(self) -> None:
        """Let :meth:`serve` end; from another thread."""
        ...


@contextlib.contextmanager
def in_thread(server: Server, name: str, address: Address | None = None) -> Iterator[Address]:
    """Serve in a thread of this process; gives the address.

    Args:
        name: of the thread.
        address: default: any free port of this machine.
    """
    place = server.listen(address or Address("127.0.0.1", 0))
    thread = threading.Thread(target=server.serve, name=name, daemon=True)
    thread.start()
    try:
        yield place
    finally:
        server.stop()
        thread.join(timeout=_JOIN_S)
