"""What no search can mean is refused before anything is looked at."""

from __future__ import annotations

from typing import Any

import pytest

from assay.campaign.request import RunRequest
from assay.campaign.tuning.request import TuneRequest
from assay.errors import UsageError
from assay.rules.model import Scenario


def request(scenario: Scenario = Scenario.OFFLINE, run: dict[str, Any] | None = None, **given: Any) -> TuneRequest:
    return TuneRequest(run=RunRequest(name="mobilenet-v2", scenarios=(scenario,), **(run or {})), **given)


@pytest.mark.parametrize(
    ("scenario", "given", "what"),
    [
        (Scenario.OFFLINE, {"trade_off": "watts"}, "only a meter tells watts"),
        (Scenario.OFFLINE, {"max_watts": 20.0}, "only a meter tells watts"),
        (Scenario.OFFLINE, {"max_p99_ns": 10**6}, "--max-latency means nothing in Offline"),
        (Scenario.OFFLINE, {"batch_waits_ns": (10**6,)}, "--batch-wait means something in Server only"),
        (Scenario.SINGLE_STREAM, {"batch_sizes": (1, 2)}, "--batch-size means nothing in SingleStream"),
        (Scenario.MULTI_STREAM, {"streams": (2,)}, "--streams means nothing in MultiStream"),
        (Scenario.OFFLINE, {"run": {"backend_options": {"a": "b"}}}, "--backend-option is for one engine"),
        (Scenario.OFFLINE, {"run": {"mode": "accuracy"}}, "the speed of one scenario"),
    ],
)
def test_contradictions(scenario: Scenario, given: dict[str, Any], what: str) -> None:
    with pytest.raises(UsageError, match=what) as caught:
        request(scenario, **given)
    assert caught.value.exit_code == 2


def test_how_long_it_may_take_does_not_make_another_search() -> None:
    first = request().what()
    assert request(trials=99, time_ns=10**9, finalists=1, repeats=0, confirm_ns=10**9).what() == first
    assert request(seed=2).what() != first and request(accuracy=0.9).what() != first
    assert TuneRequest.model_validate(request(seed=2).model_dump(mode="json")) == request(seed=2)


def test_with_a_meter_watts_count() -> None:
    assert request(run={"power": "rapl"}, max_watts=20.0).wants_watts
    assert not request(run={"power": "rapl"}).wants_watts
