"""A port that serves one client after the other."""

from __future__ import annotations

import socket
import threading
import time
from dataclasses import dataclass, field

import pytest

from assay.errors import MachineError
from assay.power.listener import Listener, in_thread
from assay.power.wire import Address

ANY = Address("127.0.0.1", 0)


@dataclass
class Greeter:
    """Says hello to everybody."""

    listener: Listener = field(default_factory=Listener)
    greeted: list[Address] = field(default_factory=list)

    def listen(self, address: Address) -> Address:
        return self.listener.listen(address)

    def serve(self) -> None:
        for connection, peer in self.listener.clients():
            with connection:
                self.greeted.append(peer)
                connection.sendall(b"hello")

    def stop(self) -> None:
        self.listener.stop()


def greeting(place: Address) -> bytes:
    with socket.create_connection((place.host, place.port), timeout=5) as connection:
        return connection.recv(5)


def test_one_after_the_other_until_it_is_stopped() -> None:
    server = Greeter()
    with in_thread(server, "greeter") as place:
        assert [greeting(place) for _ in range(3)] == [b"hello"] * 3
        assert any(thread.name == "greeter" for thread in threading.enumerate())
    assert {peer.host for peer in server.greeted} == {"127.0.0.1"}
    assert not any(thread.name == "greeter" for thread in threading.enumerate())
    with pytest.raises(OSError):
        greeting(place)


def test_so_many_and_no_more() -> None:
    listener = Listener()
    place = listener.listen(ANY)
    with socket.create_connection((place.host, place.port)), socket.create_connection((place.host, place.port)):
        taken = [connection for connection, _ in listener.clients(2)]
    assert len(taken) == 2
    for connection in taken:
        connection.close()


def test_a_port_that_is_taken() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other, pytest.raises(MachineError, match="cannot listen"):
        Listener().listen(Address("127.0.0.1", other.getsockname()[1]))


def test_waiting_ends_with_the_stop() -> None:
    listener = Listener()
    began = time.monotonic()
    threading.Timer(0.05, listener.stop).start()
    listener.wait(20)
    assert time.monotonic() - began < 10
    assert listener.stopped
