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
from assay.models.efficientnet_lite import _SCALES, build_efficientnet_lite, build_efficientnet_lite0
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


@pytest.mark.parametrize(
    ("member", "stages", "repeats"),
    [
        (0, [16, 24, 40, 80, 112, 192, 320], [1, 2, 2, 3, 3, 4, 1]),
        (1, [16, 24, 40, 80, 112, 192, 320], [1, 3, 3, 4, 4, 5, 1]),
        (2, [16, 24, 48, 88, 120, 208, 352], [1, 3, 3, 4, 4, 5, 1]),
    ],
)
def test_the_family_is_scaled_as_tensorflow_scales_it(member: int, stages: list[int], repeats: list[int]) -> None:
    scale = _SCALES[member]
    assert [scale.channels(base) for base in (16, 24, 40, 80, 112, 192, 320)] == stages
    assert [scale.repeats(stage, base) for stage, base in enumerate((1, 2, 2, 3, 3, 4, 1))] == repeats


@pytest.mark.parametrize(("member", "image"), [(0, 224), (1, 240), (2, 260)])
def test_each_has_its_own_input(member: int, image: int) -> None:
    class Ones(Weights):
        """Weights of any shape."""

        def __init__(self) -> None:
            super().__init__({}, "nowhere")

        def take(self, name: str, shape: tuple[int, ...]) -> np.ndarray:
            return np.ones(shape)

    model = build_efficientnet_lite(Ones(), member)
    assert [size.dim_value for size in model.graph.input[0].type.tensor_type.shape.dim[2:]] == [image, image]
