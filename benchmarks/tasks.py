"""Each task's stand-in through the harness against its bare engine: the same samples, batches and post-processing.

    python benchmarks/tasks.py                                  all, Offline and Server
    python benchmarks/tasks.py speech-recognition --offline     some of it
    python benchmarks/tasks.py --pairs 5

**Offline.** The bare loop has neither LoadGen nor queues nor a store: it calls the pipeline (engine and post-processing) on
batches that lie ready, the very batches that the harness makes of LoadGen's query. Pairs of processes in turn; besides,
``inside`` times every engine call and the whole of every pipeline call within the run that LoadGen times, which a busy
machine cannot disturb.

**Server.** At four fifths of the rate that the harness completes when it is sent more than it can answer. The bare server is a loop
that waits for the next of the same kind of random arrivals and answers what has come, at most a batch at once.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import statistics
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assay.loadgen.names import SUMMARY

PYTHON = sys.executable
COMPLETED = re.compile(r"^Completed samples per second\s*:\s*([0-9.e+]+)", re.MULTILINE)
ASSAY = [PYTHON, "-m", "assay"]


@dataclass(frozen=True)
class Case:
    """A stand-in as it is measured.

    Attributes:
        name: model of the catalogue.
        options: of ``assay run``, the same for both sides.
        duration_s: of an Offline run.
        server_s: of a Server run; 0 where the rounds have none.
    """

    name: str
    options: tuple[str, ...] = ()
    duration_s: int = 6
    server_s: int = 30


CASES = {
    "image-classification": Case("mobilenet-v2"),
    "object-detection": Case("centernet-mobilenetv3"),
    "language": Case("minilm-l6"),
    "speech-recognition": Case("whisper-tiny", duration_s=20, server_s=90),
    "medical-imaging": Case("deepbrain", duration_s=10, server_s=0),
    "recommendation": Case("movielens-dlrm", ("--threads", "1")),
    "language-model": Case("smollm2-135m-instruct", duration_s=20, server_s=90),
}

SETUP = """
import json, sys, time
from pathlib import Path
import numpy as np
from assay.base.progress import SILENT
from assay.harness.batching import BatchLimits
from assay.harness.engine import open_engine
from assay.harness.spec import RunSpec, loaded_samples
from assay.harness.supply import open_supply
from assay.tasks.registry import tasks
spec = RunSpec.read(Path(sys.argv[1]))
task = tasks().get(spec.task)
supply = open_supply(spec, task, SILENT)
answer = open_engine(spec, task).pipelines[0]
loaded = loaded_samples(spec.attributes, supply.count)
limits = BatchLimits(spec.batch_size, spec.max_batch_work, supply.sizes)
rows = supply.load(range(loaded))
def batch(indices):
    return [rows[i] for i in indices] if supply.ragged else tuple(array[indices] for array in rows)
"""

BARE_OFFLINE = (
    SETUP
    + """
total = int(sys.argv[2])
indices = [i % loaded for i in range(total)]
_, indices = limits.order(list(range(total)), indices)
batches, start, made = [], 0, {}
while start < total:
    end = limits.end(indices, start)
    key = tuple(indices[start:end])
    if key not in made:
        made[key] = batch(list(key))
    batches.append(made[key])
    start = end
for each in batches[:3]:
    answer(each)
begun = time.perf_counter()
for each in batches:
    answer(each)
print(json.dumps({"rate": total / (time.perf_counter() - begun)}))
"""
)

BARE_SERIAL = (
    SETUP
    + """
singles = [batch([i]) for i in range(min(loaded, 256))]
answer(singles[0])
count, begun = 0, time.perf_counter()
while (lasted := time.perf_counter() - begun) < 5 or count % len(singles) and lasted < 20:
    answer(singles[count % len(singles)])
    count += 1
print(json.dumps({"rate": count / lasted}))
"""
)

BARE_SERVER = (
    SETUP
    + """
rate, seconds = float(sys.argv[2]), float(sys.argv[3])
random = np.random.default_rng(7)
count = int(rate * seconds)
arrivals = np.cumsum(random.exponential(1 / rate, count)).tolist()
samples = random.integers(0, loaded, count).tolist()
for size in sorted({1, spec.batch_size}):
    answer(batch([i % loaded for i in range(size)]))
latencies, done, begun = [], 0, time.perf_counter()
while done < count:
    now = time.perf_counter() - begun
    if now < arrivals[done]:
        if arrivals[done] - now > 0.0002:
            time.sleep(arrivals[done] - now - 0.0001)
        continue
    most = done + 1
    while most < count and most - done < spec.batch_size and arrivals[most] <= now:
        most += 1
    most = done + limits.end(samples[done:most], 0)
    answer(batch(samples[done:most]))
    end = time.perf_counter() - begun
    latencies += [end - arrivals[i] for i in range(done, most)]
    done = most
print(json.dumps({"p50": float(np.percentile(latencies, 50)), "p99": float(np.percentile(latencies, 99)), "queries": count}))
"""
)

INSIDE = """
import json, shutil, sys, tempfile, time
from dataclasses import replace
from pathlib import Path
from assay.harness import engine, worker
from assay.loadgen.logs import read_detail
from assay.loadgen.names import DETAIL
spent = {"engine": 0.0, "pipeline": 0.0}
def timed(name, call):
    def wrapped(*arguments, **options):
        started = time.perf_counter()
        result = call(*arguments, **options)
        spent[name] += time.perf_counter() - started
        return result
    return wrapped
