"""A session: ranges from what was seen, its turns, and the ranges from before at its end."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from assay.errors import RunFailedError, UsageError
from assay.power.curves import given
from assay.power.host import Host, SimulatedHost
from assay.power.journal import Journal
from assay.power.phase import Phase
from assay.power.record import SessionRecord
from assay.power.samples import read_samples
from assay.power.session import Session
from assay.power.simulation import Simulation

from .workload import host


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    (tmp_path / "night" / "power").mkdir(parents=True)
    yield tmp_path / "night"


def session(folder: Path, *where: Host) -> Session:
    return Session(where, folder, SessionRecord("night"), Journal("test"), lambda: None)


def test_ranging_then_testing(folder: Path) -> None:
    one = session(folder, host(curve=given([(0, 218.5)])))
    for phase in Phase:
        one.start(phase)
        time.sleep(0.15)
        one.stop(phase)
    one.close()
    commands = [command for command, _ in one.messages]
    # 218.5 W at 230 V and a power factor of 0.95 are one ampere, and a tenth more is its range.
    assert [command for command in commands if command.startswith("SR")] == [
        *("SR,V,Auto", "SR,A,Auto", "SR,V,230", "SR,A,1.1", "SR,V,Auto", "SR,A,Auto")
    ]
    for phase in Phase:
        assert len(read_samples(folder / phase.folder / "spl.txt", f"night_{phase}")) >= 2
    assert (folder / "run_1" / "ptd_out.txt").read_text().startswith("Power: Watts,218.5")
    assert [path.name for path in folder.parent.iterdir()] == ["night"]


def test_turns(folder: Path) -> None:
    one = session(folder, host())
    with pytest.raises(UsageError, match="testing cannot start now"):
        one.start(Phase.TESTING)
    with pytest.raises(UsageError, match="ranging does not run"):
        one.stop(Phase.RANGING)
    one.start(Phase.RANGING)
    with pytest.raises(UsageError, match="cannot start now"):
        one.start(Phase.RANGING)
    time.sleep(0.15)
    one.stop(Phase.RANGING)
    with pytest.raises(UsageError, match="ranging is done"):
        one.start(Phase.RANGING)
    one.close()


def test_too_short_for_a_sample(folder: Path) -> None:
    one = session(folder, host(speed=1))
    one.start(Phase.RANGING)
    with pytest.raises(RunFailedError, match="no sample was taken while ranging"):
        one.stop(Phase.RANGING)
    one.close()


def test_nothing_is_plugged_in(folder: Path) -> None:
    one = session(folder, host(curve=given([(0, 0.0)])))
    one.start(Phase.RANGING)
    time.sleep(0.15)
    with pytest.raises(RunFailedError, match="the analyzer read no power while ranging"):
        one.stop(Phase.RANGING)
    one.close()


def test_refused_ranges_stop_it_before_the_run(folder: Path) -> None:
    one = session(folder, host("bad-range"))
    one.start(Phase.RANGING)
    time.sleep(0.15)
    one.stop(Phase.RANGING)
    with pytest.raises(RunFailedError, match="does not take 230 as its range of volts"):
        one.start(Phase.TESTING)
    one.close()


def test_a_daemon_that_is_lost_does_not_keep_it_from_ending(folder: Path) -> None:
    one = session(folder, host("lost-connection"))
    one.start(Phase.RANGING)
    time.sleep(0.25)
    with pytest.raises(RunFailedError, match="lost"):
        one.stop(Phase.RANGING)
    one.close()
    assert "the ranges are left as they are" in one.journal.lines[-1]


def test_ranges_hold_every_channel(folder: Path) -> None:
    analyzer = Simulation(watts=437.0, speed=30, channels=2).analyzer
    one = session(folder, SimulatedHost(analyzer))
    one.start(Phase.RANGING)
    time.sleep(0.15)
    one.stop(Phase.RANGING)
    (sample, *_) = read_samples(folder / "ranging" / "spl.txt")
    assert [each.name for each in sample.channels] == ["Ch1", "Ch2"]
    assert sum(each.watts for each in sample.channels) == pytest.approx(sample.watts, abs=1e-4)
    (found,) = (each.found for each in one.instruments)
    assert found is not None
    # Two amperes of both together, as the official server reckons it.
    assert 2.1 < float(found.amps) < 2.3
    one.close()


def test_several_analyzers_have_their_own_ranges_and_their_watts_are_summed(folder: Path) -> None:
    small, large = host(curve=given([(0, 218.5)])), host(curve=given([(0, 437.0)]))
    one = session(folder, small, large)
    for phase in Phase:
        one.start(phase)
        time.sleep(0.15)
        one.stop(phase)
    one.close()
    ranges = [command for command, _ in one.messages if command.startswith("SR")]
    own = [("SR,V,230", f"SR,A,{amps}") for amps in ("1.1", "2.2")]
    auto = ("SR,V,Auto", "SR,A,Auto")
    assert ranges == [word for pair in own for word in (*auto, *pair, *auto)]
    for phase in Phase:
        samples = read_samples(folder / phase.folder / "spl.txt", f"night_{phase}")
        assert len(samples) >= 2
        assert {round(sample.watts, 3) for sample in samples} == {655.5}
        assert {tuple(round(each.watts, 1) for each in sample.analyzers) for sample in samples} == {(218.5, 437.0)}
    told = (folder / "run_1" / "ptd_out.txt").read_text().splitlines()
    assert told[0] == "Analyzer 1:" and told[3] == "Analyzer 2:" and told[4].startswith("Power: Watts,437")
    log = (folder / "power" / "ptd_logs.txt").read_text()
    assert log.startswith("Analyzer 1\n") and log.count("\nAnalyzer 2\n") == 1
    assert log.count("Go with mark 'night_testing'") == 2
    assert [path.name for path in folder.parent.iterdir()] == ["night"]


def test_one_of_several_that_fails_fails_the_session(folder: Path) -> None:
    one = session(folder, host(), host("bad-range"))
    one.start(Phase.RANGING)
    time.sleep(0.15)
    one.stop(Phase.RANGING)
    with pytest.raises(RunFailedError, match="does not take 230 as its range of volts"):
        one.start(Phase.TESTING)
    one.close()
    two = session(folder.with_name("other"), host(), host("lost-connection"))
    (folder.with_name("other") / "power").mkdir(parents=True)
    two.start(Phase.RANGING)
    time.sleep(0.25)
    with pytest.raises(RunFailedError, match="lost"):
        two.stop(Phase.RANGING)
    two.close()
    assert any("analyzer 2: the ranges are left as they are" in line for line in two.journal.lines)
