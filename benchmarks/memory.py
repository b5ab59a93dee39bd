"""Memory of a run beside its model and its samples, and where it goes.

    python benchmarks/memory.py                                   every stand-in, and MLPerf's 3D U-Net
    python benchmarks/memory.py whisper-tiny deepbrain            some
    python benchmarks/memory.py centernet-mobilenetv3 -- --batch-size 1 --backend openvino

Each model is run once, Offline and short, as its users run it; then its worker once more in a process that looks at the
resident memory at each border of phases, and has the kernel forget the peak there. What is told, in MB:

- **peak**: the most that the worker held, in whatever phase.
- **beside**: the peak without the model's file and the samples that LoadGen had loaded; the goal is 300.
- **program**: of these, what Python, assay and the engine's library hold before anything is opened.
- **loading**, **warm-up**, **run**: the most held in each of these phases; **model**: what loading left, beside its file.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from typing import Any

from assay.base.settings import load_settings

MODELS = (
    "mobilenet-v2",
    "centernet-mobilenetv3",
    "minilm-l6",
    "whisper-tiny",
    "deepbrain",
    "3d-unet-synthetic",
    "movielens-dlrm",
    "smollm2-135m-instruct",
)
GOAL_MB = 300
MB = 1e6

WATCHED = """
import json, shutil, sys, tempfile
from contextlib import contextmanager
from pathlib import Path
from assay.backends.registry import backends
from assay.harness import worker

def held(key):
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(key))

folder = Path(tempfile.mkdtemp())
for name in ("spec.json", "user.conf"):
    shutil.copy(Path(sys.argv[1]) / name, folder)
watched = worker.Worker(folder)
backends().get(watched.spec.backend).capabilities()
found = {"program": held("VmRSS"), "phases": {}}

plain = worker.Worker._phase
@contextmanager
def phase(self, name):
    Path("/proc/self/clear_refs").write_text("5")
    before = held("VmRSS")
    try:
        with plain(self, name):
            yield
    finally:
        found["phases"][name] = {"before": before, "after": held("VmRSS"), "peak": held("VmHWM")}
worker.Worker._phase = phase

require = worker.require_memory
def told(need):
    found.update(model=need.model, samples=need.samples, count=need.count, extra=need.extra)
    require(need)
worker.require_memory = told
outcome = watched.run()
shutil.rmtree(folder)
assert outcome.failure is None, outcome
print(json.dumps(found))
"""


def measured(model: str, options: list[str]) -> dict[str, Any]:
    """Run a model as a user does, then its worker under watch."""
    command = [sys.executable, "-m", "assay", "run", model, "--scenario", "Offline", "--quick", "--json", *options]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode not in (0, 1):
        raise SystemExit(f"{' '.join(command)}\n{done.stdout}\n{done.stderr}")
    record = json.loads(done.stdout)[0]
    folder = load_settings().runs_dir / record["id"]
    again = subprocess.run(
        [sys.executable, "-c", WATCHED, os.fspath(folder)], capture_output=True, text=True, check=False
    )
    if again.returncode:
        raise SystemExit(again.stderr[-3000:])
    return {**json.loads(again.stdout.splitlines()[-1]), "recorded": record["peak_memory"], "rate": record["figures"]}


def row(model: str, found: dict[str, Any]) -> list[str]:
    phases = found["phases"]
    peak = max(phase["peak"] for phase in phases.values())
    beside = peak - found["model"] - found["samples"]
    loading = phases["load model"]
    values = [
        peak,
        found["model"],
        found["samples"],
        beside,
        found["program"],
        loading["after"] - loading["before"],
        *(phases[name]["peak"] for name in ("load model", "warm up", "run")),
    ]
    return [model, *(f"{value / MB:.0f}" for value in values), "yes" if beside <= GOAL_MB * MB else "NO"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="*", help=f"some of {', '.join(MODELS)}, or others of the catalogue")
    known = sys.argv[1:]
    split = known.index("--") if "--" in known else len(known)
    given = parser.parse_args(known[:split])
    names = ("model", "peak", "file", "samples", "beside", "program", "model", "loading", "warm-up", "run", "in 300")
    print("  ".join(f"{name:>9}" if number else f"{name:24}" for number, name in enumerate(names)), flush=True)
    for model in given.models or MODELS:
        cells = row(model, measured(model, known[split + 1 :]))
        print("  ".join(f"{cell:>9}" if number else f"{cell:24}" for number, cell in enumerate(cells)), flush=True)


if __name__ == "__main__":
    main()
