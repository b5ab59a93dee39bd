"""Plans carried out with a tiny model, real pictures and the real LoadGen, in this process and its workers."""

from __future__ import annotations

import shlex
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from assay.assets.catalogue import load_catalogue
from assay.assets.store import AssetStore
from assay.base.progress import SILENT
from assay.base.settings import Settings
from assay.campaign.execute import carry_out, gather
from assay.campaign.plan import make_plan
from assay.campaign.request import RunRequest
from assay.errors import AssayError, InvalidInputError, MachineError
from assay.loadgen.record import Label, RunRecord
from assay.loadgen.runs import RunCatalogue
from assay.rules.model import Scenario

from ..conftest import make_pictures

MANIFEST = """
format: 1
name: colours
kind: model
task: image-classification
title: Colours
sources: [{type: https, urls: ["http://127.0.0.1:9/never"]}]
licence: none
labels: [stand-in-model]
model:
  benchmark: resnet
  dataset: imagenet-foolbox-20
  recipe:
    resize: {short_side: 36}
    crop: 32
    output: {kind: logits, top: 3}
"""

SMALL = {"resize": {"short_side": 36}, "crop": 32}


@pytest.fixture
def settings(home: Path) -> Settings:
    (home / "manifests").mkdir(parents=True)
    (home / "manifests" / "colours.yaml").write_text(MANIFEST)
    return Settings(home=home, offline=True)


def go(settings: Settings, classifier: Path, pictures: Path, **options: Any) -> list[RunRecord]:
    request = RunRequest(name="colours", model=classifier, dataset=str(pictures), threads=1, **options)
    return carry_out(make_plan(request, settings), settings, SILENT)


def test_accuracy_and_performance_of_a_users_own_model(settings: Settings, classifier: Path, pictures: Path) -> None:
    accuracy, performance = go(settings, classifier, pictures, mode="both", duration_ns=3 * 10**8, target_qps=500.0)
    assert accuracy.figures.accuracy == {"acc": 100.0}
    assert accuracy.labels == (Label.CUSTOM_MODEL, Label.CUSTOM_DATASET)
    assert performance.labels == (Label.CUSTOM_MODEL, Label.CUSTOM_DATASET, Label.SHORT_RUN)
    assert performance.verdict is not None
    assert not performance.verdict.accepted
    assert performance.figures.value is not None
    assert performance.figures.unit == "Samples/s"
    assert accuracy.group == performance.group
    assert RunCatalogue(settings.runs_dir).read(performance.id) == performance


def test_the_record_holds_where_the_figures_come_from(settings: Settings, classifier: Path, pictures: Path) -> None:
    (record,) = go(settings, classifier, pictures, scenarios=(Scenario.SINGLE_STREAM,), duration_ns=2 * 10**8)
    assert record.settings["qsl_rng_seed"] == 148687905518835231
    assert len(record.model.sha256 or "") == 64
    assert set(record.logs) >= {"mlperf_log_summary.txt", "mlperf_log_detail.txt"}
    assert record.versions["loadgen"].startswith(record.versions["mlcommons-loadgen"])
    assert record.host["cores"]
    assert record.figures.latency_ns["p99"] >= record.figures.latency_ns["p50"] > 0
    words = shlex.split(record.command)
    assert words[:3] == ["assay", "run", "colours"]
    assert "--target-latency" in words


def test_every_query_of_multistream_is_measured_whole(settings: Settings, classifier: Path, pictures: Path) -> None:
    (record,) = go(
        settings, classifier, pictures, scenarios=(Scenario.MULTI_STREAM,), duration_ns=10**8, target_latency_ns=50_000
    )
    assert record.verdict is not None
    assert record.figures.queries is not None
    assert record.figures.queries >= 662
    assert record.figures.samples == record.figures.queries * 8


