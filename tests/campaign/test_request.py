from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from assay.campaign.request import RunRequest
from assay.errors import UsageError
from assay.rules.model import Mode, Scenario


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"quick": True, "duration_ns": 5}, "--quick and --duration"),
        ({"target_qps": 10.0, "scenarios": (Scenario.SINGLE_STREAM,)}, "--target-qps means nothing in SingleStream"),
        ({"target_latency_ns": 10, "scenarios": (Scenario.OFFLINE,)}, "--target-latency means nothing in Offline"),
        ({"batch_wait_ns": 10, "scenarios": (Scenario.OFFLINE,)}, "--batch-wait means something in Server only"),
        ({"mode": "accuracy", "quick": True}, "an accuracy run has no duration"),
        ({"mode": "accuracy", "duration_ns": 10}, "an accuracy run has no duration"),
        ({"mode": "accuracy", "target_qps": 5.0}, "--target-qps means nothing in an accuracy run"),
        (
            {"mode": "accuracy", "target_latency_ns": 5, "scenarios": (Scenario.SERVER,)},
            "--target-latency means nothing in an accuracy run",
        ),
        ({"batch_size": 4, "scenarios": (Scenario.SINGLE_STREAM,)}, "--batch-size means nothing in SingleStream"),
        ({"streams": 2, "scenarios": (Scenario.SINGLE_STREAM,)}, "--streams means nothing in SingleStream:"),
        (
            {"streams": 2, "scenarios": (Scenario.SINGLE_STREAM, Scenario.MULTI_STREAM)},
            "--streams means nothing in SingleStream and MultiStream",
        ),
    ],
)
def test_contradictions_are_told_with_a_way_out(options: dict[str, Any], words: str) -> None:
    with pytest.raises(UsageError, match=words) as caught:
        RunRequest(name="x", **options)
    assert caught.value.hint


def test_an_option_that_has_an_effect_somewhere_is_taken() -> None:
    both = (Scenario.SINGLE_STREAM, Scenario.OFFLINE)
    RunRequest(name="x", scenarios=both, batch_size=4, streams=2)
    RunRequest(name="x", scenarios=(Scenario.SINGLE_STREAM,), batch_size=1, streams=1)
    RunRequest(name="x", mode="both", target_qps=5.0)


def test_both_modes_put_accuracy_first() -> None:
    assert RunRequest(name="x", mode="both").modes == (Mode.ACCURACY, Mode.PERFORMANCE)


def test_quick_is_a_duration() -> None:
    assert RunRequest(name="x", quick=True).wanted_duration_ns == 5 * 10**9
    assert RunRequest(name="x").wanted_duration_ns is None


@pytest.mark.parametrize(
    "wrong", [{"batch_size": 0}, {"streams": 0}, {"samples": -1}, {"target_qps": 0.0}, {"bach_size": 3}]
)
def test_impossible_values_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        RunRequest(name="x", **wrong)


def test_a_task_whose_model_is_on_a_server_has_a_recipe_of_its_own() -> None:
    assert RunRequest(name="image-classification", backend="kserve", recipe={"crop": 8}).recipe == {"crop": 8}
    with pytest.raises(UsageError, match="its recipe"):
        RunRequest(name="mobilenet-v2", recipe={"crop": 8})
