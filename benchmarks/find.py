"""How long ``assay find`` takes over many artifacts, in relation to ``assay --version``.

A repository of artifacts shaped like those of the published results is made, and the two commands are run by turns.
The index is checked against every file in every run; the same is also measured without each part, so that it can be
seen what the guarantee costs.

    python benchmarks/find.py --artifacts 10000 --runs 41
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
from pathlib import Path

TASKS = ("image-classification", "object-detection", "language-processing", "speech-recognition", "recommendation")
SCENARIOS = ("offline", "server", "singlestream", "multistream")


def make(root: Path, count: int) -> None:
    """A repository with ``count`` experiments."""
    (root / "experiment").mkdir(parents=True)
    (root / "cmr.yaml").write_text("alias: bench@find\nuid: 00000000000000ff\ngit: false\n")
    for number in range(count):
        task, scenario = TASKS[number % 5], SCENARIOS[number % 4]
        tags = [
            "mlperf",
            "inference",
            f"v{2 + number % 3}.{number % 2}",
            "edge",
            "closed",
            task,
            scenario,
            f"lot-{number % 100}",
        ]
        alias = f"mlperf-inference--{tags[2]}--edge--closed--{task}--{scenario}--{number:06d}"
        meta = {
            "alias": alias,
            "uid": f"{number:016x}",
            "automation_alias": "experiment",
            "automation_uid": "a0a2d123ef064bcb",
            "tags": tags,
        }
        folder = root / "experiment" / alias
        folder.mkdir()
        (folder / "_cm.json").write_text(json.dumps(meta, indent=2, sort_keys=True) + "\n")


def timed(command: list[str], environment: dict[str, str]) -> float:
    """Wall time of a command in milliseconds."""
    begun = time.perf_counter()
    subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, check=True)
    return (time.perf_counter() - begun) * 1e3


def parts(home: Path, root: Path) -> dict[str, float]:
    """Milliseconds of each part of an answer, within a process; the least of 15."""
    from assay.cm.index import index_path, load, select, unchanged

    place = index_path(str(home), str(root))
    index = load(place, str(root))
    assert index is not None
    calls = {
        "read the index": lambda: load(place, str(root)),
        "look at every file, one process": lambda: unchanged(index),
        "look at every file, two processes": lambda: unchanged(index, may_fork=True),
        "select by tags": lambda: select(index, "experiment", "", ["mlperf", "lot-7"], ["server"]),
    }
    result = {}
    for name, call in calls.items():
        times = []
        for _ in range(15):
            begun = time.perf_counter()
            call()
            times.append((time.perf_counter() - begun) * 1e3)
        result[name] = min(times)
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--artifacts", type=int, default=10_000)
    parser.add_argument("--runs", type=int, default=41)
    options = parser.parse_args()
    assay = str(Path(sys.executable).with_name("assay"))
    with tempfile.TemporaryDirectory() as folder:
        home, root = Path(folder) / "home", Path(folder) / "repo"
        make(root, options.artifacts)
        home.mkdir()
        (home / "repos.json").write_text(json.dumps([str(root)]))
        environment = {**os.environ, "ASSAY_HOME": str(home)}
        environment.pop("CM_REPOS", None)
        find = [assay, "find", "experiment", "--tags", "mlperf,lot-7,-server"]
        print(f"first time, the index is made: {timed(find, environment):.0f} ms")
        # What is younger than two seconds is read again each time.
        time.sleep(2.5)
        print(f"second time, everything is old enough: {timed(find, environment):.0f} ms")
        lines = subprocess.run(find, env=environment, capture_output=True, text=True, check=True).stdout
        print(f"{len(lines.splitlines())} of {options.artifacts} artifacts found")
        version, found, whole = [], [], []
        for _ in range(options.runs):
            version.append(timed([assay, "--version"], environment))
            found.append(timed(find, environment))
            whole.append(timed([*find, "--paths"], environment))
        for name, times in (("assay --version", version), ("assay find", found), ("assay find --paths", whole)):
            ratio = statistics.median(times) / statistics.median(version)
            best = min(times) / min(version)
            print(
                f"{name:<20} {statistics.median(times):6.1f} ms median, {min(times):6.1f} least; {ratio:.2f} times, least {best:.2f}"
            )
        for name, least in parts(home, root).items():
            print(f"  {name:<36} {least:5.1f} ms")


if __name__ == "__main__":
    main()