def test_a_short_run_with_equal_issue_makes_what_it_was_asked_for(
    settings: Settings, classifier: Path, pictures: Path
) -> None:
    """Three queries of three pictures, and not whole sets of the six."""
    scenarios = (Scenario.SINGLE_STREAM, Scenario.OFFLINE)
    request = RunRequest(
        name="colours", model=classifier, dataset=str(pictures), threads=1, scenarios=scenarios, duration_ns=0, samples=3,
        target_latency_ns=10**9, target_qps=1.0,
    )  # fmt: skip
    plan = make_plan(request, settings)
    benchmark = plan.subject.benchmark
    limits = {name: replace(each, equal_issue=True) for name, each in benchmark.limits.items()}
    plan = replace(plan, subject=replace(plan.subject, benchmark=replace(benchmark, limits=limits)))
    for record in carry_out(plan, settings, SILENT):
        assert record.figures.samples == record.settings["performance_sample_count_override"] == 3, record.scenario
        assert record.dataset.count == 6
        assert Label.SHORT_RUN in record.labels
        weaker = {each.name: each.used for each in record.deviations}
        assert (weaker["min_query_count"], weaker["performance_sample_count"]) == ("3", "3")


def test_only_some_samples_are_labelled(settings: Settings, classifier: Path, pictures: Path) -> None:
    (record,) = go(settings, classifier, pictures, mode="accuracy", samples=4)
    assert record.figures.samples_scored == 4
    assert Label.PARTIAL_DATASET in record.labels


def test_a_picture_that_cannot_be_read_stops_the_run_and_is_named(
    settings: Settings, classifier: Path, pictures: Path
) -> None:
    (pictures / "picture_03_0.png").write_bytes(b"not a picture")
    with pytest.raises(InvalidInputError, match="picture_03_0.png") as caught:
        go(settings, classifier, pictures, mode="accuracy")
    assert "--skip-bad" in str(caught.value.hint)


def test_bad_pictures_are_left_out_when_asked_and_labelled(
    settings: Settings, classifier: Path, pictures: Path
) -> None:
    (pictures / "picture_03_0.png").write_bytes(b"not a picture")
    (record,) = go(settings, classifier, pictures, mode="accuracy", skip_bad=True)
    assert record.figures.samples_scored == 5
    assert list(record.skipped) == ["picture_03_0.png"]
    assert Label.SKIPPED_SAMPLES in record.labels


def test_a_model_of_another_shape_is_refused_before_loadgen_starts(
    settings: Settings, large_classifier: Path, pictures: Path
) -> None:
    with pytest.raises(InvalidInputError, match="does not take the task's images"):
        go(settings, large_classifier, pictures, mode="accuracy")
    assert list(RunCatalogue(settings.runs_dir).records()) == []


def test_int8_is_calibrated_and_kept(settings: Settings, classifier: Path, pictures: Path) -> None:
    from assay.backends.protocol import Precision

    (record,) = go(settings, classifier, pictures, mode="accuracy", precision=Precision.INT8)
    assert record.precision == "int8"
    assert record.figures.accuracy["acc"] == 100.0
    assert Label.CALIBRATED_ON_EVALUATION in record.labels
    assert list((settings.assets_dir / "built").glob("int8-*/model.onnx"))


