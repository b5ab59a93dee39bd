"""Several analyzers as one, as the official server puts them together."""

from __future__ import annotations

from pathlib import Path

import pytest

from assay.power.samples import Sample, parse_sample, read_samples
from assay.power.together import apart_s, merge_logs, merged, objections

MARK = "night_testing"


def sample(second: float, watts: float) -> Sample:
    return Sample(1_700_000_000 + second, watts, 230.0, 0.5, 0.95, MARK)


def test_watts_are_summed_and_each_stands_behind_its_name() -> None:
    (found,) = merged([[sample(0, 100.0)], [sample(0.25, 50.5)]])
    assert found.watts == 150.5
    # The official server's line for these two, byte for byte.
    stamps = "11-14-2023 22:13:20.000", "11-14-2023 22:13:20.250"
    head, tail = "Volts,-1.000000,Amps,-1.000000,PF,-1.000000", "Volts,230.000000,Amps,0.500000,PF,0.950000"
    assert found.line() == (
        f"Time,{stamps[0]},Watts,150.500000,{head},Mark,{MARK}"
        f",Analyzer1,Time,{stamps[0]},Watts,100.000000,{tail},Mark,{MARK}"
        f",Analyzer2,Time,{stamps[1]},Watts,50.500000,{tail},Mark,{MARK}"
    )
    assert parse_sample(found.line()) == found


def test_an_analyzer_that_was_off_counts_nothing_and_one_wired_backwards_counts() -> None:
    watts = [each.watts for each in merged([[sample(0, -1.0), sample(1, -40.0)], [sample(0, 60.0), sample(1, 60.0)]])]
    assert watts == [60.0, 100.0]


def test_as_many_as_the_one_that_took_the_fewest() -> None:
    taken = [[sample(n, 10.0) for n in range(3)], [sample(n, 20.0) for n in range(2)]]
    found = merged(taken)
    assert [each.watts for each in found] == [30.0, 30.0]
    assert objections(taken, found) == ["the analyzers took 3, 2 samples; 2 of each were put together"]


def test_readings_of_different_moments_are_told() -> None:
    taken = [[sample(0, 10.0)], [sample(2.5, 20.0)]]
    found = merged(taken)
    assert apart_s(found) == pytest.approx(2.5)
    assert objections(taken, found) == ["samples that were put together lie 2.5 s apart"]
    assert apart_s([sample(0, 1.0)]) == 0.0
    assert objections([[sample(0, 1.0)], [sample(0.5, 1.0)]], merged([[sample(0, 1.0)], [sample(0.5, 1.0)]])) == []


def test_channels_of_one_of_them(tmp_path: Path) -> None:
    channels = ",Ch1,Watts,10.000000,Volts,230.000000,Amps,0.050000,PF,0.950000"
    several = parse_sample(sample(0, 100.0).line() + channels)
    assert several is not None
    (found,) = merged([[sample(0, 7.0)], [several]])
    log = tmp_path / "spl.txt"
    log.write_text(found.line() + "\n")
    (read,) = read_samples(log, MARK)
    assert read == found and read.channels == () and [each.name for each in read.analyzers[1].channels] == ["Ch1"]


@pytest.mark.parametrize(
    "tail",
    [
        ",Analyzer1",
        ",Analyzer1,Time,never,Watts,1",
        ",x,Analyzer1," + sample(0, 1.0).line(),
        "".join(f",Analyzer{n}" for n in range(5000)),
    ],
)
def test_what_is_no_analyzer(tail: str) -> None:
    found = parse_sample(sample(0, 1.0).line() + tail)
    assert found is not None and found.analyzers == ()


def test_the_logs_of_the_daemons_become_one(tmp_path: Path) -> None:
    logs = [tmp_path / "one.txt", tmp_path / "two.txt"]
    for log in logs:
        log.write_text(f"{log.stem} says this\n")
    merge_logs([*logs, tmp_path / "three.txt"], tmp_path / "all.txt")
    assert (tmp_path / "all.txt").read_text() == "Analyzer 1\none says this\nAnalyzer 2\ntwo says this\n"
    assert not any(log.exists() for log in logs)
