"""The architecture, with random weights; that it is right is seen in the accuracy of the trained ones."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from assay.errors import InvalidInputError
from assay.models.graph import Weights
from assay.models.mobilenet_v2 import build_mobilenet_v2

STAGES = ((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1))


def random_weights(classes: int = 10) -> dict[str, NDArray[np.float32]]:
    random = np.random.default_rng(1)
    found: dict[str, NDArray[np.float32]] = {}

    def conv(name: str, norm: str, shape: tuple[int, ...]) -> None:
        fan = shape[1] * shape[2] * shape[3]
        found[f"{name}.weight"] = (random.standard_normal(shape) / np.sqrt(fan)).astype(np.float32)
        for part in ("weight", "bias", "running_mean", "running_var"):
            low = 0.5 if part in ("weight", "running_var") else -0.5
            found[f"{norm}.{part}"] = random.uniform(low, low + 1, shape[0]).astype(np.float32)

    conv("features.0.0", "features.0.1", (32, 3, 3, 3))
    channels, number = 32, 1
    for expansion, output, repeats, _ in STAGES:
        for _ in range(repeats):
            hidden, name, step = channels * expansion, f"features.{number}.conv", 0
            if expansion != 1:
                conv(f"{name}.0.0", f"{name}.0.1", (hidden, channels, 1, 1))
                step = 1
            conv(f"{name}.{step}.0", f"{name}.{step}.1", (hidden, 1, 3, 3))
            conv(f"{name}.{step + 1}", f"{name}.{step + 2}", (output, hidden, 1, 1))
            channels, number = output, number + 1
    conv(f"features.{number}.0", f"features.{number}.1", (1280, channels, 1, 1))
    found["classifier.1.weight"] = random.standard_normal((classes, 1280)).astype(np.float32)
    found["classifier.1.bias"] = random.standard_normal(classes).astype(np.float32)
    return found


def test_every_weight_of_the_architecture_is_used() -> None:
    model = build_mobilenet_v2(Weights(random_weights(), "w"), classes=10)
    assert [node.op_type for node in model.graph.node].count("Conv") == 52
    assert [node.op_type for node in model.graph.node].count("Add") == 10
    assert sum(int(np.prod(item.dims)) for item in model.graph.initializer) > 2_000_000


@pytest.mark.parametrize(
    ("name", "words"), [("features.5.conv.1.0.weight", "is missing"), (None, "does not have: extra")]
)
def test_other_weights_are_refused(name: str | None, words: str) -> None:
    weights = random_weights()
    if name is None:
        weights["extra"] = np.zeros(1, np.float32)
    else:
        del weights[name]
    with pytest.raises(InvalidInputError, match=words):
        build_mobilenet_v2(Weights(weights, "w"), classes=10)
