"""From a picture's file to a model input, as the reference implementation does it.

Source of the arithmetic: mlcommons/inference v3.1, vision/classification_and_detection/python/dataset.py,
``maybe_resize`` and what follows it for OpenImages and COCO. Pixels are numbers before they are scaled, so that a scaled
picture has fractions; a model that takes bytes gets them cut off, not rounded.
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow

from assay.base.tensors import Array
from assay.errors import InvalidInputError
from assay.tasks.object_detection.recipe import Recipe

# Pillow warns above this many, and a quarter of a gigabyte of pixels is no photograph.
_MAX_PIXELS = 89_478_485
_MAX_BYTES = 64 << 20
# MPO, JPEG with several pictures, is opened as JPEG.
_FORMATS = ("JPEG", "PNG", "WEBP", "BMP")
_FILTERS = {"area": cv2.INTER_AREA, "bilinear": cv2.INTER_LINEAR, "bicubic": cv2.INTER_CUBIC}
_UNREADABLE = (
    OSError,
    ValueError,
    SyntaxError,
    EOFError,
    Pillow.DecompressionBombError,
    Pillow.DecompressionBombWarning,
)
_START_OF_SCAN, _END_OF_IMAGE = b"\xff\xda", b"\xff\xd9"


def picture_size(path: Path) -> tuple[int, int]:
    """Width and height of a picture, from its header.

    Raises:
        InvalidInputError: when the file cannot be read as a picture, with the reason.
    """
    return _header(path)[:2]


def read_picture(path: Path) -> NDArray[np.uint8]:
    """A picture's pixels, RGB, ``(height, width, 3)``.

    Raises:
        InvalidInputError: when the file cannot be read as a picture, with the reason.
    """
    width, height, form = _header(path)
    if width * height > _MAX_PIXELS:
        raise InvalidInputError(
            "the picture is too large",
            where=path,
            expected=f"at most {_MAX_PIXELS:,} pixels",
            found=f"{width} x {height}",
        )
    try:
        raw = np.fromfile(path, np.uint8)
        if form in ("JPEG", "MPO") and _seems_cut_off(raw.tobytes()):
            # OpenCV before release 5 fills what is missing with grey and says nothing; Pillow refuses it.
            with Pillow.open(path, formats=_FORMATS) as image:
                image.load()
        decoded = cv2.imdecode(raw, cv2.IMREAD_COLOR)
    except cv2.error as error:
        raise InvalidInputError(
            "the picture cannot be decoded by OpenCV", where=path, found=str(error)[:100]
        ) from error
    except _UNREADABLE as error:
        raise _undecodable(path, error) from error
    if decoded is None:
        raise InvalidInputError("the picture cannot be decoded", where=path)
    return np.asarray(cv2.cvtColor(decoded, cv2.COLOR_BGR2RGB), np.uint8)


class Preparer:
    """Pixels to a sample: scaled, normalised in single precision, in the model's layout."""

    def __init__(self, recipe: Recipe) -> None:
        self.shape = recipe.shape
        self.dtype = np.dtype(recipe.dtype)
        self._size = (recipe.size, recipe.size)
        self._filter = _FILTERS[recipe.filter]
        self._planar = recipe.layout == "NCHW"
        self._swapped = recipe.channels == "BGR"
        self._divide = np.float32(recipe.divide)
        self._mean = np.array(recipe.mean, np.float32)
        self._std = np.array(recipe.std, np.float32)

    def __call__(self, pixels: NDArray[np.uint8]) -> Array:
        """One sample, C-contiguous, of the recipe's shape, from RGB pixels ``(height, width, 3)``."""
        source = pixels[:, :, ::-1] if self._swapped else pixels
        scaled: NDArray[np.float32] = cv2.resize(
            np.ascontiguousarray(source, np.float32), self._size, interpolation=self._filter
        ).astype(np.float32, copy=False)
        if self.dtype == np.uint8:
            made: Array = np.clip(scaled, 0, 255).astype(np.uint8)
        else:
            # In the reference's own order of operations, so that no bit differs.
            if self._divide != 1:
                scaled /= self._divide
            if self._mean.any():
                scaled -= self._mean
            if (self._std != 1).any():
                scaled /= self._std
            made = scaled
        return np.ascontiguousarray(made.transpose(2, 0, 1) if self._planar else made)


def _header(path: Path) -> tuple[int, int, str]:
    """Width, height and format."""
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise InvalidInputError(
                "the picture's file is too large", where=path, expected=f"at most {_MAX_BYTES >> 20} MiB"
            )
        with Pillow.open(path, formats=_FORMATS) as image:
            return image.width, image.height, image.format or ""
    except FileNotFoundError as error:
        raise InvalidInputError("a listed picture is missing", where=path) from error
    except _UNREADABLE as error:
        raise _undecodable(path, error) from error


def _undecodable(path: Path, error: Exception) -> InvalidInputError:
    reason = str(error) or type(error).__name__
    return InvalidInputError("the picture cannot be decoded", where=path, found=reason.partition(" <_io")[0])


def _seems_cut_off(raw: bytes) -> bool:
    """Whether a JPEG has no end after its last scan; bytes behind the end may look like a scan."""
    return raw.rfind(_END_OF_IMAGE) < raw.rfind(_START_OF_SCAN)