def test_a_home_with_a_file_in_the_way_is_told(tmp_path: Path, classifier: Path, pictures: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    request = RunRequest(name="mobilenet-v2", model=classifier, recipe=SMALL, dataset=str(pictures), mode="accuracy")
    with pytest.raises(AssayError) as caught:
        inside = Settings(home=blocked / "home")
        carry_out(make_plan(request, inside), inside, SILENT)
    assert "ASSAY_HOME" in str(caught.value.hint)


@pytest.mark.skipif(sys.platform != "linux", reason="wants a place that keeps nothing, even for root")
def test_a_read_only_home_is_told(classifier: Path, pictures: Path) -> None:
    request = RunRequest(name="mobilenet-v2", model=classifier, recipe=SMALL, dataset=str(pictures), mode="accuracy")
    inside = Settings(home=Path("/proc/assay-home"))
    with pytest.raises(MachineError, match="read-only") as caught:
        carry_out(make_plan(request, inside), inside, SILENT)
    assert "ASSAY_HOME" in str(caught.value.hint)


def test_no_disk_space_is_told_before_anything_runs(
    settings: Settings, classifier: Path, pictures: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import shutil

    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(100, 100, 0))  # type: ignore[attr-defined]
    with pytest.raises(MachineError, match="not enough disk space"):
        go(settings, classifier, pictures, mode="accuracy")
    assert RunCatalogue(settings.runs_dir).records() == []


def test_a_model_of_ones_own_is_run_by_its_task_and_can_be_run_again(
    settings: Settings, classifier: Path, pictures: Path
) -> None:
    request = RunRequest(
        name="image-classification", model=classifier, recipe=SMALL, dataset=str(pictures), mode="accuracy"
    )
    (record,) = carry_out(make_plan(request, settings), settings, SILENT)
    assert record.figures.accuracy == {"acc": 100.0}
    assert (record.benchmark, record.division, record.backend_name) == ("resnet", "open", "onnxruntime")
    words = shlex.split(record.command)
    assert words[2] == "image-classification"
    assert "crop=32" in words


def test_a_model_on_a_server_is_labelled(settings: Settings, pictures: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from assay.backends.protocol import NO_FILE, ModelFormat
    from assay.backends.registry import backends

    monkeypatch.setattr(backends().get("null"), "formats", (ModelFormat.REMOTE,))
    plan = make_plan(RunRequest(name="colours", backend="null", dataset=str(pictures)), settings)
    material = gather(plan, settings, SILENT)
    assert material.model == NO_FILE
    assert (material.model_info.name, material.model_info.sha256) == ("colours", None)
    assert Label.REMOTE_MODEL.value in material.labels


def test_a_dataset_registered_in_part_is_labelled_and_counted(
    settings: Settings, classifier: Path, tmp_path: Path
) -> None:
    folder = make_pictures(tmp_path / "imagenet", count=6)
    names = sorted(path.name for path in folder.iterdir())
    (folder / "val_map.txt").write_text("".join(f"{name} {number % 3}\n" for number, name in enumerate(names)))
    AssetStore(settings, load_catalogue(settings)).register("imagenet2012", folder, partial=True)
    request = RunRequest(name="colours", model=classifier, dataset="imagenet2012", mode="accuracy", threads=1)
    (record,) = carry_out(make_plan(request, settings), settings, SILENT)
    assert record.labels == (Label.CUSTOM_MODEL, Label.PARTIAL_DATASET)
    assert record.dataset.count == 6
    assert record.figures.accuracy == {"acc": 100.0}


def test_a_short_stream_of_a_slow_model_is_as_long_as_its_estimate_needs(
    settings: Settings, classifier: Path, pictures: Path
) -> None:
    options = {"scenarios": (Scenario.SINGLE_STREAM,), "target_latency_ns": 10**6}
    (short,) = go(settings, classifier, pictures, duration_ns=10**8, **options)
    assert short.settings["min_query_count"] == 64
    (asked,) = go(settings, classifier, pictures, duration_ns=10**8, samples=70, **options)
    assert asked.settings["min_query_count"] == 70


def test_a_short_server_of_an_old_round_takes_no_270336_queries(
    settings: Settings, classifier: Path, pictures: Path
) -> None:
    options = {"scenarios": (Scenario.SERVER,), "round": "v2.0", "target_qps": 2000.0}
    (short,) = go(settings, classifier, pictures, duration_ns=10**8, **options)
    assert short.settings["min_query_count"] == 662
    (newer,) = go(settings, classifier, pictures, duration_ns=10**8, **options | {"round": "v3.1"})
    assert newer.settings["min_query_count"] == 100


def test_servers_accuracy_is_sent_within_seconds(settings: Settings, classifier: Path, pictures: Path) -> None:
    (record,) = go(settings, classifier, pictures, scenarios=(Scenario.SERVER,), mode="accuracy")
    count = record.figures.samples_scored
    assert count is not None
    assert record.settings["server_target_qps"] == max(1.0, count / 5)
