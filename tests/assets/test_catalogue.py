from __future__ import annotations

from pathlib import Path

import pytest

from assay.assets.catalogue import load_catalogue
from assay.assets.layouts import LAYOUTS
from assay.assets.manifest import Kind, PackageSource
from assay.base.settings import Settings
from assay.errors import InvalidInputError, NotFoundError
from assay.loadgen.record import Label
from assay.models.build import builder_version
from assay.rules.load import load_round
from assay.tasks.image_classification.recipe import read_recipe

OWN = """format: 1
name: {name}
kind: model
task: image-classification
title: Mine
sources: [{{type: https, urls: ["https://example.org/m.onnx"]}}]
licence: none
model: {{benchmark: resnet, dataset: {dataset}}}
"""


def own(tmp_path: Path, file: str, name: str, dataset: str = "imagenet2012") -> Settings:
    folder = tmp_path / "manifests"
    folder.mkdir()
    (folder / file).write_text(OWN.format(name=name, dataset=dataset))
    return Settings(home=tmp_path)


def test_what_comes_with_assay_is_sound(tmp_path: Path) -> None:
    catalogue = load_catalogue(Settings(home=tmp_path))
    names = [asset.name for asset in catalogue.all()]
    assert {"mobilenet-v2", "efficientnet-lite0", "resnet50", "resnet50-synthetic", "imagenet2012"} <= set(names)
    for asset in catalogue.all():
        assert asset.licence
        assert all(Label(label).meaning for label in asset.labels)
        if asset.build is not None:
            assert builder_version(asset.build.architecture)
        if asset.model is not None:
            rounds = [load_round(name) for name in ("v4.0", "v3.1", "v2.0")]
            assert any(asset.model.benchmark in round_.benchmarks for round_ in rounds), asset.name
            if asset.task == "image-classification":
                assert read_recipe(asset.model.recipe).crop in (224, 240, 260)
            if asset.model.dataset is not None:
                assert catalogue.get(asset.model.dataset).task == asset.task


# What every package that carries an asset gives, as it was fetched: (kind, task, files, size, labels).
CARRIED = {
    "centernet-mobilenetv3-weights": ("weights", "object-detection", 2, 4_231_963, ("stand-in-model",)),
    "colin27": ("dataset", "medical-imaging", 2, 4_839_506, ("small-dataset",)),
    "deepbrain-graph": ("weights", "medical-imaging", 1, 1_139_007, ("stand-in-model",)),
    "efficientnet-lite0-weights": ("weights", "image-classification", 1, 18_826_032, ()),
    "efficientnet-lite1-weights": ("weights", "image-classification", 1, 21_946_926, ()),
    "efficientnet-lite2-weights": ("weights", "image-classification", 1, 24_666_229, ()),
    "imagenet-foolbox-20": ("dataset", "image-classification", 1, 1_450_600, ("small-dataset",)),
    "lee50": ("dataset", "language", 2, 33_396, ("small-dataset",)),
    "librivox-5": ("dataset", "speech-recognition", 3, 792_424, ("small-dataset",)),
    "minilm-l6-weights": ("weights", "language", 3, 91_335_235, ("stand-in-model",)),
    "mobilenet-v2-weights": ("weights", "image-classification", 1, 14_212_972, ()),
    "movielens-100k": ("dataset", "recommendation", 3, 2_068_559, ("small-dataset",)),
    "smollm2-135m": ("weights", "language-model", 1, 98_362_432, ("stand-in-model",)),
    "whisper-tiny": ("model", "speech-recognition", 1, 78_090_594, ("stand-in-model",)),
}


def test_every_package_is_pinned_and_labelled(tmp_path: Path) -> None:
    found = {}
    for asset in load_catalogue(Settings(home=tmp_path)).all():
        for source in asset.sources:
            if isinstance(source, PackageSource):
                assert asset.sha256, asset.name
                names = source.unzip or source.files
                found[asset.name] = (asset.kind.value, asset.task, len(names), asset.size, asset.labels)
    assert {name: found.get(name) for name in CARRIED} == CARRIED


def test_samples_of_a_dataset_are_those_the_rounds_name(tmp_path: Path) -> None:
    catalogue = load_catalogue(Settings(home=tmp_path))
    for name, round_name, benchmark in [
        ("imagenet2012", "v3.1", "resnet"),
        ("openimages-mlperf", "v3.1", "retinanet"),
        ("coco2017", "v2.0", "ssd-small"),
        ("librispeech-dev-clean", "v3.1", "rnnt"),
        ("kits19", "v3.1", "3d-unet-99"),
        ("criteo-terabyte", "v3.0", "dlrm-99"),
        ("criteo-terabyte-multihot", "v3.1", "dlrm-v2-99"),
        ("cnn-dailymail", "v3.1", "gptj-99"),
    ]:
        asset = catalogue.get(name)
        entry = load_round(round_name).benchmark(benchmark)
        assert (asset.count, asset.task) == (entry.dataset_size, entry.task), name


def test_what_only_the_user_can_get_says_how(tmp_path: Path) -> None:
    own = [asset for asset in load_catalogue(Settings(home=tmp_path)).all() if asset.local]
    assert {asset.local.layout for asset in own if asset.local} | {"squad-v1.1", "onnx-model"} == set(LAYOUTS)
    for asset in own:
        assert asset.count, asset.name
        assert asset.local is not None and len(asset.local.instructions) > 40, asset.name


def test_a_users_manifest_is_found_by_any_case(tmp_path: Path) -> None:
    catalogue = load_catalogue(own(tmp_path, "mine.yaml", "mine"))
    assert catalogue.get("MINE").kind is Kind.MODEL
    assert "mine" in [asset.name for asset in catalogue.models("image-classification")]
    assert catalogue.datasets("speech") == []


def test_an_unknown_name_is_told_with_the_closest(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="imagenet2012"):
        load_catalogue(Settings(home=tmp_path)).get("imagenet-2012")


def test_a_file_of_another_name_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match="not named after"):
        load_catalogue(own(tmp_path, "other.yaml", "mine"))


def test_a_reference_to_nothing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match="refers to 'nothing'"):
        load_catalogue(own(tmp_path, "mine.yaml", "mine", dataset="nothing"))
