"""Reports made by hand, for what no tree of moderate size would give."""

from __future__ import annotations

import dataclasses
from typing import Any

from assay.rules.load import load_round
from assay.rules.submission import Level
from assay.submission.model import CheckReport, Finding, Outcome, Part, ResultReport

SYSTEM = "closed/Acme/results/box"
RESULT = f"{SYSTEM}/resnet50/Offline"
HEADER = (
    "Organization,Availability,Division,SystemType,SystemName,Platform,Model,MlperfModel,Scenario,Result,Accuracy,"
    "number_of_nodes,host_processor_model_name,host_processors_per_node,host_processor_core_count,"
    "accelerator_model_name,accelerators_per_node,Location,framework,operating_system,notes,compliance,errors,"
    "version,inferred,has_power,Units"
)


def finding(code: str = "seed-wrong", **changes: Any) -> Finding:
    """A finding; unless said otherwise both verdicts refuse the result for it."""
    values: dict[str, Any] = {
        "code": code,
        "title": "a seed is not the round's",
        "path": f"{RESULT}/performance/run_1/mlperf_log_detail.txt",
        "official": Level.REJECT,
        "strict": Level.REJECT,
        "part": Part.PERFORMANCE,
        "result": RESULT,
        "source": "inference_rules.adoc, seeds",
        "fix": "Use the seeds of the round.",
    }
    return Finding(**{**values, **changes})


def result(path: str = RESULT, *, official: bool = True, strict: bool = True, **changes: Any) -> ResultReport:
    """A result at a path."""
    division, submitter, _, system, model, scenario = path.split("/")
    values: dict[str, Any] = {
        "path": path,
        "division": division,
        "submitter": submitter,
        "system": system,
        "system_name": "The Box",
        "model": model,
        "benchmark": "resnet",
        "scenario": scenario,
        "value": 1234.5,
        "unit": "Samples/s",
        "accuracy": "76.01400000000001",
    }
    return ResultReport(**{**values, **changes}, official=official, strict=strict)


def report(
    findings: list[Finding],
    results: list[ResultReport] | None = None,
    *,
    official: tuple[str, ...] = (),
    strict: tuple[str, ...] = (),
    **changes: Any,
) -> CheckReport:
    """A report; ``official`` and ``strict`` are the refused places."""
    results = results if results is not None else [result()]
    own = {each.path: tuple(found for found in findings if found.result == each.path) for each in results}
    results = [dataclasses.replace(each, findings=own[each.path]) for each in results]
    values: dict[str, Any] = {
        "round": "v3.0",
        "rules": load_round("v3.0"),
        "tool": "submission_checker.py v3.0",
        "root": "tree",
        "header": HEADER,
        "rows": (),
    }
    return CheckReport(
        **{**values, **changes},
        results=tuple(results),
        findings=tuple(findings),
        official=Outcome(sum(each.official for each in results), official),
        strict=Outcome(sum(each.strict for each in results), strict),
    )


def refused() -> CheckReport:
    """A tree with three results: one refused by both verdicts, one by the strict one only, one taken; and a refused folder."""
    server, single = f"{SYSTEM}/resnet50/Server", f"{SYSTEM}/resnet50/SingleStream"
    missing = "closed/Acme/measurements/box/resnet50/Offline"
    findings = [
        finding(field="effective_qsl_rng_seed", found="1", expected="10003631887983097364", line=12),
        finding(
            "accuracy-mode",
            title="the accuracy run was not in accuracy mode",
            path=f"{server}/accuracy/mlperf_log_detail.txt",
            official=Level.IGNORE,
            part=Part.ACCURACY,
            result=server,
        ),
        finding(
            "measurements-missing",
            title="the measurements folder is missing",
            path=missing,
            official=Level.FLAG,
            strict=Level.WARN,
            part=Part.MEASUREMENTS,
        ),
        finding(
            "verify-inexact",
            title="the outputs of TEST01 were not equal",
            path=f"{single}/verify_accuracy.txt",
            official=Level.NOTE,
            strict=Level.NOTE,
            part=Part.COMPLIANCE,
            result=single,
        ),
    ]
    return report(
        findings,
        [result(official=False, strict=False), result(server, strict=False), result(single)],
        official=(missing, RESULT),
        strict=(RESULT, server),
        seconds=1.5,
        systems=1,
    )
