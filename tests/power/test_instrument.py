"""One analyzer of a session; its turns, faults and channels are tried with the session."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from assay.errors import RunFailedError
from assay.power.instrument import Instrument, ranges_for
from assay.power.journal import Journal
from assay.power.phase import Phase
from assay.power.samples import Channel, Sample

from .workload import host


def test_it_names_itself_where_there_are_several(tmp_path: Path) -> None:
    journal = Journal("test")
    one = Instrument(host(), journal, tmp_path / "log.txt", tmp_path / "samples.txt", "analyzer 2: ")
    with pytest.raises(RunFailedError, match="analyzer 2: the daemon does not run"):
        one.go("night_ranging")
    assert one.prepare().amps == "Auto"
    one.go("night_ranging")
    time.sleep(0.15)
    taken = one.stop(Phase.RANGING, "night_ranging")
    assert taken.samples and taken.summary == ""
    assert one.found is not None and one.prepare() == one.found
    one.close()
    assert not (tmp_path / "samples.txt").exists()
    assert all("analyzer 2: " in line for line in journal.lines)
    assert [command for command, _ in one.messages][-2:] == ["SR,V,Auto", "SR,A,Auto"]


def test_ranges_hold_the_largest_of_all_readings_and_channels() -> None:
    channels = (Channel("Ch1", 10, 231, 0.1, 1), Channel("Ch2", 900, 229, 5.0, 1))
    samples = [Sample(0, 910, 230, 4.0, 1, "", channels), Sample(1, -1, -1, -1), Sample(2, float("nan"), 400, 99)]
    found = ranges_for(samples)
    assert (found.volts, found.amps) == ("231", "5.5")
    with pytest.raises(RunFailedError, match="read no power"):
        ranges_for(samples[1:])
