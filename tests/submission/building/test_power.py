"""Power in a tree: the official layout, the documents beside it, and what may not be handed in."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from assay.loadgen.names import DETAIL, SUMMARY
from assay.loadgen.record import Label, MeasuredPower
from assay.loadgen.runs import RunFolder
from assay.rules.model import Scenario
from assay.submission.building.model import BuildReport
from assay.submission.building.power import SESSION, power_rows
from assay.submission.building.run import build
from assay.submission.check import check

from ..power.measured import NAME, Measured, complete
from .made import Home, full_home, wish

POWER = MeasuredPower(
    "YokogawaWT310, PTDaemon 1.10.0", 125.0, 600.0, 599, 75000.0, 0.10125, 9.876, 1250.0, "millijoules", (), NAME
)
SETTINGS = "Governor performance, turbo off.\n"
PLACE = "closed/Acme/results/box/resnet/SingleStream/performance"


def measure(folder: RunFolder, round_name: str = "v3.1", **changes: object) -> Measured:
    """Give a run what a director's session leaves, with an analyzer and by the official programs."""
    session = folder.path / SESSION
    spl = "".join(
        f"Time,03-01-2023 18:{minute:02}:{second:02}.500,Watts,125,Volts,230,Amps,1,PF,1,Mark,m\n"
        for minute in range(11)
        for second in range(60)
    )
    for run in ("ranging", "run_1"):
        (session / run).mkdir(parents=True)
        for name in (DETAIL, SUMMARY):
            shutil.copyfile(folder.path / name, session / run / name)
        (session / run / "spl.txt").write_text(spl, encoding="utf-8")
    (session / "run_1" / "ptd_out.txt").write_text("not asked for by the round\n")
    complete(measured := Measured(folder.path, SESSION), round_name)
    folder.write(replace(folder.read(), power=replace(POWER, **changes)))  # type: ignore[arg-type]
    return measured


def performance(home: Home) -> RunFolder:
    (record,) = (each for each in home.runs.records() if each.mode == "performance")
    return home.runs.find(record.id)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return full_home(tmp_path / "home", [Scenario.SINGLE_STREAM])


def made(home: Home, out: Path, **changes: object) -> BuildReport:
    asked = wish(**{"power_settings": SETTINGS, **changes})
    return build(home.runs, home.round, asked, out, assets=home.assets)


def told(report: BuildReport) -> str:
    return "\n".join(f"{each.what}: {each.how}" for each in report.missing)


@pytest.mark.parametrize("round_name", ["v3.0", "v3.1"])
def test_a_measured_run_passes_both_verdicts_with_its_power(tmp_path: Path, round_name: str) -> None:
    home, out = full_home(tmp_path / "home", [Scenario.SINGLE_STREAM], round_name), tmp_path / "tree"
    measure(performance(home), round_name)
    report = made(home, out)
    assert report.built, told(report)
    checked = check(out, round_name, jobs=1)
    assert checked.official.ok and checked.strict.ok, checked.findings
    assert all(each.power for each in checked.results)


def test_the_layout_is_the_official_one(home: Home, tmp_path: Path) -> None:
    measure(performance(home))
    assert made(home, tmp_path / "tree").built
    place = tmp_path / "tree" / PLACE
    assert sorted(path.relative_to(place).as_posix() for path in place.rglob("*") if path.is_file()) == [
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
        "run_1/spl.txt",
    ]
    beside = tmp_path / "tree" / "closed/Acme/measurements/box"
    assert "| resnet SingleStream | YokogawaWT310 | 49 |" in (beside / "analyzer_table.md").read_text()
    assert SETTINGS.strip() in (beside / "power_settings.md").read_text()
    assert "| average power | 125 W |" in (beside / "resnet/SingleStream/README.md").read_text()


def test_a_simulation_is_refused_whatever_the_record_says(home: Home, tmp_path: Path) -> None:
    measured = measure(performance(home))
    measured.json("server", lambda data: data["ptd_messages"][1].update(reply="YokogawaWT310,version=1.10.0-SIMULATED"))
    report = made(home, tmp_path / "tree")
    assert not report.built
    assert "may not be submitted: simulated-power" in told(report)


