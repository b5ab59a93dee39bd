"""Checkpoints written here byte by byte, as PyTorch writes them, without PyTorch."""

from __future__ import annotations

import io
import pickle
import struct
import zipfile
from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

KINDS = {
    "float32": "FloatStorage",
    "float64": "DoubleStorage",
    "float16": "HalfStorage",
    "int64": "LongStorage",
    "uint8": "ByteStorage",
}


class Name:
    """Stands for a global of the file: pickled as a bare name."""

    def __init__(self, module: str, name: str) -> None:
        self.module = module
        self.name = name


class Call:
    """Stands for the call of a global."""

    def __init__(self, function: Name, *arguments: Any) -> None:
        self.function = function
        self.arguments = arguments


class Storage:
    """Stands for a storage: pickled as a persistent id."""

    def __init__(self, kind: str, key: str, count: int) -> None:
        self.identity = ("storage", Name("torch", kind), key, "cpu", count, None)


class Writer(pickle._Pickler):  # type: ignore[name-defined,misc]
    """Python's own pickler, taught the stand-ins above."""

    def persistent_id(self, value: Any) -> Any:
        return value.identity if isinstance(value, Storage) else None

    def save(self, value: Any, save_persistent_id: bool = True) -> None:
        if isinstance(value, Name):
            self.write(f"c{value.module}\n{value.name}\n".encode())
        elif isinstance(value, Call):
            self.save(value.function)
            self.save(value.arguments)
            self.write(b"R")
        else:
            super().save(value, save_persistent_id)


def dump(value: Any) -> bytes:
    stream = io.BytesIO()
    Writer(stream, protocol=2).dump(value)
    return stream.getvalue()


def tensor(storage: Storage, shape: tuple[int, ...], strides: tuple[int, ...] | None = None, offset: int = 0) -> Call:
    steps = strides if strides is not None else tuple(int(np.prod(shape[i + 1 :])) for i in range(len(shape)))
    return Call(Name("torch._utils", "_rebuild_tensor_v2"), storage, offset, shape, steps, False, OrderedDict())


def legacy(state: Any, storages: Mapping[str, NDArray[Any]], magic: int = 0x1950A86A20F9469CFC6C) -> bytes:
    parts = [dump(magic), dump(1001), dump({"little_endian": True}), dump(state), dump(list(storages))]
    parts += [struct.pack("<q", len(values)) + values.tobytes() for values in storages.values()]
    return b"".join(parts)


def zipped(state: Any, storages: Mapping[str, NDArray[Any]]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("archive/data.pkl", dump(state))
        for key, values in storages.items():
            archive.writestr(f"archive/data/{key}", values.tobytes())
    return stream.getvalue()


def state_of(arrays: Mapping[str, NDArray[Any]]) -> tuple[dict[str, Call], dict[str, NDArray[Any]]]:
    """A state dict and its storages, one for each array."""
    storages = {str(number): np.ascontiguousarray(array).ravel() for number, array in enumerate(arrays.values())}
    state = {
        name: tensor(Storage(KINDS[str(array.dtype)], str(number), array.size), array.shape)
        for number, (name, array) in enumerate(arrays.items())
    }
    return state, storages


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    return tmp_path / "weights.pth"
