"""``assay power`` from the command line: measured, shown, recorded, refused."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from assay.cli.power import power
from assay.errors import NotFoundError, UsageError
from assay.power.samples import Sample

from .conftest import Call

WORK = """
import json, sys, time
from datetime import datetime, timezone
from pathlib import Path
now = lambda: datetime.now(timezone.utc).strftime("%m-%d-%Y %H:%M:%S.%f")[:-3]
time.sleep(0.01)
begin = now()
time.sleep(0.4)
folder = Path(sys.argv[1])
folder.mkdir(parents=True, exist_ok=True)
meta = {"is_error": False, "is_warning": False, "file": "", "line_no": 1, "pid": 1, "tid": 1}
values = {"generated_samples_per_query": 8, "power_begin": begin, "power_end": now(), "result_query_count": 1}
lines = [":::MLLOG " + json.dumps({"key": key, "value": value, "time_ms": 1.0, "metadata": meta,
         "namespace": "mlperf::logging", "event_type": "POINT_IN_TIME"}) for key, value in values.items()]
(folder / "mlperf_log_detail.txt").write_text("\\n".join(lines) + "\\n")
(folder / "mlperf_log_summary.txt").write_text("Result is : VALID\\n")
time.sleep(0.01)
"""


def outcome(*arguments: object) -> Result:
    return CliRunner().invoke(power, [str(each) for each in arguments])


@pytest.fixture
def work(tmp_path: Path) -> list[object]:
    script = tmp_path / "work.py"
    script.write_text(WORK, encoding="utf-8")
    return ["--logs", tmp_path / "logs", "--", sys.executable, script, tmp_path / "logs"]


def test_a_simulated_measurement_is_made_and_shown(tmp_path: Path, work: list[object]) -> None:
    folder = tmp_path / "out"
    done = outcome("measure", "--simulate", "--speed", 20, "--settle", 0, "--watts", 200, "-o", folder, *work)
    assert done.exit_code == 0, done.output
    assert "simulated-power: power of a simulated analyzer" in done.stdout
    assert "both runs are done" in done.stderr
    assert (folder / "power" / "server.json").is_file()
    shown = outcome("show", folder, "--json", "--points")
    assert shown.exit_code == 0
    told = json.loads(shown.stdout)
    assert 196 <= told["watts"] <= 204
    assert (told["samples"], told["labels"]) == (8, ["simulated-power"])
    assert told["joules_per_sample"] == pytest.approx(told["joules"] / 8)
    assert len(told["points"]) >= 7


def test_the_measurement_of_a_run_is_found_by_its_name(home: Path, call: Call) -> None:
    code, _, told = call("power", "show", "last")
    assert (code, "there are no runs yet" in told) == (3, True)
    folder = home / "runs" / "20261123-201500-colours-offline-performance-3f9a"
    folder.mkdir(parents=True)
    (folder / "run.json").write_text("{}")
    code, _, told = call("power", "show", "last")
    assert (code, "no director measured the power of this run" in told) == (3, True)
    (folder / "performance" / "power").mkdir(parents=True)
    code, _, told = call("power", "show", "3f9a")
    assert (code, "run_1" in told or "ranging" in told) == (3, True)


def test_what_speaks_against_it_is_said_and_makes_the_exit_code(tmp_path: Path, work: list[object], call: Call) -> None:
    faults = ("--misbehave", "uncertainty:testing", "--speed", 20, "--settle", 0)
    code, told, _ = call("power", "measure", "--simulate", *faults, "-o", tmp_path / "out", *work)
    assert (code, "samples are less certain than 1%" in told) == (1, True)
    assert call("power", "show", tmp_path / "out")[0] == 1


def test_power_is_recorded_without_an_analyzer(tmp_path: Path, work: list[object]) -> None:
    log = tmp_path / "yesterday.txt"
    log.write_text(f"{Sample(1000, 60).line()}\n", encoding="utf-8")
    done = outcome("record", "--meter", f"replay:{log}", "-o", tmp_path / "spl.txt", "--every", 0.05, *work)
    assert done.exit_code == 0, done.output
    assert "60.00 W" in done.stdout
    assert "unofficial-power" in done.stdout


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (["director"], "--ptd is needed to start the daemon"),
        (["director", "--ptd", "ptd"], "--device-type is needed"),
        (["director", "--simulate", "--ptd", "ptd"], "--simulate needs no daemon"),
        (["measure", "-o", "out", "--director", "here", "--simulate", "--", "true"], "one of them"),
        (["simulate", "-c", "1,2,3"], "no channels"),
        (["simulate", "7"], "no analyzer of MLPerf has this number"),
        (["director", "--simulate", "--listen", "here:and:there"], "not an address"),
    ],
)
def test_what_cannot_mean_anything(words: list[str], problem: str) -> None:
    done = outcome(*words)
    assert isinstance(done.exception, UsageError)
    assert problem in str(done.exception)


def test_a_fault_that_is_none_is_told_before_anything_starts(tmp_path: Path) -> None:
    done = outcome("measure", "--simulate", "--misbehave", "explode", "-o", tmp_path / "out", "--", "true")
    assert isinstance(done.exception, NotFoundError)
    assert not (tmp_path / "out").exists()


def test_nobody_at_the_directors_address(tmp_path: Path, call: Call) -> None:
    code, _, told = call("power", "measure", "--director", "127.0.0.1:1", "-o", tmp_path / "out", "--", "true")
    assert (code, (tmp_path / "out").exists()) == (5, False)
    assert "cannot connect to the director" in told
