"""Where the tensors of a snapshot of torchsnapshot lie: DLRMv2's weights, tables cut over many files.

Source of the form: torchsnapshot 0.1.0, manifest.py (``.snapshot_metadata``: JSON, or YAML of older releases, entries
``RANK/NAME/KEY``); parts of one tensor may be told by several ranks.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any, Literal
from urllib.parse import unquote

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from assay.base.units import format_size
from assay.errors import InvalidInputError
from assay.models.dlrm_stored import Block, Stored, Tensors

METADATA = ".snapshot_metadata"
_MAX_BYTES = 64 << 20
_DEPTH = 3


class _Form(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class _Tensor(_Form):
    location: str = Field(min_length=1, max_length=1024)
    serializer: Literal["buffer_protocol"]
    dtype: Literal["torch.float32"]
    shape: tuple[int, ...] = Field(min_length=1, max_length=4)
    byte_range: tuple[int, int] | None = None


class _Shard(_Form):
    offsets: tuple[int, ...] = Field(min_length=1, max_length=4)
    sizes: tuple[int, ...] = Field(min_length=1, max_length=4)
    tensor: _Tensor


def find_snapshot(folder: Path) -> Path:
    """The folder that holds the snapshot: this one or one below it.

    Raises:
        InvalidInputError: when there is none.
    """
    for depth in range(_DEPTH):
        found = sorted(folder.glob("/".join(["*"] * depth + [METADATA])))
        if found:
            return found[0].parent
    raise InvalidInputError(f"there is no {METADATA}", where=folder, expected="a snapshot of torchsnapshot")


def locate_snapshot(folder: Path) -> Tensors:
    """Tensors of the state dict by key, where they lie; what is no tensor is passed over.

    Raises:
        InvalidInputError: for a folder or an entry of another form, or a part that lies outside the folder.
    """
    home = find_snapshot(folder)
    path = home / METADATA
    blocks: dict[str, dict[tuple[int, ...], tuple[_Shard, Block]]] = {}
    for key, entry in _entries(path):
        for shard in _shards(key, entry, path):
            # Replicated parts are told by every rank: the first holds.
            blocks.setdefault(key, {}).setdefault(shard.offsets, (shard, _block(key, shard, home)))
    return {key: _stored(key, parts, path) for key, parts in blocks.items()}


def _stored(key: str, parts: Mapping[tuple[int, ...], tuple[_Shard, Block]], path: Path) -> Stored:
    shards = [shard for shard, _ in parts.values()]
    if len({len(shard.sizes) for shard in shards}) != 1:
        raise InvalidInputError(f"the parts of {key!r} have different numbers of dimensions", where=path)
    ends = zip(*([a + b for a, b in zip(shard.offsets, shard.sizes, strict=True)] for shard in shards), strict=True)
    return Stored(tuple(max(end) for end in ends), tuple(block for _, block in parts.values()))


def _entries(path: Path) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Key of the state dict, and entry, of everything that is a tensor."""
    if path.stat().st_size > _MAX_BYTES:
        raise InvalidInputError("the metadata is too large", where=path, expected=f"at most {format_size(_MAX_BYTES)}")
    text = path.read_text("utf-8", "replace")
    try:
        read = json.loads(text) if text.lstrip().startswith("{") else yaml.safe_load(text)
    except (ValueError, RecursionError, yaml.YAMLError) as error:
        raise InvalidInputError(f"the metadata cannot be read: {str(error)[:120]}", where=path) from error
    manifest = read.get("manifest") if isinstance(read, dict) else None
    if not isinstance(manifest, dict):
        raise InvalidInputError("the metadata has no manifest", where=path)
    for name, entry in manifest.items():
        parts = str(name).split("/")
        if isinstance(entry, dict) and len(parts) >= 3 and entry.get("type") in _KINDS:
            yield unquote("/".join(parts[2:])), entry


_KINDS = {"Tensor": None, "ShardedTensor": "shards", "ChunkedTensor": "chunks"}


def _shards(key: str, entry: Mapping[str, Any], path: Path) -> list[_Shard]:
    try:
        inner = _KINDS[entry["type"]]
        if inner is None:
            tensor = _Tensor.model_validate(entry)
            return [_Shard(offsets=(0,) * len(tensor.shape), sizes=tensor.shape, tensor=tensor)]
        return [_Shard.model_validate(shard) for shard in entry[inner]]
    except (ValidationError, KeyError, TypeError) as error:
        message = error.errors()[0]["msg"] if isinstance(error, ValidationError) else str(error)
        raise InvalidInputError(f"entry {key!r} is in another form: {message}", where=path) from error


def _block(key: str, shard: _Shard, home: Path) -> Block:
    relative = PurePosixPath(shard.tensor.location)
    file = home / relative
    if relative.is_absolute() or ".." in relative.parts or not file.resolve().is_relative_to(home.resolve()):
        raise InvalidInputError(f"entry {key!r} leads out of the snapshot", where=home, found=shard.tensor.location)
    begin, end = shard.tensor.byte_range or (0, -1)
    rows, columns = shard.sizes[0], 1
    column = 0
    for offset, size in zip(shard.offsets[1:], shard.sizes[1:], strict=False):
        columns, column = columns * size, column * size + offset
    block = Block(file, begin, shard.offsets[0], column, rows, columns)
    fits = len(shard.offsets) == len(shard.sizes) and shard.tensor.shape == shard.sizes
    if not fits or min(shard.sizes) < 1 or (end >= 0 and end - begin != block.nbytes):
        raise InvalidInputError(f"entry {key!r} has a part whose sizes do not fit", where=home / METADATA)
    return block
