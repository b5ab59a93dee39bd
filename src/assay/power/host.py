"""Where the daemon runs: a process that the director starts and whose output it keeps, or the simulation."""

from __future__ import annotations

import contextlib
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from assay.errors import MachineError, NotFoundError, RunFailedError
from assay.power.analyzer import Analyzer
from assay.power.daemon import Daemon
from assay.power.simulator import Simulator, simulating
from assay.power.tied import tied
from assay.power.wire import Address

_START_S = 30.0
"""An analyzer behind USB takes 17 seconds to answer."""

_END_S = 10.0


class Host(Protocol):
    """Starts the daemon."""

    def config(self) -> Mapping[str, Any]:
        """How it is started, for ``server.json``."""
        ...

    def started(self, log: Path, samples: Path) -> AbstractContextManager[Daemon]:
        """Start it and connect; it ends with the context.

        Args:
            log: takes what the daemon prints.
            samples: takes the samples, with their marks.
        """
        ...


@dataclass(frozen=True, slots=True)
class DaemonProcess:
    """SPEC PTDaemon, started as the server of mlcommons/power-dev starts it.

    Attributes:
        program: the daemon.
        device: number of the analyzer's kind, as 49 for a Yokogawa WT310.
        device_port: where the analyzer is: a serial port, an address, a serial number.
        interface: option of the interface: ``-n``, ``-g``, ``-y``, ``-U``; empty for a serial port.
        port: that the daemon listens at.
        channels: of an analyzer that has several: the first one and how many, or how many.
        board: of a GPIB interface; None for the daemon's own choice.
        direct: option of an analyzer that measures direct current: ``-D``; empty for none.
        timeout_s: how long one of its answers may take.
    """

    program: str
    device: int
    device_port: str
    interface: str = ""
    port: int = 8888
    channels: tuple[int, ...] = ()
    timeout_s: float = 30.0
    board: int | None = None
    direct: str = ""

    def config(self) -> Mapping[str, Any]:
        """How it is started, for ``server.json``."""
        return self._config(Path("samples.txt"))

    def _config(self, samples: Path) -> dict[str, Any]:
        interface = [self.interface] if self.interface else []
        channels = ["-c", ",".join(map(str, self.channels))] if self.channels else []
        board = [] if self.board is None else ["-b", str(self.board)]
        direct = [self.direct] if self.direct else []
        command = [self.program, "-l", str(samples), "-p", str(self.port), *board, *interface, *channels, *direct]
        return {
            "command": [*command, str(self.device), self.device_port],
            "device_type": self.device,
            "interface_flag": self.interface,
            "device_port": self.device_port,
            "channel": list(self.channels) or None,
        }

    @contextlib.contextmanager
    def started(self, log: Path, samples: Path) -> Iterator[Daemon]:
        """Start it and connect; it ends with the context.

        Raises:
            NotFoundError: when there is no such program.
            MachineError: when its port is taken, or it cannot be started.
            RunFailedError: when it ends or does not answer.
        """
        if shutil.which(self.program) is None:
            raise NotFoundError("there is no such PTDaemon", where=self.program, hint="it comes from SPEC")
        address = Address("127.0.0.1", self.port)
        with socket.socket() as probe:
            probe.settimeout(0.2)
            if probe.connect_ex((address.host, address.port)) == 0:
                raise MachineError("the daemon's port is taken", where=str(address), hint="is another one running?")
        # Its times have to be UTC, as LoadGen's are.
        zone = [] if sys.platform == "win32" else ["env", "TZ=UTC"]
        with log.open("wb") as output:
            try:
                # Away from the terminal's Ctrl-C: the ranges are set back before it ends.
                process = subprocess.Popen(
                    tied([*zone, *self._config(samples)["command"]]),
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=output,
                    start_new_session=True,
                )
            except OSError as error:
                raise MachineError(f"cannot start the daemon: {error.strerror}", where=self.program) from error
            try:
                with self._connected(process, address, log) as daemon:
                    yield daemon
            finally:
                _end(process)

    def _connected(self, process: subprocess.Popen[bytes], address: Address, log: Path) -> Daemon:
        limit = time.monotonic() + _START_S
        while True:
            if process.poll() is not None:
                last = log.read_text("utf-8", "replace").strip().rpartition("\n")[2]
                raise RunFailedError("the daemon ended at once", where=self.program, found=last[:200] or None)
            try:
                return Daemon.connect(address, timeout_s=self.timeout_s)
            except RunFailedError:
                if time.monotonic() > limit:
                    raise
            time.sleep(0.1)


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(timeout=_END_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


@dataclass(frozen=True, slots=True)
class SimulatedHost:
    """The simulation, in a thread of this process.

    Attributes:
        analyzer: makes what it reads.
        device: number of the kind of analyzer that it stands for.
        timeout_s: how long one of its answers may take.
        late_s: how long one takes where it is asked to be slow.
        version: of the daemon that it stands for.
    """

    analyzer: Callable[[], Analyzer] = lambda: Analyzer(clock=time.time)
    device: int = 49
    timeout_s: float = 10.0
    late_s: float = 30.0
    version: str = "1.10.0"

    def config(self) -> Mapping[str, Any]:
        """What there is to say of it, for ``server.json``."""
        return {
            "command": ["assay", "power", "simulate", str(self.device)],
            "device_type": self.device,
            "interface_flag": "",
            "device_port": "simulated",
            "channel": None,
        }

    @contextlib.contextmanager
    def started(self, log: Path, samples: Path) -> Iterator[Daemon]:
        """Start it and connect; it ends with the context."""
        with log.open("w", encoding="utf-8", buffering=1) as output:
            simulator = Simulator(
                self.analyzer(),
                lambda line: output.write(f"{line}\n"),
                log=samples,
                version=self.version,
                late_s=self.late_s,
            )
            with simulating(simulator) as address, Daemon.connect(address, timeout_s=self.timeout_s) as daemon:
                yield daemon
