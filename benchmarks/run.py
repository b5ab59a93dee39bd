"""Measures the harness against bare engines and LoadGen's own limits; ratios from pairs taken in turn on this machine.

    python benchmarks/run.py                  all
    python benchmarks/run.py offline cli      some
    python benchmarks/run.py --pairs 9        more pairs

Every peer runs in the same process conditions as the harness (a fresh process, the same model file, batch, threads),
the two in turn, and the ratio is taken pair by pair: the machine's drift then cancels out.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

PYTHON = sys.executable
BIN = Path(PYTHON).parent

BARE = """
import json, sys, time
import numpy as np
from assay.backends.registry import backends
from assay.backends.protocol import BackendOptions, Precision
model, name, precision, batch, seconds, seed = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]), float(sys.argv[5]), 3
session = backends().get(name).open(__import__("pathlib").Path(model), BackendOptions(precision=Precision(precision)))
session.prepare([batch])
stream = session.stream()
x = np.random.default_rng(seed).standard_normal((64, 3, 224, 224), np.float32)
views = [(x[i:i + batch],) for i in range(0, 64 - batch + 1, batch)]
for view in views[:3]:
    stream.run(view)
times, start, n = [], time.perf_counter(), 0
while time.perf_counter() - start < seconds:
    t = time.perf_counter_ns()
    stream.run(views[n % len(views)])
    times.append(time.perf_counter_ns() - t)
    n += 1
print(json.dumps({"rate": n * batch / (time.perf_counter() - start), "p50_ns": float(np.median(times))}))
"""

INSIDE = """
import json, shutil, sys, tempfile, time
from pathlib import Path
from types import SimpleNamespace
import numpy as np
from assay.harness import engine, worker
from assay.loadgen.logs import read_trace
from assay.loadgen.names import TRACE
times = []
class Timed:
    def __init__(self, session): self._session = session
    def __getattr__(self, name): return getattr(self._session, name)
    def stream(self):
        run = self._session.stream().run
        def timed(inputs):
            started = time.perf_counter_ns()
            outputs = run(inputs)
            times.append(time.perf_counter_ns() - started)
            return outputs
        return SimpleNamespace(run=timed)
plain = engine.model_part
engine.model_part = lambda session: plain(Timed(session))
folder = Path(tempfile.mkdtemp())
for name in ("spec.json", "user.conf"):
    shutil.copy(Path(sys.argv[1]) / name, folder)
