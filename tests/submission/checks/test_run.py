"""The performance run of an entry."""

from __future__ import annotations

from pathlib import Path

from ..case_runner import each_case, run_case
from ..cases import Case


@each_case(
    "performance-",
    "detail-",
    "run-",
    "sample-",
    "seed-",
    "early-",
    "latency-",
    "offline-",
    "duration-",
    "inferred-",
    "scenario-mismatch",
    "sut-",
    "test-mode",
    "percentile-",
    "query-",
    "duplicate-",
    "audit-settings",
)
def test_findings(case: Case, round_name: str, tmp_path: Path) -> None:
    run_case(case, round_name, tmp_path)
