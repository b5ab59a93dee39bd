"""Make the table of published results that comes with assay, from checkouts of the official results.

    python benchmarks/published.py --tree v3.0=~/inference_results_v3.0@1948f9b5... --cm ~/cm_inference_results \\
        --incomplete incomplete.txt --out src/assay/results/published/results.parquet

``--incomplete`` names a file with the paths that a checkout lacks, one a line (``v3.0 closed/Dell/results/...``). A
result that lacks a file, or whose submitter's tree has an empty folder for want of one, cannot be judged: that the
official checker takes it, and a figure that is missing, are taken from CM's repository.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections import Counter
from pathlib import Path

import msgspec
from two_roads import from_cm

import assay.results.store as store_module
from assay.base.settings import Settings
from assay.cm.repository import create_repository
from assay.results.exchange import write_rows_file
from assay.results.experiments import write_rows
from assay.results.importers.source import Source
from assay.results.importing import Given, read_source
from assay.results.row import Row
from assay.results.store import open_store

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
        inside = len(parts) > 6 and parts[2] in ("results", "compliance")
        found.add((round_, "/".join([*parts[:2], "results", *parts[3:6]] if inside else parts[:3])))
    return found


def submitter_of(location: str) -> str:
    return "/".join(location.split("/")[:2])


def without_files(incomplete: set[tuple[str, str]]) -> set[tuple[str, str]]:
    """Round and submitter of everything that lacks a file."""
    return {(round_, submitter_of(place)) for round_, place in incomplete}


def completed(row: Row, other: Row | None) -> Row:
    """A row that could not be judged, with what CM knows of it."""
    if other is None:
        return row
    if row.value is None or (other.power_value is not None and row.power_value is None):
        return other
    return msgspec.structs.replace(row, official=other.official, strict=None, findings=())


def rows_of(trees: list[str], cm: Path | None, incomplete: set[tuple[str, str]]) -> list[tuple[str, Source, list[Row]]]:
    found = []
    for text in trees:
        round_, folder, commit = of_tree(text)
        with tempfile.TemporaryDirectory() as home:
            given = Given(round=round_, repository=ADDRESS.format(round=round_), commit=commit, official=True)
            source, _, rows, _ = read_source(folder, given, Settings(home=Path(home)))
        others = from_cm(cm, round_) if cm else {}
        emptied = {submitter for name, submitter in without_files(incomplete) if name == round_}
        whole = [
            completed(row, others.get(row.uid))
            if not row.official and ((round_, row.location) in incomplete or submitter_of(row.location) in emptied)
            else row
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
        # Nothing of an earlier table: only what was read now.
        store_module.PUBLISHED = Path(home) / "none.parquet"
        with open_store(settings) as store:
            print(f"{given.out}: {write_rows_file(store, given.out)} results", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
