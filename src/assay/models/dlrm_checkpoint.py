"""Where the tensors of a PyTorch checkpoint lie, without reading them: DLRM's has 90 GB.

Both forms are understood: the legacy one (five pickles, then the raw storages) and the zip archive. Nothing of a file is
run; what else than tensors is in it (losses, the state of the optimiser) is passed over.
"""

from __future__ import annotations

import io
import math
import struct
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from assay.base.units import format_size
from assay.errors import InvalidInputError
from assay.models.dlrm_stored import Block, Stored, Tensors
from assay.models.pickled import Global, Reader

_MAGIC, _PROTOCOL = 0x1950A86A20F9469CFC6C, 1001
_ZIP = b"PK\x03\x04"
_LOCAL_HEADER = 30
_MAX_PICKLE = 64 << 20
_SIZES = {
    "FloatStorage": 4,
    "DoubleStorage": 8,
    "HalfStorage": 2,
    "BFloat16Storage": 2,
    "LongStorage": 8,
    "IntStorage": 4,
    "ShortStorage": 2,
    "CharStorage": 1,
    "ByteStorage": 1,
    "BoolStorage": 1,
}
_DAMAGE = (zipfile.BadZipFile, KeyError, RuntimeError, EOFError, OSError, NotImplementedError, struct.error)


@dataclass(frozen=True, slots=True)
class _Storage:
    kind: str
    key: str
    count: int


@dataclass(frozen=True, slots=True)
class _View:
    storage: _Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class _Unread:
    """Something of the checkpoint that is not needed."""

    name: str


