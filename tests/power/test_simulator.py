"""The simulated daemon: its words, its logs, and that it says what it is."""

from __future__ import annotations

import socket
import time
from pathlib import Path

import pytest

from assay.errors import MachineError
from assay.power.analyzer import Analyzer
from assay.power.identity import Identity
from assay.power.samples import read_samples
from assay.power.simulator import Simulator, simulating
from assay.power.wire import Address, Wire


def simulator(said: list[str], log: Path | None = None) -> Simulator:
    return Simulator(Analyzer(clock=time.time, speed=50), said.append, log=log)


def test_it_says_everywhere_that_it_is_a_simulation() -> None:
    said: list[str] = []
    one = simulator(said)
    with simulating(one):
        pass
    assert "SIMULATED" in said[0]
    assert Identity.parse(one.answer("Identify")[0]).simulated


def test_a_real_daemon_is_no_simulation() -> None:
    real = Identity.parse("YokogawaWT310E,1000,1,1,version=1.10.0-ed9a21d2-20220817,OS=Linux,mode=power")
    assert real == Identity("YokogawaWT310E", "1.10.0", simulated=False)
    assert Identity.parse("something else").version == ""


def test_the_words_of_the_daemon() -> None:
    one = simulator([])
    start = "Starting untimed measurement, maximum 500000 samples at 1000ms with 0 rampup samples"
    for command, answer in (
        ("Hello", "Hello, PTDaemon here!"),
        ("RR", "Ranges,1,2.000000,1,300.000000"),
        ("SR,V,Auto", "Range V changed"),
        ("SR,A,3.7", "Range A changed"),
        ("SR,A,99", "Error: the range 'A,99' is not supported"),
        ("SR,W,1", "Error: the range 'W,1' is not supported"),
        ("Stop", "Error: no measurement to stop"),
        ("Watts", "No data"),
        ("Go,1000,0,night_ranging", start),
        ("Go,1000,0,night_ranging", "Error: a measurement is under way"),
        ("Stop", "Stopping untimed measurement"),
        ("Go,fast,0", "Error: Go,<milliseconds>,<samples to leave out>,<mark>"),
        ("RL,*,*", "Error: Invalid number of parameters"),
        ("RL", "Last 0 samples"),
        ("Dance", "Unknown command 'Dance'"),
    ):
        assert one.answer(command)[0] == answer, command


def test_its_log_has_what_the_checkers_look_for(tmp_path: Path) -> None:
    said: list[str] = []
    log = tmp_path / "samples.txt"
    with simulating(simulator(said, log)) as place, Wire.connect(place, "it") as wire:
        wire.ask("Go,1000,0,night_ranging")
        time.sleep(0.1)
        wire.ask("Stop")
    text = [line.partition(": ")[2] for line in said]
    order = [text.index(line) for line in ("Uncertainty checking for YokogawaWT310 is activated",)]
    order += [text.index("Go with mark 'night_ranging'"), text.index("Completed test")]
    assert order == sorted(order)
    assert len(read_samples(log, "night_ranging")) >= 3


def test_a_client_after_the_other_and_rubbish() -> None:
    with simulating(simulator([])) as place:
        for _ in range(2):
            with Wire.connect(place, "it") as wire:
                assert wire.ask("Hello") == "Hello, PTDaemon here!"
        with Wire.connect(place, "it") as wire:
            wire.connection.sendall(b"\xff\x00" * 10 + b"\n")
            assert wire.receive().startswith("Unknown command")


def test_a_port_that_is_taken() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(MachineError, match="cannot listen"):
        simulator([]).listen(Address("127.0.0.1", taken.getsockname()[1]))


def test_samples_of_all_channels_have_no_names_of_them() -> None:
    analyzer = Analyzer(clock=time.time, speed=50, channels=("Ch1", "Ch2"))
    one = Simulator(analyzer, lambda line: None)
    with simulating(one) as place, Wire.connect(place, "the daemon") as wire:
        wire.ask("Go,1000,0,night_ranging")
        time.sleep(0.1)
        wire.ask("Stop")
        count = int(wire.ask("RL,*,*").split()[1])
        lines = [wire.receive() for _ in range(count)]
        assert wire.ask("RL") == "Last 0 samples"
    assert lines and all(line.count("Watts") == 3 and "Ch" not in line and "Mark" not in line for line in lines)
