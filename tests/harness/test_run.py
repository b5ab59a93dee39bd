"""The worker process as its parent sees it: done, failed, crashed, killed."""

from __future__ import annotations

import os
import signal
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest

from assay.backends.protocol import BackendOptions
from assay.base.progress import SILENT
from assay.errors import InvalidInputError, NotFoundError
from assay.harness.outcome import Ending
from assay.harness.run import execute, live_line
from assay.harness.spec import RunSpec
from assay.loadgen.audit import AUDIT_CONF
from assay.loadgen.live import Snapshot
from assay.loadgen.logs import read_detail
from assay.loadgen.names import DETAIL
from assay.rules.model import Mode, Scenario

RECIPE = {"resize": {"short_side": 36}, "crop": 32, "output": {"kind": "logits", "top": 1}}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "run"
    path.mkdir()
    return path


@pytest.fixture
def spec(tmp_path: Path, classifier: Path, pictures: Path) -> RunSpec:
    return RunSpec(
        scenario=Scenario.OFFLINE, mode=Mode.ACCURACY, task="image-classification", recipe=RECIPE, model=classifier,
        backend="onnxruntime", options=BackendOptions(threads=1), dataset=pictures, cache=tmp_path / "cache", batch_size=4,
        conf_model="resnet50", user_conf="", attributes={"min_query_count": 1, "min_duration_ms": 0},
    )  # fmt: skip


def test_a_run_is_finished_with_facts(spec: RunSpec, folder: Path) -> None:
    outcome = execute(spec, folder, label="x", progress=SILENT)
    assert outcome.ending is Ending.FINISHED
    assert outcome.samples == 6
    assert outcome.backend["engine"] == "onnxruntime"
    assert {"load model", "prepare samples", "warm up", "run"} <= set(outcome.timings_s)
    assert outcome.peak_memory > 10_000_000
    assert (folder / "mlperf_log_accuracy.json").stat().st_size > 100


def test_an_audit_holds_over_the_settings_and_loadgen_says_so(spec: RunSpec, folder: Path) -> None:
    audit = "*.*.mode = 2\n*.*.performance_issue_same = 1\n*.*.performance_issue_same_index = 3\n"
    plain = replace(spec, mode=Mode.PERFORMANCE, attributes={**spec.attributes, "performance_issue_same": False})
    assert execute(replace(plain, audit=audit), folder, label="x", progress=SILENT).ending is Ending.FINISHED
    assert (folder / AUDIT_CONF).read_text() == audit
    log = read_detail(folder / DETAIL)
    assert any("audit.config" in warning.text for warning in log.warnings)
    assert log.values["effective_performance_issue_same"] is True


def test_a_probe_measures_without_loadgen(spec: RunSpec, folder: Path) -> None:
    outcome = execute(replace(spec, probe_s=0.2), folder, label="x", progress=SILENT)
    assert outcome.probe is not None
    assert 0 < outcome.probe.latency_ns < 10**9
    assert outcome.probe.rate > 0
    assert not (folder / "mlperf_log_summary.txt").exists()


def test_an_error_of_the_worker_is_the_same_here(spec: RunSpec, folder: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken.onnx"
    broken.write_bytes(b"no model at all")
    outcome = execute(replace(spec, model=broken), folder, label="x", progress=SILENT)
    assert outcome.ending is Ending.FAILED
    assert outcome.failure is not None
    error = outcome.failure.error()
    assert isinstance(error, InvalidInputError)
    assert "broken.onnx" in str(error)


def test_an_unknown_engine_names_the_closest(spec: RunSpec, folder: Path) -> None:
    outcome = execute(replace(spec, backend="onnxruntme"), folder, label="x", progress=SILENT)
    assert outcome.failure is not None
    assert isinstance(outcome.failure.error(), NotFoundError)
    assert outcome.failure.expected == "onnxruntime"


def test_a_killed_worker_is_told_with_the_signal(spec: RunSpec, folder: Path) -> None:
    def kill() -> None:
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            for entry in Path("/proc").glob("[0-9]*/cmdline"):
                try:
                    if str(folder).encode() in (line := entry.read_bytes()) and b"assay.harness.worker" in line:
                        os.kill(int(entry.parent.name), signal.SIGSEGV)
                        return
                except OSError:
                    continue
            time.sleep(0.01)

    killer = threading.Thread(target=kill)
    killer.start()
    long = replace(spec, mode=Mode.PERFORMANCE, attributes={"min_query_count": 10**7, "offline_expected_qps": 1.0})
    outcome = execute(long, folder, label="x", progress=SILENT)
    killer.join()
    assert outcome.ending is Ending.FAILED
    assert outcome.failure is not None
    assert "SIGSEGV" in outcome.failure.what


def test_the_live_line_says_what_a_person_wants_to_know() -> None:
    line = live_line(Snapshot(1.0, 2000, 1500, 1500.0, 2_000_000, 3_000_000, 9_500_000, 3.0))
    assert line == "1,500 of 2,000 issued, 1,500 samples/s, p50 2.00 ms p99 9.50 ms"
    assert live_line(Snapshot(1.0, 10, 5, 5.0, None, None, None, None)) == "5 of 10 issued, 5.00 samples/s"