outcome = worker.Worker(folder).run()
assert outcome.failure is None, outcome
latencies = read_trace(folder / TRACE).latency_ns
calls = np.array(times[3:])
shutil.rmtree(folder)
print(json.dumps({"p50_above_ns": float(np.median(latencies) - np.median(calls)), "share": float(calls.sum() / latencies.sum())}))
"""


def bare(model: Path, backend: str, precision: str, batch: int, seconds: float) -> dict[str, float]:
    command = [PYTHON, "-c", BARE, str(model), backend, precision, str(batch), str(seconds)]
    return dict(json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout))


def harness(name: str, scenario: str, *options: str) -> dict[str, Any]:
    command = [str(BIN / "assay"), "run", name, "--scenario", scenario, "--json", *(options or ())]
    command += [] if "--trace" in options else ["--no-trace"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode not in (0, 1):
        raise SystemExit(f"{' '.join(command)}\n{done.stdout}\n{done.stderr}")
    return dict(json.loads(done.stdout)[0])


def model_file(name: str) -> Path:
    found = subprocess.run(
        [str(BIN / "assay"), "assets", "fetch", name, "--json"], check=True, capture_output=True, text=True
    )
    return Path(json.loads(found.stdout)[0]["path"])


def spread(values: list[float], digits: int = 3) -> str:
    return f"{statistics.median(values):.{digits}f} ({min(values):.{digits}f} to {max(values):.{digits}f})"


def offline(pairs: int) -> None:
    """Harness against a bare loop: same model, engine, batch and threads."""
    for name, backend, precision in (
        ("mobilenet-v2", "onnxruntime", "fp32"),
        ("mobilenet-v2", "openvino", "fp32"),
        ("resnet50-synthetic", "openvino", "fp32"),
    ):
        path, ratios, ours, theirs = model_file(name), [], [], []
        for _ in range(pairs):
            theirs.append(bare(path, backend, precision, 8, 6)["rate"])
            record = harness(
                name,
                "Offline",
                "--backend",
                backend,
                "--duration",
                "6s",
                "--batch-size",
                "8",
                "--target-qps",
                f"{theirs[-1]:.1f}",
            )
            ours.append(record["figures"]["value"])
            ratios.append(ours[-1] / theirs[-1])
        print(
            f"offline {name} {backend} {precision} b8: harness/bare {spread(ratios)}; {spread(ours, 0)} against {spread(theirs, 0)} samples/s",
            flush=True,
        )


def inside(pairs: int) -> None:
    """What the harness adds, seen from inside: every engine call is timed, LoadGen times every query around it.

    Both clocks look at the same calls, so the machine's mood is in neither figure.
    """
    for backend in ("onnxruntime", "openvino"):
        above, shares = [], []
        for scenario in ("SingleStream", "Offline"):
            options = ("--target-latency", "1ms") if scenario == "SingleStream" else ("--target-qps", "300")
            record = harness("mobilenet-v2", scenario, "--backend", backend, "--duration", "4s", "--trace", *options)
            folder = Path(os.environ["ASSAY_HOME"]) / "runs" / record["id"]
            for _ in range(pairs):
                done = subprocess.run([PYTHON, "-c", INSIDE, str(folder)], check=True, capture_output=True, text=True)
                found = json.loads(done.stdout)
                if scenario == "SingleStream":
                    above.append(found["p50_above_ns"] / 1e3)
                else:
                    shares.append(found["share"])
        print(f"inside SingleStream {backend}: p50 above the engine call {spread(above, 1)} us", flush=True)
        print(f"inside Offline {backend} b8: share of the time spent in the engine {spread(shares, 4)}", flush=True)


def single(pairs: int) -> None:
    """Harness p50 above the bare engine call."""
    for backend in ("onnxruntime", "openvino"):
        path, extra = model_file("mobilenet-v2"), []
        for _ in range(pairs):
            base = bare(path, backend, "fp32", 1, 5)["p50_ns"]
            record = harness(
                "mobilenet-v2",
                "SingleStream",
                "--backend",
                backend,
                "--duration",
                "5s",
                "--target-latency",
                f"{base / 2:.0f}ns",
            )
            extra.append((record["figures"]["latency_ns"]["p50"] - base) / 1e3)
        print(f"single mobilenet-v2 {backend}: p50 above the bare call {spread(extra, 0)} us", flush=True)


def null(pairs: int) -> None:
    """The whole harness with an engine that computes nothing."""
    rates, queries = [], []
    for _ in range(pairs):
        record = harness(
            "null-classifier",
            "Offline",
            "--backend",
            "null",
            "--batch-size",
            "1024",
            "--duration",
            "1s",
            "--target-qps",
            "3000000",
        )
        rates.append(record["figures"]["value"] / 1e6)
        record = harness(
            "null-classifier",
            "SingleStream",
            "--backend",
            "null",
            "--duration",
            "2s",
            "--target-latency",
            "1us",
        )
        queries.append(record["figures"]["latency_ns"]["p50"] / 1e3)
    print(f"null Offline: {spread(rates, 2)} million samples/s", flush=True)
    print(f"null SingleStream: p50 {spread(queries, 2)} us a query", flush=True)


def fastest(pairs: int) -> None:
    """ResNet50 Offline: the best local setting against ONNX Runtime fp32 at batch 1."""
    path = model_file("resnet50-synthetic")
    settings = (
        ("openvino", "bf16", 1),
        ("openvino", "bf16", 8),
        ("openvino", "int8", 1),
        ("openvino", "int8", 8),
        ("openvino", "int8", 32),
        ("onnxruntime", "int8", 8),
    )
    ratios: dict[tuple[str, str, int], list[float]] = {setting: [] for setting in settings}
    bases: list[float] = []
    for _ in range(pairs):
        bases.append(bare(path, "onnxruntime", "fp32", 1, 5)["rate"])
        for backend, precision, batch in settings:
            record = harness(
                "resnet50-synthetic",
                "Offline",
                "--backend",
                backend,
                "--precision",
                precision,
                "--batch-size",
                str(batch),
                "--duration",
                "5s",
            )
            ratios[backend, precision, batch].append(record["figures"]["value"] / bases[-1])
    print(f"fastest: ONNX Runtime fp32 batch 1 bare {spread(bases, 1)} samples/s", flush=True)
    for (backend, precision, batch), values in ratios.items():
        print(f"fastest: {backend} {precision} batch {batch}: {spread(values, 2)} times", flush=True)


def bert(pairs: int) -> None:
    """BERT-Large Offline, 384 tokens: the best local setting against ONNX Runtime fp32 at batch 1."""
    settings = (
        ("onnxruntime", "fp32", 1, 1),
        ("openvino", "bf16", 8, 1),
        ("openvino", "bf16", 16, 1),
        ("openvino", "bf16", 8, 2),
        ("openvino", "int8", 8, 1),
        ("openvino", "int8", 8, 2),
    )
    rates: dict[tuple[str, str, int, int], list[float]] = {setting: [] for setting in settings}
    for _ in range(pairs):
        for backend, precision, batch, streams in settings:
            options = ["--backend", backend, "--precision", precision, "--batch-size", str(batch), "--duration", "15s"]
            options += ["--streams", str(streams), "--threads", "1"] if streams > 1 else []
            record = harness("bert-large-synthetic", "Offline", *options)
            rates[backend, precision, batch, streams].append(record["figures"]["value"])
    base = rates[settings[0]]
    print(f"bert: ONNX Runtime fp32 batch 1 {spread(base, 3)} samples/s", flush=True)
    for setting in settings[1:]:
        ratios = [ours / theirs for ours, theirs in zip(rates[setting], base, strict=True)]
        backend, precision, batch, streams = setting
        print(f"bert: {backend} {precision} batch {batch}, {streams} streams: {spread(ratios, 2)} times", flush=True)


def cli(pairs: int) -> None:
    """Start-up of the command line against an empty Python."""

    def wall(command: list[str]) -> float:
        started = time.perf_counter()
        subprocess.run(command, check=True, capture_output=True)
        return time.perf_counter() - started

    for option in ("--version", "--help"):
        wall([str(BIN / "assay"), option])
        ratios = [wall([str(BIN / "assay"), option]) / wall([PYTHON, "-c", "pass"]) for _ in range(max(pairs, 15))]
        print(f"cli assay {option}: {spread(ratios, 2)} times python -c pass", flush=True)


ALL: dict[str, Callable[[int], None]] = {
    "cli": cli,
    "null": null,
    "inside": inside,
    "single": single,
    "offline": offline,
    "fastest": fastest,
    "bert": bert,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", nargs="*", default=list(ALL), help=", ".join(ALL))
    parser.add_argument("--pairs", type=int, default=5)
    chosen = parser.parse_args()
    os.environ.setdefault("ASSAY_HOME", tempfile.mkdtemp(prefix="assay-bench-"))
    print(f"load before: {os.getloadavg()[0]:.2f}, cores: {os.cpu_count()}", flush=True)
    for name in chosen.what:
        ALL[name](chosen.pairs)


if __name__ == "__main__":
    main()
