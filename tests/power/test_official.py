"""The official programs, played by small ones: how they are started, and what is told when they fail."""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from assay.errors import NotFoundError, RunFailedError, UsageError
from assay.power.client import Measuring
from assay.power.configuration import written
from assay.power.daemon import Daemon
from assay.power.host import DaemonProcess
from assay.power.official import OfficialTools, end_group, simulation_program, simulation_programs
from assay.power.phase import Phase
from assay.power.simulation import Simulation
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


WORKING = """
import pathlib, subprocess, sys
rest = [word for word in sys.argv[1:] if word != "-T"]
words = dict(zip(rest[::2], rest[1::2]))
for phase in ("ranging", "testing"):
    print("now", phase, flush=True)
    subprocess.run(words["-w"], shell=True, check=True)
out = pathlib.Path(words["-o"])
(out / "power").mkdir(parents=True)
(out / "power" / "server.json").write_text("{}")
"""


def test_the_work_is_done_in_this_process(tmp_path: Path) -> None:
    phases: list[str] = []

    def work(phase: Phase) -> Path:
        phases.append(phase.value)
        return tmp_path

    how = Measuring(Address("127.0.0.1", 1), tmp_path / "out")
    printed = tmp_path / "client.log"
    assert tools(tmp_path, WORKING).measure_work(work, tmp_path / "logs", how, printed) == tmp_path / "out"
    assert phases == ["ranging", "testing"]
    assert printed.read_text().split() == ["now", "ranging", "now", "testing"]


def test_work_that_fails_ends_the_client(tmp_path: Path) -> None:
    def work(phase: Phase) -> Path:
        raise RunFailedError(f"an engine broke while {phase}")

    how = Measuring(Address("127.0.0.1", 1), tmp_path / "out")
    with pytest.raises(RunFailedError, match="an engine broke while ranging"):
        tools(tmp_path, WORKING).measure_work(work, tmp_path / "logs", how, tmp_path / "client.log")


def test_a_client_that_never_comes_to_the_work(tmp_path: Path) -> None:
    how = Measuring(Address("127.0.0.1", 1), tmp_path / "out")
    client = "raise SystemExit('Could not connect to the server')"
    with pytest.raises(RunFailedError, match="the official client failed") as caught:
        tools(tmp_path, client).measure_work(lambda phase: tmp_path, tmp_path, how, tmp_path / "client.log")
    assert "Could not connect to the server" in (caught.value.hint or "")


def test_a_process_ends_with_all_that_it_has_started(tmp_path: Path) -> None:
    child = "import signal, time; signal.signal(signal.SIGINT, signal.SIG_IGN); print('up', flush=True); time.sleep(60)"
    parent = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}])"
    process = subprocess.Popen([sys.executable, "-c", parent], stdout=subprocess.PIPE, start_new_session=True)
    assert process.stdout is not None
    with process.stdout:
        assert process.stdout.readline() == b"up\n"
        (below,) = psutil.Process(process.pid).children()
        end_group(process)
    assert process.returncode is not None
    below.wait(timeout=10)
    assert not below.is_running()


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


def test_what_the_server_reads() -> None:
    text = written((DaemonProcess("/opt/ptd", 49, "box", "-y", 8889),), Address("127.0.0.1", 7), "ntp.example")
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


def test_a_program_for_each_simulated_analyzer() -> None:
    with simulation_programs(Simulation(90.0, analyzers=3)) as daemons:
        assert len({daemon.port for daemon in daemons}) == 3
        (program,) = {daemon.program for daemon in daemons}
        assert "--analyzers 3" in Path(program).read_text()
