"""The official programs in our place: client and server of mlcommons/power-dev, from a clone of it.

What they leave is what a round's checker takes: it asks for the hashes of their sources. They are run as they are, each
in a process of its own.
"""

from __future__ import annotations

import contextlib
import os
import shlex
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from assay.base.files import machine_errors
from assay.errors import NotFoundError, RunFailedError, UsageError
from assay.power.client import Measuring, Work
from assay.power.configuration import written
from assay.power.host import DaemonProcess
from assay.power.phase import Phase
from assay.power.simulation import Simulation
from assay.power.tied import tied
from assay.power.turn import Turns
from assay.power.wire import Address

_START_S = 60.0
_END_S = 5.0
_PLACES = ("", "ptd_client_server")


@dataclass(frozen=True, slots=True)
class OfficialTools:
    """A clone.

    Attributes:
        folder: with ``client.py`` and ``server.py``.
        ntp: the time server that they insist on.
    """

    folder: Path
    ntp: str

    @classmethod
    def of(cls, clone: Path, ntp: str | None) -> OfficialTools:
        """The programs of a clone, or of its folder of programs.

        Raises:
            NotFoundError: when they are not there.
            UsageError: without a time server.
        """
        if ntp is None:
            raise UsageError("the official programs need a time server", hint="--ntp HOST")
        for name in _PLACES:
            if all((clone / name / program).is_file() for program in ("client.py", "server.py")):
                return cls((clone / name).resolve(), ntp)
        hint = "git clone https://github.com/mlcommons/power-dev, at the revision of the round"
        raise NotFoundError("client.py and server.py of power-dev are not there", where=clone, hint=hint)

    def measure(self, command: Sequence[str], logs: Path, how: Measuring) -> Path:
        """Let the official client do the work and measure it; gives the folder it leaves.

        Raises:
            UsageError: when the folder is there already.
            RunFailedError: when the client fails.
        """
        done = subprocess.run(self._client(command, logs, how), check=False)
        return _left(how.output, done.returncode, "what it prints stands above")

    def _client(self, command: Sequence[str], logs: Path, how: Measuring) -> list[str]:
        if how.output.exists():
            raise UsageError("the folder is there already", where=how.output, hint="name another one")
        with machine_errors(how.output):
            how.output.parent.mkdir(parents=True, exist_ok=True)
        words = ["-a", how.director.host, "-p", str(how.director.port), "-n", self.ntp, "-l", how.label, "-T"]
        words += ["-L", str(logs), "-o", str(how.output), "-w", shlex.join(command)]
        return [sys.executable, str(self.folder / "client.py"), *words]

    def measure_work(self, work: Work, logs: Path, how: Measuring, printed: Path) -> Path:
        """Let the official client measure work that is done in this process; gives the folder it leaves.

        Args:
            work: is called once in each phase.
            logs: the folder below which LoadGen's logs appear; the output must not be in it.
            printed: takes what the client prints.

        Raises:
            RunFailedError: when the client fails, or what the work raises.
        """
        with Turns() as turns, printed.open("wb") as stream:
            process = subprocess.Popen(
                tied(self._client(turns.command, logs, how)),
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
            try:
                for phase in Phase:
                    how.show(f"the official client prepares the analyzer for {phase}")
                    if not turns.take(partial(work, phase), alive=lambda: process.poll() is None):
                        break
                code = process.wait()
            finally:
                end_group(process)
        last = printed.read_text("utf-8", "replace").strip().rpartition("\n")[2]
        return _left(how.output, code, f"it printed last: {last[:300]} (all of it: {printed})")

    @contextlib.contextmanager
    def serving(self, *daemons: DaemonProcess) -> Iterator[Address]:
        """Run the official server on this machine, with a daemon for each analyzer; gives its address.

        Raises:
            RunFailedError: when it does not come up.
        """
        with tempfile.TemporaryDirectory(prefix="assay-power-") as name:
            place = Address("127.0.0.1", _free_port())
            configuration, output = Path(name) / "server.conf", Path(name) / "output.txt"
            configuration.write_text(written(daemons, place, self.ntp), encoding="utf-8")
            words = [sys.executable, str(self.folder / "server.py"), "-c", str(configuration)]
            with output.open("wb") as stream:
                process = subprocess.Popen(
                    tied(words, signal.SIGINT),
                    cwd=name,
                    stdin=subprocess.DEVNULL,
                    stdout=stream,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                )
            try:
                _wait(place, process, output)
                yield place
            finally:
                end_group(process)


def _left(output: Path, code: int, hint: str) -> Path:
    """The folder that the client left, when it came to its end."""
    if code or not (output / "power" / "server.json").is_file():
        raise RunFailedError("the official client failed", found=f"exit code {code}", hint=hint)
    return output


def end_group(process: subprocess.Popen[bytes]) -> None:
    """End a process that leads a group, as Ctrl-C does, and then whatever it has started and left behind.

    The official server ends its daemon when it is interrupted, and leaves it running when it is terminated.
    """
    for number, wait_s in ((signal.SIGINT, _END_S), (signal.SIGKILL, None)):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=wait_s)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def _wait(place: Address, process: subprocess.Popen[bytes], output: Path) -> None:
    """Wait until it listens; a connection that says nothing is one that it lets go."""
    limit = time.monotonic() + _START_S
    while time.monotonic() < limit:
        if process.poll() is not None:
            last = output.read_text("utf-8", "replace").strip().rpartition("\n")[2]
            raise RunFailedError("the official server ended at once", found=last[:300] or None)
        with socket.socket() as probe:
            probe.settimeout(0.5)
            if probe.connect_ex((place.host, place.port)) == 0:
                return
        time.sleep(0.1)
    raise RunFailedError(f"the official server does not listen after {_START_S:g} s", where=str(place))


@contextlib.contextmanager
def simulation_programs(simulation: Simulation) -> Iterator[tuple[DaemonProcess, ...]]:
    """The simulation as a program for each of its analyzers."""
    with simulation_program(simulation.words()) as daemon:
        ports = [daemon.port, *(_free_port() for _ in range(simulation.analyzers - 1))]
        yield tuple(replace(daemon, port=port) for port in ports)


@contextlib.contextmanager
def simulation_program(options: Sequence[str]) -> Iterator[DaemonProcess]:
    """The simulation as a program that somebody else starts as his PTDaemon.

    Args:
        options: of ``assay power simulate``.
    """
    if sys.platform == "win32":
        raise UsageError("the official server starts no simulation on Windows", hint="leave --official away")
    with tempfile.TemporaryDirectory(prefix="assay-power-") as name:
        program = Path(name) / "simulated-ptd"
        command = shlex.join([sys.executable, "-m", "assay", "power", "simulate", *options])
        program.write_text(f'#!/bin/sh\nexec {command} "$@"\n', encoding="utf-8")
        program.chmod(0o700)
        yield DaemonProcess(str(program), 49, "simulated", port=_free_port())
