"""A small tree that every round accepts under both verdicts, made from the round's own facts."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from assay.rules.load import load_round
from assay.rules.model import Benchmark, Category, Round, Scenario, Seeds

from .power.measured import Measured, complete

SUBMITTER, SYSTEM = "Acme", "box"


def log_line(key: str, value: object, *, error: bool = False) -> str:
    """A line of LoadGen's detail log."""
    metadata = {"is_error": error, "is_warning": False, "file": "loadgen.cc", "line_no": 1, "pid": 1, "tid": 1}
    entry = {
        "key": key,
        "value": value,
        "time_ms": 1.0,
        "namespace": "mlperf::logging",
        "event_type": "POINT_IN_TIME",
        "metadata": metadata,
    }
    return f":::MLLOG {json.dumps(entry)}\n"


def run_values(round_: Round, benchmark: Benchmark, scenario: Scenario, seeds: Seeds) -> dict[str, Any]:
    """Keys and values of a valid performance run."""
    facts, limits = round_.scenarios[scenario], benchmark.limits[scenario]
    assert round_.submission is not None
    values: dict[str, Any] = {
        "loadgen_version": f"{round_.name.lstrip('v')} @ 0000000000",
        "sut_name": "box Network SUT",
        "effective_scenario": scenario.value,
        "effective_test_mode": "PerformanceOnly",
        "effective_samples_per_query": facts.samples_per_query or 24576,
        "effective_target_latency_percentile": facts.percentile or 0.9,
        "effective_target_latency_ns": limits.target_latency_ns or 0,
        "effective_min_duration_ms": round_.submission.min_duration_ms,
        "effective_min_query_count": 1 if scenario is Scenario.OFFLINE else limits.min_query_count,
        "effective_performance_sample_count": limits.performance_sample_count,
        "effective_qsl_rng_seed": seeds.qsl,
        "effective_sample_index_rng_seed": seeds.sample_index,
        "effective_schedule_rng_seed": seeds.schedule,
        "qsl_reported_total_count": benchmark.dataset_size,
        "loaded_qsl_set": list(range(600)),
        "power_begin": "03-01-2023 18:00:00.000",
        "power_end": "03-01-2023 18:10:00.000",
        "result_validity": "VALID",
        "result_perf_constraints_met": True,
        "result_min_duration_met": True,
        "result_min_queries_met": True,
        "result_query_count": 60000,
        "result_mean_latency_ns": 2_000_000,
        "result_mean_query_latency_ns": 16_000_000,
        "result_qps_without_loadgen_overhead": 500.25,
        "result_samples_per_second": 1234.5,
        "result_scheduled_samples_per_sec": 987.25,
    }
    if facts.uses_early_stopping:
        values |= {
            "early_stopping_met": True,
            "early_stopping_result": "fine",
            "early_stopping_latency_ss": 3_250_000,
            "early_stopping_latency_ms": 24_500_000,
        }
    if benchmark.token_latency is not None:
        values |= {
            "requested_use_token_latencies": True,
            "requested_server_ttft_latency": benchmark.token_latency.first_token_ns,
            "requested_server_tpot_latency": benchmark.token_latency.per_token_ns,
            "result_completed_samples_per_sec": 76.5,
            "result_tokens_per_second": 22_345.75,
            "result_first_token_99.00_percentile_latency_ns": benchmark.token_latency.first_token_ns - 1,
            "result_time_per_output_token_99.00_percentile_ns": benchmark.token_latency.per_token_ns - 1,
        }
    return values


