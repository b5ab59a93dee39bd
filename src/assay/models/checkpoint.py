"""PyTorch checkpoints read without PyTorch and without running code: tensors in, tensors out.

Two forms are read: the legacy one (five pickles, then the raw storages) and the zip archive that PyTorch writes since
1.6. Every offset, stride and size is checked against the storage it points into.
"""

from __future__ import annotations

import io
import math
import struct
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from assay.base.units import format_size
from assay.errors import InvalidInputError, NotFoundError
from assay.models.pickled import Global, Reader

Tensors = dict[str, NDArray[Any]]

_MAGIC = 0x1950A86A20F9469CFC6C
_PROTOCOL = 1001
_MAX_BYTES = 4 << 30
# What the standard library raises over a damaged archive: zipfile itself, and whatever its parts do.
_DAMAGE = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    KeyError,
    ValueError,
    OverflowError,
    NotImplementedError,
    RuntimeError,
    EOFError,
    OSError,
)
_DTYPES = {
    "FloatStorage": "<f4",
    "DoubleStorage": "<f8",
    "HalfStorage": "<f2",
    "LongStorage": "<i8",
    "IntStorage": "<i4",
    "ShortStorage": "<i2",
    "CharStorage": "i1",
    "ByteStorage": "u1",
    "BoolStorage": "?",
}


@dataclass(frozen=True, slots=True)
class _Storage:
    key: str
    dtype: str
    count: int


@dataclass(frozen=True, slots=True)
class _View:
    storage: _Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


def read_checkpoint(path: Path) -> Tensors:
    """Read a state dict: name to array.

    Raises:
        NotFoundError: when the file is not there.
        InvalidInputError: when it is no checkpoint of tensors only, or cut off.
    """
    try:
        size = path.stat().st_size
    except FileNotFoundError as error:
        raise NotFoundError("checkpoint not found", where=path) from error
    if size > _MAX_BYTES:
        raise InvalidInputError(
            "the checkpoint is too large", where=path, expected=f"at most {format_size(_MAX_BYTES)}"
        )
    with path.open("rb") as stream:
        zipped = stream.read(4) == b"PK\x03\x04"
        stream.seek(0)
        return _read_zip(path) if zipped else _read_legacy(stream, path, size)


def _read_legacy(stream: IO[bytes], path: Path, size: int) -> Tensors:
    named: dict[str, _Storage] = {}
    reader = Reader(stream, str(path), reduce=_reduce(path), persistent=_persistent(path, named))
    if reader.load() != _MAGIC or reader.load() != _PROTOCOL:
        raise InvalidInputError(
            "not a PyTorch checkpoint", where=path, expected="the magic number of the legacy format"
        )
    reader.load()  # facts of the machine that wrote it: little endian wherever PyTorch runs
    state = reader.load()
    keys = reader.load()
    views = _views(state, path)
    wanted = {view.storage.key: view.storage for view in views.values()}
    if not isinstance(keys, list) or not all(isinstance(key, str) for key in keys):
        raise InvalidInputError("the list of storages is malformed", where=path)
    storages: dict[str, NDArray[Any]] = {}
    for key in keys:
        storage = named.get(key)
        header = stream.read(8)
        if storage is None or len(header) < 8:
            raise InvalidInputError(f"storage {key!r} is unknown or cut off", where=path)
        count = struct.unpack("<q", header)[0]
        if count != storage.count:
            raise InvalidInputError(
                f"storage {key!r} has another size than its tensors say",
                where=path,
                expected=str(storage.count),
                found=str(count),
            )
        length = count * np.dtype(storage.dtype).itemsize
        if key in wanted:
            storages[key] = _raw(stream.read(length), storage, path)
        else:  # the optimiser's, which training checkpoints hold beside the model's
            stream.seek(length, io.SEEK_CUR)
    missing = wanted.keys() - storages.keys()
    if missing or stream.tell() > size:
        raise InvalidInputError("the checkpoint is cut off", where=path, found=f"{size:,} bytes")
    if stream.tell() != size:
        raise InvalidInputError(
            "there is something behind the last storage", where=path, found=f"{size - stream.tell()} bytes"
        )
    return _tensors(views, storages, path)


def _read_zip(path: Path) -> Tensors:
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
            pickles = [name for name in names if name.endswith("/data.pkl")]
            if len(pickles) != 1 or sum(item.file_size for item in archive.infolist()) > _MAX_BYTES:
                raise InvalidInputError("not a PyTorch checkpoint", where=path, expected="an archive with one data.pkl")
            root = pickles[0].removesuffix("data.pkl")
            reader = Reader(
                io.BytesIO(archive.read(pickles[0])),
                str(path),
                reduce=_reduce(path),
                persistent=_persistent(path),
            )
            views = _views(reader.load(), path)
            wanted = {view.storage.key: view.storage for view in views.values()}
            storages = {key: _raw(archive.read(f"{root}data/{key}"), storage, path) for key, storage in wanted.items()}
    except _DAMAGE as error:
        raise InvalidInputError(f"the checkpoint's archive is damaged: {error}", where=path) from error
    return _tensors(views, storages, path)


