"""A small submission with everything that rows tell: power, inferred and refused results, two divisions."""

from __future__ import annotations

import csv
import hashlib
import io
from pathlib import Path
from typing import Any

from assay.rules.model import Category, Scenario

from ...submission.smalltree import SmallTree, build, change_log, run_values, write_json, write_log

REPOSITORY = "https://github.com/mlcommons/inference_results_v3.0"
SYSTEM: dict[str, Any] = {
    "submitter": "Acme",
    "status": "available",
    "system_type": "edge",
    "system_name": "The Box",
    "number_of_nodes": "2",
    "accelerator_model_name": "NVIDIA A100-SXM4-80GB",
    "accelerators_per_node": "4",
    "host_processor_model_name": "AMD EPYC 7713 64-Core Processor",
    "host_processors_per_node": "2",
    "host_processor_core_count": "64",
    "host_memory_capacity": "16x 64 GB",
    "framework": "TensorRT 8.6.0, CUDA 12.0",
    "operating_system": "Ubuntu 22.04",
    "hw_notes": "cooled, with water",
    "sw_notes": "",
}
LATENCIES = {
    "result_50.00_percentile_latency_ns": 1_500_000,
    "result_90.00_percentile_latency_ns": 2_500_000,
    "result_95.00_percentile_latency_ns": 2_750_000,
    "result_97.00_percentile_latency_ns": 3_000_000,
    "result_99.00_percentile_latency_ns": 3_500_000,
    "result_99.90_percentile_latency_ns": 4_500_000,
}


def make_tree(root: Path, round_name: str = "v3.0") -> dict[str, SmallTree]:
    """Write the submission; its parts by name.

    ``closed`` has power in every scenario; ``open`` has a SingleStream run, an Offline result that is inferred from
    such a run, and a MultiStream run that LoadGen called invalid; ``server`` is a datacenter system.
    """
    closed = build(root, round_name, power=True)
    open_ = build(root, round_name, division="open")
    server = build(
        root / "second", round_name, category=Category.DATACENTER, scenarios=[Scenario.SERVER, Scenario.OFFLINE]
    )
    (root / "second/closed/Acme").rename(root / "closed/Zeta")
    (root / "second/closed").rmdir()
    (root / "second").rmdir()
    server = SmallTree(root, server.round, server.benchmark)
    for tree, submitter, kind in ((closed, "Acme", "edge"), (open_, "Acme", "edge"), (server, "Zeta", "datacenter")):
        path = root / tree.division / submitter / "systems" / "box.json"
        fields = {**closed.system_fields, **SYSTEM, "submitter": submitter, "division": tree.division}
        write_json(path, {**fields, "system_type": kind})
    change_log(open_.run_log("SingleStream"), **LATENCIES, test_datetime="2023-02-01T10:00:00Z")
    change_log(root / "closed/Zeta/results/box/resnet50/Server/performance/run_1/mlperf_log_detail.txt", **LATENCIES)
    single = run_values(open_.round, open_.benchmark, Scenario.SINGLE_STREAM, open_.round.seeds)
    write_log(open_.run_log("Offline"), {**single, **LATENCIES})
    change_log(open_.run_log("MultiStream"), result_validity="INVALID", result_min_duration_met=False)
    return {"closed": closed, "open": open_}


def cm_rows(summary: str, *, split: bool) -> list[dict[str, Any]]:
    """What CM's importer makes of a ``summary.csv``: cells by their looks, a row for each line.

    Args:
        split: as of v4.x, where a line of power is a row of its own without a result; before, the figure of power
            was put into both rows of the result, which have one uid.
    """
    found: list[dict[str, Any]] = []
    lines = [{name: _guessed(cell) for name, cell in line.items()} for line in csv.DictReader(io.StringIO(summary))]
    for number, line in enumerate(lines):
        place = (line["Location"], line["MlperfModel"], line["Scenario"])
        power = next(
            (each for each in lines if place == (each["Location"], each["MlperfModel"], each["Scenario"])
             and each["Units"] in ("Watts", "millijoules", "Joules")), None,
        )  # fmt: skip
        row = {**line, "git_url": REPOSITORY, "url": f"{REPOSITORY}/tree/main/{line['Location']}"}
        row |= {"uid": hashlib.md5(repr((number, place) if split else place).encode()).hexdigest()[:16]}
        row |= {"Result_Units": row["Units"], "Accuracy_div_100": 0.5}
        if split and line is power:
            row |= {"Result": None, "Result_Power": line["Result"]}
        elif not split and power is not None:
            main = next(each for each in lines if each["Location"] == line["Location"])
            row |= {"Result": main["Result"], "Units": main["Units"], "Result_Units": main["Units"]}
            row |= {"Result_Power": power["Result"], "Result_Power_Units": power["Units"]}
        found.append(row)
    return found


def _guessed(cell: str) -> Any:
    if cell in ("True", "False"):
        return cell == "True"
    for kind in (int, float):
        try:
            return kind(cell)
        except ValueError:
            continue
    return cell