@pytest.mark.parametrize("label", [Label.SIMULATED_POWER, Label.UNOFFICIAL_POWER])
def test_a_labelled_run_is_taken_into_a_rehearsal_only(label: Label, home: Home, tmp_path: Path) -> None:
    folder = performance(home)
    measured = measure(folder)
    measured.json("server", lambda data: data["ptd_messages"][1].update(reply="YokogawaWT310,version=1.10.0-SIMULATED"))
    folder.write(replace(folder.read(), labels=(label,)))
    assert label.value in told(made(home, tmp_path / "tree"))
    report = made(home, tmp_path / "try", rehearsal=True, power_settings=None)
    assert report.built, told(report)
    assert any("--power-settings" in note for note in report.notes)
    for name in ("analyzer_table.md", "power_settings.md", "resnet/SingleStream/README.md"):
        text = (tmp_path / "try/closed/Acme/measurements/box" / name).read_text()
        assert "REHEARSAL, NOT TO BE SUBMITTED" in text and label.value in text, name
    assert "SIMULATED" in (tmp_path / "try/closed/Acme/measurements/box/analyzer_table.md").read_text()


def test_a_meters_run_has_no_session_and_leaves_no_power_in_a_tree(home: Home, tmp_path: Path) -> None:
    folder = performance(home)
    folder.write(replace(folder.read(), power=replace(POWER, session=""), labels=(Label.UNOFFICIAL_POWER,)))
    report = made(home, tmp_path / "try", rehearsal=True)
    assert report.built, told(report)
    assert not (tmp_path / "try" / PLACE / "power").exists()
    assert not list((tmp_path / "try").rglob("analyzer_table.md"))


def test_what_is_missing_is_asked_for(home: Home, tmp_path: Path) -> None:
    folder = performance(home)
    measure(folder)
    (folder.path / SESSION / "ranging" / "spl.txt").unlink()
    (folder.path / SESSION / "run_1" / DETAIL).write_text("another run\n")
    text = told(made(home, tmp_path / "tree", power_settings=None))
    assert "ranging/spl.txt of the power session" in text
    assert f"{DETAIL} of the power session is not that of" in text
    assert "how its power was set (firmware, governor): --power-settings FILE.md" in text


def test_a_session_that_cannot_be_read_is_told(home: Home, tmp_path: Path) -> None:
    measured = measure(performance(home))
    measured.write("power/server.json", json.dumps([1]).encode())
    assert "cannot be read" in told(made(home, tmp_path / "tree"))
    (measured.path / "power" / "server.json").unlink()
    assert "power/server.json of the power session" in told(made(home, tmp_path / "tree"))


def test_links_lead_nowhere(home: Home, tmp_path: Path) -> None:
    folder = performance(home)
    measure(folder)
    (tmp_path / "secret").write_text("secret")
    path = folder.path / SESSION / "power" / "client.log"
    path.unlink()
    path.symlink_to(tmp_path / "secret")
    assert "power/client.log of the power session" in told(made(home, tmp_path / "tree"))


def test_of_two_runs_that_fit_the_one_with_power_is_taken(home: Home, tmp_path: Path) -> None:
    measured = performance(home)
    measure(measured)
    home.comply(home.add(Scenario.SINGLE_STREAM, "performance", value=99.0))
    report = made(home, tmp_path / "tree")
    assert {entry.performance.record.id for entry in report.entries} == {measured.id}


def test_rows_of_a_readme(home: Home) -> None:
    record = performance(home).read()
    assert power_rows(record) == []
    stream = replace(POWER, figure=12.5, unit="millijoules", problems=("2 samples are less certain than 1%",))
    rows = dict(power_rows(replace(record, power=stream)))
    assert rows["energy of a query"] == "12.5 millijoules"
    assert rows["efficiency"] == "9.876 samples/J"
    assert rows["against the power"] == "2 samples are less certain than 1%"


def test_each_of_several_analyzers_has_its_line(home: Home, tmp_path: Path) -> None:
    def second(data: dict[str, Any]) -> None:
        one = data["ptd_config"]
        data["ptd_config"] = [one, {**one, "device_type": 77, "channel": [1, 2], "interface_flag": "-n"}]
        data["ptd_messages"].append({"cmd": "Identify", "reply": "YokogawaWT330_multichannel,version=1.11.1-x"})

    measure(performance(home)).json("server", second)
    made(home, tmp_path / "tree", rehearsal=True)
    (table,) = (tmp_path / "tree").rglob("analyzer_table.md")
    lines = [line for line in table.read_text().splitlines() if line.startswith("| resnet SingleStream")]
    assert [line.split(" | ")[1:3] for line in lines] == [["YokogawaWT310", "49"], ["YokogawaWT330_multichannel", "77"]]
    assert "| network | [1, 2] | 1.11.1 |" in lines[1]
