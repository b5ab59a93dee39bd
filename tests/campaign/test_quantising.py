from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from assay.assets.catalogue import load_catalogue
from assay.assets.store import AssetStore
from assay.backends.protocol import Precision
from assay.base.files import read_json, sha256_file
from assay.base.progress import SILENT
from assay.base.settings import Settings
from assay.campaign import calibration
from assay.campaign.plan import make_plan
from assay.campaign.quantising import Quantised, QuantizeRequest, command_of, make_quantize_plan, quantise
from assay.campaign.request import RunRequest
from assay.campaign.subject import resolve_subject
from assay.errors import InvalidInputError, NotFoundError, UsageError
from assay.models.quantize import Method, is_quantised
from assay.models.ranges import Ranges
from assay.rules.load import load_round
from assay.testing import tiny_classifier

RECIPE = {"resize": {"short_side": 36}, "crop": 32, "output": {"top": 1}}


@pytest.fixture
def settings(home: Path) -> Settings:
    return Settings(home=home)


def asked(model: Path, pictures: Path, **more: Any) -> QuantizeRequest:
    return QuantizeRequest(
        "image-classification",
        **{"to": "int8", "model": model, "dataset": str(pictures), "recipe": RECIPE, "accuracy": False, **more},
    )


def made(settings: Settings, request: QuantizeRequest) -> Quantised:
    return quantise(make_quantize_plan(request, settings), settings, SILENT)


def test_the_whole_way_with_accuracy_before_and_after(
    settings: Settings, classifier: Path, pictures: Path, tmp_path: Path
) -> None:
    names = sorted(path.name for path in pictures.iterdir())
    (tmp_path / "cal.txt").write_text(f"{names[4]}\n{Path(names[1]).stem}\n")
    request = asked(
        classifier, pictures, calibration=str(tmp_path / "cal.txt"), method=Method.STATIC, output="small", accuracy=True
    )
    found = made(settings, request)
    assert is_quantised(found.path)
    (metric,) = found.accuracy()
    assert (metric["metric"], metric["before"], metric["after"], metric["ratio"]) == ("acc", 100.0, 100.0, 1.0)
    assert found.before is not None
    assert found.after is not None
    assert (found.before.precision, found.after.precision) == ("fp32", "int8")
    assert found.after.model.sha256 == sha256_file(found.path)

    kept = read_json(found.path.parent / "provenance.json")
    assert kept["recipe"]["calibration"]["samples"] == [names[4], names[1]]
    assert kept["source"]["sha256"] == sha256_file(classifier)
    assert kept["sha256"] == sha256_file(found.path)
    assert kept["tools"]["onnxruntime"]
    assert kept["runs"] == [found.before.id, found.after.id]

    catalogue = load_catalogue(settings)
    asset = catalogue.get("small")
    assert asset.labels == ("custom-model", "calibrated-on-evaluation-data")
    assert AssetStore(settings, catalogue).ensure("small").path == found.path
    AssetStore(settings, catalogue).verify("small")
    subject = resolve_subject(RunRequest(name="small", dataset=str(pictures)), load_round("v3.1"), catalogue)
    assert subject.recipe["crop"] == 32
    assert make_plan(RunRequest(name="small", dataset=str(pictures)), settings).precision is Precision.INT8
    assert "--precision int8" in found.after.command


@pytest.mark.parametrize(("to", "labels"), [("bf16", ("custom-model",)), ("fp16", ("custom-model",))])
def test_weights_alone_need_no_calibration(
    settings: Settings, pictures: Path, tmp_path: Path, to: str, labels: tuple[str, ...]
) -> None:
    model = tiny_classifier(tmp_path / "tiny.onnx")
    found = made(settings, asked(model, pictures, to=to))
    assert found.name == f"tiny-{to}"
    assert found.sizes[0] > found.sizes[1] - 400
    asset = load_catalogue(settings).get(found.name)
    assert asset.labels == labels
    assert asset.model is not None
    assert asset.model.precision == to
    assert "calibration" not in found.provenance["recipe"]
    with pytest.raises(InvalidInputError, match="half precision already"):
        made(settings, asked(found.path, pictures, to=to, output="again"))


