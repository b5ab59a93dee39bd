"""Small volumes in the layouts of the real ones."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest
from numpy.typing import NDArray

NAMES = ("case_00000", "case_00003", "case_00005", "case_00006")
SHAPES = ((8, 12, 8), (8, 8, 8), (12, 8, 16), (8, 8, 12))
SMALL: dict[str, Any] = {"size": 8, "synthetic": [8, 12, 8]}
AFFINE = np.diag([1.6, 1.2, 1.2, 1.0])


def labels_of(number: int) -> NDArray[np.uint8]:
    """Kidney and tumour of a small case; the last has no tumour."""
    z, y, x = np.indices(SHAPES[number])
    value = (7 * z + 5 * y + 3 * x + 11 * number) % 13
    labels = np.where(value < 4, 1, np.where(value < 6, 2, 0)).astype(np.uint8)
    return np.where(labels == 2, 1, labels).astype(np.uint8) if number == 3 else labels


def image_of(number: int) -> NDArray[np.float32]:
    """An image that says what the labels are."""
    return labels_of(number).astype(np.float32)


def write_nifti(path: Path, voxels: NDArray[Any], affine: NDArray[np.float64] | None = AFFINE) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    nibabel.save(nibabel.Nifti1Image(voxels, affine), path)
    return path


def write_case(folder: Path, name: str, image: NDArray[np.float32], labels: NDArray[np.uint8]) -> None:
    """A case as the reference's preprocess.py leaves it."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.pkl").write_bytes(pickle.dumps([image[None], labels[None]]))
    write_nifti(folder / "nifti" / name / "segmentation.nii.gz", labels)


def write_cases(folder: Path, count: int = 4) -> Path:
    for number in range(count):
        write_case(folder, NAMES[number], image_of(number), labels_of(number))
    return folder


def write_heads(folder: Path, count: int = 1, edge: int = 20) -> Path:
    """Balls, brighter inside, with their masks; one is laid out as Colin27 is."""
    for number in range(count):
        grid = np.indices((edge, edge + 4, edge + 2)) - (edge / 2 + number % 2)
        distance = np.sqrt((grid**2).sum(0))
        head = np.where(distance < edge / 2, np.where(distance < edge / 3, 200, 90), 3).astype(np.uint8)
        brain = np.where(distance < edge / 3, head, 0).astype(np.uint8)
        if count == 1:
            write_nifti(folder / "ch2.nii.gz", head)
            write_nifti(folder / "ch2bet.nii.gz", brain)
        else:
            write_nifti(folder / f"head_{number}" / "imaging.nii.gz", head)
            write_nifti(folder / f"head_{number}" / "segmentation.nii.gz", brain)
    return folder


@pytest.fixture
def cases(tmp_path: Path) -> Path:
    """Four small cases as the reference prepares them."""
    return write_cases(tmp_path / "cases")


@pytest.fixture
def opened(tmp_path: Path) -> Callable[..., Any]:
    """Opens a dataset with a cache of the test's own."""
    from assay.base.progress import SILENT
    from assay.tasks.medical_imaging import TASK

    def opening(path: Path, recipe: dict[str, Any], **options: Any) -> Any:
        return TASK.open_dataset(path, recipe, cache=tmp_path / "cache", progress=SILENT, **options)

    return opening
