"""Importing published rounds from their raw trees against the official checkers alone, which only make ``summary.csv``.

    python benchmarks/results_import.py --inference ~/inference --times 1 \\
        --tree v2.0=~/inference_results_v2.0 --tree v2.1=~/inference_results_v2.1 --tree v3.0=~/inference_results_v3.0

Both in turn, each in a fresh process, after a pass over the round's files that brings them into the memory of the
machine. An import checks the tree, hashes its logs, and writes the experiments of a CM repository.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import tempfile
from pathlib import Path

from against_official import export
from checker import ASSAY, READ, Times, logs_of, run


def measure(inference: Path, round_: str, tree: Path, times: int, scratch: Path) -> dict[str, object]:
    script = export(inference, round_, scratch / f"official-{round_}")
    environment = {**os.environ, "MLPERF_INFERENCE_HOME": str(script.parents[2])}
    reader = scratch / "read.py"
    reader.write_text(READ)
    listed = "\n".join(logs_of(tree))
    official = [sys.executable, script.name, "--input", str(tree), "--version", round_, "--csv", str(scratch / "o.csv")]
    ours, theirs, again = Times(), Times(), Times()
    for number in range(times):
        home = scratch / f"home-{round_}-{number}"
        own = {**environment, "ASSAY_HOME": str(home)}
        command = [*ASSAY, "results", "import", str(tree), "--round", round_, "--official", "--quiet"]
        # Logs, and by an import whose time does not count, all folders and small files.
        run([sys.executable, str(reader), "2"], text=listed, environment=environment)
        run(command, environment=own)
        shutil.rmtree(home)
        ours.took.append(run(command, environment=own))
        again.took.append(run(command, environment=own))
        theirs.took.append(run(official, cwd=script.parent, environment=environment))
        shutil.rmtree(home)
    return {
        "official s": [round(each.seconds, 1) for each in theirs.took],
        "import s": [round(each.seconds, 1) for each in ours.took],
        "import again s": [round(each.seconds, 1) for each in again.took],
        "times faster": round(theirs.seconds / ours.seconds, 1),
        "sum": (theirs.seconds, ours.seconds),
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--inference", type=Path, required=True, help="clone of mlcommons/inference with tags")
    parser.add_argument("--tree", action="append", required=True, metavar="ROUND=FOLDER")
    parser.add_argument("--times", type=int, default=1)
    given = parser.parse_args()
    scratch = Path(tempfile.mkdtemp(prefix="import-"))
    try:
        found = {}
        for text in given.tree:
            round_, _, folder = text.partition("=")
            found[round_] = measure(given.inference, round_, Path(folder).expanduser(), given.times, scratch)
    finally:
        shutil.rmtree(scratch)
    official, ours = (sum(each["sum"][place] for each in found.values()) for place in (0, 1))  # type: ignore[index]
    print(
        json.dumps(
            {
                **found,
                "all, official s": round(official, 1),
                "all, import s": round(ours, 1),
                "times faster": round(official / ours, 1),
            },
            indent=2,
        )
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
