"""Settings through the real LoadGen, on an engine whose best batch size is known and whose quick format is wrong."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from assay.backends.protocol import Precision
from assay.base.progress import SILENT
from assay.base.settings import Settings
from assay.campaign.execute import probe_engine
from assay.campaign.request import RunRequest
from assay.campaign.targets import OFFLINE_MARGIN
from assay.campaign.tuning import bench as benching
from assay.campaign.tuning.bench import GivenUpError, LoadgenBench, Look, Promise
from assay.campaign.tuning.plan import TunePlan, plan_tuning
from assay.campaign.tuning.request import TuneRequest
from assay.campaign.tuning.space import Candidate
from assay.campaign.tuning.trial import Ended
from assay.campaign.tuning.tune import Listener, tune
from assay.errors import RunFailedError
from assay.harness.outcome import Ending, Outcome, Probe
from assay.loadgen.attempts import Attempt
from assay.loadgen.record import Figures, MeasuredPower, RunRecord
from assay.loadgen.runs import RunCatalogue
from assay.rules.model import Scenario

from ..test_execute import MANIFEST

PLUGIN = Path(__file__).parent / "sleepers"
BEST = 8
FP32 = Candidate("sleeper", Precision.FP32, BEST, threads=1)


@pytest.fixture
def settings(home: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.syspath_prepend(str(PLUGIN))
    monkeypatch.setenv("PYTHONPATH", str(PLUGIN))
    (home / "manifests").mkdir(parents=True)
    (home / "manifests" / "colours.yaml").write_text(MANIFEST)
    return Settings(home=home, offline=True)


def planned(
    settings: Settings, model: Path, data: Path, scenario: Scenario = Scenario.OFFLINE, **given: Any
) -> TunePlan:
    run = RunRequest(
        name="colours", model=model, dataset=str(data), scenarios=(scenario,),
        target_latency_ns=50 * 10**6 if scenario is Scenario.SERVER else None,
    )  # fmt: skip
    request = TuneRequest(run=run, **{"backends": ("sleeper",), "threads": (1,), "trial_ns": 3 * 10**8, **given})
    return plan_tuning(request, settings)


@pytest.fixture
def probed(monkeypatch: pytest.MonkeyPatch) -> Outcome:
    """A probe that takes no time."""
    outcome = Outcome(
        Ending.FINISHED, peak_memory=77, probe=Probe(9_000_000, 16_000_000, 9_000_000, 15_000_000, 8, 500.0)
    )
    monkeypatch.setattr(benching, "probe_engine", lambda *arguments: outcome)
    return outcome


def test_a_run_has_a_record_and_its_memory(
    settings: Settings, classifier: Path, pictures: Path, probed: Outcome
) -> None:
    bench = LoadgenBench(planned(settings, classifier, pictures), settings, SILENT)
    promise = bench.probe(FP32)
    assert promise == Promise(500.0, 77, 500.0 * OFFLINE_MARGIN)
    measured = bench.measure(FP32, promise, 0.3, Look())
    (record,) = RunCatalogue(settings.runs_dir).records()
    assert measured.runs == (record.id,) and measured.figure == record.figures.value
    assert measured.memory == record.peak_memory > 10**7 and measured.p99_ns is None
    assert (record.backend_name, record.batch_size, record.threads, record.precision) == ("sleeper", BEST, 1, "fp32")
    assert record.settings["min_duration_ms"] == 300
    # 16 ms for 8 samples.
    assert 100 < measured.figure < 501
    assert measured.watts is None
    power = MeasuredPower("a meter", 21.5, 0.3, 3, 6.45)
    assert bench._measured(replace(record, power=power)).watts == 21.5


def test_a_search_of_watts_needs_those_of_every_run(settings: Settings, classifier: Path, pictures: Path) -> None:
    plan = planned(settings, classifier, pictures)
    run = plan.request.run.model_copy(update={"power": "rapl"})
    asked = plan.request.model_copy(update={"run": run, "max_watts": 20.0})
    record = cast("RunRecord", SimpleNamespace(id="run", power=None))
    assert LoadgenBench(plan, settings, SILENT)._watts(record) is None
    with pytest.raises(RunFailedError, match="the run has no watts"):
        LoadgenBench(replace(plan, request=asked), settings, SILENT)._watts(record)


def test_promises_of_streams_are_latencies(
    settings: Settings, classifier: Path, pictures: Path, probed: Outcome
) -> None:
    single = planned(settings, classifier, pictures, Scenario.SINGLE_STREAM, threads=(1, 2))
    one = LoadgenBench(single, settings, SILENT).probe(Candidate("sleeper", Precision.FP32, 1))
    assert one == Promise(9.0, 77, 4_500_000)
    multi = planned(settings, classifier, pictures, Scenario.MULTI_STREAM)
    two = LoadgenBench(multi, settings, SILENT).probe(Candidate("sleeper", Precision.FP32, 4))
    assert two.figure == 32.0, "a query of eight is two batches of four"


def test_streams_that_share_processors_promise_no_more_than_there_are(
    settings: Settings, classifier: Path, pictures: Path, probed: Outcome, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("assay.campaign.tuning.plan.processor_count", lambda: 2)
    bench = LoadgenBench(planned(settings, classifier, pictures, threads=(1, 2)), settings, SILENT)
    assert bench.probe(Candidate("sleeper", Precision.FP32, 8, 2, 2)).figure == 250.0
    assert bench.probe(Candidate("sleeper", Precision.FP32, 8, 2, 1)).figure == 500.0


def test_the_accuracy_is_that_of_the_engine_and_the_format(
    settings: Settings, classifier: Path, pictures: Path
) -> None:
    bench = LoadgenBench(planned(settings, classifier, pictures), settings, SILENT)
    scored = bench.accuracy(Candidate("sleeper", Precision.BF16, 4, 1, 1))
    record = RunCatalogue(settings.runs_dir).read(scored.run)
    assert (record.mode, record.scenario, record.precision) == ("accuracy", "Offline", "bf16")
    assert scored.accuracy == record.figures.accuracy and scored.accuracy["acc"] < 50.0
    assert scored.samples == 6 and not scored.official


def test_a_server_rate_well_below_the_best_is_given_up(
    settings: Settings, classifier: Path, pictures: Path, probed: Outcome, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(plan: Any, rate: float, seconds: float, *where: object) -> Attempt:
        assert plan.start == 100.0 and plan.aim.most == 12 and not plan.aim.confirm
        return Attempt(rate, seconds, 1000, 1000, rate / 2, False, run="run")

    monkeypatch.setattr(benching, "attempt_at", missing)
    bench = LoadgenBench(planned(settings, classifier, pictures, Scenario.SERVER), settings, SILENT)
    with pytest.raises(GivenUpError, match="missed the bound at 50 queries/s; another held 100"):
        bench.measure(FP32, bench.probe(FP32), 0.3, Look(100.0, 100.0))


def test_a_servers_figure_is_the_highest_rate_that_held(
    settings: Settings, classifier: Path, pictures: Path, probed: Outcome, monkeypatch: pytest.MonkeyPatch
) -> None:
    rates: list[float] = []

    def attempt(plan: Any, rate: float, seconds: float, *where: object) -> Attempt:
        rates.append(rate)
        late = 0 if rate <= 90 else 900
        return Attempt(rate, seconds, 1000, late, min(rate, 95.0), not late, run=f"run-{len(rates)}")

    def read(name: str) -> SimpleNamespace:
        number = int(name.removeprefix("run-"))
        return SimpleNamespace(
            id=name, peak_memory=1000 - number, power=None, figures=Figures(latency_ns={"p99": 1e6 * rates[number - 1]})
        )

    monkeypatch.setattr(benching, "attempt_at", attempt)
    monkeypatch.setattr(benching, "RunCatalogue", lambda folder: SimpleNamespace(read=read))
    bench = LoadgenBench(planned(settings, classifier, pictures, Scenario.SERVER), settings, SILENT)
    measured = bench.measure(FP32, bench.probe(FP32), 5.0, Look(60.0, 60.0))
    assert rates[0] == 60.0 and 90 / 1.06 <= measured.figure <= 90
    assert measured.p99_ns == pytest.approx(1e6 * measured.figure) and measured.memory == 999
    assert set(measured.runs) == {f"run-{number}" for number in range(1, len(rates) + 1)}
    assert rates[int(measured.runs[-1].removeprefix("run-")) - 1] == measured.figure


@pytest.mark.slow
def test_the_best_setting_of_a_real_engine_is_found(settings: Settings, classifier: Path, pictures: Path) -> None:
    plan = planned(
        settings, classifier, pictures, batch_sizes=(1, 2, 4, 8, 16, 32, 64), streams=(1,), trials=13, finalists=1,
        repeats=2, confirm_ns=5 * 10**8,
    )  # fmt: skip
    assert len(plan.space.candidates()) == 14
    tuned = tune(plan, settings, SILENT, Listener(lambda trial: None, lambda *run: None))
    # The usual setting has the best batch: nothing else may win by more than the clock of a sleep.
    assert tuned.best.candidate.batch_size == BEST and tuned.best.candidate.precision is Precision.FP32
    assert {trial.ended for trial in tuned.trials} >= {Ended.INACCURATE, Ended.PRUNED, Ended.MEASURED}
    assert tuned.accuracies["sleeper bf16"].accuracy["acc"] < tuned.accuracies["sleeper fp32"].accuracy["acc"] == 100.0
    known = {record.id for record in RunCatalogue(settings.runs_dir).records()}
    assert {run for trial in tuned.trials if trial.measured for run in trial.measured.runs} <= known


def test_a_probe_tells_its_memory(
    settings: Settings, classifier: Path, pictures: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("assay.campaign.execute.PROBE_S", 0.1)
    assert benching.probe_engine is probe_engine
    promise = LoadgenBench(planned(settings, classifier, pictures), settings, SILENT).probe(FP32)
    assert promise.memory > 10**7 and 100 < promise.figure < 501
    assert RunCatalogue(settings.runs_dir).records() == [], "a probe leaves no record"