part = engine.model_part
def timed_part(session):
    plain = part(session)
    return replace(plain, run=timed("engine", plain.run), generate=plain.generate and timed("engine", plain.generate))
engine.model_part = timed_part
engine.Engine.infers = property(lambda self: tuple(timed("pipeline", each.__call__) for each in self.pipelines))
reset = engine.Engine.reset
def start(self):
    reset(self)
    spent.update(engine=0.0, pipeline=0.0)
engine.Engine.reset = start
folder = Path(tempfile.mkdtemp())
for name in ("spec.json", "user.conf"):
    shutil.copy(Path(sys.argv[1]) / name, folder)
outcome = worker.Worker(folder).run()
assert outcome.failure is None, outcome
lasted = read_detail(folder / DETAIL).number("result_max_latency_ns") / 1e9
shutil.rmtree(folder)
print(json.dumps({name: seconds / lasted for name, seconds in spent.items()}))
"""


def script(code: str, *arguments: str) -> dict[str, Any]:
    done = subprocess.run([PYTHON, "-c", code, *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(done.stderr[-3000:])
    return dict(json.loads(done.stdout.splitlines()[-1]))


def harness(case: Case, scenario: str, *options: str) -> tuple[dict[str, Any], str]:
    """A run's record and its folder."""
    command = [*ASSAY, "run", case.name, "--scenario", scenario, "--no-trace", "--json", *case.options, *options]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode not in (0, 1):
        raise SystemExit(f"{' '.join(command)}\n{done.stdout}\n{done.stderr}")
    record = dict(json.loads(done.stdout)[0])
    return record, os.fspath(_runs() / record["id"])


def _runs() -> Path:
    from assay.base.settings import load_settings

    return load_settings().runs_dir


def spread(values: list[float], digits: int = 3) -> str:
    return f"{statistics.median(values):.{digits}f} ({min(values):.{digits}f} to {max(values):.{digits}f})"


def offline(task: str, case: Case, pairs: int) -> None:
    """Rate of the harness against that of the bare loop, and where the time goes within a run."""
    ratios, ours, theirs, folder = [], [], [], ""
    for _ in range(pairs):
        record, folder = harness(case, "Offline", "--duration", f"{case.duration_s}s")
        bare = script(BARE_OFFLINE, folder, str(record["figures"]["samples"]))["rate"]
        ours.append(record["figures"]["value"])
        theirs.append(bare)
        ratios.append(ours[-1] / bare)
    inside = [script(INSIDE, folder) for _ in range(max(1, pairs // 2))]
    print(
        f"{task} {case.name} Offline: harness/bare {spread(ratios)}; {spread(ours, 2)} against {spread(theirs, 2)} samples/s; "
        f"share of the time in the pipeline {spread([each['pipeline'] for each in inside], 4)}, "
        f"in the engine {spread([each['engine'] for each in inside], 4)}",
        flush=True,
    )


def server(task: str, case: Case, pairs: int) -> None:
    """p99 at four fifths of the peak against that of a bare server."""
    _, folder = harness(case, "Server", "--target-qps", "1", "--duration", "1s", "--samples", "1")
    serial = script(BARE_SERIAL, folder)["rate"]
    # More than it can answer: what it completes is its peak.
    seconds = case.duration_s
    flood = (
        "--target-qps",
        f"{serial * 1.3:.4f}",
        "--duration",
        f"{seconds}s",
        "--samples",
        str(round(serial * seconds) + 1),
    )
    _, folder = harness(case, "Server", *flood)
    completed = COMPLETED.search(Path(folder, SUMMARY).read_text())
    assert completed is not None
    peak = float(completed[1])
    rate = f"{peak * 0.8:.4f}"
    ratios, ours, theirs = [], [], []
    for _ in range(pairs):
        count = max(1, round(peak * 0.8 * case.server_s))
        found, folder = harness(
            case, "Server", "--target-qps", rate, "--duration", f"{case.server_s}s", "--samples", str(count)
        )
        bare = script(BARE_SERVER, folder, rate, str(case.server_s))
        ours.append(found["figures"]["latency_ns"]["p99"] / 1e6)
        theirs.append(bare["p99"] * 1e3)
        ratios.append(ours[-1] / theirs[-1])
    print(
        f"{task} {case.name} Server at {rate} of {peak:.2f} queries/s ({serial:.2f} bare, one after the other): p99 harness/bare {spread(ratios)}; "
        f"{spread(ours, 2)} against {spread(theirs, 2)} ms",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tasks", nargs="*", default=list(CASES), help=f"some of {', '.join(CASES)}")
    parser.add_argument("--pairs", type=int, default=3)
    parser.add_argument("--offline", action="store_true", help="Offline only")
    parser.add_argument("--server", action="store_true", help="Server only")
    given = parser.parse_args()
    print(f"load before: {os.getloadavg()[0]:.2f}, cores: {os.cpu_count()}", flush=True)
    for name in given.tasks:
        if not given.server:
            offline(name, CASES[name], given.pairs)
        if not given.offline and CASES[name].server_s:
            server(name, CASES[name], given.pairs)


if __name__ == "__main__":
    main()
