"""The checker against the official tool of a round on a whole published round: time, memory, and row for row.

Needs a checkout of mlcommons/inference with its tags and one of the round's results (``inference_results_v3.0``). The
official script, reading the same bytes and assay run in turn, each in a fresh process, files cached by a pass before:

    python benchmarks/checker.py --inference ~/inference --tree ~/inference_results_v3.0 --round v3.0 --times 3
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from against_official import export

ASSAY = [sys.executable, "-m", "assay"]
LOGS = ("mlperf_log_detail.txt", "mlperf_log_summary.txt", "spl.txt", "ptd_logs.txt")
READ = """
import os, sys
from concurrent.futures import ProcessPoolExecutor
def read(path, buffer=bytearray(1 << 22)):
    descriptor = os.open(path, os.O_RDONLY)
    try:
        with open(descriptor, "rb", buffering=0, closefd=False) as stream:
            return sum(iter(lambda: stream.readinto(buffer), 0))
    finally:
        os.close(descriptor)
if __name__ == "__main__":
    paths, jobs = sys.stdin.read().splitlines(), int(sys.argv[1])
    if jobs == 1:
        print(sum(map(read, paths)))
    else:
        with ProcessPoolExecutor(jobs) as pool:
            print(sum(pool.map(read, paths, chunksize=64)))
"""


@dataclass
class Took:
    """One process and its children.

    Attributes:
        seconds: from start to end.
        peak: highest proportional set size of all its processes, bytes.
    """

    seconds: float
    peak: int
    returncode: int


@dataclass
class Times:
    """What was measured of one thing."""

    took: list[Took] = field(default_factory=list)

    @property
    def seconds(self) -> float:
        return statistics.median(each.seconds for each in self.took)


def processes_below(root: int) -> list[int]:
    """A process and everything that it started."""
    found = [root]
    for pid in found:
        for thread in Path(f"/proc/{pid}/task").glob("*/children"):
            found += [int(child) for child in thread.read_text().split()]
    return found


def memory(root: int) -> int:
    """Bytes that the processes hold, what they share counted once."""
    total = 0
    for pid in processes_below(root):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                total += int(line.split()[1]) * 1024
    return total


def run(command: Sequence[str], *, cwd: Path | None = None, text: str = "", environment: dict[str, str]) -> Took:
    """Run a command, watching its memory ten times a second."""
    started = time.perf_counter()
    process = subprocess.Popen(
        command,
        cwd=cwd,
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=environment,
    )
    peak, over = 0, threading.Event()

    def watch() -> None:
        nonlocal peak
        while not over.wait(0.1):
            try:
                peak = max(peak, memory(process.pid))
            except OSError:  # one of them has just ended
                continue

    watcher = threading.Thread(target=watch)
    watcher.start()
    process.communicate(text.encode())
    seconds = time.perf_counter() - started
    over.set()
    watcher.join()
    return Took(seconds, peak, process.returncode)


def logs_of(tree: Path) -> list[str]:
    """The logs of a tree; a checker reads nearly all of them."""
    found = []
    for folder, _, names in os.walk(tree):
        found += [str(Path(folder, name)) for name in names if name in LOGS]
    return found


def different_rows(official: Path, ours: Path) -> list[str]:
    """Rows that only one of the two has, and a word when the order or the bytes differ."""
    if official.read_bytes() == ours.read_bytes():
        return []
    left, right = official.read_text().splitlines(), ours.read_text().splitlines()
    rows = [f"only official: {row}" for row in sorted(set(left) - set(right))]
    rows += [f"only assay: {row}" for row in sorted(set(right) - set(left))]
    return rows or ["same rows, other order or bytes"]


def measure(given: argparse.Namespace, scratch: Path) -> dict[str, object]:
    """Everything that is measured and compared."""
    script = export(given.inference, given.round, scratch / "official")
    environment = {**os.environ, "ASSAY_HOME": str(scratch / "home"), "MLPERF_INFERENCE_HOME": str(script.parents[2])}
    paths = logs_of(given.tree)
    listed, size = "\n".join(paths), sum(Path(path).stat().st_size for path in paths)
    reader = scratch / "read.py"
    reader.write_text(READ)
    tree, round_ = str(given.tree), ["--round", given.round]
    theirs, ours = scratch / "official.csv", scratch / "assay.csv"
    official = [sys.executable, script.name, "--input", tree, "--version", given.round, "--csv", str(theirs)]
    if given.round == "v3.1":
        official.append("--skip-power-check")
    full = [*ASSAY, "check", tree, *round_, "--csv", str(ours), "--no-cache"]
    times = {name: Times() for name in ("official", "read with 1", "read with 2", "assay", "assay again")}
    run([sys.executable, str(reader), "2"], text=listed, environment=environment)
    run([*ASSAY, "check", tree, *round_], environment=environment)  # fills assay's cache
    for _ in range(given.times):
        for jobs in (1, 2):
            took = run([sys.executable, str(reader), str(jobs)], text=listed, environment=environment)
            times[f"read with {jobs}"].took.append(took)
        times["assay"].took.append(run(full, environment=environment))
        times["assay again"].took.append(run([*ASSAY, "check", tree, *round_], environment=environment))
        if not given.no_official:
            times["official"].took.append(run(official, cwd=script.parent, environment=environment))
    result: dict[str, object] = {
        "tree": given.tree.name,
        "round": given.round,
        "logs": len(paths),
        "bytes": size,
        "seconds": {name: [round(each.seconds, 2) for each in each_.took] for name, each_ in times.items()},
        "peak MB": round(max(each.peak for each in times["assay"].took) / 1e6),
        "assay against reading with 1 process": round(times["assay"].seconds / times["read with 1"].seconds, 2),
        "assay against reading with 2 processes": round(times["assay"].seconds / times["read with 2"].seconds, 2),
    }
    if not given.no_official:
        result["times faster"] = round(times["official"].seconds / times["assay"].seconds, 1)
        result["times faster, again"] = round(times["official"].seconds / times["assay again"].seconds, 1)
        result["rows"] = len(theirs.read_text().splitlines()) - 1
        result["rows that differ"] = different_rows(theirs, ours)
    return result


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--inference", type=Path, required=True, help="clone of mlcommons/inference with tags")
    parser.add_argument("--tree", type=Path, required=True, help="checkout of the round's results")
    parser.add_argument("--round", required=True)
    parser.add_argument("--times", type=int, default=3)
    parser.add_argument("--no-official", action="store_true", help="leave the official tool out")
    given = parser.parse_args()
    scratch = Path(tempfile.mkdtemp(prefix="checker-"))
    try:
        result = measure(given, scratch)
    finally:
        shutil.rmtree(scratch)
    print(json.dumps(result, indent=2))
    return 1 if result.get("rows that differ") else 0


if __name__ == "__main__":
    sys.exit(main())
