"""Runs whose power is measured: under a director that is simulated, and by a meter that plays a log again."""

from __future__ import annotations

import shlex
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from assay.base.progress import SILENT
from assay.base.settings import Settings
from assay.campaign import power as power_module
from assay.campaign.execute import carry_out
from assay.campaign.plan import make_plan
from assay.campaign.power import PERFORMANCE, official_figure, with_power
from assay.campaign.request import RunRequest
from assay.errors import AssayError, NotFoundError, RunFailedError, UsageError
from assay.harness.outcome import Ending, Failure, Outcome
from assay.loadgen.names import DETAIL
from assay.loadgen.record import Label, RunStatus
from assay.loadgen.runs import RunCatalogue
from assay.power import source as source_module
from assay.power.analysis import PowerFigures, analyse
from assay.power.client import Measuring, Work, measure
from assay.power.official import OfficialTools
from assay.power.samples import Sample
from assay.power.source import PowerSource
from assay.rules.load import load_round
from assay.rules.model import Scenario

from ..power.workload import director, host, write_logs
from .test_execute import MANIFEST
from .test_external import go as of_others

V31 = load_round("v3.1")
FINISHED = Outcome(Ending.FINISHED)
Load = Callable[[Path, str], Outcome]


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """A simulated analyzer needs no time, and meters are asked often."""
    monkeypatch.setattr(source_module, "_SIMULATED_SETTLE_S", 0.02)
    monkeypatch.setattr(power_module, "_INTERVAL_S", 0.05)


def loading(*notes: str, ending: Outcome = FINISHED) -> tuple[Load, list[str]]:
    """LoadGen of 0.3 seconds; ends otherwise where the note is one of these. And what it was told."""
    told: list[str] = []

    def load(place: Path, note: str) -> Outcome:
        told.append(note)
        if note in notes:
            return ending
        begin = time.time() + 0.005
        time.sleep(0.3)
        write_logs(place, begin, begin + 0.29)
        (place / "mlperf_log_trace.json").write_text("{}")
        return FINISHED

    return load, told


def source(text: str = "simulate:speed=30,watts=200") -> PowerSource:
    return PowerSource.parse(text)


def test_a_run_without_power_is_done_once(tmp_path: Path) -> None:
    load, told = loading()
    done = with_power(None, load, tmp_path, V31, SILENT)
    assert (done.outcome, done.power, done.labels, told) == (FINISHED, None, (), [""])


def test_a_director_has_loadgen_run_twice(tmp_path: Path) -> None:
    load, told = loading()
    folder = tmp_path / "run"
    folder.mkdir()
    done = with_power(source(), load, folder, V31, SILENT)
    assert told == [", ranging", ", testing"]
    assert done.labels == (Label.SIMULATED_POWER,)
    assert done.power is not None
    assert 196 <= done.power.watts <= 204
    assert done.power.source == "YokogawaWT310, PTDaemon 1.10.0, SIMULATED"
    assert done.power.session
    assert done.power.joules == pytest.approx(done.power.watts * done.power.seconds)
    session = folder / PERFORMANCE
    assert {path.relative_to(session).as_posix() for path in session.rglob("*.*")} >= {
        "power/client.json", "power/client.log", "power/ptd_logs.txt", "power/server.json", "power/server.log",
        "ranging/mlperf_log_detail.txt", "ranging/mlperf_log_summary.txt", "ranging/spl.txt",
        "run_1/mlperf_log_detail.txt", "run_1/mlperf_log_summary.txt", "run_1/spl.txt",
    }  # fmt: skip
    assert (session / "run_1" / DETAIL).read_bytes() == (folder / DETAIL).read_bytes()
    assert (session / "run_1" / "spl.txt").read_bytes() == (folder / "spl.txt").read_bytes()
    assert analyse(session).watts == done.power.watts
    assert sorted(path.name for path in tmp_path.iterdir()) == ["run"]
    assert not (folder / "ranging").exists()


def nothing_left() -> bool:
    return not {thread.name for thread in threading.enumerate()} & {"power-director", "simulated-ptdaemon"}


@pytest.mark.parametrize("phase", ["ranging", "testing"])
@pytest.mark.parametrize(
    "ending", [Outcome(Ending.INTERRUPTED), Outcome(Ending.FAILED, Failure("RunFailedError", "an engine broke"))]
)
def test_a_run_that_does_not_come_to_its_end_ends_everything(phase: str, ending: Outcome, tmp_path: Path) -> None:
    load, _ = loading(f", {phase}", ending=ending)
    folder = tmp_path / "run"
    folder.mkdir()
    done = with_power(source(), load, folder, V31, SILENT)
    assert (done.outcome, done.power) == (ending, None)
    assert nothing_left()
    assert (folder / PERFORMANCE / "ranging" / "mlperf_log_detail.txt").is_file() == (phase == "testing")


