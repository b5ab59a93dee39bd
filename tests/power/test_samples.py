"""Samples: written and read as the daemon does, and what is none is passed over."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import pytest

from assay.errors import InvalidInputError, NotFoundError
from assay.power.samples import Sample, good, moment_of, parse_sample, parse_samples, read_samples, stamp

LINE = "Time,03-01-2023 18:00:01.250,Watts,22.950000,Volts,230.100000,Amps,0.104000,PF,0.950000,Mark,night_testing"


def test_a_sample_is_written_as_it_is_read() -> None:
    sample = parse_sample(LINE)
    assert sample == Sample(1677693601.25, 22.95, 230.1, 0.104, 0.95, "night_testing")
    assert sample.line() == LINE


def test_without_a_mark() -> None:
    bare = LINE.partition(",Mark")[0]
    sample = parse_sample(bare)
    assert sample is not None
    assert (sample.mark, sample.line()) == ("", bare)


@pytest.mark.parametrize(
    "line",
    ["", "Time,now,Watts,1,Volts,1,Amps,1,PF,1", LINE.replace("22.95", "many"), "Time,03-01-2023 18:00:01.250,Watts,1"],
)
def test_other_lines_are_none(line: str) -> None:
    assert parse_sample(line) is None


def test_times_are_utc_and_go_both_ways() -> None:
    assert stamp(1677693601.25) == "03-01-2023 18:00:01.250"
    assert moment_of("03-01-2023 18:00:01.250") == 1677693601.25


def test_only_those_of_a_mark() -> None:
    other = LINE.replace("testing", "ranging")
    assert len(list(parse_samples([LINE, other]))) == 2
    assert [sample.mark for sample in parse_samples([LINE, other], "night_ranging")] == ["night_ranging"]


def test_what_the_analyzer_did_not_read_is_not_good() -> None:
    assert [good(Sample(0, watts)) for watts in (1.0, 0.0, -1.0, math.nan, math.inf)] == [True, *[False] * 4]


def test_a_log_without_samples_is_told(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError):
        read_samples(tmp_path / "none")
    log = tmp_path / "spl.txt"
    log.write_text(f"{LINE}\nrubbish\n", encoding="utf-8")
    assert len(read_samples(log)) == 1
    with pytest.raises(InvalidInputError, match="with the mark other"):
        read_samples(log, "other")


CHANNELS = ",Ch1,Watts,10.000000,Volts,230.000000,Amps,0.050000,PF,0.950000,Ch2,Watts,12.950000,Volts,231.000000,Amps,0.054000,PF,0.950000"


def test_channels_stand_behind_the_mark() -> None:
    sample = parse_sample(LINE + CHANNELS)
    assert sample is not None
    assert [(each.name, each.watts, each.volts) for each in sample.channels] == [("Ch1", 10, 230), ("Ch2", 12.95, 231)]
    assert sample.line() == LINE + CHANNELS
    bare = LINE.partition(",Mark")[0] + CHANNELS
    assert parse_sample(bare) == replace(sample, mark="")


@pytest.mark.parametrize(
    "tail", [",Ch1", ",Ch1,Watts,x,Volts,1,Amps,1,PF,1", ",Dh1,Watts,1,Volts,1,Amps,1,PF,1", ",,,,,,,,,"]
)
def test_what_is_no_channel_ends_them(tail: str) -> None:
    sample = parse_sample(LINE + tail)
    assert sample is not None
    assert sample.channels == ()
