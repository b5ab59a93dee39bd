from __future__ import annotations

from pathlib import Path

import pytest
from safetensors.numpy import save_file

from assay.assets.catalogue import Catalogue
from assay.assets.manifest import Asset, BuildSource, Kind
from assay.assets.store import AssetStore
from assay.base.progress import SILENT
from assay.base.settings import Settings
from assay.errors import InvalidInputError, NotFoundError
from assay.models import bert_build
from assay.models.bert_build import BertMaterial, build_bert_model
from assay.models.build import materialise
from assay.models.inspection import inspect_onnx

from .test_bert import SMALL
from .test_minilm import tensors


def model(name: str, source: BuildSource) -> Asset:
    return Asset(name, Kind.MODEL, "language", name, (source,), None, 0, "", "", "", ())


def test_a_seeded_one_is_built_once_and_kept(tmp_path: Path) -> None:
    asset = model("tiny", BuildSource("bert-tiny", None, 5))
    store = AssetStore(Settings(home=tmp_path), Catalogue({"tiny": asset}))
    found = materialise(store, asset, progress=SILENT)
    assert [spec.name for spec in inspect_onnx(found.path)[0]] == ["input_ids", "input_mask", "segment_ids"]
    written = found.path.stat().st_mtime_ns
    assert materialise(store, asset, progress=SILENT) == found
    assert found.path.stat().st_mtime_ns == written
    other = model("tiny", BuildSource("bert-tiny", None, 6))
    assert materialise(store, other, progress=SILENT).sha256 != found.sha256


def test_weights_become_the_model_that_is_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save_file(tensors(), tmp_path / "model.safetensors")
    monkeypatch.setattr(bert_build, "build_minilm", bert_build_small)
    target = tmp_path / "model.onnx"
    build_bert_model(BertMaterial(BuildSource("minilm-l6", "w", 0), tmp_path, None), target, SILENT)
    assert [spec.name for spec in inspect_onnx(target)[1]] == ["embedding"]


def bert_build_small(folder: Path) -> object:
    from assay.models.minilm import build_minilm

    return build_minilm(folder, SMALL)


def test_what_is_missing_is_told(tmp_path: Path) -> None:
    for material in (
        BertMaterial(BuildSource("minilm-l6", None, 0), None, None),
        BertMaterial(BuildSource("minilm-l6-squad", "w", 0), tmp_path, None),
    ):
        with pytest.raises(InvalidInputError, match="made of weights"):
            build_bert_model(material, tmp_path / "m.onnx", SILENT)
    with pytest.raises(NotFoundError, match="bert-huge"):
        build_bert_model(BertMaterial(BuildSource("bert-huge", None, 0), None, None), tmp_path / "m.onnx", SILENT)