def _raw(data: bytes, storage: _Storage, path: Path) -> NDArray[Any]:
    dtype = np.dtype(storage.dtype)
    if len(data) != storage.count * dtype.itemsize:
        raise InvalidInputError(
            f"storage {storage.key!r} is cut off",
            where=path,
            expected=f"{storage.count * dtype.itemsize} bytes",
            found=f"{len(data)} bytes",
        )
    return np.frombuffer(data, dtype)


def _views(state: Any, path: Path) -> Mapping[str, _View]:
    if isinstance(state, dict) and isinstance(state.get("state_dict"), dict):
        state = state["state_dict"]
    if not isinstance(state, dict) or not state:
        raise InvalidInputError("the checkpoint holds no state dict", where=path, found=type(state).__name__)
    for name, value in state.items():
        if not isinstance(name, str) or not isinstance(value, _View):
            raise InvalidInputError(
                f"entry {name!r} of the state dict is no tensor", where=path, found=type(value).__name__
            )
    return state


def _tensors(views: Mapping[str, _View], storages: Mapping[str, NDArray[Any]], path: Path) -> Tensors:
    return {name: _tensor(name, view, storages[view.storage.key], path) for name, view in views.items()}


def _tensor(name: str, view: _View, storage: NDArray[Any], path: Path) -> NDArray[Any]:
    last = view.offset + sum((size - 1) * stride for size, stride in zip(view.shape, view.strides, strict=True))
    if math.prod(view.shape) and last >= len(storage):
        raise InvalidInputError(
            f"tensor {name!r} reaches beyond its storage",
            where=path,
            expected=f"at most {len(storage)} values",
            found=str(last + 1),
        )
    item = storage.itemsize
    strided = np.lib.stride_tricks.as_strided(
        storage[view.offset :], view.shape, tuple(stride * item for stride in view.strides), writeable=False
    )
    return np.ascontiguousarray(strided).reshape(view.shape)


def _persistent(path: Path, named: dict[str, _Storage] | None = None) -> Any:
    """How references to storages are read; ``named`` gets all there are."""

    def load(identity: Any) -> _Storage:
        if not isinstance(identity, tuple) or len(identity) < 5 or identity[0] != "storage":
            raise InvalidInputError("a reference that is no storage", where=path)
        kind, key, count = identity[1], identity[2], identity[4]
        dtype = _DTYPES.get(kind.name) if isinstance(kind, Global) and kind.module == "torch" else None
        if dtype is None or not isinstance(key, str) or not key.isalnum() or not _count(count):
            raise InvalidInputError(
                "a storage of an unknown kind", where=path, expected=", ".join(_DTYPES), found=str(kind)
            )
        if len(identity) > 5 and identity[5] is not None:
            raise InvalidInputError("views of storages are not read", where=path)
        storage = _Storage(key, dtype, count)
        if named is not None:
            named[key] = storage
        return storage

    return load


def _reduce(path: Path) -> Any:
    def call(function: Global, arguments: tuple[Any, ...]) -> Any:
        name = str(function)
        if name == "collections.OrderedDict" and not arguments:
            return {}
        if name == "torch._utils._rebuild_tensor_v2" and len(arguments) >= 4:
            return _view(arguments, path)
        if name == "torch._utils._rebuild_parameter" and arguments and isinstance(arguments[0], _View):
            return arguments[0]
        raise InvalidInputError(
            f"the checkpoint calls {name}",
            where=path,
            expected="tensors only: nothing of it is run",
            hint="use a file with a plain state dict",
        )

    return call


def _view(arguments: tuple[Any, ...], path: Path) -> _View:
    storage, offset, shape, strides = arguments[:4]
    sound = (
        isinstance(storage, _Storage)
        and _count(offset)
        and isinstance(shape, tuple)
        and isinstance(strides, tuple)
        and len(shape) == len(strides) <= 8
        and all(_count(n) for n in (*shape, *strides))
    )
    if not sound or math.prod(shape) * np.dtype(storage.dtype).itemsize > _MAX_BYTES:
        raise InvalidInputError("a tensor's shape is malformed or too large", where=path, found=f"{shape!r}"[:80])
    return _View(storage, offset, shape, strides)


def _count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**40
