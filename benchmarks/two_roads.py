"""One round by two roads: imported from the raw logs, and from CM's repository. Every difference, grouped by its cause.

python benchmarks/two_roads.py --tree ~/inference_results_v3.0 --cm ~/cm_inference_results --round v3.0
"""

from __future__ import annotations

import argparse
import json
import math
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path

from assay.base.settings import Settings
from assay.cm.repository import open_repository
from assay.results.importers.cm import CmImporter
from assay.results.importing import Given, read_source
from assay.results.index_files import read_rows, result_files
from assay.results.row import Row

# What both sources can know; CM keeps no latencies, no seeds, no hashes and no memory.
COMPARED = (
    "round", "benchmark", "scenario", "division", "location", "method", "task", "category", "availability",
    "organisation", "organisation_given", "system", "system_name", "model", "value", "unit", "lower_is_better",
    "samples_per_second", "latency", "accuracy", "accuracy_metric", "accuracy_unit", "accuracy_target", "accuracy_met",
    "power", "watts", "joules_per_query", "joules_per_sample", "power_value", "power_unit", "accelerator",
    "accelerator_vendor", "accelerator_given", "accelerators_per_node", "accelerators", "processor", "processor_given",
    "processors_per_node", "cores", "nodes", "operating_system", "framework", "framework_given", "notes",
)  # fmt: skip


def from_cm(path: Path, round_: str) -> dict[str, Row]:
    importer = CmImporter()
    found: dict[str, Row] = {}
    for file in result_files([open_repository(path)]):
        found |= {row.uid: row for row in read_rows(file.path, importer) if row.round == round_}
    return found


def from_logs(path: Path, round_: str, jobs: int | None) -> dict[str, Row]:
    with tempfile.TemporaryDirectory() as home:
        given = Given(round=round_, official=True, jobs=jobs)
        _, _, rows, _ = read_source(path, given, Settings(home=Path(home)))
    return {row.uid: row for row in rows}


def same(one: object, other: object) -> bool:
    if isinstance(one, float) and isinstance(other, float):
        return math.isclose(one, other, rel_tol=1e-9)
    return one == other


def differences(logs: Row, cm: Row) -> Iterator[tuple[str, str]]:
    """Fields that differ, and why."""
    for name in COMPARED:
        one, other = getattr(logs, name), getattr(cm, name)
        if same(one, other):
            continue
        if other is None:
            yield name, "CM has none"
        elif one is None:
            yield name, "the logs have none"
        else:
            yield name, "other value"


def compared(logs: dict[str, Row], cm: dict[str, Row]) -> dict[str, object]:
    found: Counter[str] = Counter()
    examples: dict[str, list[object]] = defaultdict(list)
    both = sorted(set(logs) & set(cm))
    equal = 0
    for uid in both:
        each = list(differences(logs[uid], cm[uid]))
        equal += not each
        for name, why in each:
            key = f"{name}: {why}"
            found[key] += 1
            if len(examples[key]) < 3:
                examples[key].append([logs[uid].location, getattr(logs[uid], name), getattr(cm[uid], name)])
    only_logs = [logs[uid] for uid in sorted(set(logs) - set(cm))]
    only_cm = [cm[uid] for uid in sorted(set(cm) - set(logs))]
    return {
        "from the logs": len(logs),
        "of them taken by the official checker": sum(row.official is True for row in logs.values()),
        "from CM": len(cm),
        "in both": len(both),
        "equal in every compared field": equal,
        "differences": dict(found.most_common()),
        "examples": examples,
        "only from the logs": dict(
            Counter(f"{row.division}/{row.organisation_given}" for row in only_logs).most_common()
        ),
        "only from the logs, official": sum(row.official is True for row in only_logs),
        "only from CM": dict(Counter(f"{row.division}/{row.organisation_given}" for row in only_cm).most_common()),
        "examples only from CM": [row.location for row in only_cm[:6]],
        "examples only from the logs": [row.location for row in only_logs[:6]],
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tree", type=Path, required=True, help="checkout of the round's results")
    parser.add_argument("--cm", type=Path, required=True, help="checkout of mlcommons/cm_inference_results")
    parser.add_argument("--round", required=True)
    parser.add_argument("--jobs", type=int)
    given = parser.parse_args()
    logs = from_logs(given.tree, given.round, given.jobs)
    print(json.dumps(compared(logs, from_cm(given.cm, given.round)), indent=2, default=str))
    return 0


if __name__ == "__main__":
    sys.exit(main())
