"""Our checks of power measurements against the power working group's own checker, verdict by verdict.

Needs a clone of mlcommons/power-dev (bare or not) and a tree of published results, such as
mlcommons/inference_results_v3.0. Every result of the tree whose power was measured is judged by the checker of each
round and by assay, and so is a copy of one that passes, with every damage of ``tests/submission/power/damages.py``.
All eleven checks have to say the same: passed, passed with a mark for an audit, or failed. Where no result passes the
checker of another round, the sources and the daemon's version of that round are written into the copy first.

    python benchmarks/power_against_official.py --power-dev ~/power-dev --tree ~/inference_results_v3.0

From v3.0 on the submission checker brought a copy of its own, which power-dev does not have. With ``--inference`` (a
clone of mlcommons/inference with its tags) that copy is asked; without, the revision of power-dev next to it, by whose
few other limits assay then judges, too.
"""

from __future__ import annotations

import argparse
import collections
import contextlib
import dataclasses
import importlib
import importlib.util
import io
import logging
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

from assay.rules.findings import finding_kind
from assay.rules.load import load_round
from assay.rules.power import PowerFacts, load_power
from assay.rules.submission import Level
from assay.submission.power.wg import each_check
from assay.submission.tree import TreeReader

ROOT = Path(__file__).resolve().parents[1]
# The official checks in their order, by our names.
CHECKS = {
    "Check client sources checksum": "client-sources",
    "Check server sources checksum": "server-sources",
    "Check PTD commands and replies": "daemon",
    "Check UUID": "identities",
    "Check session name": "session-name",
    "Check time difference": "times",
    "Check client server messages": "messages",
    "Check results checksum": "hashes",
    "Check errors and warnings from PTD logs": "daemon-log",
    "Check PTD configuration": "device",
    "Check debug is disabled on server-side": "debug",
}
PASSED, MARKED, FAILED = "passed", "marked", "failed"
Verdicts = dict[str, str]


@dataclasses.dataclass
class Checker:
    """A round's checker and the facts by which it judges."""

    round: str
    source: str
    module: ModuleType
    facts: PowerFacts

    def official(self, folder: Path) -> tuple[Verdicts, int]:
        """What its checks say of a ``performance/`` folder, and what it returns."""
        found: Verdicts = {}

        def note(name: str, check: Callable[[], None]) -> tuple[bool, bool]:
            found[CHECKS[name]] = PASSED
            try:
                check()
            except self.module.CheckerWarning:
                found[CHECKS[name]] = MARKED
                return True, True
            except Exception:  # noqa: BLE001 - as the checker itself does
                found[CHECKS[name]] = FAILED
                return False, False
            return True, False

        self.module.check_with_logging = note  # type: ignore[attr-defined]
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            try:
                return found, self.module.check(str(folder))
            except Exception:  # noqa: BLE001 - the submission checker refuses the result then
                return {"session": FAILED}, 1

    def ours(self, root: Path, relative: str) -> tuple[Verdicts, int]:
        """What ours say."""
        round_ = load_round(self.round)
        found: Verdicts = {}
        listing = TreeReader(root).read(relative)
        for name, issues in each_check(str(root), relative, listing, self.facts).items():
            levels = {finding_kind(issue.code).official_level(round_) for issue in issues}
            found[name] = FAILED if Level.REJECT in levels else MARKED if Level.NOTE in levels else PASSED
        if found.pop("samples", PASSED) is not PASSED:
            raise AssertionError("the official checker has no such check")
        return found, int(FAILED in found.values())


def checkers(power_dev: Path, inference: Path | None, target: Path, rounds: list[str]) -> Iterator[Checker]:
    """The rounds' checkers, taken from the clones."""
    for name in rounds:
        clone, revision, path, facts = source(name, power_dev, inference)
        folder = target / name
        folder.mkdir()
        for file in (path, f"{path.rpartition('/')[0]}/sources_checksums.json"):
            done = subprocess.run(
                ["git", "-C", str(clone), "show", f"{revision}:{file}"], check=True, capture_output=True
            )
            (folder / file.rpartition("/")[2]).write_bytes(done.stdout)
        repository = "power-dev" if clone is power_dev else "inference"
        yield Checker(name, f"{repository} {revision}:{path}", imported(folder / path.rpartition("/")[2], name), facts)


def source(name: str, power_dev: Path, inference: Path | None) -> tuple[Path, str, str, PowerFacts]:
    """Clone, revision and path of a round's checker, and what it judges by."""
    facts, check = load_power(name), "compliance/check.py"
    if name == "v2.0":
        return power_dev, "f7b3b51", check, facts
    if name == "v2.1":
        return power_dev, "e2baedb", check, facts
    if inference is not None:
        return inference, name, "tools/submission/power/power_checker.py", facts
    if name == "v3.0":
        timing = dataclasses.replace(facts.timing, clock_difference_ms=500, duration_limit=0.05)
        return power_dev, "678c23d", check, dataclasses.replace(facts, timing=timing)
    more = {"YokogawaWT210_DC": 508, "YokogawaWT310_DC": 549, "YokogawaWT330_DC": 586}
    daemon = dataclasses.replace(facts.daemon, analyzers={**facts.daemon.analyzers, **more})
    sources = dataclasses.replace(facts.sources, accepted=facts.sources.accepted[:1])
    return power_dev, "250aa83", check, dataclasses.replace(facts, daemon=daemon, sources=sources)


