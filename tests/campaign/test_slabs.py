"""When a model is run in slabs, and when it is run as it is."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import onnx
import pytest

from assay.assets.catalogue import load_catalogue
from assay.assets.store import AssetStore
from assay.backends.protocol import Precision
from assay.base.progress import SILENT
from assay.base.settings import Settings
from assay.campaign.plan import make_plan
from assay.campaign.request import RunRequest
from assay.campaign.slabs import slabbed_model
from assay.loadgen.record import Artefact
from assay.models.unet3d import build_unet3d

SIZE = 32
SMALL = {"size": SIZE, "synthetic": [SIZE] * 3, "windows": {"slab_mb": 1}}


@pytest.fixture(scope="module")
def unet(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A 3D U-Net of which the layers of the highest level are larger than a megabyte."""
    path = tmp_path_factory.mktemp("model") / "tiny.onnx"
    onnx.save(build_unet3d(1, filters=(8, 8), size=SIZE), path)
    return path


def run_as(home: Path, model: Path, *, precision: Precision = Precision.FP32, **changed: Any) -> Path:
    """The file that a request runs."""
    settings = Settings(home=home)
    request = RunRequest(name="medical-imaging", model=model, **{"recipe": SMALL, **changed})
    plan = replace(make_plan(request, settings), precision=precision)
    store = AssetStore(settings, load_catalogue(settings))
    return slabbed_model(plan, model, Artefact("tiny", "a" * 64), plan.subject.recipe, store, SILENT)


def test_a_user_s_own_3d_unet_is_cut_once(tmp_path: Path, unet: Path) -> None:
    made = run_as(tmp_path, unet)
    assert made != unet
    assert len(onnx.load(made).graph.node) > 2 * len(onnx.load(unet).graph.node)
    before = made.stat().st_mtime_ns
    assert run_as(tmp_path, unet) == made
    assert made.stat().st_mtime_ns == before


def test_another_size_of_slabs_is_another_model(tmp_path: Path, unet: Path) -> None:
    assert run_as(tmp_path, unet) != run_as(tmp_path, unet, recipe={**SMALL, "windows": {"slab_mb": 2}})


@pytest.mark.parametrize(
    "changed",
    [
        {"recipe": {**SMALL, "windows": {"slab_mb": 0}}},
        {"recipe": {**SMALL, "windows": {"slab_mb": 500}}},
        {"precision": Precision.INT8},
        {"backend": "openvino"},
    ],
    ids=["switched off", "nothing is large", "int8", "another engine"],
)
def test_else_it_is_run_as_it_is(tmp_path: Path, unet: Path, changed: dict[str, Any]) -> None:
    assert run_as(tmp_path, unet, **changed) == unet
