"""Make the table of published results that comes with assay, from checkouts of the official results.

    python benchmarks/published.py --tree v3.0=~/inference_results_v3.0@1948f9b5... --cm ~/cm_inference_results \\
        --incomplete incomplete.txt --out src/assay/results/published/results.parquet

``--incomplete`` names a file with the paths that a checkout lacks, one a line (``v3.0 closed/Dell/results/...``). A
result that lacks one of its files cannot be judged from it, so its row is taken from CM's repository.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections import Counter
from pathlib import Path

from two_roads import from_cm

from assay.base.settings import Settings
from assay.cm.repository import create_repository
from assay.results.exchange import write_rows_file
from assay.results.experiments import write_rows
from assay.results.importers.source import Source
from assay.results.importing import Given, read_source
from assay.results.row import Row
from assay.results.store import Store, open_store

ADDRESS = "https://github.com/mlcommons/inference_results_{round}"


def of_tree(text: str) -> tuple[str, Path, str]:
    """Round, folder and commit of ``v3.0=folder@commit``."""
    round_, _, rest = text.partition("=")
    folder, _, commit = rest.rpartition("@")
    return round_, Path(folder).expanduser(), commit


def lacking(path: Path | None) -> set[tuple[str, str]]:
    """Round and location of the results that lack a file, those whose compliance does included."""
    found: set[tuple[str, str]] = set()
    for line in path.read_text(encoding="utf-8").splitlines() if path else ():
        round_, _, place = line.partition(" ")
        parts = place.split("/")
        if len(parts) > 6 and parts[2] in ("results", "compliance"):
            found.add((round_, "/".join([*parts[:2], "results", *parts[3:6]])))
    return found


def rows_of(trees: list[str], cm: Path | None, incomplete: set[tuple[str, str]]) -> list[tuple[str, Source, list[Row]]]:
    found = []
    for text in trees:
        round_, folder, commit = of_tree(text)
        with tempfile.TemporaryDirectory() as home:
            given = Given(round=round_, repository=ADDRESS.format(round=round_), commit=commit, official=True)
            source, _, rows, _ = read_source(folder, given, Settings(home=Path(home)))
        others = from_cm(cm, round_) if cm else {}
        whole = [
            others.get(row.uid, row) if (round_, row.location) in incomplete and not row.official else row
            for row in rows
        ]
        print(f"{round_}: {len(rows)} results; {Counter(row.source_kind for row in whole)}", file=sys.stderr)
        found.append((round_, source, whole))
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tree", action="append", required=True, metavar="ROUND=FOLDER@COMMIT")
    parser.add_argument("--cm", type=Path, help="checkout of mlcommons/cm_inference_results")
    parser.add_argument("--incomplete", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as home:
        settings = Settings(home=Path(home))
        repository = create_repository(settings.local_repo, "local")
        for round_, source, rows in rows_of(given.tree, given.cm, lacking(given.incomplete)):
            write_rows(repository, rows, source, round_)
        with open_store(settings) as store:
            # Nothing of an earlier table: only what was read now.
            print(f"{given.out}: {_write(store, given.out)} results", file=sys.stderr)
    return 0


def _write(store: Store, path: Path) -> int:
    return write_rows_file(store, path, "file_id IN (SELECT id FROM files WHERE repository <> '')")


if __name__ == "__main__":
    sys.exit(main())
