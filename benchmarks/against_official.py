"""Our official verdict against the official checker itself, on every damage that the tests know.

Needs a checkout of mlcommons/inference with its tags. For each round and each case of ``tests/submission/cases.py`` a
small tree is made, damaged, and checked by the round's own script and by assay; rows and exit status have to agree.
Where the official script breaks off with an exception, assay has to refuse the submission and go on.

    python benchmarks/against_official.py --inference ~/inference
"""

from __future__ import annotations

import argparse
import concurrent.futures
import contextlib
import importlib.util
import subprocess
import sys
import tempfile
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).resolve().parents[1]
SCRIPTS = {"v2.0": "submission-checker.py", "v2.1": "submission-checker.py"}


def load(name: str) -> ModuleType:
    """A module of the tests, as part of a package that is made up here."""
    if "cases_package" not in sys.modules:
        package = ModuleType("cases_package")
        package.__path__ = [str(ROOT / "tests" / "submission")]
        sys.modules["cases_package"] = package
    return importlib.import_module(f"cases_package.{name}")


def export(inference: Path, tag: str, target: Path) -> Path:
    """The submission tools of a tag."""
    archive = subprocess.run(
        ["git", "-C", str(inference), "archive", tag, "tools/submission"], check=True, capture_output=True
    ).stdout
    target.mkdir(parents=True, exist_ok=True)
    subprocess.run(["tar", "x", "-C", str(target)], input=archive, check=True)
    return target / "tools" / "submission" / SCRIPTS.get(tag, "submission_checker.py")


def official(script: Path, tree: Path, round_name: str, out: Path) -> tuple[list[str], int, bool]:
    """Rows, exit status, and whether the script broke off."""
    command = [sys.executable, script.name, "--input", str(tree), "--version", round_name, "--csv", str(out)]
    done = subprocess.run(command, cwd=script.parent, capture_output=True, text=True, check=False)
    crashed = "SUMMARY" not in done.stderr + done.stdout
    rows = out.read_text(encoding="utf-8").splitlines()[1:] if out.exists() else []
    return rows, done.returncode, crashed


def one(job: tuple[str, int, Path]) -> tuple[str, str]:
    """Compare one case; the label and what differs, empty when nothing does."""
    from assay.submission.check import check

    round_name, number, script = job
    case = load("cases").CASES[number]
    with tempfile.TemporaryDirectory() as folder:
        tree = load("smalltree").build(Path(folder, "tree"), round_name, **case.build)
        with contextlib.suppress(FileNotFoundError):  # what the case takes away is not there in this round
            case.edit(tree)
        rows, status, crashed = official(script, tree.root, round_name, Path(folder, "summary.csv"))
        report = check(tree.root, round_name, jobs=1)
    label = f"{round_name} {case.label}"
    if crashed:
        problem = "" if not report.official.ok else "the official script broke off and assay accepts"
        return label, problem
    if sorted(rows) != sorted(report.rows):
        extra, missing = sorted(set(report.rows) - set(rows)), sorted(set(rows) - set(report.rows))
        return label, f"rows: {len(rows)} official, {len(report.rows)} ours; only ours {extra}; only theirs {missing}"
    if bool(status) == report.official.ok:
        return label, f"official exit {status}, ours {'accepted' if report.official.ok else report.official.refused}"
    return label, ""


def main() -> int:
    """Run all cases; exit 1 when one differs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--inference", type=Path, required=True, help="checkout (or bare clone) of mlcommons/inference")
    parser.add_argument("--rounds", nargs="*", default=["v2.0", "v2.1", "v3.0", "v3.1", "v4.0"])
    arguments = parser.parse_args()
    cases, chosen = load("cases").CASES, load("case_runner").possible_everywhere
    with tempfile.TemporaryDirectory() as folder:
        scripts = {name: export(arguments.inference, name, Path(folder, name)) for name in arguments.rounds}
        jobs = [
            (name, number, scripts[name])
            for name in arguments.rounds
            for number, case in enumerate(cases)
            if chosen(case, name)
        ]
        with concurrent.futures.ProcessPoolExecutor() as pool:
            results = list(pool.map(one, jobs, chunksize=4))
    wrong = [(label, problem) for label, problem in results if problem]
    for label, problem in wrong:
        print(f"{label}: {problem}")
    print(f"{len(results)} comparisons, {len(wrong)} differ")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
