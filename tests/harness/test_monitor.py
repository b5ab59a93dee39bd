from __future__ import annotations

import subprocess
import sys
import time
from array import array
from dataclasses import replace
from pathlib import Path

import pytest

from assay.backends.protocol import BackendOptions
from assay.harness.meter import Meter
from assay.harness.monitor import Monitor, PhaseProgress, _percentiles
from assay.harness.spec import RunSpec
from assay.loadgen.live import Phase, ProgressReader, ProgressWriter, Snapshot
from assay.rules.model import Mode, Scenario


@pytest.fixture
def spec() -> RunSpec:
    return RunSpec(
        scenario=Scenario.OFFLINE, mode=Mode.PERFORMANCE, task="t", recipe={}, model=Path("m"), backend="b", options=BackendOptions(),
        dataset=None, cache=Path("c"), batch_size=1, conf_model="resnet50", user_conf="",
        attributes={"min_duration_ms": 100_000, "min_query_count": 1000},
    )  # fmt: skip


def test_the_end_is_always_written(tmp_path: Path, spec: RunSpec) -> None:
    meter = Meter()
    with Monitor(meter, ProgressWriter(tmp_path / "p"), spec):
        meter.issued = 50
        meter.query_done(50, 1000)
    snapshots = [line for line in ProgressReader(tmp_path / "p").new() if isinstance(line, Snapshot)]
    assert (snapshots[-1].issued, snapshots[-1].done) == (50, 50)


def test_offline_has_no_latency_and_its_end_is_by_samples(tmp_path: Path, spec: RunSpec) -> None:
    meter = Meter()
    meter.issued, meter.done_in_query = 100, 100
    found = Monitor(meter, ProgressWriter(tmp_path / "p"), spec).snapshot()
    assert found.p50_ns is None
    assert found.eta_s == 0


def test_streams_end_by_the_longer_of_time_and_count(tmp_path: Path, spec: RunSpec) -> None:
    meter = Meter()
    for _ in range(10):
        meter.query_done(1, 2_000_000)
    monitor = Monitor(meter, ProgressWriter(tmp_path / "p"), replace(spec, scenario=Scenario.SINGLE_STREAM))
    found = monitor.snapshot()
    assert found.p99_ns == 2_000_000
    assert found.eta_s is not None
    assert found.eta_s == pytest.approx(100, abs=1)


def test_with_equal_issue_a_stream_ends_with_a_whole_set(tmp_path: Path, spec: RunSpec) -> None:
    """Two were asked for, and all that is loaded is issued: 40 more at ten a second."""
    meter = Meter()
    meter.query_done(1, 100_000_000)
    meter.query_done(1, 100_000_000)
    attributes = {
        "min_duration_ms": 0, "min_query_count": 2, "performance_sample_count_override": 42,
        "sample_concatenate_permutation": True, "single_stream_expected_latency_ns": 10**9,
    }  # fmt: skip
    equal = replace(spec, scenario=Scenario.SINGLE_STREAM, attributes=attributes)
    monitor = Monitor(meter, ProgressWriter(tmp_path / "p"), equal)
    monitor._started = time.monotonic() - 0.2
    assert monitor.snapshot().eta_s == pytest.approx(4.0, abs=0.5)
    assert monitor._fewest(60.0) == 126, "twice the duration at the expected latency, in whole sets"


def test_phases_go_through_the_same_file(tmp_path: Path) -> None:
    writer = ProgressWriter(tmp_path / "p")
    step = PhaseProgress(writer).start("prepare samples", total=3)
    step.advance()
    step.finish()
    phases = [line for line in ProgressReader(tmp_path / "p").new() if isinstance(line, Phase)]
    assert phases[-1] == Phase("prepare samples", 1, 3)
    assert phases[-1].text() == "prepare samples 1/3"


def test_percentiles_are_those_of_the_nearest_rank() -> None:
    assert _percentiles(array("q", [7])) == (7, 7, 7)
    assert _percentiles(array("q", range(200, 0, -1))) == (100, 180, 198)


LATE = """
import sys
from pathlib import Path
from types import SimpleNamespace
from assay.harness import worker
from assay.harness.monitor import Monitor
from assay.loadgen.live import ProgressWriter
from assay.rules.model import Mode, Scenario

meter = worker.Meter()
spec = SimpleNamespace(scenario=Scenario.SERVER, mode=Mode.PERFORMANCE, attributes={})
with Monitor(meter, ProgressWriter(Path(sys.argv[1])), spec) as monitor:
    before = set(sys.modules)
    for latency in range(1, 100):
        meter.query_done(1, latency)
    assert monitor.snapshot().p99_ns == 99
print(sorted(set(sys.modules) - before))
"""


def test_nothing_is_imported_while_queries_wait(tmp_path: Path) -> None:
    # numpy.percentile did so at the first look, half a second into the run: 10 to 40 ms in which no query was answered.
    done = subprocess.run([sys.executable, "-c", LATE, str(tmp_path / "p")], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
