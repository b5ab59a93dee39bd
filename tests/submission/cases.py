"""For every finding, a small damage to a small tree that brings it about."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from assay.rules.model import Category, Scenario

from .smalltree import SYSTEM, SmallTree, change_log, log_line, write_json


@dataclass(frozen=True)
class Case:
    """A damage and the tree that it is done to."""

    code: str
    edit: Callable[[SmallTree], object]
    build: dict[str, Any] = field(default_factory=dict)
    name: str = ""
    since: str = "v2.0"
    until: str = ""

    @property
    def label(self) -> str:
        return f"{self.code}{'-' if self.name else ''}{self.name}"


def system(**changes: Any) -> Callable[[SmallTree], object]:
    """Change fields of the system description; ``...`` takes one away."""

    def edit(tree: SmallTree) -> None:
        fields = {**tree.system_fields, **{key.replace("__", "-"): value for key, value in changes.items()}}
        write_json(tree.system_json, {key: value for key, value in fields.items() if value is not ...})

    return edit


def perf(scenario: str = "Offline", **changes: Any) -> Callable[[SmallTree], object]:
    """Change values of the performance run's log."""
    return lambda tree: change_log(tree.run_log(scenario), **changes)


def audit(test: str, **changes: Any) -> Callable[[SmallTree], object]:
    """Change values of the log of a compliance test."""
    return lambda tree: change_log(
        tree.compliance("Offline") / test / "performance/run_1/mlperf_log_detail.txt", **changes
    )


def acc(**changes: Any) -> Callable[[SmallTree], object]:
    """Change values of the accuracy run's log."""
    return lambda tree: change_log(tree.accuracy_log("Offline"), **changes)


def put(where: Callable[[SmallTree], Path], text: str | bytes = "x\n") -> Callable[[SmallTree], object]:
    """Write a file."""

    def edit(tree: SmallTree) -> None:
        path = where(tree)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())

    return edit


def drop(where: Callable[[SmallTree], Path]) -> Callable[[SmallTree], object]:
    """Take a file or folder away."""

    def edit(tree: SmallTree) -> None:
        path = where(tree)
        shutil.rmtree(path) if path.is_dir() else path.unlink()

    return edit


def sparse(path: Path, size: int) -> None:
    """A large file that takes no room."""
    with path.open("wb") as file:
        file.truncate(size)


def _measurement_field(value: Any) -> Callable[[SmallTree], object]:
    def edit(tree: SmallTree) -> None:
        path = tree.measurements("Offline") / f"{SYSTEM}_impl_Offline.json"
        fields = json.loads(path.read_text(encoding="utf-8"))
        fields.pop("retraining")
        write_json(path, fields if value is ... else {**fields, "retraining": value})

    return edit


def _inexact(tree: SmallTree, baseline: str, compliance: str) -> None:
    folder = tree.compliance("Offline") / "TEST01"
    (folder / "verify_accuracy.txt").write_text("TEST FAIL\n", encoding="utf-8")
    (folder / "accuracy" / "baseline_accuracy.txt").write_text(baseline, encoding="utf-8")
    (folder / "accuracy" / "compliance_accuracy.txt").write_text(compliance, encoding="utf-8")


def _sample(line: str) -> Callable[[SmallTree], object]:
    """Append a line to the power samples of a run."""
    return lambda tree: tree.run_log("Offline").with_name("spl.txt").open("a").write(line)


def _acc_text(tree: SmallTree) -> Path:
    return tree.result("Offline") / "accuracy" / "accuracy.txt"


def _hash_of_another_log(tree: SmallTree) -> None:
    log = tree.result("Offline") / "accuracy" / "mlperf_log_accuracy.json"
    log.write_text("[\n]\n", encoding="utf-8")


def _sdxl(clip: float, fid: float) -> str:
    return f"Accuracy Results: {{'FID_SCORE': {fid}, 'CLIP_SCORE': {clip}}}\nhash=00\n"


