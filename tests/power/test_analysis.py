"""Figures of power, reckoned by hand, and everything that can speak against them."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from assay.errors import InvalidInputError, NotFoundError
from assay.loadgen.record import Label
from assay.power.analysis import PowerFigures, analyse, analyzers_of, reckon
from assay.power.samples import Sample, read_samples, stamp
from assay.power.window import Window
from assay.submission.checks.power import watts_inside

from .workload import write_logs

OFFICIAL = {"sources": {"client.py": "0" * 40}}
REAL = {"cmd": "Identify", "reply": "YokogawaWT310,1,1,version=1.10.0-ed9a21d2-20220817,OS=Linux"}


def build(folder: Path, *, ranging: float = 100, testing: float = 100, log: str = "", **server: Any) -> PowerFigures:
    """A measurement of ten seconds, as the official programs leave it."""
    for place, watts, begin in (("ranging", ranging, 1000.0), ("run_1", testing, 2000.0)):
        write_logs(folder / place, begin, begin + 10, samples=500)
        samples = [Sample(begin - 2.5 + second, watts, 230, 1, 0.9, "s") for second in range(15)]
        (folder / place / "spl.txt").write_text("".join(f"{sample.line()}\n" for sample in samples))
    (folder / "power").mkdir()
    records = {"client": OFFICIAL, "server": {**OFFICIAL, "ptd_messages": [REAL], **server}}
    for side, record in records.items():
        (folder / "power" / f"{side}.json").write_text(json.dumps(record))
    (folder / "power" / "ptd_logs.txt").write_text(log)
    return analyse(folder)


def test_the_figures(tmp_path: Path) -> None:
    figures = build(tmp_path, testing=120)
    assert (figures.watts, figures.seconds, figures.readings, figures.samples) == (120, 10, 10, 500)
    assert (figures.joules, figures.joules_per_sample) == (1200, 2.4)
    assert figures.samples_per_joule == pytest.approx(500 / 1200)
    assert (figures.problems, figures.labels) == ((), ())
    assert figures.points[0] == (-2.5, 120)
    assert len(figures.points) == 15


def test_the_average_is_that_of_the_submission_checker(tmp_path: Path) -> None:
    moments = [(2000 + tenth / 10, 90 + tenth % 13) for tenth in range(-20, 130)]
    samples = [Sample(at, watts, 230, 1, 0.9, "s") for at, watts in moments]
    text = "".join(f"{sample.line()}\n" for sample in samples)
    begin, end = (datetime.fromtimestamp(at, UTC).replace(tzinfo=None) for at in (2000.0, 2010.0))
    official = watts_inside(text, begin, end, "spl.txt")
    (tmp_path / "spl.txt").write_text(text)
    figures = reckon(read_samples(tmp_path / "spl.txt"), Window(2000, 2010))
    assert (figures.readings, figures.watts) == (len(official), pytest.approx(sum(official) / len(official)))


def test_power_that_falls_after_ranging(tmp_path: Path) -> None:
    assert build(tmp_path, testing=94).problems == (
        "94.0 W while testing are more than 5% below 100.0 W while ranging",
    )


def test_complaints_of_the_daemon_count_while_loadgen_measured(tmp_path: Path) -> None:
    uncertain = "WARNING: Uncertainty 1.45%, which is above 1.00% limit for the last sample!"
    lines = [f"{stamp(at)}: {text}" for at in (1990.0, 2003.0, 2004.0) for text in (uncertain, "ERROR: Bad watts")]
    assert build(tmp_path, log="no time: ERROR: x\n" + "\n".join(lines)).problems == (
        "2 samples are less certain than 1%",
        "2 errors of the daemon, the first: ERROR: Bad watts",
    )


@pytest.mark.parametrize(
    "server",
    [
        {"debug": True},
        {"ptd_messages": []},
        {"ptd_messages": {"cmd": "Identify"}},
        {"sources": {"assay/power/director.py": "1" * 40}},
    ],
)
def test_what_is_not_official_is_labelled(server: dict[str, Any], tmp_path: Path) -> None:
    assert build(tmp_path, **server).labels == (Label.UNOFFICIAL_POWER,)


@pytest.mark.parametrize("sources", [OFFICIAL["sources"], {"assay/power/director.py": "1" * 40}])
def test_a_simulation_is_labelled_as_such_whoever_measured(sources: dict[str, str], tmp_path: Path) -> None:
    reply = "YokogawaWT310,version=1.10.0-SIMULATED-by-assay"
    figures = build(tmp_path, ptd_messages=[{"cmd": "Identify", "reply": reply}], sources=sources)
    assert figures.labels == (Label.SIMULATED_POWER,)
    (identity,) = analyzers_of(tmp_path)
    assert (identity.analyzer, identity.version, identity.simulated) == ("YokogawaWT310", "1.10.0", True)


def test_missing_and_bad_readings_are_told() -> None:
    window = Window(0, 100, None)
    samples = [Sample(at, 50 if at % 2 else -1) for at in range(1, 80)]
    figures = reckon(samples, window)
    assert (figures.watts, figures.joules_per_sample, figures.samples_per_joule) == (50, None, None)
    assert figures.problems == (
        "39 of 79 samples are no readings",
        "79 samples in 100 s: one a second is asked, so some were dropped",
    )


def test_no_sample_in_the_window() -> None:
    with pytest.raises(InvalidInputError, match="3 samples, 0 of them in the window"):
        reckon([Sample(at, 50) for at in range(3)], Window(10, 20))


def test_the_ends_of_the_window_are_outside() -> None:
    assert reckon([Sample(at, 50) for at in (10, 11, 20)], Window(10, 20)).readings == 1


def test_damaged_folders_are_told(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError):
        analyse(tmp_path)
    build(tmp_path)
    (tmp_path / "power" / "client.json").write_text("[]")
    with pytest.raises(InvalidInputError, match="not a record of a power session"):
        analyse(tmp_path)


def test_as_json(tmp_path: Path) -> None:
    assert json.loads(json.dumps(build(tmp_path).to_dict()))["joules"] == 1000
