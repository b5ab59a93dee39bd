"""Whole commands as a user types them, on real models, real pictures and the real LoadGen."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from ..typed import typed

ASSAY = [sys.executable, "-m", "assay"]


def assay(*arguments: str, code: int = 0, timeout: float = 150) -> subprocess.CompletedProcess[str]:
    done = subprocess.run([*ASSAY, *arguments], capture_output=True, text=True, timeout=timeout, check=False)
    assert done.returncode == code, f"{arguments}: {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done


def here(*arguments: str, code: int = 0) -> subprocess.CompletedProcess[str]:
    """The same without a process of its own; the run has one all the same."""
    done = typed(*arguments)
    assert done.returncode == code, f"{arguments}: {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done


def run_json(*arguments: str, code: int = 0) -> list[dict[str, Any]]:
    return list(json.loads(here("run", *arguments, "--json", code=code).stdout))


@pytest.mark.parametrize("backend", ["onnxruntime", "openvino"])
@pytest.mark.parametrize("model", ["mobilenet-v2", "efficientnet-lite0"])
def test_both_stand_ins_reach_90_percent_on_both_engines(stand_in_home: Path, model: str, backend: str) -> None:
    if backend == "openvino" and not os.environ.get("CI"):
        pytest.importorskip("openvino", reason="the extra openvino is not installed")
    done = assay("run", model, "--scenario", "Offline", "--mode", "accuracy", "--backend", backend, "--json")
    (record,) = json.loads(done.stdout)
    assert record["figures"]["accuracy"] == {"acc": 90.0}
    assert record["figures"]["samples_scored"] == 20
    assert record["labels"] == ["stand-in-model", "small-dataset"]
    folder = stand_in_home / "runs" / record["id"]
    text = (folder / "accuracy.txt").read_text()
    assert text.startswith("accuracy=90.000%, good=18, total=20\nhash=")
    assert text.strip().endswith(record["logs"]["mlperf_log_accuracy.json"])


def test_the_four_scenarios_are_valid_with_adequate_settings(stand_in_home: Path) -> None:
    (record,) = run_json(
        "null-classifier", "--backend", "null", "--scenario", "Offline", "--duration", "300ms", "--no-trace"
    )
    assert record["verdict"]["valid"]
    assert not record["verdict"]["accepted"]
    records = run_json(
        *("null-classifier", "--backend", "null", "--duration", "300ms"),
        *("--scenario", "SingleStream", "--scenario", "MultiStream", "--target-latency", "2us", "--no-trace"),
    )
    assert [r["verdict"]["valid"] for r in records] == [True, True]
    assert all(r["labels"][-1] == "short-run" for r in records)
    (server,) = run_json(
        "null-classifier",
        "--backend",
        "null",
        "--scenario",
        "Server",
        "--duration",
        "2s",
        "--target-qps",
        "1000",
        "--target-latency",
        "2s",
    )
    assert server["verdict"]["valid"], server["verdict"]["reasons"]
    assert server["figures"]["value"] == pytest.approx(1000, rel=0.2)


def test_too_high_an_expected_latency_is_invalid_and_explained(stand_in_home: Path) -> None:
    done = here(
        *("run", "null-classifier", "--backend", "null", "--scenario", "SingleStream"),
        *("--duration", "2s", "--target-latency", "100ms"),
        code=1,
    )
    assert "SingleStream is INVALID" in done.stdout
    assert "minimum duration" in done.stdout
    assert "--target-latency" in done.stdout


def test_a_result_is_kept_in_the_local_repository(stand_in_home: Path) -> None:
    (record,) = run_json("mobilenet-v2", "--mode", "accuracy")
    rows = list((stand_in_home / "repos" / "local" / "experiment").glob("*/*/cm-result.json"))
    assert len(rows) == 1
    (row,) = json.loads(rows[0].read_text())
    assert row["Accuracy"] == 90.0
    assert record["id"] in rows[0].read_text()
    assert "mobilenet-v2" in here("runs", "list").stdout


def test_a_dry_run_does_nothing(home: Path) -> None:
    done = assay("run", "mobilenet-v2", "--dry-run")
    assert "fetch mobilenet-v2-weights, imagenet-foolbox-20" in done.stdout
    assert not (home / "runs").exists()


@pytest.mark.parametrize("wait", [0.3, 1.2, 2.5])
def test_a_killed_run_leaves_a_home_that_works(stand_in_home: Path, wait: float) -> None:
    process = subprocess.Popen(
        [*ASSAY, "run", "mobilenet-v2", "--scenario", "SingleStream", "--duration", "60s", "--target-latency", "1ms"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    time.sleep(wait)
    process.kill()
    process.wait()
    listed = json.loads(here("runs", "list", "--json").stdout)
    assert all(entry["status"] == "interrupted" for entry in listed)
    (record,) = run_json("mobilenet-v2", "--mode", "accuracy")
    assert record["figures"]["accuracy"] == {"acc": 90.0}


def test_ctrl_c_ends_loadgen_in_order_and_is_kept_as_interrupted(stand_in_home: Path) -> None:
    process = subprocess.Popen(
        [*ASSAY, "run", "mobilenet-v2", "--scenario", "SingleStream", "--duration", "60s", "--target-latency", "1ms"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and not list(stand_in_home.glob("runs/*/mlperf_log_detail.txt")):
        time.sleep(0.1)
    time.sleep(1)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130, errors
    assert "Traceback" not in errors
    (record,) = json.loads(here("runs", "list", "--json").stdout)
    assert record["status"] == "interrupted"
    (folder,) = stand_in_home.glob("runs/*")
    assert "interrupted by the user" in (folder / "ABORTED.txt").read_text()
    # LoadGen came to its own end: its summary is there.
    assert "MLPerf Results Summary" in (folder / "mlperf_log_summary.txt").read_text()