def _llama(tokens: float) -> str:
    return f"{{'rouge1': 44.5, 'rouge2': 22.1, 'rougeL': 30.1, 'tokens_per_sample': {tokens}}}\nhash=00\n"


def _image(tree: SmallTree, name: str) -> Path:
    return _acc_text(tree).parent / "images" / f"{name}.png"


def _test06(tree: SmallTree) -> Path:
    return tree.compliance("Offline") / "TEST06" / "verify_accuracy.txt"


def _another_test(tree: SmallTree) -> None:
    folder = tree.compliance("Offline") / "TEST06"
    folder.rename(folder.with_name("TEST01"))


TTFT = "result_first_token_99.00_percentile_latency_ns"
TPOT = "result_time_per_output_token_99.00_percentile_ns"
PASSED = (
    "First token check pass: True\nEOS check pass: True\nSample length check pass: True\nTEST06 verification complete\n"
)
DATACENTER = {"category": Category.DATACENTER}
NETWORK = {"category": Category.DATACENTER, "division": "network"}
OPEN = {"division": "open"}
POWER = {"power": True}
LLAMA = {"benchmark": "llama2-70b-99", "model": "llama2-70b-99", "category": Category.DATACENTER}
SDXL = {"benchmark": "stable-diffusion-xl", "model": "stable-diffusion-xl"}
BERT = {"benchmark": "bert-99", "model": "bert-99"}
UNHASHABLE = ':::MLLOG {"key": [], "value": 1, "metadata": {"is_error": false}}\n'

