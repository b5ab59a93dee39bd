"""TensorFlow.js graph models: one JSON file with the nodes, and shards with the weights. Read without TensorFlow.

Source of the form: tensorflow/tfjs, tfjs-converter (``model.json``: ``modelTopology`` is a GraphDef as JSON,
``weightsManifest`` lists the weights in the order in which they lie in the shards). Weights may be kept as float16.
"""

from __future__ import annotations

import base64
import binascii
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assay.base.files import read_json
from assay.errors import InvalidInputError, NotFoundError

_MAX_JSON = 64 << 20
_MAX_WEIGHTS = 1 << 30
_MAX_NODES = 100_000
_DTYPES = {"float32": "<f4", "int32": "<i4", "bool": "|b1"}


@dataclass(frozen=True, slots=True)
class TfNode:
    """A node of a graph.

    Attributes:
        inputs: names of nodes, with ``:1`` for an output that is not the first; without those that only set an order.
        attributes: as the file has them.
    """

    name: str
    op: str
    inputs: tuple[str, ...]
    attributes: Mapping[str, Any]

    def text(self, key: str, default: str = "") -> str:
        """A text, which the file keeps as base64."""
        return _decoded(self._value(key, "s", default), self)

    def texts(self, key: str) -> list[str]:
        """A list of texts."""
        return [_decoded(item, self) for item in self._list(key, "s")]

    def integer(self, key: str, default: int = 0) -> int:
        """A whole number."""
        return _whole(self._value(key, "i", default), self)

    def integers(self, key: str) -> list[int]:
        """A list of whole numbers."""
        return [_whole(item, self) for item in self._list(key, "i")]

    def flag(self, key: str) -> bool:
        """A truth value; false when it is not given."""
        return self._value(key, "b", False) is True

    def kind(self, key: str) -> str:
        """A type, such as ``DT_FLOAT``."""
        return str(self._value(key, "type", ""))

    def _value(self, key: str, form: str, default: Any) -> Any:
        attribute = self.attributes.get(key)
        return attribute.get(form, default) if isinstance(attribute, dict) else default

    def _list(self, key: str, form: str) -> list[Any]:
        value = self._value(key, "list", {})
        found = value.get(form, []) if isinstance(value, dict) else []
        if not isinstance(found, list):
            raise InvalidInputError(f"node {self.name!r}: {key} is no list", found=repr(found)[:60])
        return found


@dataclass(frozen=True, slots=True)
class TfGraph:
    """A graph model.

    Attributes:
        nodes: by name.
        weights: values of the constant nodes.
        inputs: shape of every input by name; -1 for a free dimension.
        outputs: names of the outputs.
        where: the JSON file.
    """

    nodes: Mapping[str, TfNode]
    weights: Mapping[str, NDArray[Any]]
    inputs: Mapping[str, tuple[int, ...]]
    outputs: tuple[str, ...]
    where: Path


def read_tfjs(path: Path) -> TfGraph:
    """Read a graph model and its weights.

    Args:
        path: the JSON file; the shards lie beside it.

    Raises:
        NotFoundError: when the file or a shard is not there.
        InvalidInputError: when it is no graph model, or the shards do not hold what the manifest says.
    """
    document = read_json(path, max_bytes=_MAX_JSON)
    if not isinstance(document, dict) or document.get("format") != "graph-model":
        found = document.get("format") if isinstance(document, dict) else type(document).__name__
        raise InvalidInputError(
            "not a TensorFlow.js graph model", where=path, expected="format: graph-model", found=str(found)[:60]
        )
    nodes = _read_nodes(document.get("modelTopology"), path)
    weights = _read_weights(document.get("weightsManifest"), path)
    inputs = {name: _placeholder(node, path) for name, node in nodes.items() if node.op == "Placeholder"}
    missing = [name for name, node in nodes.items() if node.op == "Const" and name not in weights]
    if missing:
        raise InvalidInputError(f"constant {missing[0]!r} has no weight", where=path)
    signature = document.get("signature")
    outputs = signature.get("outputs") if isinstance(signature, dict) else None
    if not isinstance(outputs, dict) or not inputs:
        raise InvalidInputError("the model does not say its inputs and outputs", where=path)
    return TfGraph(nodes, weights, inputs, tuple(outputs), path)


def _read_nodes(topology: Any, path: Path) -> dict[str, TfNode]:
    listed = topology.get("node") if isinstance(topology, dict) else None
    if not isinstance(listed, list) or not 0 < len(listed) <= _MAX_NODES:
        raise InvalidInputError("the model has no list of nodes", where=path, expected=f"1 to {_MAX_NODES:,} nodes")
    nodes: dict[str, TfNode] = {}
    for number, entry in enumerate(listed):
        name, op = (entry.get(key) if isinstance(entry, dict) else None for key in ("name", "op"))
        inputs = entry.get("input", []) if isinstance(entry, dict) else None
        attributes = entry.get("attr", {}) if isinstance(entry, dict) else None
        texts = isinstance(inputs, list) and all(isinstance(item, str) for item in inputs)
        if not isinstance(name, str) or not isinstance(op, str) or not texts or not isinstance(attributes, dict):
            raise InvalidInputError(f"node {number} is malformed", where=path, found=repr(entry)[:60])
        if name in nodes:
            raise InvalidInputError(f"two nodes are called {name!r}", where=path)
        assert isinstance(inputs, list)
        nodes[name] = TfNode(name, op, tuple(item for item in inputs if not item.startswith("^")), attributes)
    return nodes


