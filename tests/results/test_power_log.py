"""Power over time from the analyzer's log, whatever stands in it."""

from __future__ import annotations

from pathlib import Path

import pytest

from assay.errors import InvalidInputError, NotFoundError
from assay.results.charts import to_svg
from assay.results.power_log import power_over_time, read_watts

LINE = "Time,11-28-2026 10:{:02}:{:02}.000,Watts,{},Volts,230.0,Amps,0.1,PF,0.9,Mark,x\n"


def log(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "spl.txt"
    path.write_text(text)
    return path


def test_samples_are_seconds_and_watts(tmp_path: Path) -> None:
    path = log(tmp_path, LINE.format(0, 1, 20.5) + LINE.format(0, 3, 21.5))
    assert read_watts(path) == [(0.0, 20.5), (2.0, 21.5)]


def test_lines_that_are_none_are_passed_over(tmp_path: Path) -> None:
    odd = "Time,yesterday,Watts,1\nTime,11-28-2026 10:00:00.000,Watts,nan\nTime,11-28-2026 10:00:00.000,Watts,1e99\nx\n"
    path = log(tmp_path, odd + LINE.format(0, 1, 20) + "\x00" * 99_999 + "\n" + LINE.format(0, 2, 30) + "Time,11-")
    assert [watts for _, watts in read_watts(path)] == [20.0, 30.0]


@pytest.mark.parametrize("text", ["", "nothing\n", LINE.format(0, 1, 20)])
def test_a_log_without_samples_is_told(tmp_path: Path, text: str) -> None:
    with pytest.raises(InvalidInputError):
        read_watts(log(tmp_path, text))


def test_no_log_is_told(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError):
        read_watts(tmp_path / "spl.txt")


def test_it_is_drawn_with_a_bounded_number_of_points() -> None:
    spec = power_over_time([(float(second), 100.0 + second % 2) for second in range(10_000)])
    values = spec["data"]["values"]  # type: ignore[index, call-overload]
    assert 300 < len(values) <= 600  # type: ignore[arg-type]
    assert {round(each["watts"], 1) for each in values} <= {100.4, 100.5, 100.6}  # type: ignore[index, union-attr, call-overload, arg-type]
    assert to_svg(power_over_time([(0.0, 1.0), (1.0, 2.0)])).startswith("<svg")