class _Names:
    """What the pickles of a checkpoint refer to.

    Args:
        path: the file, for messages.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self.storages: dict[str, _Storage] = {}

    def persistent(self, identity: Any) -> _Storage:
        """A storage."""
        if isinstance(identity, tuple) and len(identity) >= 5 and identity[0] == "storage":
            kind, key, count = identity[1], identity[2], identity[4]
            known = isinstance(kind, Global) and kind.module == "torch" and kind.name in _SIZES
            if known and isinstance(key, str) and key.isalnum() and _is_count(count):
                return self.storages.setdefault(key, _Storage(kind.name, key, count))
        raise InvalidInputError("a storage of an unknown kind", where=self._path, found=str(identity)[:80])

    def reduce(self, function: Global, arguments: tuple[Any, ...]) -> Any:
        """A tensor, a dictionary, or something that is passed over."""
        name = str(function)
        if name == "collections.OrderedDict" and not arguments:
            return {}
        if name == "torch._utils._rebuild_parameter" and arguments:
            return arguments[0]
        if name == "torch._utils._rebuild_tensor_v2" and len(arguments) >= 4:
            storage, offset, shape, strides = arguments[:4]
            if (
                isinstance(storage, _Storage)
                and _is_count(offset)
                and isinstance(shape, tuple)
                and isinstance(strides, tuple)
                and len(shape) == len(strides)
                and all(_is_count(value) for value in (*shape, *strides))
            ):
                return _View(storage, offset, shape, strides)
            raise InvalidInputError("a tensor's shape is malformed", where=self._path, found=str(shape)[:80])
        return _Unread(name)

    def reader(self, stream: IO[bytes]) -> Reader:
        """Reads the pickles of a stream."""
        return Reader(stream, str(self._path), reduce=self.reduce, persistent=self.persistent)


def locate_checkpoint(path: Path) -> Tensors:
    """Tensors of a state dict by name, where they lie.

    Raises:
        InvalidInputError: when the file is no checkpoint, is cut off, or holds other than plain tensors of float32.
    """
    names = _Names(path)
    with path.open("rb") as stream:
        zipped = stream.read(4) == _ZIP
        stream.seek(0)
        state, offsets = (_from_zip if zipped else _from_legacy)(stream, path, names)
    if isinstance(state, dict) and isinstance(state.get("state_dict"), dict):
        state = state["state_dict"]
    if not isinstance(state, dict) or not state:
        raise InvalidInputError("the checkpoint holds no state dict", where=path, found=type(state).__name__)
    return {str(name): _stored(str(name), value, offsets, path) for name, value in state.items()}


def _stored(name: str, view: Any, offsets: dict[str, int], path: Path) -> Stored:
    if not isinstance(view, _View):
        raise InvalidInputError(f"entry {name!r} of the state dict is no tensor", where=path, found=str(view)[:60])
    plain = tuple(math.prod(view.shape[place + 1 :]) for place in range(len(view.shape)))
    one_long = all(have == want or size == 1 for have, want, size in zip(view.strides, plain, view.shape, strict=True))
    if view.storage.kind != "FloatStorage" or not view.shape or not one_long:
        raise InvalidInputError(
            f"tensor {name!r} is no plain table of float32", where=path, found=f"{view.storage.kind} {view.shape}"
        )
    if view.offset + math.prod(view.shape) > view.storage.count or view.storage.key not in offsets:
        raise InvalidInputError(f"tensor {name!r} reaches beyond its storage", where=path)
    begin = offsets[view.storage.key] + 4 * view.offset
    return Stored(view.shape, (Block(path, begin, 0, 0, view.shape[0], math.prod(view.shape[1:])),))


def _from_legacy(stream: IO[bytes], path: Path, names: _Names) -> tuple[Any, dict[str, int]]:
    reader = names.reader(stream)
    if reader.load() != _MAGIC or reader.load() != _PROTOCOL:
        raise InvalidInputError(
            "not a PyTorch checkpoint", where=path, expected="the magic number of the legacy format"
        )
    reader.load()  # facts of the machine that wrote it: little endian wherever PyTorch runs
    state, keys = reader.load(), reader.load()
    offsets: dict[str, int] = {}
    for key in keys if isinstance(keys, list) else ():
        storage, header = names.storages.get(key), stream.read(8)
        if storage is None or len(header) < 8 or struct.unpack("<q", header)[0] != storage.count:
            raise InvalidInputError(f"storage {key!r} is unknown or cut off", where=path)
        offsets[storage.key] = stream.tell()
        stream.seek(storage.count * _SIZES[storage.kind], io.SEEK_CUR)
    return state, offsets


def _from_zip(stream: IO[bytes], path: Path, names: _Names) -> tuple[Any, dict[str, int]]:
    try:
        with zipfile.ZipFile(path) as archive:
            members = {info.filename: info for info in archive.infolist()}
            pickles = [name for name in members if name.endswith("/data.pkl")]
            if len(pickles) != 1 or members[pickles[0]].file_size > _MAX_PICKLE:
                raise InvalidInputError(
                    "not a PyTorch checkpoint",
                    where=path,
                    expected=f"an archive with one data.pkl of at most {format_size(_MAX_PICKLE)}",
                )
            state = names.reader(io.BytesIO(archive.read(pickles[0]))).load()
            root = pickles[0].removesuffix("data.pkl")
            return state, {key: _begin(stream, path, members[f"{root}data/{key}"]) for key in names.storages}
    except _DAMAGE as error:
        raise InvalidInputError(f"the checkpoint's archive is damaged: {error}", where=path) from error


def _begin(stream: IO[bytes], path: Path, info: zipfile.ZipInfo) -> int:
    """Where a member's bytes begin. Source: APPNOTE.TXT (PKWARE), section 4.3.7."""
    stream.seek(info.header_offset)
    header = stream.read(_LOCAL_HEADER)
    if header[:4] != _ZIP or info.compress_type != zipfile.ZIP_STORED:
        raise InvalidInputError(f"{info.filename} is packed or not where the archive says", where=path)
    name, extra = struct.unpack("<HH", header[26:30])
    return info.header_offset + _LOCAL_HEADER + int(name) + int(extra)


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**40
