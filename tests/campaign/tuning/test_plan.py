"""A search resolved: its space by scenario and machine, its name by what is asked, its refusals."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from assay.backends.protocol import Precision
from assay.base.settings import Settings
from assay.campaign.request import RunRequest
from assay.campaign.tuning import plan as planning
from assay.campaign.tuning.plan import WISH, TunePlan, kept_request, plan_tuning
from assay.campaign.tuning.request import TuneRequest
from assay.campaign.tuning.space import Candidate
from assay.errors import InvalidInputError, NotFoundError, UsageError
from assay.rules.model import Scenario

from ..test_execute import MANIFEST


@pytest.fixture
def settings(home: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    (home / "manifests").mkdir(parents=True)
    (home / "manifests" / "colours.yaml").write_text(MANIFEST)
    monkeypatch.setattr(planning, "processor_count", lambda: 6)
    return Settings(home=home, offline=True)


@pytest.fixture
def run(classifier: Path, pictures: Path) -> dict[str, Any]:
    return {"name": "colours", "model": classifier, "dataset": str(pictures)}


def planned(
    settings: Settings,
    run: dict[str, Any],
    scenario: Scenario = Scenario.OFFLINE,
    name: str | None = None,
    **given: Any,
) -> TunePlan:
    request = TuneRequest(run=RunRequest(**run, scenarios=(scenario,)), **{"backends": ("onnxruntime",), **given})
    return plan_tuning(request, settings, name=name)


def test_offline_is_searched_in_batches_streams_and_threads(settings: Settings, run: dict[str, Any]) -> None:
    plan = planned(settings, run)
    assert plan.space.batches == (1, 2, 4, 8, 16, 32, 64, 128) and plan.space.streams == (1, 2, 4, 6)
    assert plan.baseline == Candidate("onnxruntime", Precision.FP32, 8)
    assert (plan.aim.lower_is_better, plan.aim.unit) == (False, "Samples/s")
    text = "\n".join(plan.lines())
    assert "usual setting: onnxruntime fp32, batch 8, 1 stream, its own threads" in text
    assert "asked: the accuracy that the round asks" in text and f"kept as {plan.name}" in text


def test_streams_have_no_streams_and_single_samples_no_batches(settings: Settings, run: dict[str, Any]) -> None:
    single = planned(settings, run, Scenario.SINGLE_STREAM)
    assert single.space.batches == single.space.streams == (1,) and single.aim.lower_is_better
    assert single.aim.unit == "Latency (ms)" and single.baseline.batch_size == 1
    multi = planned(settings, run, Scenario.MULTI_STREAM)
    assert multi.space.batches == (1, 2, 4, 8) and multi.space.streams == (1,) and multi.space.waits == (0,)


def test_server_waits_by_shares_of_the_bound(settings: Settings, run: dict[str, Any]) -> None:
    plan = planned(settings, run, Scenario.SERVER)
    assert plan.space.waits == (0, 750_000, 1_500_000, 3_000_000) and plan.space.batches[-1] == 32
    slower = planned(settings, {**run, "target_latency_ns": 10**9}, Scenario.SERVER, batch_waits_ns=(10**6, 0))
    assert slower.space.waits == (0, 10**6) and slower.name != plan.name


def test_what_the_user_gives_is_tried_and_nothing_else(settings: Settings, run: dict[str, Any]) -> None:
    plan = planned(settings, run, batch_sizes=(16, 4), threads=(2, 1), streams=(3,), precisions=(Precision.FP32,))
    assert len(plan.space.candidates()) == 4
    assert {(each.batch_size, each.threads, each.streams) for each in plan.space.candidates()} == {
        (4, 1, 3), (4, 2, 3), (16, 1, 3), (16, 2, 3),
    }  # fmt: skip
    with pytest.raises(UsageError, match="one setting only"):
        planned(settings, run, batch_sizes=(4,), threads=(2,), streams=(3,), precisions=(Precision.FP32,))
    with pytest.raises(UsageError, match="in none of these engines") as caught:
        planned(settings, run, backends=("onnxruntime",), precisions=(Precision.FP16, Precision.BF16))
    assert "onnxruntime fp16" in (caught.value.found or "")


def test_the_name_is_that_of_what_is_asked(settings: Settings, run: dict[str, Any]) -> None:
    first = planned(settings, run)
    assert planned(settings, run, trials=3, repeats=1).name == first.name
    assert planned(settings, run, seed=2).name != first.name
    assert first.name.startswith("colours-offline-") and first.folder == settings.home / "tunings" / first.name
    assert planned(settings, run, name="mine").folder == settings.home / "tunings" / "mine"
    for bad in ("../up", "", "a/b", ".hidden", "x" * 65):
        with pytest.raises(UsageError, match="cannot be the name of a folder"):
            planned(settings, run, name=bad)


def test_a_kept_search_knows_what_was_asked(settings: Settings, run: dict[str, Any]) -> None:
    plan = planned(settings, run, seed=5)
    plan.folder.mkdir(parents=True)
    (plan.folder / WISH).write_text(json.dumps({"request": plan.request.model_dump(mode="json")}))
    assert kept_request(plan.name, settings) == plan.request
    with pytest.raises(NotFoundError, match="unknown search") as caught:
        kept_request("../runs", settings)
    assert caught.value.hint
    for text in ("{}", '{"request": {"run": 1}}', '{"request": {"run": {"name": "x"}, "more": 1}}', "[]"):
        (plan.folder / WISH).write_text(text)
        with pytest.raises(InvalidInputError):
            kept_request(plan.name, settings)


def test_without_data_nobody_looks_at_the_accuracy_and_the_plan_says_so(settings: Settings) -> None:
    request = TuneRequest(run=RunRequest(name="resnet50-synthetic"), backends=("onnxruntime",), repeats=0)
    notes = plan_tuning(request, settings).notes
    assert any("no dataset" in note for note in notes) and any("luckiest" in note for note in notes)


def test_the_document_says_everything(settings: Settings, run: dict[str, Any]) -> None:
    document = json.loads(json.dumps(planned(settings, run).to_dict(), default=str))
    assert document["settings"] > 50 and document["baseline"]["batch_size"] == 8 and document["seconds"] > 100
