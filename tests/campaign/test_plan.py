from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from assay.backends.protocol import ModelFormat
from assay.backends.registry import backends
from assay.base.settings import Settings
from assay.campaign.plan import Plan, make_plan
from assay.campaign.request import RunRequest
from assay.errors import InvalidInputError, NotFoundError, UsageError
from assay.rules.model import Mode, Scenario

SMALL = {"resize": {"short_side": 36}, "crop": 32}


def plan(home: Path, name: str = "mobilenet-v2", **options: Any) -> Plan:
    return make_plan(RunRequest(name=name, **options), Settings(home=home))


def test_a_plan_says_what_it_fetches_and_how_long_it_takes(tmp_path: Path) -> None:
    made = plan(tmp_path, scenarios=(Scenario.OFFLINE, Scenario.SERVER), duration_ns=10**10, target_qps=50.0)
    assert {asset.name for asset in made.fetch.missing} == {"mobilenet-v2-weights", "imagenet-foolbox-20"}
    assert made.fetch.total_bytes == 14_212_972 + 1_450_600
    assert made.seconds == 20
    text = "\n".join(made.lines())
    assert "15.7 MB" in text
    assert "Server performance: at least 10.0 s" in text


def test_without_a_target_the_engine_is_probed(tmp_path: Path) -> None:
    (run,) = plan(tmp_path, scenarios=(Scenario.SINGLE_STREAM,)).runs
    assert run.probe
    assert run.duration_ns == 600 * 10**9


def test_an_accuracy_run_is_neither_probed_nor_timed(tmp_path: Path) -> None:
    first, second = plan(tmp_path, mode="both").runs
    assert (first.mode, first.probe, first.duration_ns) == (Mode.ACCURACY, False, 0)
    assert second.mode is Mode.PERFORMANCE


def test_the_users_model_is_not_fetched(tmp_path: Path, classifier: Path) -> None:
    assert [asset.name for asset in plan(tmp_path, model=classifier, recipe=SMALL).fetch.missing] == [
        "imagenet-foolbox-20"
    ]


def test_accuracy_of_random_weights_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no trained weights") as caught:
        plan(tmp_path, "resnet50-synthetic", mode="accuracy")
    assert "mobilenet-v2" in str(caught.value.hint)


@pytest.mark.parametrize("division", ["closed", "network"])
def test_a_stand_in_is_no_closed_submission(tmp_path: Path, classifier: Path, division: str) -> None:
    with pytest.raises(UsageError, match=f"the {division} division takes the model and dataset of resnet only"):
        plan(tmp_path, division=division)
    with pytest.raises(UsageError, match="colours"):
        plan(tmp_path, "resnet50", division=division, model=classifier)
    assert plan(tmp_path, "resnet50", division=division).subject.model.name == "resnet50"


def test_a_format_that_the_engine_lacks_is_refused_before_anything_is_fetched(tmp_path: Path) -> None:
    from assay.backends.protocol import Precision

    assert Precision.BF16 not in backends().get("onnxruntime").capabilities().precisions
    with pytest.raises(UsageError, match="has no bf16 on this machine"):
        plan(tmp_path, precision=Precision.BF16)


def test_a_batch_is_no_larger_than_a_query_of_the_streams(tmp_path: Path) -> None:
    scenarios = (Scenario.SINGLE_STREAM, Scenario.MULTI_STREAM, Scenario.OFFLINE)
    made = plan(tmp_path, scenarios=scenarios, batch_size=16, streams=2)
    assert [(run.batch_size, run.streams) for run in made.runs] == [(1, 1), (8, 1), (16, 2)]
    assert made.notes == (
        "a query of SingleStream has 1 sample, so --batch-size 16 makes no difference there",
        "a query of MultiStream has 8 samples, so --batch-size 16 makes no difference there",
        "one query at a time (SingleStream and MultiStream) keeps one stream busy: one is used there in place of 2",
    )
    assert made.lines()[-1] == f"  note: {made.notes[-1]}"
    assert made.to_dict()["notes"] == list(made.notes)


def test_more_threads_than_processors_are_remarked_upon(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("assay.campaign.plan.processor_count", lambda: 4)
    assert plan(tmp_path, threads=2, streams=2).notes == ()
    (note,) = plan(tmp_path, threads=500, streams=2).notes
    assert note == "1,000 compute threads on 4 processors are in each other's way"


def test_a_wait_needs_a_batch_to_wait_for(tmp_path: Path) -> None:
    server = {"scenarios": (Scenario.SERVER,), "batch_wait_ns": 2_000_000}
    with pytest.raises(UsageError, match="--batch-wait means nothing with batches of one sample") as caught:
        plan(tmp_path, **server)
    assert "--batch-size" in str(caught.value.hint)
    assert plan(tmp_path, **server, batch_size=4).runs[0].batch_size == 4


@pytest.mark.parametrize(
    ("backend", "option", "words"),
    [
        ("onnxruntime", {"spining": "on"}, "no option 'spining'"),
        ("onnxruntime", {"spinning": "perhaps"}, "spinning is on or off"),
        ("onnxruntime", {"affinity": "first"}, "refuses an option"),
        ("null", {"spinning": "on"}, "the null engine has no options"),
    ],
)
def test_an_option_that_the_engine_refuses_is_told_before_anything_is_fetched(
    tmp_path: Path, backend: str, option: dict[str, str], words: str
) -> None:
    with pytest.raises(UsageError, match=words):
        plan(tmp_path, backend=backend, backend_options=option, threads=2)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("name", "options"), [("x", {"round": "v9.9"}), ("mobilenet-v2", {"backend": "tensorflow"})])
def test_unknown_names_are_told(tmp_path: Path, name: str, options: dict[str, Any]) -> None:
    with pytest.raises(NotFoundError, match="unknown"):
        plan(tmp_path, name, **options)


def test_a_task_without_a_model_is_told_how(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="image-classification is a task") as caught:
        plan(tmp_path, "image-classification")
    assert "--model my.onnx" in str(caught.value.hint)


def test_the_users_model_is_checked_against_the_task_before_anything_starts(tmp_path: Path, classifier: Path) -> None:
    assert plan(tmp_path, "image-classification", model=classifier, recipe=SMALL).request.backend == "onnxruntime"
    with pytest.raises(InvalidInputError, match="does not take the task's images") as caught:
        plan(tmp_path, "image-classification", model=classifier, recipe={"resize": {"short_side": 70}, "crop": 64})
    assert caught.value.where == str(classifier)
    with pytest.raises(UsageError, match="no dataset, so accuracy means nothing"):
        plan(tmp_path, "image-classification", model=classifier, recipe=SMALL, mode="accuracy")


def test_the_users_model_is_for_the_open_division(tmp_path: Path, classifier: Path) -> None:
    with pytest.raises(UsageError, match="closed division takes the model and dataset of resnet only"):
        plan(tmp_path, "image-classification", model=classifier, recipe=SMALL, division="closed")


def test_a_model_that_the_engine_does_not_read_is_refused(tmp_path: Path) -> None:
    model = tmp_path / "model.gguf"
    model.write_bytes(b"GGUF")
    with pytest.raises(UsageError, match="does not read gguf models"):
        plan(tmp_path, "image-classification", model=model, backend="onnxruntime")


def test_a_server_needs_no_model_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backends().get("null"), "formats", (ModelFormat.REMOTE,))
    made = plan(tmp_path, "mobilenet-v2", backend="null")
    assert [asset.name for asset in made.fetch.missing] == ["imagenet-foolbox-20"]
    assert plan(tmp_path, "image-classification", backend="null").subject.synthetic