def test_ctrl_c_while_the_analyzer_settles(tmp_path: Path) -> None:
    def load(place: Path, note: str) -> Outcome:
        raise KeyboardInterrupt

    folder = tmp_path / "run"
    folder.mkdir()
    assert with_power(source(), load, folder, V31, SILENT).outcome == Outcome(Ending.INTERRUPTED)
    assert nothing_left()


@pytest.mark.parametrize(
    ("fault", "problem"),
    [("bad-range", "does not take"), ("lost-connection:testing", "no answer|connection"), ("", "no sample was taken")],
)
def test_what_goes_wrong_with_the_measurement_is_told(fault: str, problem: str, tmp_path: Path) -> None:
    load, _ = loading()
    folder = tmp_path / "run"
    folder.mkdir()
    text = f"simulate:speed=30,misbehave={fault}" if fault else "simulate:speed=0.001"
    with pytest.raises(AssayError, match=problem):
        with_power(source(text), load, folder, V31, SILENT)
    assert nothing_left()
    assert (folder / PERFORMANCE / "power").is_dir()


def test_the_official_client_is_handed_the_logs_and_nothing_of_them_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def played(self: OfficialTools, work: Work, logs: Path, how: Measuring, printed: Path) -> Path:
        """Our client in place of the official one; it looks for logs where that one would."""
        assert self.ntp == "ntp.example" and logs not in how.output.parents and printed.parent == folder
        return measure(lambda phase: (work(phase), logs)[1], replace(how, ntp=None)).folder

    clone = tmp_path / "power-dev"
    clone.mkdir()
    for name in ("client.py", "server.py"):
        (clone / name).touch()
    folder = tmp_path / "run"
    folder.mkdir()
    load, told = loading()
    monkeypatch.setattr(OfficialTools, "measure_work", played)
    with director(host()) as place:
        done = with_power(PowerSource.parse(str(place), "ntp.example", clone), load, folder, V31, SILENT)
    assert told == [", ranging", ", testing"]
    assert done.power is not None and done.power.session
    assert sorted(path.name for path in folder.iterdir()) == [
        "mlperf_log_detail.txt", "mlperf_log_summary.txt", "mlperf_log_trace.json", "performance", "spl.txt",
    ]  # fmt: skip
    assert (folder / PERFORMANCE / "run_1" / DETAIL).read_bytes() == (folder / DETAIL).read_bytes()


def test_nobody_at_the_directors_address(tmp_path: Path) -> None:
    load, told = loading()
    with pytest.raises(RunFailedError, match="cannot connect to the director"):
        with_power(source("127.0.0.1:1"), load, tmp_path, V31, SILENT)
    assert told == []


def test_a_meter_has_loadgen_run_once(tmp_path: Path) -> None:
    log = tmp_path / "yesterday.txt"
    log.write_text(f"{Sample(1000, 60).line()}\n", encoding="utf-8")
    load, told = loading()
    folder = tmp_path / "run"
    folder.mkdir()
    done = with_power(source(f"replay:{log}"), load, folder, V31, SILENT)
    assert (told, done.labels) == ([""], (Label.UNOFFICIAL_POWER,))
    assert done.power is not None
    assert (done.power.watts, done.power.session) == (60, "")
    assert done.power.source == f"replay:{log}, no analyzer"
    assert (folder / "spl.txt").is_file() and not (folder / PERFORMANCE).exists()


def logged(folder: Path, scenario: str, **values: object) -> Path:
    write_logs(folder, 1000, 1010, samples=1)
    path = folder / DETAIL
    text = path.read_text().replace('"Offline"', f'"{scenario}"')
    line = text.splitlines()[0]
    for key, value in values.items():
        text += line.replace('"effective_scenario"', f'"{key}"').replace(f'"{scenario}"', str(value)) + "\n"
    path.write_text(text)
    return folder


def figures(**changes: object) -> PowerFigures:
    return PowerFigures(**{"watts": 50.0, "seconds": 10.0, "readings": 9, "samples": 100, "queries": 100, **changes})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("round_name", "scenario", "values", "samples", "expected"),
    [
        # A rate over the average power; and the energy of a query in the unit of the round.
        ("v3.1", "Offline", {"result_samples_per_second": 200.0}, 100, (50.0, "Watts", 4.0)),
        ("v3.1", "SingleStream", {}, 100, (5000.0, "millijoules", 0.2)),
        ("v3.1", "MultiStream", {}, 800, (5000.0, "millijoules", 1.6)),
        ("v2.1", "SingleStream", {}, 100, (5.0, "Joules", 0.2)),
        ("v3.1", "Offline", {}, 100, (50.0, "Watts", None)),
    ],
)
def test_the_rounds_figure(
    round_name: str,
    scenario: str,
    values: dict[str, object],
    samples: int,
    expected: tuple[float, str, float | None],
    tmp_path: Path,
) -> None:
    folder = logged(tmp_path / "run", scenario, **values)
    assert official_figure(figures(samples=samples), folder, load_round(round_name)) == expected


