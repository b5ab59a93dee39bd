from __future__ import annotations

from pathlib import Path

import pytest

from assay.assets.catalogue import load_catalogue
from assay.assets.manifest import Kind
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
            assert load_round("v3.1").benchmark(asset.model.benchmark)
            assert read_recipe(asset.model.recipe).crop == 224


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