def imported(path: Path, name: str) -> ModuleType:
    """An official script as a module."""
    spec = importlib.util.spec_from_file_location(f"official_{name.replace('.', '_')}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def tests_module(name: str) -> Any:
    """A module of the tests, as part of a package that is made up here."""
    if "power_tests" not in sys.modules:
        package = ModuleType("power_tests")
        package.__path__ = [str(ROOT / "tests" / "submission" / "power")]
        sys.modules["power_tests"] = package
    return importlib.import_module(f"power_tests.{name}")


class Comparison:
    """Counts what both said, and prints where they differ."""

    def __init__(self) -> None:
        self.seconds = {"official": 0.0, "ours": 0.0}
        self.same: collections.Counter[tuple[str, str]] = collections.Counter()
        self.different = 0
        self.verdicts: collections.Counter[tuple[str, str, str]] = collections.Counter()

    def judge(self, kind: str, checker: Checker, root: Path, relative: str, label: str) -> int:
        """Ask both about one measurement; gives the official return code."""
        start = time.perf_counter()
        official, code = checker.official(root / relative)
        middle = time.perf_counter()
        ours, our_code = checker.ours(root, relative)
        self.seconds["official"] += middle - start
        self.seconds["ours"] += time.perf_counter() - middle
        self.verdicts[kind, checker.round, "refused" if code else "accepted"] += 1
        for name in {**official, **ours}:
            said, say = official.get(name), ours.get(name)
            if said == say:
                self.same[kind, f"{name} {said}"] += 1
            else:
                self.different += 1
                print(f"{checker.round} {label}: {name}: official {said}, ours {say}")
        if code != our_code:
            self.different += 1
            print(f"{checker.round} {label}: official returns {code}, ours {our_code}")
        return code


def dressed(measured: Any, facts: PowerFacts) -> None:
    """Write the sources and the daemon's version of a round into a measurement."""

    def edit(data: dict[str, Any]) -> None:
        data["sources"] = facts.sources.sets()[0]
        for message in data.get("ptd_messages", []):
            message["reply"] = re.sub(r"(?<=version=)[^-]*", facts.daemon.versions[0], message["reply"])

    measured.both(edit)


def base_of(checker: Checker, tree: Path, chosen: list[str], target: Path) -> str:
    """Copy the first result that passes the checker, dressed for its round; gives its path in the tree."""
    for relative in chosen:
        shutil.copytree(tree / relative, target)
        if checker.official(target)[1]:
            dressed(tests_module("measured").Measured(target.parent, target.name), checker.facts)
        if checker.official(target)[1] == 0:
            return relative
        shutil.rmtree(target)
    tests_module("measured").build(target.parent, checker.round, target.name)
    return "a made-up measurement"


def damaged(comparison: Comparison, checker: Checker, base: Path, label: str, folder: Path) -> int:
    """Judge copies of a measurement, each with one damage; gives how many there were."""
    measured, damages = tests_module("measured"), tests_module("damages").DAMAGES
    for number, damage in enumerate(damages):
        root, relative = folder / str(number), "performance"
        shutil.copytree(base, root / relative)
        damage.edit(measured.Measured(root, relative))
        comparison.judge("damaged", checker, root, relative, f"{label} with {damage}")
        shutil.rmtree(root)
    return len(damages)


def main() -> int:
    """Compare; exit 1 when one verdict differs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--power-dev", type=Path, required=True, help="clone of mlcommons/power-dev")
    parser.add_argument("--inference", type=Path, help="clone of mlcommons/inference, with its tags")
    parser.add_argument("--tree", type=Path, required=True, help="published results: a folder with closed/ or open/")
    parser.add_argument("--rounds", nargs="*", help="default: all; v4.0 only with --inference")
    parser.add_argument("--results", type=int, default=60, help="how many results, evenly chosen; 0: all (default: 60)")
    arguments = parser.parse_args()
    rounds = arguments.rounds or ["v2.0", "v2.1", "v3.0", "v3.1", *(["v4.0"] if arguments.inference else [])]
    if "v4.0" in rounds and arguments.inference is None:
        parser.error("v4.0 needs --inference: power-dev has no revision of its checker")
    tree = arguments.tree.resolve()
    found = sorted(path.parent for path in tree.glob("*/*/results/*/*/*/performance/power"))
    found = [path for path in found if (path / "ranging").is_dir() and (path / "run_1").is_dir()]
    step = max(1, len(found) // arguments.results) if arguments.results else 1
    chosen = [path.relative_to(tree).as_posix() for path in found[::step]]
    comparison = Comparison()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "official").mkdir()
        for checker in checkers(arguments.power_dev, arguments.inference, folder / "official", rounds):
            logging.disable(logging.CRITICAL)
            print(f"{checker.round}: {checker.source}")
            for relative in chosen:
                comparison.judge("real", checker, tree, relative, relative)
            base = folder / checker.round / "performance"
            label = base_of(checker, tree, chosen, base)
            count = damaged(comparison, checker, base, label, folder / "damaged")
            print(f"  {len(chosen)} results, and {count} damages of {label}")
    report(comparison, len(chosen), len(found))
    return 1 if comparison.different else 0


def report(comparison: Comparison, chosen: int, found: int) -> None:
    """Print how often both agreed."""
    print(f"{chosen} of {found} results of the tree")
    for (kind, round_name, verdict), count in sorted(comparison.verdicts.items()):
        print(f"  {round_name} {kind}: {count} {verdict} by the official checker")
    for kind in ("real", "damaged"):
        same = {name: count for (each, name), count in comparison.same.items() if each == kind}
        print(f"{kind}: {sum(same.values())} verdicts of single checks are the same")
        print("  " + ", ".join(f"{name} {count}" for name, count in sorted(same.items())))
    print(f"{comparison.different} differ")
    print(f"official {comparison.seconds['official']:.1f} s, ours {comparison.seconds['ours']:.1f} s")


if __name__ == "__main__":
    sys.exit(main())
