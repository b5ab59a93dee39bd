"""The daemon's client against the simulation: every command, and every refusal as an error."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from assay.errors import RunFailedError
from assay.power.analyzer import Analyzer
from assay.power.daemon import Daemon, Ranges
from assay.power.faults import Fault
from assay.power.simulator import Simulator, simulating
from assay.power.wire import Address


@contextmanager
def daemon(*faults: str, timeout_s: float = 5.0) -> Iterator[Daemon]:
    analyzer = Analyzer(faults=tuple(Fault.parse(each) for each in faults), clock=time.time, speed=50)
    simulator = Simulator(analyzer, lambda _: None, late_s=20)
    with simulating(simulator) as place, Daemon.connect(place, timeout_s=timeout_s) as found:
        yield found


@contextmanager
def saying(*answers: bytes) -> Iterator[Address]:
    """A server that gives these answers to whatever it is asked."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            connection, _ = listener.accept()
            with connection:
                for answer in answers:
                    connection.recv(1024)
                    connection.sendall(answer)
                connection.recv(1024)

        threading.Thread(target=serve, daemon=True).start()
        yield Address("127.0.0.1", listener.getsockname()[1])


def test_a_measurement() -> None:
    with daemon() as found:
        identity = found.identify()
        assert (identity.analyzer, identity.version, identity.simulated) == ("YokogawaWT310", "1.10.0", True)
        assert found.ranges() == Ranges("Auto", "Auto")
        found.set_volts("230.1")
        found.set_amps("0.6")
        assert found.ranges() == Ranges("1.000000", "300.000000")
        found.go("s_testing")
        time.sleep(0.12)
        assert found.watts().startswith("Watts,")
        assert found.uncertainty().startswith("Uncertainty,")
        found.stop()
        samples = found.unread()
        assert len(samples) >= 4
        assert all(95 < sample.watts < 105 and sample.mark == "" for sample in samples)
        assert found.unread() == []
        commands = [command for command, _ in found.messages]
    assert commands[:7] == ["Hello", "Identify", "RR", "SR,V,230.1", "SR,A,0.6", "RR", "Go,1000,0,s_testing"]


def test_a_bad_range_says_which() -> None:
    with daemon() as found, pytest.raises(RunFailedError, match="does not take 35 as its range of amps"):
        found.set_amps("35")


def test_what_cannot_be_stopped() -> None:
    with daemon() as found, pytest.raises(RunFailedError, match="found Error: no measurement to stop"):
        found.stop()


def test_a_lost_connection() -> None:
    with daemon("lost-connection") as found:
        found.go("s_testing")
        with pytest.raises(RunFailedError, match="the connection is lost"):
            for _ in range(100):
                time.sleep(0.02)
                found.watts()


def test_an_answer_that_does_not_come() -> None:
    with (
        daemon("slow:testing", timeout_s=0.3) as found,
        pytest.raises(RunFailedError, match=r"no answer within 0\.3 s"),
    ):
        found.go("s_testing")


def test_somebody_else() -> None:
    with saying(b"SSH-2.0\r\n") as place, pytest.raises(RunFailedError, match="this is no PTDaemon"):
        Daemon.connect(place, timeout_s=1)


@pytest.mark.parametrize("answer", [b"No data\r\n", b"Last many samples\r\n", b"Last 9999999 samples\r\n", b"Last\r\n"])
def test_no_list_of_samples(answer: bytes) -> None:
    hello = b"Hello, PTDaemon here!\r\n"
    with (
        saying(hello, answer) as place,
        Daemon.connect(place, timeout_s=1) as found,
        pytest.raises(RunFailedError, match="does not list its samples"),
    ):
        found.unread()


def test_a_broken_sample() -> None:
    hello, answer = b"Hello, PTDaemon here!\r\n", b"Last 1 samples\r\nTime,then,Watts,1\r\n"
    with (
        saying(hello, answer) as place,
        Daemon.connect(place, timeout_s=1) as found,
        pytest.raises(RunFailedError, match="not a power sample; found Time,then"),
    ):
        found.unread()


def test_ranges_that_are_not_known_are_automatic() -> None:
    assert Ranges.parse("Ranges,0,-1.0,-1,300.0") == Ranges("Auto", "Auto")
    assert Ranges.parse("Ranges,0,2.0,0,x") == Ranges("2.0", "Auto")
    with pytest.raises(RunFailedError, match="does not tell its ranges"):
        Ranges.parse("Ranges,1")
