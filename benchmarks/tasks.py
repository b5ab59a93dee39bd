"""Each task through the harness against its bare engine: Offline, the same samples, with the same post-processing.

    python benchmarks/tasks.py medical-imaging            pairs of processes in turn, and one run seen from inside
    python benchmarks/tasks.py medical-imaging --pairs 5

The bare loop is written down here: load the model, run it on the same prepared samples, post-process, nothing else. On a
machine that others use, too, pairs of processes differ by more than what is to be seen; ``inside`` times every engine
call and every post-processing within the very run that LoadGen times.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

PYTHON = sys.executable
ASSAY = [PYTHON, "-m", "assay"]
THREADS = 2

BARE_WHOLE = """
import json, sys, time
from pathlib import Path
import numpy as np
from assay.backends.protocol import BackendOptions
from assay.backends.registry import backends
from assay.base.progress import SILENT
from assay.tasks.medical_imaging import TASK
from assay.tasks.medical_imaging.whole import resize
model, data, cache, recipe, threads, seconds = sys.argv[1:]
dataset = TASK.open_dataset(Path(data), json.loads(recipe), cache=Path(cache), progress=SILENT)
samples = [(cube[None, ..., None], tuple(shape)) for cube, shape in dataset.load(range(dataset.count))]
run = backends().get("onnxruntime").open(Path(model), BackendOptions(threads=int(threads))).stream().run
def one(cube, shape):
    return (resize(run((cube,))[0][0, ..., 0], shape) > np.float32(0.5)).view(np.uint8)
one(*samples[0])
count, start = 0, time.perf_counter()
while time.perf_counter() - start < float(seconds) or count % len(samples):
    one(*samples[count % len(samples)])
    count += 1
print(json.dumps({"rate": count / (time.perf_counter() - start)}))
"""

INSIDE_WHOLE = """
import json, shutil, sys, tempfile, time
from pathlib import Path
from types import SimpleNamespace
from assay.harness import engine, worker
from assay.loadgen.logs import read_detail
from assay.loadgen.names import DETAIL
from assay.tasks.medical_imaging.whole import WholePipeline
spent = {"engine": 0.0, "post": 0.0}
def timed(name, call):
    def wrapped(*arguments):
        started = time.perf_counter()
        result = call(*arguments)
        spent[name] += time.perf_counter() - started
        return result
    return wrapped
class Timed:
    def __init__(self, session): self._session = session
    def __getattr__(self, name): return getattr(self._session, name)
    def stream(self): return SimpleNamespace(run=timed("engine", self._session.stream().run))
plain = engine.model_part
engine.model_part = lambda session: plain(Timed(session))
WholePipeline._mask = timed("post", WholePipeline._mask)
reset = WholePipeline.reset
WholePipeline.reset = lambda self: spent.update(engine=0.0, post=0.0)
folder = Path(tempfile.mkdtemp())
for name in ("spec.json", "user.conf"):
    shutil.copy(Path(sys.argv[1]) / name, folder)
outcome = worker.Worker(folder).run()
assert outcome.failure is None, outcome
lasted = read_detail(folder / DETAIL).number("result_max_latency_ns") / 1e9
shutil.rmtree(folder)
print(json.dumps({"share": (spent["engine"] + spent["post"]) / lasted, "post": spent["post"] / lasted}))
"""


def script(code: str, *arguments: str) -> dict[str, Any]:
    done = subprocess.run([PYTHON, "-c", code, *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(done.stderr[-3000:])
    return dict(json.loads(done.stdout.splitlines()[-1]))


def harness(name: str, *options: str) -> dict[str, Any]:
    command = [
        *ASSAY,
        "run",
        name,
        "--scenario",
        "Offline",
        "--threads",
        str(THREADS),
        "--no-trace",
        "--json",
        *options,
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode not in (0, 1):
        raise SystemExit(f"{' '.join(command)}\n{done.stdout}\n{done.stderr}")
    return dict(json.loads(done.stdout)[0])


def fetched(name: str) -> Path:
    done = subprocess.run([*ASSAY, "assets", "fetch", name, "--json"], check=True, capture_output=True, text=True)
    return Path(json.loads(done.stdout)[0]["path"])


def spread(values: list[float]) -> str:
    return f"{statistics.median(values):.3f} ({min(values):.3f} to {max(values):.3f})"


def medical_imaging(pairs: int) -> None:
    """deepbrain on Colin27 and its copies: cubes of 128, masks scaled back to the volume's own shape."""
    from assay.assets.catalogue import load_catalogue
    from assay.base.settings import load_settings

    settings = load_settings()
    model, data = fetched("deepbrain"), fetched("colin27")
    facts = load_catalogue(settings).get("deepbrain").model
    assert facts is not None
    recipe, ratios, ours, theirs = json.dumps(facts.recipe), [], [], []
    folder = ""
    for _ in range(pairs):
        bare = script(BARE_WHOLE, str(model), str(data), str(settings.cache_dir), recipe, str(THREADS), "5")["rate"]
        record = harness("deepbrain", "--duration", "5s", "--target-qps", f"{bare:.4f}")
        folder = os.fspath(settings.runs_dir / record["id"])
        theirs.append(bare)
        ours.append(record["figures"]["value"])
        ratios.append(ours[-1] / bare)
    print(
        f"medical-imaging deepbrain: harness/bare {spread(ratios)}; {spread(ours)} against {spread(theirs)} samples/s"
    )
    inside = [script(INSIDE_WHOLE, folder) for _ in range(max(1, pairs // 2))]
    shares, posts = [each["share"] for each in inside], [each["post"] for each in inside]
    print(
        f"medical-imaging deepbrain: share of engine and post-processing {spread(shares)}, of the latter {spread(posts)}"
    )


TASKS: dict[str, Callable[[int], None]] = {"medical-imaging": medical_imaging}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tasks", nargs="*", default=list(TASKS), help=f"some of {', '.join(TASKS)}")
    parser.add_argument("--pairs", type=int, default=3)
    arguments = parser.parse_args()
    for name in arguments.tasks:
        TASKS[name](arguments.pairs)


if __name__ == "__main__":
    main()
