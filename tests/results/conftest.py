"""Runs as they lie on disk, without running anything."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest

from assay.base.settings import Settings
from assay.loadgen.live import Snapshot
from assay.loadgen.record import Artefact, Figures, Label, RunRecord, RunStatus
from assay.loadgen.runs import RunFolder
from assay.loadgen.settings import Deviation
from assay.loadgen.verdict import Constraint, Verdict
from assay.results import store

MakeRecord = Callable[..., RunRecord]
MakeRun = Callable[..., RunFolder]

PERFORMANCE = Figures(
    value=208.5,
    unit="Samples/s",
    samples_per_second=208.6,
    queries=1,
    samples=1730,
    duration_s=8.3,
)
STREAM = Figures(
    value=3.09,
    unit="Latency (ms)",
    lower_is_better=True,
    samples_per_second=374.5,
    latency_ns={"p50": 2.6e6, "p90": 3.1e6, "p99": 4.6e6, "mean": 2.7e6, "min": 2.0e6, "max": 9e6},
    queries=1874,
    samples=1874,
    duration_s=5.0,
)
ACCURACY = Figures(
    accuracy={"acc": 90.0}, accuracy_units={"acc": "percent"}, accuracy_details={"top5": 95.0}, samples_scored=20
)
VERDICT = Verdict(
    valid=True,
    accepted=False,
    constraints=(
        Constraint("minimum duration", True, "5.00 s", "8.30 s", "min_duration of the run"),
        Constraint("min_duration", False, "10m 00s", "5.00 s", "round v3.1, mlperf.conf", "leave it", scope="round"),
    ),
    reasons=("min_duration: 5.00 s, 10m 00s asked (round v3.1, mlperf.conf)",),
    advice=("leave min_duration at the round's 10m 00s",),
)


@pytest.fixture(scope="module")
def nothing_published() -> Iterator[None]:
    """An index without the table of published results that comes with assay."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(store, "PUBLISHED", Path("no such table"))
        yield


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(tmp_path / "home")


@pytest.fixture
def make_record() -> MakeRecord:
    def make(scenario: str = "Offline", mode: str = "performance", tail: str = "0001", **changes: Any) -> RunRecord:
        figures = ACCURACY if mode == "accuracy" else PERFORMANCE if scenario in ("Offline", "Server") else STREAM
        record = RunRecord(
            id=f"20261123-2013{tail[-2:]}-mobilenet-v2-{scenario.lower()}-{mode}-{tail}",
            group="feedc0dedeadbeef",
            created=f"2026-11-23T20:13:{tail[-2:]}+00:00",
            status=RunStatus.FINISHED,
            round="v3.1",
            benchmark="resnet",
            task="image-classification",
            scenario=scenario,
            mode=mode,
            category="edge",
            division="open",
            model=Artefact("mobilenet-v2", "ab" * 32),
            dataset=Artefact("imagenet-foolbox-20", "cd" * 32, 20),
            backend_name="onnxruntime",
            precision="fp32",
            batch_size=8,
            streams=1,
            threads=0,
            command=f"assay run mobilenet-v2 --scenario {scenario} --mode {mode}",
            labels=(Label.STAND_IN_MODEL, Label.SMALL_DATASET),
            deviations=(Deviation("min_duration", "10m 00s", "5.00 s"),),
            backend={"engine": "onnxruntime", "version": "1.22.0"},
            settings={"qsl_rng_seed": 148687905518835231, "min_duration_ms": 5000},
            versions={"assay": "0.1.0", "loadgen": "5.1.2"},
            host={"cpu": "AMD EPYC", "cores": 2, "memory_bytes": 25 * 10**9, "os": "Debian", "governor": None},
            timings_s={"run": 8.4},
            peak_memory=258 * 10**6,
            figures=figures,
            verdict=VERDICT,
            logs={"mlperf_log_detail.txt": "ef" * 32},
        )
        return replace(record, **changes)

    return make


@pytest.fixture
def make_run(settings: Settings, make_record: MakeRecord) -> MakeRun:
    """A run's folder with its record, a trace of 400 queries and six looks at its progress."""

    def make(*arguments: Any, **changes: Any) -> RunFolder:
        record = make_record(*arguments, **changes)
        folder = RunFolder(settings.runs_dir / record.id)
        folder.path.mkdir(parents=True)
        folder.write(record)
        chance = random.Random(7)
        events = [
            f'{{"name":"Sample","ph":"b","ts":{query * 5000.0},"args":{{"sample_seq":{query},"query_seq":{query},'
            f'"sample_idx":3,"issue_start_ns":{query * 5_000_000},"complete_ns":{int(2e6 * chance.lognormvariate(0, 0.4))}}}}}'
            for query in range(400)
        ]
        (folder.path / "mlperf_log_trace.json").write_text('{"traceEvents":[\n' + ",\n".join(events) + "\n]}\n")
        looks = [
            Snapshot(second * 0.5, second * 100, second * 90, 180.0, None, None, None, None) for second in range(6)
        ]
        (folder.path / "progress.jsonl").write_text("".join(json.dumps(asdict(look)) + "\n" for look in looks))
        return folder

    return make
