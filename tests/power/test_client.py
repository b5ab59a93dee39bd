"""A whole measurement against the simulation: what it leaves passes every check, and what goes wrong is told."""

from __future__ import annotations

import dataclasses
import json
import time
from pathlib import Path

import pytest

from assay.errors import AssayError, RunFailedError, UsageError
from assay.loadgen.names import DETAIL
from assay.power import client as client_module
from assay.power.analysis import analyse
from assay.power.client import Measuring, find_logs, measure
from assay.power.clocks import Offset
from assay.power.director import Director, directing
from assay.power.phase import Phase
from assay.power.record import own_sources
from assay.rules.power import SourceFacts, load_power
from assay.submission.power.wg import each_check
from assay.submission.tree import TreeReader

from .workload import Workload, director, host, write_logs


def measured(folder: Path, *faults: str, seconds: float = 0.3) -> Path:
    # Where answers are to be late nobody shall wait for them.
    limit = 0.3 if any(fault.startswith("slow") for fault in faults) else 5.0
    with director(host(*faults, timeout_s=limit)) as place:
        work = Workload(folder / "logs", seconds)
        return measure(work, Measuring(place, folder / "out", timeout_s=10)).folder


def findings(folder: Path, round_name: str, *, ours: bool) -> dict[str, set[str]]:
    """Check to codes; with ``ours`` our sources are admitted as the official ones are."""
    facts = load_power(round_name)
    if ours:
        facts = dataclasses.replace(facts, sources=SourceFacts({}, (dict(own_sources()),)))
    found = each_check(str(folder), "", TreeReader(folder).read(""), facts)
    return {name: {issue.code for issue in issues} for name, issues in found.items() if issues}


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return measured(tmp_path_factory.mktemp("good"))


@pytest.mark.parametrize("round_name", ["v3.0", "v3.1", "v4.0"])
def test_what_it_leaves_passes_all_checks_but_those_of_simulation_and_sources(good: Path, round_name: str) -> None:
    simulated, unknown = {"daemon": {"power-simulated"}}, {"power-sources-unknown"}
    assert findings(good, round_name, ours=True) == simulated
    expected = {"client-sources": unknown, "server-sources": unknown, **simulated}
    assert findings(good, round_name, ours=False) == expected


def test_it_leaves_the_official_files(good: Path) -> None:
    assert sorted(path.relative_to(good).as_posix() for path in good.rglob("*") if path.is_file()) == [
        "power/client.json",
        "power/client.log",
        "power/ptd_logs.txt",
        "power/server.json",
        "power/server.log",
        "ranging/mlperf_log_detail.txt",
        "ranging/mlperf_log_summary.txt",
        "ranging/spl.txt",
        "run_1/mlperf_log_detail.txt",
        "run_1/mlperf_log_summary.txt",
        "run_1/ptd_out.txt",
        "run_1/spl.txt",
    ]


def test_a_simulation_says_so_in_all_that_it_leaves(good: Path) -> None:
    for name in ("power/ptd_logs.txt", "power/server.json"):
        assert "SIMULATED" in (good / name).read_text()
    assert "a simulation" in (good / "power" / "server.log").read_text()
    assert [label.value for label in analyse(good).labels] == ["simulated-power"]


def test_less_time_for_the_analyzer_is_noted_as_debugging(tmp_path: Path) -> None:
    with directing(Director(host(), settle_s=0)) as place:
        measure(Workload(tmp_path / "logs", 0.2), Measuring(place, tmp_path / "out"))
    assert findings(tmp_path / "out", "v3.1", ours=True)["debug"] == {"power-server-debug"}


@pytest.mark.parametrize(
    ("fault", "problem"),
    [
        ("bad-range", "does not take 230 as its range of volts"),
        ("lost-connection:testing", "the connection is lost"),
        ("slow:testing", r"no answer within 0\.3 s"),
        ("lost-connection:ranging", "the connection is lost"),
    ],
)
def test_what_ends_a_measurement_reaches_the_machine_under_test(fault: str, problem: str, tmp_path: Path) -> None:
    with pytest.raises(RunFailedError, match=problem):
        measured(tmp_path, fault, seconds=0.4)


@pytest.mark.parametrize(
    ("fault", "problem", "check"),
    [
        ("dropout:testing", "errors of the daemon, the first: ERROR: Bad watts", "power-daemon-error"),
        ("overrange:testing", "Current appears to be too high", "power-daemon-error"),
        ("uncertainty:testing", "samples are less certain than 1%", None),
    ],
)
def test_what_spoils_a_measurement_is_told_afterwards(
    fault: str, problem: str, check: str | None, tmp_path: Path
) -> None:
    folder = measured(tmp_path, fault)
    assert any(problem in each for each in analyse(folder).problems)
    if check is not None:
        assert check in findings(folder, "v3.1", ours=True)["daemon-log"]


def test_the_analyzers_clock_is_off(tmp_path: Path) -> None:
    folder = measured(tmp_path, "clock-skew:testing")
    with pytest.raises(AssayError, match="no power was read while LoadGen measured"):
        analyse(folder)


def test_the_directors_clock_is_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_module, "offset_of", lambda _: Offset(4000, 4001))
    with pytest.raises(RunFailedError, match="the clock of the director is off"):
        measured(tmp_path)


def test_work_that_leaves_no_logs(tmp_path: Path) -> None:
    def idle(phase: Phase) -> Path:
        time.sleep(0.2)
        return tmp_path / phase

    with director(host()) as place, pytest.raises(RunFailedError, match="no LoadGen run was measured"):
        measure(idle, Measuring(place, tmp_path / "out"))


def test_the_log_that_was_measured_is_found_among_others(tmp_path: Path) -> None:
    now = time.time()
    write_logs(tmp_path / "old", now - 500, now - 400)
    write_logs(tmp_path / "deep" / "new", now - 9, now - 1)
    write_logs(tmp_path / "broken", now - 9, now - 1)
    (tmp_path / "broken" / DETAIL).write_text("no log\n")
    folder, window = find_logs(tmp_path, now - 10, now)
    assert folder == tmp_path / "deep" / "new"
    assert round(window.seconds) == 8
    write_logs(tmp_path / "other", now - 8, now - 2)
    with pytest.raises(RunFailedError, match="more than one LoadGen run"):
        find_logs(tmp_path, now - 10, now)


def test_what_cannot_begin(tmp_path: Path) -> None:
    with director(host()) as place:
        with pytest.raises(UsageError, match="not a label"):
            measure(Workload(tmp_path), Measuring(place, tmp_path / "out", "a b"))
        with pytest.raises(UsageError, match="the folder is there already"):
            measure(Workload(tmp_path), Measuring(place, tmp_path))


def test_both_records_tell_the_same(good: Path) -> None:
    client, server = (json.loads((good / "power" / f"{side}.json").read_text()) for side in ("client", "server"))
    assert client["uuid"] == server["uuid"]
    assert [each["reply"] for each in client["messages"]] == [each["reply"] for each in server["messages"]]
    assert "debug" not in server
    assert not set(client["results"]) & set(server["results"])
