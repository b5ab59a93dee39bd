"""From an image file to a model input, as the reference implementation does it.

Two steps, because the first costs a hundred times the second and depends on less of the recipe: :func:`decode` gives
the crop as bytes, which is what is kept on disk, and a :class:`Normaliser` turns it into numbers when it is loaded.

Sources of the arithmetic: for ``cv2`` mlcommons/inference v3.1, vision/classification_and_detection/python/dataset.py,
``pre_process_vgg``; for ``pil`` torchvision's ``resize``, ``center_crop``, ``to_tensor`` and ``normalize``, which the
reference uses for PyTorch models. Both truncate the long side; they round the crop's place differently.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow

from assay.errors import InvalidInputError
from assay.tasks.image_classification.recipe import Recipe

# Pillow warns above this many, and a quarter of a gigabyte of pixels is no photograph.
_MAX_PIXELS = 89_478_485
_MAX_BYTES = 64 << 20
# MPO, JPEG with several pictures, is opened as JPEG.
_FORMATS = ("JPEG", "PNG", "WEBP", "BMP")
_CV2 = {"area": cv2.INTER_AREA, "bilinear": cv2.INTER_LINEAR, "bicubic": cv2.INTER_CUBIC}
_PIL = {
    "area": Pillow.Resampling.BOX,
    "bilinear": Pillow.Resampling.BILINEAR,
    "bicubic": Pillow.Resampling.BICUBIC,
}
_UNREADABLE = (
    OSError,
    ValueError,
    SyntaxError,
    EOFError,
    Pillow.DecompressionBombError,
    Pillow.DecompressionBombWarning,
)
_START_OF_SCAN, _END_OF_IMAGE = b"\xff\xda", b"\xff\xd9"

Image = NDArray[np.uint8]


def decode(path: Path, recipe: Recipe) -> Image:
    """The part of an image that the model sees: RGB, ``(crop, crop, 3)``.

    Raises:
        InvalidInputError: when the file cannot be read as an image, with the reason.
    """
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise InvalidInputError(
                "the image file is too large", where=path, expected=f"at most {_MAX_BYTES >> 20} MiB"
            )
        scaled = _with_cv2(path, recipe) if recipe.resize.library == "cv2" else _with_pil(path, recipe)
    except FileNotFoundError as error:
        raise InvalidInputError("a listed image is missing", where=path) from error
    except cv2.error as error:
        raise InvalidInputError("the image cannot be decoded by OpenCV", where=path, found=str(error)[:100]) from error
    except _UNREADABLE as error:
        reason = str(error) or type(error).__name__
        raise InvalidInputError(
            "the image cannot be decoded", where=path, found=reason.partition(" <_io")[0]
        ) from error
    top, left = (crop_offset(size, recipe.crop, recipe) for size in scaled.shape[:2])
    return scaled[top : top + recipe.crop, left : left + recipe.crop]


def target_size(width: int, height: int, short_side: int) -> tuple[int, int]:
    """Width and height after scaling the short side; the long side is truncated to a whole number."""
    if height > width:
        return short_side, int(short_side * height / width)
    return int(short_side * width / height), short_side


def crop_offset(size: int, crop: int, recipe: Recipe) -> int:
    """Where the crop begins: the reference truncates half of the margin, torchvision rounds it half to even."""
    margin = (size - crop) / 2
    return int(margin) if recipe.resize.library == "cv2" else round(margin)


class Normaliser:
    """Bytes to numbers in the model's layout, ``(pixel * scale - mean) / std`` in single precision.

    A pixel has 256 values, so the arithmetic is done once for each and looked up: exact in the reference's own order
    of operations, and three times as fast as doing it for every pixel.
    """

    def __init__(self, recipe: Recipe) -> None:
        self.shape = recipe.shape
        self.dtype = np.dtype(recipe.dtype)
        self._planar = recipe.layout == "NCHW"
        self._order = (2, 1, 0) if recipe.channels == "BGR" else (0, 1, 2)
        values = (np.arange(256, dtype=np.float64) * recipe.scale).astype(np.float32)
        # Mean and deviation are given in the order of the model's channels.
        self._tables = [
            ((values - np.float32(mean)) / np.float32(std)).astype(np.float32)
            for mean, std in zip(recipe.mean, recipe.std, strict=True)
        ]

    def __call__(self, image: Image, out: NDArray[Any]) -> None:
        """Write one image ``(crop, crop, 3)`` as a sample into ``out``, of the recipe's shape and C-contiguous."""
        if self.dtype == np.uint8:
            ordered = image[:, :, self._order]
            out[:] = ordered.transpose(2, 0, 1) if self._planar else ordered
            return
        planes = cv2.split(image)
        for channel, source in enumerate(self._order):
            if self._planar:
                cv2.LUT(planes[source], self._tables[channel], out[channel])
            else:
                out[:, :, channel] = cv2.LUT(planes[source], self._tables[channel])


def _with_cv2(path: Path, recipe: Recipe) -> Image:
    with Pillow.open(path, formats=_FORMATS) as image:
        _check_size(path, image.width, image.height, recipe)
        is_jpeg = image.format in ("JPEG", "MPO")
    raw = np.fromfile(path, np.uint8)
    if is_jpeg and _seems_cut_off(raw.tobytes()):
        # OpenCV before release 5 fills what is missing with grey and says nothing; Pillow refuses it.
        with Pillow.open(path, formats=_FORMATS) as image:
            image.load()
    decoded = cv2.imdecode(raw, cv2.IMREAD_COLOR)
    if decoded is None:
        raise InvalidInputError("the image cannot be decoded", where=path)
    height, width = decoded.shape[:2]
    size = target_size(width, height, recipe.resize.short_side)
    # The reference turns the channels around first; each is scaled by itself, so it is the same on fewer pixels.
    scaled = cv2.resize(decoded, size, interpolation=_CV2[recipe.resize.filter])
    return np.asarray(cv2.cvtColor(scaled, cv2.COLOR_BGR2RGB), np.uint8)


def _with_pil(path: Path, recipe: Recipe) -> Image:
    with Pillow.open(path, formats=_FORMATS) as image:
        _check_size(path, image.width, image.height, recipe)
        size = target_size(image.width, image.height, recipe.resize.short_side)
        # A palette with transparency makes Pillow warn when it goes to RGB at once.
        opaque = image.convert("RGBA") if image.mode == "P" and "transparency" in image.info else image
        return np.asarray(opaque.convert("RGB").resize(size, _PIL[recipe.resize.filter]), np.uint8)


def _check_size(path: Path, width: int, height: int, recipe: Recipe) -> None:
    """Refuse a header that promises more pixels than there can be, before or after scaling."""
    scaled_width, scaled_height = target_size(width, height, recipe.resize.short_side)
    pixels = max(width * height, scaled_width * scaled_height)
    if pixels > _MAX_PIXELS:
        raise InvalidInputError(
            "the image is too large",
            where=path,
            expected=f"at most {_MAX_PIXELS:,} pixels, before and after scaling",
            found=f"{width} x {height}",
        )


def _seems_cut_off(raw: bytes) -> bool:
    """Whether a JPEG has no end after its last scan; bytes behind the end may look like a scan."""
    return raw.rfind(_END_OF_IMAGE) < raw.rfind(_START_OF_SCAN)
