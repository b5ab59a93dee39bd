"""Starting the daemon: as a process with its output kept, and what is told when it does not come up."""

from __future__ import annotations

import socket
import sys
from pathlib import Path

import pytest

from assay.errors import MachineError, NotFoundError, RunFailedError
from assay.power.host import DaemonProcess

from .workload import host


def script(folder: Path, text: str) -> str:
    path = folder / "ptd"
    path.write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
    path.chmod(0o755)
    return str(path)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.mark.skipif(sys.platform == "win32", reason="needs a shell")
def test_the_program_gets_the_daemons_own_options_and_ends_with_us(tmp_path: Path) -> None:
    program = script(tmp_path, f'echo "$TZ $@"; exec "{sys.executable}" -m assay power simulate --speed 20 "$@"')
    process = DaemonProcess(program, 49, "box", "-y", port=free_port())
    log, samples = tmp_path / "log.txt", tmp_path / "samples.txt"
    with process.started(log, samples) as daemon:
        assert daemon.identify().analyzer.startswith("YokogawaWT310")
    said = log.read_text()
    assert said.startswith(f"UTC -l {samples} -p {process.port} -y 49 box\n")
    assert "SIMULATED" in said
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", process.port)) != 0
    assert process.config()["device_type"] == 49


@pytest.mark.skipif(sys.platform == "win32", reason="needs a shell")
def test_a_program_that_ends_at_once(tmp_path: Path) -> None:
    process = DaemonProcess(script(tmp_path, "echo no analyzer found; exit 3"), 49, "box", port=free_port())
    told = pytest.raises(RunFailedError, match="the daemon ended at once; found no analyzer found")
    with told, process.started(tmp_path / "log.txt", tmp_path / "samples.txt"):
        pass


def test_no_such_program(tmp_path: Path) -> None:
    process = DaemonProcess(str(tmp_path / "none"), 49, "box")
    told = pytest.raises(NotFoundError, match="there is no such PTDaemon")
    with told, process.started(tmp_path / "log", tmp_path / "samples"):
        pass


def test_a_taken_port(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        process = DaemonProcess(sys.executable, 49, "box", port=taken.getsockname()[1])
        with (
            pytest.raises(MachineError, match="the daemon's port is taken"),
            process.started(tmp_path / "log", tmp_path / "samples"),
        ):
            pass


def test_the_simulation_says_in_its_configuration_what_it_is(tmp_path: Path) -> None:
    where = host()
    assert where.config()["command"][:3] == ["assay", "power", "simulate"]
    with where.started(tmp_path / "log", tmp_path / "samples") as daemon:
        assert daemon.identify().simulated
    assert "SIMULATED" in (tmp_path / "log").read_text()


def test_channels_are_told_to_the_daemon() -> None:
    config = DaemonProcess("ptd", 77, "box", "-y", channels=(1, 2)).config()
    assert config["channel"] == [1, 2]
    assert config["command"][-5:] == ["-y", "-c", "1,2", "77", "box"]


def test_a_board_and_direct_current_are_told_to_the_daemon() -> None:
    command = DaemonProcess("ptd", 508, "0", "-g", board=1, direct="-D").config()["command"]
    assert command == ["ptd", "-l", "samples.txt", "-p", "8888", "-b", "1", "-g", "-D", "508", "0"]