@dataclass
class SmallTree:
    """A tree and where its parts are."""

    root: Path
    round: Round
    benchmark: Benchmark
    division: str = "closed"
    model: str = "resnet50"
    system_fields: dict[str, Any] = field(default_factory=dict)

    @property
    def submitter(self) -> Path:
        return self.root / self.division / SUBMITTER

    @property
    def system_json(self) -> Path:
        return self.submitter / "systems" / f"{SYSTEM}.json"

    def result(self, scenario: str) -> Path:
        return self.submitter / "results" / SYSTEM / self.model / scenario

    def measurements(self, scenario: str) -> Path:
        return self.submitter / "measurements" / SYSTEM / self.model / scenario

    def compliance(self, scenario: str) -> Path:
        return self.submitter / "compliance" / SYSTEM / self.model / scenario

    def run_log(self, scenario: str) -> Path:
        return self.result(scenario) / "performance" / "run_1" / "mlperf_log_detail.txt"

    def accuracy_log(self, scenario: str) -> Path:
        return self.result(scenario) / "accuracy" / "mlperf_log_detail.txt"


def write_log(path: Path, values: dict[str, Any]) -> None:
    """Write a detail log, and the summary beside it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(log_line(key, value) for key, value in values.items()), encoding="utf-8")
    (path.parent / "mlperf_log_summary.txt").write_text("Result is : VALID\n", encoding="utf-8")


def change_log(path: Path, **values: Any) -> None:
    """Give keys of a log other values; None takes a key away, an unknown key is added at the end."""
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    for key, value in values.items():
        head = f':::MLLOG {{"key": "{key}",'
        place = next((number for number, line in enumerate(lines) if line.startswith(head)), None)
        new = [] if value is None else [log_line(key, value)]
        if place is None:
            lines += new
        else:
            lines[place : place + 1] = new
    path.write_text("".join(lines), encoding="utf-8")


def build(
    root: Path,
    round_name: str | Round = "v3.0",
    *,
    benchmark: str = "resnet",
    model: str = "resnet50",
    division: str = "closed",
    category: Category = Category.EDGE,
    scenarios: Iterable[Scenario] | None = None,
    power: bool = False,
) -> SmallTree:
    """Write a tree with one system and one benchmark in all scenarios of a category."""
    round_ = load_round(round_name) if isinstance(round_name, str) else round_name
    tree = SmallTree(root, round_, round_.benchmark(benchmark), division, model)
    _system(tree, category)
    (tree.submitter / "code" / model / "impl").mkdir(parents=True)
    (tree.submitter / "code" / model / "impl" / "run.py").write_text("print()\n", encoding="utf-8")
    for scenario in scenarios or tree.benchmark.required[category]:
        _entry(tree, scenario, power=power)
    return tree


def _system(tree: SmallTree, category: Category) -> None:
    rules = tree.round.submission
    assert rules is not None
    fields = dict.fromkeys((*rules.system.required, *rules.system.not_empty), "something")
    fields |= {
        "submitter": SUBMITTER,
        "division": tree.division,
        "status": "available",
        "system_type": category.value,
        "system_name": "The Box",
        "number_of_nodes": "1",
        "accelerators_per_node": "0",
        "hw_notes": "",
        "sw_notes": "",
    }
    if tree.division == "network":
        fields |= dict.fromkeys(rules.system.required_network, "something") | {"is_network": "true"}
    tree.system_fields = fields
    write_json(tree.system_json, fields)


def write_json(path: Path, value: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value), encoding="utf-8")


def _entry(tree: SmallTree, scenario: Scenario, *, power: bool) -> None:
    values = run_values(tree.round, tree.benchmark, scenario, tree.round.seeds)
    write_log(tree.run_log(scenario.value), values)
    _accuracy(tree, scenario, values)
    _measurements(tree, scenario, power=power)
    if tree.division != "open":
        _compliance(tree, scenario)
    if power:
        _power(tree, scenario, values)


def _accuracy(tree: SmallTree, scenario: Scenario, values: dict[str, Any]) -> None:
    log = tree.accuracy_log(scenario.value)
    write_log(log, {**values, "effective_test_mode": "AccuracyOnly"})
    (log.parent / "accuracy.txt").write_text(
        f"{ACCURACY_LINES[tree.benchmark.quality[0].metric]}\nhash={'0' * 64}\n", encoding="utf-8"
    )
    (log.parent / "mlperf_log_accuracy.json").write_text("[\n{}\n\n...\n\n{}]\n", encoding="utf-8")
    for name, outputs in tree.benchmark.outputs.items():
        (log.parent / name).mkdir()
        for each in (*outputs.required, *outputs.expected):
            (log.parent / name / f"{each}.png").write_bytes(b"an image")


AUDITED: dict[str, dict[str, Any]] = {
    "TEST01": {"effective_accuracy_log_sampling_target": 4096},
    "TEST04": {"effective_performance_issue_same": True},
    "TEST04-A": {"effective_performance_issue_unique": True},
    "TEST04-B": {"effective_performance_issue_same": True},
}
"""What LoadGen writes of the settings of a test."""

ACCURACY_LINES = {
    "acc": "accuracy=76.014%, good=38007, total=50000",
    "F1": '{"exact_match": 83.6, "f1": 90.88}',
    "ROUGE1": (
        "{'rouge1': 44.5, 'rouge2': 22.1, 'rougeL': 30.1, 'gen_len': 4016878, 'gen_num': 13368, "
        "'tokens_per_sample': 294.5}"
    ),
    "CLIP_SCORE": "Accuracy Results: {'FID_SCORE': 23.5, 'CLIP_SCORE': 31.75}",
}


def _measurements(tree: SmallTree, scenario: Scenario, *, power: bool) -> None:
    folder, rules = tree.measurements(scenario.value), tree.round.submission
    assert rules is not None
    folder.mkdir(parents=True)
    for name in rules.measurements.files:
        (folder / name).write_text("# said\n", encoding="utf-8")
    write_json(folder / f"{SYSTEM}_impl_{scenario.value}.json", dict.fromkeys(rules.measurements.fields, "fp32"))
    if power:
        for stem in rules.measurements.power_documents:
            (folder / f"{stem}.md").write_text("# said\n", encoding="utf-8")


def _compliance(tree: SmallTree, scenario: Scenario) -> None:
    assert tree.round.submission is not None
    by_lines = tree.round.submission.compliance.verify_lines
    for test in tree.benchmark.compliance:
        if test in by_lines:
            text = "".join(f"{group[0]}\n" for group in by_lines[test])
            (tree.compliance(scenario.value) / test).mkdir(parents=True)
            (tree.compliance(scenario.value) / test / "verify_accuracy.txt").write_text(text, encoding="utf-8")
            continue
        folder = tree.compliance(scenario.value) / test
        seeds = tree.round.test05_seeds if test == "TEST05" else tree.round.seeds
        write_log(
            folder / "performance" / "run_1" / "mlperf_log_detail.txt",
            run_values(tree.round, tree.benchmark, scenario, seeds) | AUDITED.get(test, {}),
        )
        (folder / "verify_performance.txt").write_text("TEST PASS\n", encoding="utf-8")
        if test == "TEST01":
            (folder / "verify_accuracy.txt").write_text("TEST PASS\n", encoding="utf-8")
            (folder / "accuracy").mkdir()
            for name in ("accuracy.txt", "mlperf_log_accuracy.json"):
                (folder / "accuracy" / name).write_text("{}\n", encoding="utf-8")


def _power(tree: SmallTree, scenario: Scenario, values: dict[str, Any]) -> None:
    performance = tree.result(scenario.value) / "performance"
    spl = "".join(
        f"Time,03-01-2023 18:{minute:02}:{second:02}.500,Watts,{100 + second // 10 * 10},Volts,230,Amps,1,PF,1,Mark,m\n"
        for minute in range(11)
        for second in range(60)
    )
    write_log(performance / "ranging" / "mlperf_log_detail.txt", values)
    for name in ("run_1", "ranging"):
        (performance / name / "spl.txt").write_text(spl, encoding="utf-8")
    rules = tree.round.submission
    assert rules is not None
    complete(Measured(tree.root, performance.relative_to(tree.root).as_posix()), tree.round.name)
    assert {each.name for each in (performance / "power").iterdir()} == set(rules.files.power)