# ---- whole, on the real LoadGen


@pytest.fixture
def settings(home: Path) -> Settings:
    (home / "manifests").mkdir(parents=True)
    (home / "manifests" / "colours.yaml").write_text(MANIFEST)
    return Settings(home=home, offline=True)


def test_a_whole_run_on_loadgen(settings: Settings, classifier: Path, pictures: Path) -> None:
    request = RunRequest(
        name="colours", model=classifier, dataset=str(pictures), threads=1, duration_ns=4 * 10**8, mode="both",
        target_latency_ns=10_000, scenarios=(Scenario.SINGLE_STREAM,), power="simulate:speed=30",
    )  # fmt: skip
    accuracy, record = carry_out(make_plan(request, settings), settings, SILENT)
    assert accuracy.power is None
    assert Label.SIMULATED_POWER not in accuracy.labels and Label.SIMULATED_POWER in record.labels
    assert record.status is RunStatus.FINISHED
    assert record.power is not None and record.verdict is not None and record.verdict.valid
    assert record.power.unit == "millijoules"
    assert record.power.figure == pytest.approx(1000 * record.power.joules / (record.figures.queries or 0))
    assert record.power.samples_per_joule == pytest.approx(1 / (record.power.joules_per_sample or 0))
    assert RunCatalogue(settings.runs_dir).read(record.id) == record
    words = shlex.split(record.command)
    assert words[words.index("--power") + 1] == "simulate:speed=30"
    assert "--power" not in shlex.split(accuracy.command)


def test_a_program_of_others_is_measured_alike(settings: Settings, pictures: Path) -> None:
    given = {"duration_ns": 3 * 10**8, "target_qps": 2000.0, "power": "simulate:speed=30"}
    (record,) = of_others(settings, pictures, **given)
    assert record.power is not None and record.power.session
    assert {Label.SIMULATED_POWER, Label.UNSEEN_MATERIAL, Label.SHORT_RUN} <= set(record.labels)
    folder = settings.runs_dir / record.id
    for run in ("ranging", "run_1"):
        assert '"effective_min_duration_ms", "value": 300' in (folder / PERFORMANCE / run / DETAIL).read_text()
    assert (folder / PERFORMANCE / "run_1" / DETAIL).read_bytes() == (folder / DETAIL).read_bytes()
    words = shlex.split(record.command)
    assert words[words.index("--power") + 1] == "simulate:speed=30"


def test_a_run_whose_power_is_lost_is_kept_as_failed(settings: Settings, classifier: Path, pictures: Path) -> None:
    request = RunRequest(
        name="colours", model=classifier, dataset=str(pictures), threads=1, duration_ns=10**8, target_qps=100,
        power="127.0.0.1:1",
    )  # fmt: skip
    with pytest.raises(RunFailedError, match="cannot connect to the director"):
        carry_out(make_plan(request, settings), settings, SILENT)
    (record,) = RunCatalogue(settings.runs_dir).records()
    assert record.status is RunStatus.FAILED
    assert "cannot connect to the director" in (record.failure or "")


def test_the_plan_says_it(settings: Settings, classifier: Path, pictures: Path) -> None:
    given = {"name": "colours", "model": classifier, "dataset": str(pictures), "target_qps": 100.0}
    plain = make_plan(RunRequest(**given), settings)  # type: ignore[arg-type]
    powered = make_plan(RunRequest(**given, power="here.example:4950"), settings)  # type: ignore[arg-type]
    assert powered.seconds == 2 * plain.seconds + 40
    assert (
        "  power: director at here.example:4950; performance runs are done twice, ranging then testing"
        in powered.lines()
    )
    assert powered.to_dict()["power"] == {
        "source": "here.example:4950", "kind": "director", "label": None, "ntp": None, "official": None,
    }  # fmt: skip
    assert plain.to_dict()["power"] is None
    assert powered.notes == ()
    short = make_plan(RunRequest(**given, power="here.example:4950", duration_ns=2 * 10**8), settings)  # type: ignore[arg-type]
    assert short.notes == ("power is read once a second: a run of less than 3 s may end without a reading",)
    with pytest.raises(NotFoundError, match="unknown source of power"):
        make_plan(RunRequest(**given, power="wall"), settings)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ({"mode": "accuracy", "power": "rapl"}, "--power means nothing in an accuracy run"),
        ({"power_ntp": "pool.ntp.org"}, "--power-ntp means nothing without --power"),
        ({"power_official": "clone"}, "--power-official means nothing without --power"),
    ],
)
def test_what_cannot_mean_anything(given: dict[str, str], problem: str) -> None:
    with pytest.raises(UsageError, match=problem):
        RunRequest(name="colours", **given)  # type: ignore[arg-type]
