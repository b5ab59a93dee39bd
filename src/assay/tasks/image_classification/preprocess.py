"""From an image file to a model input, as the reference implementation does it.

Source of the arithmetic: mlcommons/inference v3.1, vision/classification_and_detection/python/dataset.py,
``pre_process_vgg``: the short side is scaled to ``crop / 0.875`` keeping the aspect ratio (the long side truncated to a
whole number), the centre is cut out, means are subtracted.
"""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from assay.errors import InvalidInputError
from assay.tasks.image_classification.recipe import Recipe

_MAX_PIXELS = 100_000_000
_MAX_BYTES = 64 << 20
_CV2 = {"area": cv2.INTER_AREA, "bilinear": cv2.INTER_LINEAR, "bicubic": cv2.INTER_CUBIC}

Image = NDArray[np.uint8]


def prepare(path: Path, recipe: Recipe) -> NDArray[Any]:
    """One image as a model input of ``recipe.shape``.

    Raises:
        InvalidInputError: when the file cannot be read as an image, with the reason.
    """
    return normalise(crop_centre(decode_and_resize(path, recipe), recipe.crop), recipe)


def decode_and_resize(path: Path, recipe: Recipe) -> Image:
    """The image as RGB, its short side scaled.

    Raises:
        InvalidInputError: when the file cannot be read as an image.
    """
    if path.stat().st_size > _MAX_BYTES:
        raise InvalidInputError("the image file is too large", where=path, expected=f"at most {_MAX_BYTES >> 20} MiB")
    _check_header(path)
    return _with_cv2(path, recipe) if recipe.resize.library == "cv2" else _with_pil(path, recipe)


def crop_centre(image: Image, size: int) -> Image:
    """The centre of an image, ``size`` by ``size``."""
    height, width = image.shape[:2]
    top, left = (height - size) // 2, (width - size) // 2
    return image[top : top + size, left : left + size]


def normalise(image: Image, recipe: Recipe) -> NDArray[Any]:
    """Pixels to numbers in the model's layout, ``(pixel * scale - mean) / std`` in single precision."""
    if recipe.channels == "BGR":
        image = image[:, :, ::-1]
    if recipe.dtype == "uint8":
        pixels: NDArray[Any] = image
    else:
        # One multiplication and one addition a pixel; the plain formula makes three passes over the image.
        mean, std = np.asarray(recipe.mean, np.float64), np.asarray(recipe.std, np.float64)
        pixels = image.astype(np.float32)
        pixels *= (recipe.scale / std).astype(np.float32)
        pixels -= (mean / std).astype(np.float32)
    if recipe.layout == "NCHW":
        pixels = pixels.transpose(2, 0, 1)
    return np.ascontiguousarray(pixels)


def target_size(width: int, height: int, short_side: int, *, truncate: bool) -> tuple[int, int]:
    """Width and height after scaling the short side: the reference truncates the long side, Pillow users round it."""
    scale = short_side / min(width, height)
    long = int(max(width, height) * scale) if truncate else round(max(width, height) * scale)
    return (short_side, long) if height > width else (long, short_side)


def _with_cv2(path: Path, recipe: Recipe) -> Image:
    decoded = cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_COLOR)
    if decoded is None:
        raise InvalidInputError("the image cannot be decoded", where=path)
    height, width = decoded.shape[:2]
    size = target_size(width, height, recipe.resize.short_side, truncate=True)
    rgb = cv2.cvtColor(decoded, cv2.COLOR_BGR2RGB)
    return np.asarray(cv2.resize(rgb, size, interpolation=_CV2[recipe.resize.filter]), np.uint8)


def _with_pil(path: Path, recipe: Recipe) -> Image:
    from PIL import Image as Pillow

    filters = {
        "area": Pillow.Resampling.BOX,
        "bilinear": Pillow.Resampling.BILINEAR,
        "bicubic": Pillow.Resampling.BICUBIC,
    }
    try:
        with Pillow.open(path) as image:
            size = target_size(image.width, image.height, recipe.resize.short_side, truncate=False)
            scaled = image.convert("RGB").resize(size, filters[recipe.resize.filter])
    except (OSError, ValueError, SyntaxError, Pillow.DecompressionBombError) as error:
        raise InvalidInputError(f"the image cannot be decoded: {error}", where=path) from error
    return np.asarray(scaled, np.uint8)


def _check_header(path: Path) -> None:
    """Refuse files that are no image, or whose header promises more pixels than there can be."""
    from PIL import Image as Pillow

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Pillow.DecompressionBombWarning)
            with Pillow.open(path) as image:
                pixels, shortest = image.width * image.height, min(image.size)
    except (OSError, ValueError, SyntaxError, Pillow.DecompressionBombError) as error:
        raise InvalidInputError(f"not an image: {type(error).__name__}", where=path) from error
    if pixels > _MAX_PIXELS or shortest < 1:
        raise InvalidInputError(
            "the image is too large",
            where=path,
            expected=f"at most {_MAX_PIXELS:,} pixels",
            found=f"{pixels:,}",
        )
