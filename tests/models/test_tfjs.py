from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assay.errors import AssayError, InvalidInputError, NotFoundError
from assay.models.tfjs import read_tfjs

DOCUMENT: dict[str, Any] = {
    "format": "graph-model",
    "signature": {"outputs": {"out": {}}},
    "modelTopology": {
        "node": [
            {
                "name": "in",
                "op": "Placeholder",
                "attr": {"shape": {"shape": {"dim": [{"size": "1"}, {"size": "4"}]}}},
            },
            {"name": "w", "op": "Const", "attr": {}},
            {
                "name": "out",
                "op": "Mul",
                "input": ["in", "w", "^in"],
                "attr": {
                    "padding": {"s": base64.b64encode(b"SAME").decode()},
                    "ops": {"list": {"s": [base64.b64encode(b"Relu").decode()]}},
                    "strides": {"list": {"i": ["1", "2"]}},
                    "keep": {"b": True},
                    "n": {"i": "3"},
                    "T": {"type": "DT_FLOAT"},
                },
            },
        ]
    },
    "weightsManifest": [
        {
            "paths": ["a.bin", "b.bin"],
            "weights": [
                {"name": "w", "shape": [4], "dtype": "float32", "quantization": {"dtype": "float16"}},
                {"name": "axes", "shape": [2], "dtype": "int32"},
            ],
        }
    ],
}
RAW = np.array([0.5, -1, 2, 3], "<f2").tobytes() + np.array([7, -1], "<i4").tobytes()


def write(folder: Path, raw: bytes = RAW, **changes: Any) -> Path:
    """A graph of one product; its weights lie in two shards."""
    path = folder / "model.json"
    path.write_text(json.dumps({**DOCUMENT, **changes}), encoding="utf-8")
    (folder / "a.bin").write_bytes(raw[:5])
    (folder / "b.bin").write_bytes(raw[5:])
    return path


def refused(path: Path) -> InvalidInputError:
    with pytest.raises(InvalidInputError) as caught:
        read_tfjs(path)
    return caught.value


def test_nodes_attributes_and_weights(tmp_path: Path) -> None:
    graph = read_tfjs(write(tmp_path))
    assert (dict(graph.inputs), graph.outputs) == ({"in": (1, 4)}, ("out",))
    node = graph.nodes["out"]
    assert node.inputs == ("in", "w")
    assert (node.text("padding"), node.texts("ops"), node.integers("strides")) == ("SAME", ["Relu"], [1, 2])
    assert (node.flag("keep"), node.flag("no"), node.integer("n"), node.kind("T")) == (True, False, 3, "DT_FLOAT")
    assert (node.text("no", ""), node.texts("no"), node.integer("no", 5)) == ("", [], 5)
    assert graph.weights["w"].dtype == np.float32
    assert graph.weights["w"].tolist() == [0.5, -1, 2, 3]
    assert graph.weights["axes"].tolist() == [7, -1]


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (RAW[:-1], "the weights are cut off in 'axes'"),
        (b"", "the weights are cut off in 'w'"),
        (RAW + b"x", "hold more than the listed weights"),
        (np.array([np.inf, 0, 0, 0], "<f2").tobytes() + RAW[8:], "'w' holds values that are no numbers"),
    ],
    ids=["short", "empty", "long", "infinite"],
)
def test_shards_that_do_not_hold_what_is_listed(tmp_path: Path, raw: bytes, said: str) -> None:
    assert said in refused(write(tmp_path, raw)).what


def test_a_missing_shard_is_told(tmp_path: Path) -> None:
    write(tmp_path)
    (tmp_path / "b.bin").unlink()
    with pytest.raises(NotFoundError, match="shard"):
        read_tfjs(tmp_path / "model.json")


@pytest.mark.parametrize("name", ["../a.bin", "/etc/passwd", "..", "x/a.bin", "", 5])
def test_a_shard_outside_the_folder_is_not_opened(tmp_path: Path, name: Any) -> None:
    manifest = [{**DOCUMENT["weightsManifest"][0], "paths": [name]}]
    assert "leaves the folder" in refused(write(tmp_path, weightsManifest=manifest)).what


def weight(**changes: Any) -> dict[str, Any]:
    return {"weightsManifest": [{"paths": ["a.bin"], "weights": [{"name": "w", "shape": [4], **changes}]}]}


def nodes(*entries: Any) -> dict[str, Any]:
    return {"modelTopology": {"node": list(entries)}}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"format": "layers-model"}, "not a TensorFlow.js graph model"),
        ({"modelTopology": None}, "no list of nodes"),
        (nodes(), "no list of nodes"),
        (nodes({"name": "a"}), "node 0 is malformed"),
        (nodes({"name": "a", "op": "b", "input": [1]}), "node 0 is malformed"),
        (nodes({"name": "a", "op": "b"}, {"name": "a", "op": "b"}), "two nodes"),
        (nodes({"name": "a", "op": "Const"}), "'a' has no weight"),
        (nodes({"name": "a", "op": "Placeholder"}), "has no shape"),
        (nodes({"name": "a", "op": "Add"}), "inputs and outputs"),
        ({"signature": {}}, "inputs and outputs"),
        ({"weightsManifest": []}, "no list of weights"),
        ({"weightsManifest": [{"paths": "a"}]}, "a group of weights is malformed"),
        (weight(dtype="complex"), "a weight is malformed"),
        (weight(dtype="float32", shape=[-1]), "a weight is malformed"),
        (weight(dtype="float32", shape=[1 << 40, 1 << 40]), "cut off"),
        (weight(dtype="float32", quantization={"dtype": "uint8"}), "an unknown way"),
    ],
    ids=range(16),
)
def test_a_malformed_model_is_told(tmp_path: Path, changes: dict[str, Any], said: str) -> None:
    error = refused(write(tmp_path, **changes))
    assert said in error.what
    assert "model.json" in str(error.where)


@pytest.mark.parametrize(
    "ask",
    [
        lambda node: node.text("bad"),
        lambda node: node.integer("bad"),
        lambda node: node.integers("list"),
        lambda node: node.texts("odd"),
        lambda node: node.integer("huge"),
    ],
    ids=["text", "integer", "integers", "texts", "huge"],
)
def test_an_attribute_of_another_kind_is_told(tmp_path: Path, ask: Callable[[Any], object]) -> None:
    odd = {
        "bad": {"s": "not base64!", "i": "x"},
        "list": {"list": {"i": ["1", None]}},
        "odd": {"list": {"s": 4}},
        "huge": {"i": "99999999999999"},
    }
    entries = [*DOCUMENT["modelTopology"]["node"][:2], {"name": "out", "op": "Mul", "attr": odd}]
    graph = read_tfjs(write(tmp_path, **nodes(*entries)))
    with pytest.raises(InvalidInputError, match="'out'"):
        ask(graph.nodes["out"])


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["node", "name", "op"]), inner),
    max_leaves=6,
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(key=st.sampled_from(sorted(DOCUMENT)), value=JSON)
def test_whatever_a_stranger_writes_is_told(tmp_path: Path, key: str, value: object) -> None:
    with pytest.raises(AssayError):
        read_tfjs(write(tmp_path, **{key: value}))
