"""From a raw CT volume and its mask to what the 3D U-Net reference runs on.

Source: mlcommons/inference v3.1, vision/medical_imaging/3d-unet-kits19, preprocess.py: resample to a common voxel size
(the image linearly, the mask to the nearest), clip and normalise, repeat the edge up to the window's size, then crop or
pad every edge to a multiple of the stride, whichever is nearer.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from assay.tasks.medical_imaging.recipe import Recipe

Volume = NDArray[np.float32]
Mask = NDArray[np.uint8]


def prepare(
    image: NDArray[Any], mask: NDArray[Any], spacing: tuple[float, float, float], recipe: Recipe
) -> tuple[Volume, Mask]:
    """Prepare one case.

    Args:
        image: intensities, ``(d, h, w)``.
        mask: label of each voxel, ``(d, h, w)``.
        spacing: voxel size along each axis, in mm.
        recipe: says how.

    Returns:
        Image and mask, C-contiguous, of one shape ``(D, H, W)`` that the windows cover.
    """
    raw = recipe.raw
    volume, labels = resample(image.astype(np.float32), mask.astype(np.uint8), spacing, raw.spacing)
    volume = np.clip(volume, raw.clip[0], raw.clip[1])
    volume = (volume - raw.mean) / raw.std
    edges = [_to_window(edge, recipe.size) for edge in volume.shape]
    volume, labels = np.pad(volume, edges, mode="edge"), np.pad(labels, edges, mode="edge")
    cut = tuple(_crop(edge, recipe.stride) for edge in volume.shape)
    volume, labels = volume[cut], labels[cut]
    pads = [_to_stride(edge, recipe.size, recipe.stride) for edge in volume.shape]
    volume = np.pad(volume, pads, mode="constant", constant_values=raw.padding)
    labels = np.pad(labels, pads, mode="constant", constant_values=0)
    return np.ascontiguousarray(volume, np.float32), np.ascontiguousarray(labels, np.uint8)


def resample(
    image: Volume, mask: Mask, spacing: tuple[float, float, float], wanted: tuple[float, float, float]
) -> tuple[Volume, Mask]:
    """Bring image and mask to another voxel size."""
    if spacing == wanted:
        return image, mask
    from scipy.ndimage import zoom

    factor = np.array(spacing) / np.array(wanted)
    scaled = zoom(image, factor, order=1, mode="constant", cval=image.min(), grid_mode=False)
    labels = zoom(mask, factor, order=0, mode="constant", cval=mask.min(), grid_mode=False)
    return scaled, labels


def _to_window(edge: int, size: int) -> tuple[int, int]:
    missing = max(0, size - edge)
    return missing // 2, missing - missing // 2


def _crop(edge: int, stride: int) -> slice:
    """Cut off what is beyond a multiple of the stride when it is less than half of one."""
    over = edge % stride
    over = over if over < stride // 2 else 0
    return slice(over // 2, edge - (over - over // 2))


def _to_stride(edge: int, size: int, stride: int) -> tuple[int, int]:
    missing = -edge % stride
    if edge + missing < size:
        missing += stride
    return missing // 2, missing - missing // 2
