from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from assay.campaign.compliance_done import done_before, unjudged
from assay.loadgen.compliance import SCOPE
from assay.loadgen.record import RunRecord, RunStatus
from assay.loadgen.runs import RunCatalogue
from assay.loadgen.verdict import Constraint

from .test_compliance_reference import VALID, record

PASSED = replace(VALID, constraints=(Constraint("speed", True, "", "", "", "", SCOPE),))
FAILED = replace(VALID, constraints=(Constraint("speed", False, "", "", "", "", SCOPE),))
PERFORMANCE, ACCURACY = record(id="perf"), record(id="acc", mode="accuracy")


class Runs:
    """Runs of tests, the later ones newer."""

    def __init__(self, folder: Path) -> None:
        self.catalogue = RunCatalogue(folder)
        self._count = 0

    def put(self, test: str, *, folder: bool = True, **changes: Any) -> RunRecord:
        self._count += 1
        given: dict[str, Any] = {"verdict": PASSED, "judged_against": ("perf",)}
        made = record(id=f"20260101-0000{self._count:02d}-{test}", compliance=test, **{**given, **changes})
        path = self.catalogue.create(made).path
        if folder:
            (path / "compliance" / test).mkdir(parents=True)
        return made

    def done(self, *tests: str) -> dict[str, RunRecord]:
        return done_before(tests, PERFORMANCE, ACCURACY, self.catalogue)

    def left(self, test: str) -> RunRecord | None:
        return unjudged(test, PERFORMANCE, ACCURACY, self.catalogue)


@pytest.fixture
def runs(tmp_path: Path) -> Runs:
    return Runs(tmp_path / "runs")


def test_the_newest_run_that_was_passed_counts(runs: Runs) -> None:
    runs.put("TEST05")
    newest = runs.put("TEST05")
    runs.put("TEST05", verdict=FAILED)
    assert runs.done("TEST05", "TEST04") == {"TEST05": newest}
    assert runs.left("TEST05") is None


@pytest.mark.parametrize(
    "changes",
    [
        {"verdict": FAILED}, {"verdict": VALID}, {"verdict": None}, {"status": RunStatus.FAILED},
        {"status": RunStatus.INTERRUPTED}, {"judged_against": ("another",)}, {"judged_against": ()}, {"folder": False},
    ],
)  # fmt: skip
def test_what_is_not_passed_beside_these_runs_is_to_be_made(runs: Runs, changes: dict[str, Any]) -> None:
    runs.put("TEST04", **changes)
    assert runs.done("TEST04") == {}


def test_test01_was_compared_with_the_same_accuracy_run(runs: Runs) -> None:
    runs.put("TEST01", judged_against=("perf", "older"))
    assert runs.done("TEST01") == {}
    made = runs.put("TEST01", judged_against=("perf", "acc"))
    assert runs.done("TEST01") == {"TEST01": made}
    assert done_before(("TEST01",), PERFORMANCE, None, runs.catalogue) == {}


def test_the_parts_of_a_test_are_done_together(runs: Runs) -> None:
    first = runs.put("TEST04-A", judged_against=("perf", "20260101-000002-TEST04-B"))
    assert runs.done("TEST04-A", "TEST04-B") == {}
    second = runs.put("TEST04-B", judged_against=("perf", first.id))
    assert runs.done("TEST04-A", "TEST04-B") == {"TEST04-A": first, "TEST04-B": second}


def test_a_run_that_was_not_judged_is_left_to_be_judged(runs: Runs) -> None:
    assert runs.left("TEST05") is None
    made = runs.put("TEST05", verdict=VALID, folder=False)
    assert runs.left("TEST05") == made
    assert runs.left("TEST04") is None
    runs.put("TEST04", verdict=VALID, folder=False, judged_against=("another",))
    assert runs.left("TEST04") is None
