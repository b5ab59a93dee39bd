"""A simulation of SPEC PTDaemon: it speaks the daemon's protocol and measures nothing.

Its answer to ``Identify``, its log and its banner say that it is a simulation, so that ``server.json`` and
``ptd_logs.txt`` of whatever was measured with it say so, too. One thread does everything: it waits for a command until
the next sample is due.
"""

from __future__ import annotations

import contextlib
import re
import select
import socket
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TextIO

from assay.errors import MachineError
from assay.power.analyzer import Analyzer
from assay.power.daemon import HELLO
from assay.power.faults import FaultKind
from assay.power.identity import SIMULATED
from assay.power.listener import Listener, in_thread
from assay.power.samples import stamp
from assay.power.wire import Address

_LONGEST_COMMAND = 4096
_TICK_S = 0.1
_MOST = 500_000
_ALL_CHANNELS, _NAME = "*,*", re.compile(",Ch[0-9]+")


@dataclass(slots=True)
class Simulator:
    """The daemon.

    Attributes:
        analyzer: what it reads.
        say: takes the lines of its log (the real one prints them).
        model: name of the analyzer it stands for.
        version: of the daemon it stands for.
        log: file for samples, as the daemon's option ``-l``.
        late_s: how long an answer takes where it is asked to be slow.
    """

    analyzer: Analyzer
    say: Callable[[str], object]
    model: str = "YokogawaWT310"
    version: str = "1.10.0"
    log: Path | None = None
    late_s: float = 30.0
    _unread: int = field(default=0, init=False)
    _listener: Listener = field(default_factory=Listener, init=False)

    def listen(self, address: Address) -> Address:
        """Take a port (0: any free one); gives the address.

        Raises:
            MachineError: when it is taken.
        """
        place = self._listener.listen(address)
        self.say(f"{SIMULATED} PTDaemon of assay: no analyzer is connected, no power is measured")
        self._note(f"Uncertainty checking for {self.model} is activated")
        self._note(f"Establishing the listener on port {place.port}...")
        return place

    def serve(self) -> None:
        """Answer one client after the other, until :meth:`stop`."""
        with self._samples() as log:
            for connection, peer in self._listener.clients():
                self._note(f"Accepted connection from {peer}")
                with connection, contextlib.suppress(ConnectionError):
                    self._talk(connection, log)

    def stop(self) -> None:
        """Let :meth:`serve` end; from another thread."""
        self._listener.stop()

    @contextlib.contextmanager
    def _samples(self) -> Iterator[TextIO | None]:
        if self.log is None:
            yield None
            return
        try:
            file = self.log.open("a", encoding="utf-8", buffering=1)
        except OSError as error:
            raise MachineError(f"cannot write the samples: {error.strerror}", where=self.log) from error
        with file:
            yield file

    def _note(self, text: str) -> None:
        self.say(f"{stamp(self.analyzer.clock())}: {text}")

    def _talk(self, connection: socket.socket, log: TextIO | None) -> None:
        buffer = b""
        while not self._listener.stopped:
            wait = self.analyzer.wait_s()
            ready = select.select([connection], [], [], _TICK_S if wait is None else min(wait, _TICK_S))[0]
            # Before the answer: a command that ends the measurement ends it after what was due.
            if not self._take_samples(log):
                return
            if ready:
                more = connection.recv(_LONGEST_COMMAND)
                if not more or len(buffer) > _LONGEST_COMMAND:
                    return
                buffer += more
            while b"\n" in buffer:
                line, _, buffer = buffer.partition(b"\n")
                self._reply(connection, line.decode("utf-8", "replace").strip())

    def _take_samples(self, log: TextIO | None) -> bool:
        """Log what is due; False when the connection breaks now."""
        for reading in self.analyzer.due():
            for complaint in reading.complaints:
                self._note(complaint)
            if reading.lost:
                self._note("ERROR: the connection is closed, as this simulation was asked to")
                return False
            if reading.sample is not None:
                self._unread += 1
                if log is not None:
                    log.write(f"{reading.sample.line()}\n")
        return True

    def _reply(self, connection: socket.socket, command: str) -> None:
        lines = self.answer(command)
        if self.analyzer.faulty(FaultKind.SLOW):
            self._listener.wait(self.late_s)
        self._note(f"Response to client sent: {lines[0]}")
        connection.sendall("".join(f"{line}\r\n" for line in lines).encode())

    def answer(self, command: str) -> list[str]:
        """The lines that answer a command."""
        name, _, rest = command.partition(",")
        answers: dict[str, Callable[[str], list[str]]] = {
            "Hello": lambda _: [HELLO],
            "Identify": lambda _: [self._identity()],
            "RR": lambda _: [_ranges(self.analyzer)],
            "SR": lambda rest: [self._set_range(rest)],
            "Go": lambda rest: [self._go(rest)],
            "Stop": lambda _: [self._end()],
            "RL": self._list,
            "Watts": lambda _: [self._summary(name)],
            "Uncertainty": lambda _: [self._summary(name)],
        }
        known = answers.get(name)
        return known(rest) if known else [f"Unknown command {command[:60]!r}"]

    def _identity(self) -> str:
        build = f"version={self.version}-{SIMULATED}-by-assay"
        return f"{self.model},1000,1,1,1,1,1,1,1,{build},OS=none,mode=power,simulated_serial"

    def _set_range(self, rest: str) -> str:
        letter, _, value = rest.partition(",")
        taken = letter in ("A", "V") and self.analyzer.set_range(letter, value)
        return f"Range {letter} changed" if taken else f"Error: the range {rest!r} is not supported"

    def _go(self, rest: str) -> str:
        words = rest.split(",", 2)
        if len(words) < 2 or not all(word.isascii() and word.isdigit() for word in words[:2]) or int(words[0]) < 10:
            return "Error: Go,<milliseconds>,<samples to leave out>,<mark>"
        if self.analyzer.running:
            return "Error: a measurement is under way"
        mark = words[2] if len(words) > 2 else "notset"
        self.analyzer.start(int(words[0]), mark)
        self._unread = 0
        self._note(f"Go with mark {mark!r}")
        return f"Starting untimed measurement, maximum {_MOST} samples at {words[0]}ms with {words[1]} rampup samples"

    def _end(self) -> str:
        if not self.analyzer.running:
            return "Error: no measurement to stop"
        self.analyzer.stop()
        self._note("Completed test")
        return "Stopping untimed measurement"

    def _list(self, rest: str) -> list[str]:
        # Of all channels they are asked for where there are some, and stand there without their names.
        if rest and not (rest == _ALL_CHANNELS and self.analyzer.channels):
            return ["Error: Invalid number of parameters"]
        fresh = self.analyzer.measured[-self._unread :] if self._unread else []
        self._unread = 0
        # Over the connection a sample comes without its mark.
        lines = (replace(sample, mark="").line() for sample in fresh)
        return [f"Last {len(fresh)} samples", *(_NAME.sub("", line) if rest else line for line in lines)]

    def _summary(self, name: str) -> str:
        watts = [sample.watts for sample in self.analyzer.measured]
        if not watts:
            return "No data"
        if name == "Watts":
            return f"Watts,{sum(watts) / len(watts):.6f},{min(watts):.6f},{max(watts):.6f},{len(watts)}"
        percent = 1.45 if self.analyzer.faulty(FaultKind.UNCERTAINTY) else 0.3
        return f"Uncertainty,{percent:.6f},{len(watts)}"


def _ranges(analyzer: Analyzer) -> str:
    amps, volts = analyzer.amps, analyzer.volts
    return f"Ranges,{int(amps is None)},{amps or 2.0:.6f},{int(volts is None)},{volts or 300.0:.6f}"


def simulating(simulator: Simulator, address: Address | None = None) -> AbstractContextManager[Address]:
    """Serve in a thread of this process; gives the address.

    Args:
        address: default: any free port of this machine.
    """
    return in_thread(simulator, "simulated-ptdaemon", address)
