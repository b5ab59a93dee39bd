"""Preprocessed cases of the 3D U-Net reference: pickles of two numpy arrays, read without running anything.

Source: mlcommons/inference v3.1, vision/medical_imaging/3d-unet-kits19, preprocess.py: ``pickle.dump([image, label])``,
image ``[1, D, H, W]`` float32 and label of the same shape, uint8. Protocols 3 to 5 are what Python's pickle writes by
default since 3.0.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assay.base.units import format_size
from assay.errors import InvalidInputError, NotFoundError
from assay.models.pickled import Global, Reader

_MAX_BYTES = 3 << 30
_MAX_VOXELS = 1 << 29
_EXPECTED = "a list of two numpy arrays, image [1, D, H, W] float32 and label"
_DTYPES = {"f4": 4, "f8": 8, "f2": 2, "u1": 1, "i1": 1, "u2": 2, "i2": 2, "i4": 4, "i8": 8, "b1": 1}
_PLACES = ("numpy.core.multiarray", "numpy._core.multiarray", "numpy.core.numeric", "numpy._core.numeric")


@dataclass(slots=True)
class _Kind:
    """Stands for a dtype; its state brings the byte order."""

    code: str
    order: str = "<"


@dataclass(slots=True)
class _Array:
    """Stands for an array; its state brings everything."""

    values: NDArray[Any] | None = field(default=None)


def read_case(path: Path) -> NDArray[np.float32]:
    """The image of a preprocessed case, C-contiguous ``(D, H, W)``.

    Raises:
        NotFoundError: when the file is not there.
        InvalidInputError: when it is anything else than two arrays of plain numbers, too large or cut off.
    """
    try:
        size = path.stat().st_size
    except FileNotFoundError as error:
        raise NotFoundError("the case is not there", where=path) from error
    if size > _MAX_BYTES:
        raise InvalidInputError(
            "the case is too large",
            where=path,
            expected=f"at most {format_size(_MAX_BYTES)}",
            found=format_size(size),
        )
    with path.open("rb") as stream:
        reader = Reader(
            stream,
            str(path),
            reduce=lambda function, arguments: _reduce(path, function, arguments),
            persistent=lambda _: _refuse(path, "a reference to something outside of it"),
            build=lambda target, state: _build(path, target, state),
            expected=_EXPECTED,
        )
        return _image(path, reader.load())


def _image(path: Path, content: Any) -> NDArray[np.float32]:
    arrays = [item.values for item in content if isinstance(item, _Array)] if isinstance(content, list) else []
    if not isinstance(content, list) or len(content) != 2 or len(arrays) != 2:
        found = f"a {type(content).__name__}" + (f" of {len(content)}" if isinstance(content, list) else "")
        raise InvalidInputError("not a preprocessed case", where=path, expected=_EXPECTED, found=found)
    image, label = arrays
    if image is None or label is None or image.dtype != np.float32 or image.ndim != 4 or len(image) != 1:
        found = "no data" if image is None else f"{image.dtype} {image.shape}"
        raise InvalidInputError("the image is of another form", where=path, expected=_EXPECTED, found=found)
    if label.shape != image.shape:
        raise InvalidInputError(
            "image and label differ in shape", where=path, expected=str(image.shape), found=str(label.shape)
        )
    volume: NDArray[np.float32] = np.ascontiguousarray(image[0])
    if not np.isfinite(volume).all():
        raise InvalidInputError("the image holds voxels that are no finite numbers", where=path)
    return volume


def _reduce(path: Path, function: Global, arguments: tuple[Any, ...]) -> Any:
    if str(function) == "numpy.dtype" and arguments and isinstance(arguments[0], str):
        if arguments[0] not in _DTYPES:
            raise InvalidInputError(
                "an array of another type than numbers", where=path, expected=_EXPECTED, found=arguments[0][:40]
            )
        return _Kind(arguments[0])
    if function.name == "_reconstruct" and function.module in _PLACES:
        if not arguments or str(arguments[0]) != "numpy.ndarray":
            return _refuse(path, "an array of a class of its own")
        return _Array()
    if function.name == "_frombuffer" and function.module in _PLACES and len(arguments) == 4:
        data, kind, shape, order = arguments
        return _Array(_array(path, shape, kind, order == "F", data))
    return _refuse(path, f"a call of {function}")


def _build(path: Path, target: Any, state: Any) -> None:
    if isinstance(target, _Kind) and isinstance(state, tuple) and len(state) >= 2 and state[1] in ("<", ">", "|", "="):
        if any(part is not None for part in state[2:5]):
            _refuse(path, "a structured array")
        target.order = "<" if state[1] == "=" else state[1]
    elif isinstance(target, _Array) and isinstance(state, tuple) and len(state) == 5:
        _, shape, kind, fortran, data = state
        target.values = _array(path, shape, kind, bool(fortran), data)
    else:
        _refuse(path, "an object with a state")


def _array(path: Path, shape: Any, kind: Any, fortran: bool, data: Any) -> NDArray[Any]:
    sound = (
        isinstance(shape, tuple)
        and 0 < len(shape) <= 5
        and all(isinstance(n, int) and not isinstance(n, bool) and 0 < n <= _MAX_VOXELS for n in shape)
        and isinstance(kind, _Kind)
        and isinstance(data, (bytes, bytearray))
    )
    if not sound or math.prod(shape) > _MAX_VOXELS:
        raise InvalidInputError("an array is malformed or too large", where=path, found=f"shape {shape!r}"[:80])
    if len(data) != math.prod(shape) * _DTYPES[kind.code]:
        raise InvalidInputError(
            "an array has another number of bytes than its shape says",
            where=path,
            expected=format_size(math.prod(shape) * _DTYPES[kind.code]),
            found=format_size(len(data)),
        )
    values = np.frombuffer(data, np.dtype(f"{kind.order}{kind.code}".lstrip("|")))
    return values.reshape(shape, order="F" if fortran else "C")


def _refuse(path: Path, what: str) -> Any:
    raise InvalidInputError(f"the pickle holds {what}", where=path, expected=f"{_EXPECTED}: nothing of it is run")