def test_an_official_list_leaves_no_label(
    settings: Settings, classifier: Path, pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    listing = tmp_path / "cal.txt"
    listing.write_text("picture_00_0.png\n")
    monkeypatch.setitem(calibration.OFFICIAL_LISTS, sha256_file(listing), "ImageNet/cal_image_list_option_1.txt")
    request = asked(classifier, pictures, calibration=str(listing), method=Method.STATIC)
    plan = make_quantize_plan(request, settings)
    assert "the official list ImageNet/cal_image_list_option_1.txt" in "\n".join(plan.lines())
    found = quantise(plan, settings, SILENT)
    assert found.provenance["recipe"]["calibration"]["official"]
    assert load_catalogue(settings).get(found.name).labels == ("custom-model",)


def test_the_ranges_are_chosen_as_asked_or_as_usual(settings: Settings, pictures: Path, tmp_path: Path) -> None:
    model = tiny_classifier(tmp_path / "conv.onnx")
    usual = made(settings, asked(model, pictures, recipe={"crop": 8, "resize": {"short_side": 8}}))
    other = made(
        settings,
        asked(model, pictures, recipe={"crop": 8, "resize": {"short_side": 8}}, ranges=Ranges.MINMAX, output="other"),
    )
    assert usual.provenance["recipe"]["ranges"] == ["percentile"]
    assert other.provenance["recipe"]["ranges"] == ["minmax"]
    assert usual.path != other.path


def test_dynamic_ranges_need_no_data(settings: Settings, classifier: Path, pictures: Path) -> None:
    request = asked(classifier, pictures, dataset=None)
    found = made(settings, request)
    assert found.provenance["recipe"]["methods"] == ["dynamic"]
    assert load_catalogue(settings).get(found.name).labels == ("custom-model",)
    again = made(settings, request)
    assert again.path == found.path
    assert again.name == found.name == "colours-int8"


@pytest.mark.parametrize(
    ("more", "kind", "words"),
    [
        ({"to": "int4"}, UsageError, "no format 'int4'"),
        ({"to": "bf16", "calibration": "3"}, UsageError, "nothing to calibrate"),
        ({"method": Method.DYNAMIC, "calibration": "3"}, UsageError, "need no calibration"),
        ({"output": "../x"}, UsageError, "no name of an asset"),
        ({"output": "mobilenet-v2"}, UsageError, "there is an asset mobilenet-v2 already"),
        ({"calibration": "/no/such/list"}, NotFoundError, "no such calibration list"),
        ({"dataset": None, "method": Method.STATIC}, UsageError, "no calibration data"),
        ({"dataset": "/no/such/folder"}, NotFoundError, "--dataset"),
    ],
)
def test_what_cannot_be_done_is_told_first(
    settings: Settings, classifier: Path, pictures: Path, more: dict[str, Any], kind: type[Exception], words: str
) -> None:
    with pytest.raises(kind, match=words):
        make_quantize_plan(asked(classifier, pictures, **more), settings)
    assert not (settings.home / "manifests").exists()


def test_convolutions_need_data(settings: Settings, pictures: Path, tmp_path: Path) -> None:
    request = asked(tiny_classifier(tmp_path / "conv.onnx"), pictures, dataset=None)
    with pytest.raises(NotFoundError, match="no calibration data") as caught:
        made(settings, request)
    assert "--dataset" in (caught.value.hint or "")


def test_a_task_takes_a_model_of_yours(settings: Settings) -> None:
    with pytest.raises(UsageError, match="takes a model of yours"):
        make_quantize_plan(QuantizeRequest("image-classification", "int8"), settings)


def test_other_forms_than_onnx_are_left_to_their_own_tools(settings: Settings, tmp_path: Path, pictures: Path) -> None:
    (tmp_path / "m.tflite").write_bytes(b"x")
    with pytest.raises(InvalidInputError, match="only ONNX models"):
        make_quantize_plan(asked(tmp_path / "m.tflite", pictures), settings)


def test_a_quantised_model_and_a_missing_sample_are_refused_and_nothing_is_kept(
    settings: Settings, classifier: Path, pictures: Path, tmp_path: Path
) -> None:
    (tmp_path / "cal.txt").write_text("picture_99_0.png\n")
    with pytest.raises(InvalidInputError, match="1 of 1 samples of the calibration list"):
        made(settings, asked(classifier, pictures, calibration=str(tmp_path / "cal.txt"), method=Method.STATIC))
    assert not (settings.home / "manifests").exists()
    found = made(settings, asked(classifier, pictures))
    with pytest.raises(InvalidInputError, match="quantised already"):
        made(settings, asked(found.path, pictures, output="twice"))
    assert "twice" not in load_catalogue(settings).assets


def test_the_command_makes_it_again(classifier: Path) -> None:
    request = QuantizeRequest("mobilenet-v2", "int8", calibration="9", output="x", method=Method.STATIC)
    assert command_of(request) == "assay quantize mobilenet-v2 --to int8 --calibration 9 --output x --method static"
