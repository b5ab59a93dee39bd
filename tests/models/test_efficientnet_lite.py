"""The architecture, with the trained weights; that it is right is seen in the accuracy too."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from assay.assets.catalogue import load_catalogue
from assay.assets.store import AssetStore
from assay.base.settings import Settings
from assay.errors import InvalidInputError
from assay.models.checkpoint import read_checkpoint
from assay.models.efficientnet_lite import build_efficientnet_lite0
from assay.models.graph import Weights


def trained(home: Path) -> Path:
    settings = Settings(home=home)
    return AssetStore(settings, load_catalogue(settings)).ensure("efficientnet-lite0-weights").path


def test_every_trained_weight_is_used(stand_in_home: Path) -> None:
    path = trained(stand_in_home)
    tensors = read_checkpoint(path)
    model = build_efficientnet_lite0(Weights(tensors, path))
    kinds = [node.op_type for node in model.graph.node]
    assert kinds.count("Conv") == 49
    assert kinds.count("Add") == 9
    layers = sum(t.size for name, t in tensors.items() if t.ndim > 1 or name == "_fc.bias")
    biases = sum(t.size for name, t in tensors.items() if name.endswith("running_mean"))
    clip = 2
    assert sum(int(np.prod(item.dims)) for item in model.graph.initializer) == layers + biases + clip


def test_weights_of_another_model_are_refused(stand_in_home: Path) -> None:
    path = trained(stand_in_home)
    tensors = read_checkpoint(path)
    tensors["_fc.weight"] = tensors["_fc.weight"][:, :10]
    with pytest.raises(InvalidInputError, match="'_fc.weight' has another shape"):
        build_efficientnet_lite0(Weights(tensors, path))
