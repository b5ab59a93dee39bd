from __future__ import annotations

from pathlib import Path

import pytest

from assay.assets.catalogue import load_catalogue
from assay.assets.manifest import BuildSource
from assay.assets.store import AssetStore
from assay.base.progress import SILENT
from assay.base.settings import Settings
from assay.errors import NotFoundError
from assay.models.build import build_model, builder_version, materialise
from assay.models.inspection import inspect_onnx


def test_a_model_is_built_once_and_kept(stand_in_home: Path) -> None:
    settings = Settings(home=stand_in_home)
    catalogue = load_catalogue(settings)
    store = AssetStore(settings, catalogue)
    located = materialise(store, catalogue.get("mobilenet-v2"), progress=SILENT)
    stamp = located.path.stat().st_mtime_ns
    assert materialise(store, catalogue.get("mobilenet-v2"), progress=SILENT) == located
    assert located.path.stat().st_mtime_ns == stamp
    assert "v" + builder_version("mobilenet-v2") in located.path.parent.name
    assert inspect_onnx(located.path)[1][0].shape == (-1, 1000)


def test_the_null_classifier_says_a_label(tmp_path: Path) -> None:
    target = tmp_path / "m.onnx"
    build_model(BuildSource("null-classifier", None, 0), None, target)
    (_,), (label,) = inspect_onnx(target)
    assert (label.name, label.shape) == ("label", (-1, 1))


def test_an_unknown_architecture_is_told(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="mobilenet-v2"):
        build_model(BuildSource("mobilenet-v3", None, 0), None, tmp_path / "m.onnx")