def _read_weights(manifest: Any, path: Path) -> dict[str, NDArray[Any]]:
    if not isinstance(manifest, list) or not manifest:
        raise InvalidInputError("the model has no list of weights", where=path)
    weights: dict[str, NDArray[Any]] = {}
    for group in manifest:
        shards = group.get("paths") if isinstance(group, dict) else None
        entries = group.get("weights") if isinstance(group, dict) else None
        if not isinstance(shards, list) or not isinstance(entries, list):
            raise InvalidInputError("a group of weights is malformed", where=path, found=repr(group)[:60])
        weights.update(_take_all(entries, b"".join(_shard(path, name) for name in shards), path))
    return weights


def _shard(path: Path, name: Any) -> bytes:
    if not isinstance(name, str) or len(PurePosixPath(name).parts) != 1 or name in (".", "..") or "\0" in name:
        raise InvalidInputError("a shard's name leaves the folder", where=path, found=repr(name)[:60])
    shard = path.parent / name
    if not shard.is_file():
        raise NotFoundError("a shard of the weights is not there", where=shard)
    if shard.stat().st_size > _MAX_WEIGHTS:
        raise InvalidInputError("the shard is too large", where=shard, expected=f"at most {_MAX_WEIGHTS >> 20} MiB")
    return shard.read_bytes()


def _take_all(entries: list[Any], raw: bytes, path: Path) -> dict[str, NDArray[Any]]:
    taken: dict[str, NDArray[Any]] = {}
    offset = 0
    for entry in entries:
        name, shape, kept, dtype = _described(entry, path)
        size = math.prod(shape) * kept.itemsize
        if offset + size > len(raw):
            raise InvalidInputError(
                f"the weights are cut off in {name!r}",
                where=path,
                expected=f"at least {offset + size:,} bytes",
                found=f"{len(raw):,}",
            )
        value = np.frombuffer(raw, kept, math.prod(shape), offset).reshape(shape).astype(dtype)
        if value.dtype.kind == "f" and not np.isfinite(value).all():
            raise InvalidInputError(f"weight {name!r} holds values that are no numbers", where=path)
        taken[name] = value
        offset += size
    if offset != len(raw):
        raise InvalidInputError(
            "the shards hold more than the listed weights",
            where=path,
            expected=f"{offset:,} bytes",
            found=f"{len(raw):,}",
        )
    return taken


def _described(entry: Any, path: Path) -> tuple[str, tuple[int, ...], np.dtype[Any], np.dtype[Any]]:
    """Name, shape, type as it is kept and type as it is used."""
    fields = entry if isinstance(entry, dict) else {}
    name, shape, dtype = fields.get("name"), fields.get("shape"), fields.get("dtype")
    sizes = isinstance(shape, list) and len(shape) <= 8 and all(type(size) is int and size >= 0 for size in shape)
    if not isinstance(name, str) or not sizes or dtype not in _DTYPES:
        raise InvalidInputError("a weight is malformed", where=path, found=repr(entry)[:80])
    assert isinstance(shape, list)
    used = np.dtype(_DTYPES[dtype])
    quantization = fields.get("quantization")
    if quantization is None:
        return name, tuple(shape), used, used
    if not isinstance(quantization, dict) or quantization.get("dtype") != "float16" or dtype != "float32":
        raise InvalidInputError(
            f"weight {name!r} is quantised in an unknown way",
            where=path,
            expected="float16",
            found=repr(quantization)[:60],
        )
    return name, tuple(shape), np.dtype("<f2"), used


def _placeholder(node: TfNode, path: Path) -> tuple[int, ...]:
    shape = node.attributes.get("shape")
    shape = shape.get("shape") if isinstance(shape, dict) else None
    dims = shape.get("dim") if isinstance(shape, dict) else None
    if not isinstance(dims, list) or not all(isinstance(dim, dict) for dim in dims):
        raise InvalidInputError(f"input {node.name!r} has no shape", where=path)
    return tuple(_whole(dim.get("size", -1), node) for dim in dims)


def _decoded(value: Any, node: TfNode) -> str:
    try:
        return base64.b64decode(str(value), validate=True).decode("ascii") if value else ""
    except (binascii.Error, UnicodeDecodeError) as error:
        raise InvalidInputError(f"node {node.name!r} has a text that is no base64", found=str(value)[:60]) from error


def _whole(value: Any, node: TfNode) -> int:
    try:
        number = int(value)
    except (TypeError, ValueError) as error:
        raise InvalidInputError(f"node {node.name!r} has a number that is none", found=repr(value)[:60]) from error
    if abs(number) >= 1 << 31:
        raise InvalidInputError(f"node {node.name!r} has a number that is too large", found=str(value)[:60])
    return number
