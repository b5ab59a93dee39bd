"""Runs that do not fit; that those that do are found is tested with the plan of a test."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from assay.campaign.compliance_reference import check_reference, check_together, read_plain_spec
from assay.errors import InvalidInputError, UsageError
from assay.loadgen.record import Artefact, RunRecord, RunStatus
from assay.loadgen.verdict import Constraint, Verdict

VALID = Verdict(True, True, (), (), ())


def record(**changes: Any) -> RunRecord:
    made = RunRecord(
        id="r", group="g", created="2026-01-01T00:00:00+00:00", status=RunStatus.FINISHED, round="v3.1", benchmark="resnet",
        task="image-classification", scenario="Offline", mode="performance", category="edge", division="open",
        model=Artefact("m", "m" * 64), dataset=Artefact("d", "d" * 64, 20), backend_name="null", precision="fp32",
        batch_size=8, streams=1, threads=0, command="assay run", verdict=VALID,
    )  # fmt: skip
    return replace(made, **changes)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"verdict": replace(VALID, valid=False)}, "is INVALID"),
        ({"verdict": None}, "is INVALID"),
        ({"status": RunStatus.INTERRUPTED}, "is interrupted"),
        ({"compliance": "TEST05"}, r"is a compliance test itself \(TEST05\)"),
        (
            {"verdict": replace(VALID, constraints=(Constraint("plain settings", False, "off", "on", "log"),))},
            "was made under settings of a compliance test",
        ),
    ],
)
def test_a_test_beside_such_a_run_means_nothing(changes: dict[str, Any], why: str) -> None:
    check_reference(record())
    with pytest.raises(UsageError, match=f"the performance run r {why}"):
        check_reference(record(**changes))


def test_both_plain_runs_are_of_one_model_on_one_engine() -> None:
    check_together(record(), record())
    for changes in (
        {"model": Artefact("m", "n")},
        {"backend_name": "x"},
        {"precision": "int8"},
        {"dataset": Artefact("e", "e")},
    ):
        with pytest.raises(UsageError, match="does not belong to the performance run"):
            check_together(record(), record(**changes))


def test_a_program_of_others_may_have_data_of_its_own_of_which_nothing_is_known() -> None:
    own = {"implementation": "vendor"}
    unseen = record(dataset=Artefact("of vendor", None), backend=own)
    check_together(unseen, record(backend=own))
    with pytest.raises(UsageError, match="does not belong"):
        check_together(record(backend=own), record(backend=own, dataset=Artefact("d", "e" * 64)))
    with pytest.raises(UsageError, match="does not belong"):
        check_together(record(dataset=Artefact("synthetic", None)), record())


def test_a_run_that_assay_did_not_make_cannot_be_repeated(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match="cannot be repeated as a compliance test"):
        read_plain_spec(tmp_path)
