"""Compliance folders as the official tool looks at them."""

from __future__ import annotations

from pathlib import Path

from ..case_runner import each_case, run_case
from ..cases import Case


@each_case("compliance-", "verify-")
def test_findings(case: Case, round_name: str, tmp_path: Path) -> None:
    run_case(case, round_name, tmp_path)
