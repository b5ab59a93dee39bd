"""The real graph, with the real weights, from the package."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
from onnx import TensorProto, helper

from assay.errors import AssayError
from assay.models.centernet import build_centernet
from assay.models.tfjs import read_tfjs
from assay.models.tfjs_convert import Converter

INPUT = "tower_0/images"


@pytest.fixture(scope="module")
def weights(fetched: Callable[[str], Path]) -> Path:
    """The folder of the graph and its shard."""
    return fetched("centernet-mobilenetv3-weights")


def run(model: Any, pictures: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return np.asarray(session.run(None, {INPUT: pictures})[0])


def test_a_batch_gives_what_the_graph_of_one_picture_gives(weights: Path) -> None:
    """The last part of the graph is written anew for any batch; converted as it is, it answers the same."""
    whole = Converter(read_tfjs(weights / "centernet.json"), "whole")
    whole.graph.named("Identity", [whole.plain(whole.convert("tower_0/detections"))], ["detections"])
    single = whole.graph.finish([helper.make_tensor_value_info("detections", TensorProto.FLOAT, [1, 100, 6])])
    pictures = np.random.default_rng(0).integers(0, 256, (2, 16, 16, 3)).astype(np.float32)
    pictures = pictures.repeat(32, axis=1).repeat(32, axis=2)
    found = run(build_centernet(weights), pictures)
    assert found.shape == (2, 100, 6)
    alone = np.concatenate([run(single, picture[None]) for picture in pictures])
    assert np.allclose(found, alone, atol=1e-3)
    assert (np.diff(found[:, :, 4]) <= 0).all()


def test_the_same_weights_give_the_same_bytes(weights: Path) -> None:
    one, other = (build_centernet(weights).SerializeToString(deterministic=True) for _ in range(2))
    assert one == other


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda document: document["modelTopology"]["node"].pop(), None),
        (lambda document: document["weightsManifest"][0]["weights"].pop(), "more than the listed"),
        (lambda document: rename(document, "Relu6", "Softmax"), "Softmax"),
        (lambda document: rename(document, "TopKV2", "Relu"), None),
    ],
    ids=["last node", "weight", "operation", "behind"],
)
def test_a_damaged_graph_is_told_or_does_not_matter(
    weights: Path, tmp_path: Path, damage: Callable[[Any], object], said: str | None
) -> None:
    document = json.loads((weights / "centernet.json").read_text())
    damage(document)
    (tmp_path / "centernet.json").write_text(json.dumps(document))
    shutil.copy(weights / "centernet.bin", tmp_path)
    if said is None:
        build_centernet(tmp_path)
        return
    with pytest.raises(AssayError, match=said):
        build_centernet(tmp_path)


def rename(document: Any, op: str, other: str) -> None:
    for node in document["modelTopology"]["node"]:
        node["op"] = other if node["op"] == op else node["op"]


def test_a_graph_with_other_numbers_in_its_last_part_is_refused(weights: Path, tmp_path: Path) -> None:
    document = json.loads((weights / "centernet.json").read_text())
    raw = bytearray((weights / "centernet.bin").read_bytes())
    first = document["weightsManifest"][0]["weights"][0]
    assert first["name"] == "tower_0/mul_3/y"
    raw[:2] = np.array([8], "<f2").tobytes()
    (tmp_path / "centernet.json").write_text(json.dumps(document))
    (tmp_path / "centernet.bin").write_bytes(raw)
    with pytest.raises(AssayError, match=r"tower_0/mul_3/y has another value; expected 4\.0; found \[8\.\]"):
        build_centernet(tmp_path)
