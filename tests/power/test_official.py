"""The official programs, played by small ones: how they are started, and what is told when they fail."""

from __future__ import annotations

import socket
import sys
from pathlib import Path

import pytest

from assay.errors import NotFoundError, RunFailedError, UsageError
from assay.power.client import Measuring
from assay.power.daemon import Daemon
from assay.power.host import DaemonProcess
from assay.power.official import OfficialTools, simulation_program
from assay.power.wire import Address

CLIENT = """
import pathlib, sys
rest = [word for word in sys.argv[1:] if word != "-T"]
words = dict(zip(rest[::2], rest[1::2]))
out = pathlib.Path(words["-o"])
(out / "power").mkdir(parents=True)
(out / "power" / "server.json").write_text(repr(words))
"""
SERVER = """
import configparser, socket, sys
conf = configparser.ConfigParser()
conf.read(sys.argv[2])
host, port = conf["server"]["listen"].split()
listener = socket.create_server((host, int(port)))
while True:
    listener.accept()[0].close()
"""


def tools(clone: Path, client: str = CLIENT, server: str = SERVER) -> OfficialTools:
    folder = clone / "ptd_client_server"
    folder.mkdir()
    (folder / "client.py").write_text(client, encoding="utf-8")
    (folder / "server.py").write_text(server, encoding="utf-8")
    return OfficialTools.of(clone, "ntp.example")


def test_the_client_is_told_everything(tmp_path: Path) -> None:
    how = Measuring(Address("10.0.0.2", 4950), tmp_path / "new" / "out", "night", "ntp.example")
    folder = tools(tmp_path).measure(["run me", "--fast"], tmp_path / "logs", how)
    told = (folder / "power" / "server.json").read_text()
    for word in ("'-a': '10.0.0.2'", "'-p': '4950'", "'-l': 'night'", "'-n': 'ntp.example'"):
        assert word in told
    assert "'-w': \"'run me' --fast\"" in told
    with pytest.raises(UsageError, match="there already"):
        tools_again(tmp_path).measure(["x"], tmp_path / "logs", how)


def tools_again(clone: Path) -> OfficialTools:
    return OfficialTools.of(clone / "ptd_client_server", "ntp.example")


@pytest.mark.parametrize("client", ["raise SystemExit(1)", "pass"])
def test_a_client_that_fails_or_leaves_nothing(client: str, tmp_path: Path) -> None:
    how = Measuring(Address("127.0.0.1", 1), tmp_path / "out")
    with pytest.raises(RunFailedError, match="the official client failed"):
        tools(tmp_path, client).measure(["true"], tmp_path / "logs", how)


def test_the_server_is_started_and_ended(tmp_path: Path) -> None:
    with tools(tmp_path).serving(DaemonProcess("ptd", 49, "box", "-y")) as place, socket.socket() as probe:
        assert probe.connect_ex((place.host, place.port)) == 0
    with socket.socket() as probe:
        assert probe.connect_ex((place.host, place.port)) != 0


def test_a_server_that_ends(tmp_path: Path) -> None:
    broken = tools(tmp_path, server="raise SystemExit('Could not synchronize with NTP')")
    told = pytest.raises(RunFailedError, match="ended at once; found Could not synchronize with NTP")
    with told, broken.serving(DaemonProcess("ptd", 49, "box")):
        pass


def test_what_the_server_reads(tmp_path: Path) -> None:
    text = tools(tmp_path)._configuration(Address("127.0.0.1", 7), DaemonProcess("/opt/ptd", 49, "box", "-y", 8889))
    analyzer = "networkPort: 8889\ndeviceType: 49\ninterfaceFlag: -y\ndevicePort: box\n"
    server = "[server]\nntpServer: ntp.example\nlisten: 127.0.0.1 7\n"
    assert text == f"{server}[ptd]\nptd: /opt/ptd\n{analyzer}[analyzer1]\n{analyzer}"


def test_what_is_missing(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match=r"client\.py and server\.py of power-dev are not there"):
        OfficialTools.of(tmp_path, "ntp.example")
    with pytest.raises(UsageError, match="need a time server"):
        OfficialTools.of(tmp_path, None)


@pytest.mark.skipif(sys.platform == "win32", reason="needs a shell")
def test_the_simulation_as_somebody_elses_daemon(tmp_path: Path) -> None:
    with (
        simulation_program(["--watts", "50"]) as process,
        process.started(tmp_path / "log.txt", tmp_path / "samples.txt") as daemon,
    ):
        assert isinstance(daemon, Daemon)
        assert daemon.identify().simulated
    assert not Path(process.program).exists()