CASES: tuple[Case, ...] = (
    Case("division-unknown", lambda t: (t.root / "elsewhere").mkdir()),
    Case("root-file-extra", put(lambda t: t.root / "notes.txt")),
    Case("division-file-extra", put(lambda t: t.root / "closed" / "notes.md")),
    Case("link-found", lambda t: (t.submitter / "code" / "ln").symlink_to("../systems/box.json")),
    Case("link-outside", lambda t: (t.submitter / "code" / "ln").symlink_to("/etc/hostname")),
    Case("link-outside", lambda t: (t.submitter / "code" / "ln").symlink_to("/"), name="folder"),
    Case("link-outside", lambda t: (t.submitter / "code" / "ln").symlink_to(".."), name="circle"),
    Case("file-too-large", lambda t: sparse(t.submitter / "code" / "big.bin", (50 << 20) + 1)),
    Case("name-hidden", put(lambda t: t.submitter / "code" / ".gitkeep")),
    Case("name-space", put(lambda t: t.submitter / "code" / "a b.txt")),
    Case("name-space", put(lambda u: u.submitter / "code" / "a b" / "x"), name="folder"),
    Case("pycache-found", put(lambda t: t.submitter / "code" / "__pycache__" / "x.pyc")),
    Case("folder-empty", lambda t: (t.submitter / "code" / "nothing").mkdir()),
    Case("mapping-unreadable", put(lambda t: t.submitter / "model_mapping.json", "{"), OPEN),
    Case("system-missing", drop(lambda t: t.system_json)),
    Case("system-unreadable", put(lambda t: t.system_json, "{}}")),
    Case("system-unreadable", put(lambda t: t.system_json, "[" * 100_000), name="deep"),
    Case("system-unreadable", put(lambda t: t.system_json, b"\xff\xfe{}"), name="encoding"),
    Case("system-status", system(status="someday")),
    Case("system-status", system(status=...), name="missing"),
    Case("system-type", system(system_type="Edge")),
    Case("system-field-missing", system(host_memory_capacity=...)),
    Case("system-field-empty", system(framework="")),
    Case("system-field-empty", system(cooling=""), name="later"),
    Case("system-field-zero", system(accelerators_per_node=0)),
    Case("system-field-unknown", system(colour="red")),
    Case("system-field-type", system(system_name=7)),
    Case("system-field-type", system(hw_notes=None), name="notes"),
    Case("system-field-type", system(framework="\ud800"), name="half-character"),
    Case("system-field-type", system(number_of_nodes="\udc80"), name="half-number"),
    Case("system-submitter", system(submitter="Another")),
    Case("system-division", system(division="open")),
    Case("system-network", system(is_network="true")),
    Case("network-category", system(system_type="datacenter,edge"), NETWORK),
    Case("model-unknown", lambda t: (t.result("x").parent).rename(t.result("x").parent.with_name("alexnet"))),
    Case(
        "model-category",
        lambda t: None,
        {"benchmark": "bert-99.9", "model": "bert-99.9", "scenarios": (Scenario.OFFLINE,)},
    ),
    Case("scenario-unexpected", lambda t: shutil.copytree(t.result("Offline"), t.result("Server"))),
    Case("scenario-missing", drop(lambda t: t.result("SingleStream"))),
    Case("result-zero", perf(result_samples_per_second=0.0)),
    Case(
        "result-absent",
        perf(
            "Offline",
            effective_scenario="SingleStream",
            result_qps_without_loadgen_overhead=None,
            early_stopping_latency_ss=5,
            early_stopping_met=True,
            effective_samples_per_query=1,
        ),
    ),
    Case("folder-unreadable", put(lambda t: t.submitter.joinpath("code", *"d" * 60, "x"))),
    Case("file-special", lambda t: os.mkfifo(t.submitter / "code" / "pipe")),
    Case("measurements-missing", drop(lambda t: t.measurements("Offline"))),
    Case("measurements-file-missing", drop(lambda t: t.measurements("Offline") / "README.md")),
    Case("measurements-file-empty", put(lambda t: t.measurements("Offline") / "README.md", "")),
    Case("measurements-json-missing", drop(lambda t: t.measurements("Offline") / f"{SYSTEM}_impl_Offline.json")),
    Case("measurements-json-unreadable", put(lambda t: t.measurements("Offline") / f"{SYSTEM}_impl_Offline.json", "{")),
    Case("measurements-field-missing", _measurement_field(...)),
    Case("measurements-field-empty", _measurement_field("")),
    Case("code-missing", drop(lambda t: t.submitter / "code")),
    Case("power-document-missing", drop(lambda t: t.measurements("Offline") / "analyzer_table.md"), POWER),
    Case("accuracy-missing", drop(_acc_text)),
    Case("accuracy-missing", drop(_acc_text), OPEN, name="open"),
    Case("accuracy-files", put(lambda t: _acc_text(t).with_name("more.txt"))),
    Case("accuracy-unreadable", put(_acc_text, "accuracy=7.6.1%\nhash=00\n")),
    Case("accuracy-unreadable", put(_acc_text, b"\xff\xfe\nhash=00\n"), name="encoding"),
    Case("accuracy-absent", put(_acc_text, "mAP=76.1\nhash=00\n")),
    Case("accuracy-below-target", put(_acc_text, "accuracy=75.69%\nhash=00\n")),
    Case("accuracy-below-target", put(_acc_text, "accuracy=75.69%\nhash=00\n"), OPEN, name="open"),
    Case("accuracy-above-limit", put(_acc_text, _sdxl(31.82, 23.5)), SDXL, since="v4.0"),
    Case("accuracy-above-limit", put(_acc_text, _sdxl(31.75, 23.96)), SDXL, name="second", since="v4.0"),
    Case("accuracy-above-limit", put(_acc_text, _sdxl(31.82, 23.5)), {**SDXL, **OPEN}, name="open", since="v4.0"),
    Case(
        "accuracy-above-limit",
        put(_acc_text, _sdxl(31.82, 23.5) + _sdxl(31.75, 23.5)),
        {**SDXL, **OPEN},
        name="twice",
        since="v4.0",
    ),
    Case(
        "accuracy-above-limit",
        put(_acc_text, _llama(323.9)),
        LLAMA,
        name="tokens",
        since="v4.0",
    ),
    Case("accuracy-below-target", put(_acc_text, _sdxl(31.75, 23.0)), SDXL, name="distance", since="v4.0"),
    Case("accuracy-below-target", put(_acc_text, _llama(265.0)), LLAMA, name="tokens", since="v4.0"),
    Case("accuracy-absent", put(_acc_text, "{'CLIP_SCORE': 31.75}\nhash=00\n"), SDXL, name="second", since="v4.0"),
    Case("accuracy-output-missing", drop(lambda t: _acc_text(t).parent / "images"), SDXL, since="v4.0"),
    Case("accuracy-output-missing", drop(lambda t: _image(t, "95")), SDXL, name="image", since="v4.0"),
    Case("accuracy-output-missing", drop(lambda t: _image(t, "95")), {**SDXL, **OPEN}, name="open", since="v4.0"),
    Case("accuracy-extra-missing", drop(lambda t: _image(t, "captions")), SDXL, since="v4.0"),
    Case("accuracy-hash-missing", put(_acc_text, "accuracy=76.0%\n")),
    Case("accuracy-log-missing", drop(lambda t: _acc_text(t).with_name("mlperf_log_accuracy.json"))),
    Case("accuracy-log-untruncated", put(lambda t: _acc_text(t).with_name("mlperf_log_accuracy.json"), "x" * 10241)),
    Case("accuracy-detail-missing", drop(lambda t: t.accuracy_log("Offline"))),
    Case("accuracy-run-error", lambda t: t.accuracy_log("Offline").open("a").write(log_line("e", "bad", error=True))),
    Case("accuracy-detail-malformed", lambda t: t.accuracy_log("Offline").open("a").write(":::MLLOG {\n")),
    Case("accuracy-mode", acc(effective_test_mode="PerformanceOnly")),
    Case("accuracy-scenario", acc(effective_scenario="Server")),
    Case("accuracy-samples", acc(qsl_reported_total_count=500)),
    Case("accuracy-sut", acc(sut_name="another Network SUT")),
    Case("accuracy-hash-wrong", _hash_of_another_log),
    Case("performance-missing", drop(lambda t: t.run_log("Offline").parent)),
    Case("performance-files", put(lambda t: t.run_log("Offline").with_name("more.txt"))),
    Case("performance-files", put(lambda t: t.run_log("Offline").with_name("more.txt")), POWER, name="power"),
    Case("detail-missing", drop(lambda t: t.run_log("Offline"))),
    Case("detail-malformed", lambda t: t.run_log("Offline").open("a").write(":::MLLOG nonsense\n")),
    Case("detail-malformed", lambda t: t.run_log("Offline").open("ab").write(b"\xff\xfe\n"), name="encoding"),
    Case("detail-malformed", lambda t: t.run_log("Offline").open("a").write(UNHASHABLE), name="key"),
    Case("detail-value", perf(effective_min_duration_ms=None)),
    Case("detail-value", perf(result_samples_per_second=None), name="figure"),
    Case("detail-value", perf(effective_scenario="Sometimes"), name="scenario"),
    Case("result-invalid", perf(result_validity="INVALID")),
    Case("result-invalid", perf("Server", result_validity="INVALID"), {**BERT, **DATACENTER}, name="other"),
    Case("result-invalid-unheeded", perf("Server", result_validity="INVALID"), LLAMA, since="v4.0"),
    Case("token-latency-off", perf("Server", requested_use_token_latencies=False), LLAMA, since="v4.0"),
    Case("token-latency-off", perf(requested_use_token_latencies=None), LLAMA, name="offline", since="v4.0"),
    Case("token-latency", perf("Server", **{TTFT: 2_000_000_000}), LLAMA, since="v4.0"),
    Case("token-latency", perf("Server", **{TPOT: 200_000_000}), LLAMA, name="later", since="v4.0"),
    Case("token-latency", perf("Server", **{TTFT: 2_000_000_000, TPOT: None}), LLAMA, name="first", since="v4.0"),
    Case("token-latency-weak", perf("Server", requested_server_ttft_latency=3 * 10**9), LLAMA, since="v4.0"),
    Case("token-latency-weak", perf("Server", requested_server_tpot_latency=None), LLAMA, name="later", since="v4.0"),
    Case("detail-value", perf("Server", **{TTFT: None}), LLAMA, name="first-token", since="v4.0"),
    Case("detail-value", perf("Server", **{TPOT: "late"}), LLAMA, name="later-token", since="v4.0"),
    Case("detail-value", perf(result_tokens_per_second=None), LLAMA, name="tokens", since="v4.0"),
    Case("detail-value", perf(result_samples_per_second=None), LLAMA, name="samples", since="v4.0"),
    Case("latency-bound", perf("Server", effective_target_latency_ns=20 * 10**9 + 1), LLAMA, "tokens", "v4.0"),
    Case("run-error", lambda t: t.run_log("Offline").open("a").write(log_line("error_runtime", "bad", error=True))),
    Case("sample-count-low", perf(effective_performance_sample_count=64)),
    Case("seed-wrong", perf(effective_qsl_rng_seed=1)),
    Case("seed-wrong", perf(effective_sample_index_rng_seed=1), name="sample"),
    Case("seed-wrong", perf(effective_schedule_rng_seed=1), name="schedule"),
    Case(
        "seed-wrong",
        lambda t: change_log(
            t.compliance("Offline") / "TEST05/performance/run_1/mlperf_log_detail.txt",
            effective_qsl_rng_seed=t.round.seeds.qsl,
        ),
        name="test05",
        since="v2.1",
    ),
    Case("early-stopping-unmet", perf("MultiStream", early_stopping_met=False)),
    Case("latency-bound", perf("Server", effective_target_latency_ns=15000001), DATACENTER),
    Case("offline-queries", perf(effective_min_query_count=0)),
    Case("offline-samples", perf(effective_samples_per_query=24575)),
    Case("offline-samples", perf(effective_samples_per_query=10832), BERT, name="dataset"),
    Case("duration-short", perf(effective_min_duration_ms=599999)),
    Case("duration-unmet", perf(result_min_duration_met=False)),
    Case(
        "inferred-no-estimate",
        perf(
            "MultiStream",
            effective_scenario="SingleStream",
            early_stopping_latency_ms=0,
            effective_samples_per_query=1,
            effective_target_latency_percentile=0.9,
        ),
    ),
    Case(
        "inferred-category",
        perf(
            "Offline",
            effective_scenario="SingleStream",
            early_stopping_latency_ss=5,
            early_stopping_met=True,
            effective_samples_per_query=1,
            effective_target_latency_percentile=0.9,
        ),
        DATACENTER,
    ),
    Case(
        "scenario-mismatch",
        perf(
            "Offline",
            effective_scenario="Server",
            early_stopping_met=True,
            effective_samples_per_query=1,
            effective_target_latency_percentile=0.99,
        ),
    ),
    Case("sut-name", perf("Server", sut_name="box"), NETWORK),
    Case("test-mode", perf(effective_test_mode="AccuracyOnly")),
    Case("percentile-wrong", perf("MultiStream", effective_target_latency_percentile=0.9)),
    Case("query-size-wrong", perf("MultiStream", effective_samples_per_query=4)),
    Case("audit-settings", perf(effective_performance_issue_same=True)),
    Case("audit-settings", perf("MultiStream", effective_accuracy_log_sampling_target=64), name="answers"),
    Case("duplicate-run", lambda t: t.run_log("Offline").open("a").write(log_line("result_validity", "INVALID"))),
    Case("power-files", drop(lambda t: t.result("Offline") / "performance/power/ptd_logs.txt"), POWER),
    Case("power-files", drop(lambda t: t.result("Offline") / "performance/ranging"), POWER, name="ranging"),
    Case("ranging-unreadable", put(lambda t: t.result("Offline") / "performance/ranging/mlperf_log_detail.txt"), POWER),
    Case("power-log-unreadable", put(lambda t: t.run_log("Offline").with_name("spl.txt"), "Time,nonsense\n"), POWER),
    Case("power-log-unreadable", _sample("\n"), POWER, name="other-line", until="v3.1"),
    Case("power-log-unreadable", perf(power_begin="yesterday"), POWER, name="window"),
    Case("power-log-unreadable", _sample("Time,03-01-2023 18:10:30.500\n"), POWER, name="short-line"),
    Case(
        "power-no-sample",
        perf(power_begin="03-01-2024 18:00:00.000", power_end="03-01-2024 18:10:00.000"),
        POWER,
    ),
    Case("compliance-missing", drop(lambda t: t.compliance("Offline"))),
    Case("compliance-test-missing", drop(lambda t: t.compliance("Offline") / "TEST05")),
    Case("compliance-test-missing", drop(lambda t: t.compliance("Offline") / "TEST01"), name="first"),
    Case("compliance-run-missing", drop(lambda t: t.compliance("Offline") / "TEST05/performance")),
    Case("compliance-files", put(lambda t: t.compliance("Offline") / "TEST05/performance/run_1/more.txt")),
    Case("compliance-files", put(lambda t: t.compliance("Offline") / "TEST01/accuracy/more.txt"), name="accuracy"),
    Case("verify-missing", drop(lambda t: t.compliance("Offline") / "TEST05/verify_performance.txt")),
    Case("verify-missing", drop(lambda t: t.compliance("Offline") / "TEST01/verify_accuracy.txt"), name="accuracy"),
    Case("verify-failed", put(lambda t: t.compliance("Offline") / "TEST05/verify_performance.txt", "TEST FAIL\n")),
    Case("compliance-missing", drop(lambda t: t.compliance("Offline")), LLAMA, name="tokens", since="v4.0"),
    Case("compliance-test-missing", _another_test, LLAMA, name="tokens", since="v4.0"),
    Case("verify-missing", drop(_test06), LLAMA, name="tokens", since="v4.0"),
    Case("verify-failed", put(_test06, PASSED.replace("EOS check pass: True", "")), LLAMA, "eos", "v4.0"),
    Case(
        "verify-failed",
        put(_test06, PASSED.replace("token check pass: True", "token check pass: False")),
        LLAMA,
        name="token",
        since="v4.0",
    ),
    Case(
        "verify-failed",
        put(_test06, PASSED.replace("Sample length check pass: True", "TEST PASS")),
        LLAMA,
        name="length",
        since="v4.0",
    ),
    Case("verify-inexact", lambda t: _inexact(t, "accuracy=76.0%\n", "accuracy=76.1%\n")),
    Case("audit-unheeded", audit("TEST01", effective_accuracy_log_sampling_target=0), since="v2.1"),
    Case("audit-unheeded", audit("TEST04", effective_performance_issue_same=None), name="same", since="v2.1"),
    Case("compliance-speed", audit("TEST05", result_samples_per_second=1000.0), since="v2.1"),
    Case("compliance-accuracy-missing", drop(lambda t: t.compliance("Offline") / "TEST01/accuracy")),
    Case("compliance-accuracy-unreadable", lambda t: _inexact(t, "accuracy=76.0%\n", "nothing\n")),
    Case("compliance-accuracy-differs", lambda t: _inexact(t, "accuracy=76.0%\n", "accuracy=75.0%\n")),
    Case(
        "compliance-run-unjudged",
        lambda t: (
            (t.compliance("Offline") / "TEST05/performance/run_1/mlperf_log_detail.txt").open("a").write(":::MLLOG {\n")
        ),
        since="v2.1",
    ),
)
