"""Volumes that a window slides over: KiTS19 as the reference prepares it, or raw CT volumes prepared here.

``case_XXXXX.pkl`` with ``nifti/case_XXXXX/segmentation.nii.gz`` is what the reference's preprocess.py leaves; folders
``case_XXXXX`` with ``imaging.nii.gz`` and ``segmentation.nii.gz`` are the KiTS19 data themselves. Of those only MLPerf's
inference cases are taken, when any is there. Order: by name.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assay.assets.layouts.kits19 import CASES
from assay.base.files import require_space
from assay.base.processors import processor_count
from assay.base.progress import Progress
from assay.errors import InvalidInputError, NotFoundError
from assay.tasks.medical_imaging.case import read_case
from assay.tasks.medical_imaging.kept import Kept, Writer, keep
from assay.tasks.medical_imaging.nifti import read_header, read_volume
from assay.tasks.medical_imaging.preprocess import prepare
from assay.tasks.medical_imaging.recipe import Recipe
from assay.tasks.medical_imaging.windows import count_of
from assay.tasks.protocol import Ragged, SkippedSample
from assay.tasks.reading import read_each

_IMAGE, _MASK = "imaging.nii.gz", "segmentation.nii.gz"
# Raw volumes are unpacked, resampled and normalised in memory, a gigabyte or two each.
_MOST_WORKERS = 2
Shape = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Case:
    """One volume.

    Attributes:
        name: such as ``case_00005``.
        shape: voxels along each axis, after preparing.
        image: file of the image: a pickle of the reference's, or None for a kept array.
        mask: file of the mask: NIfTI, or None for a kept array.
    """

    name: str
    shape: Shape
    image: Path | None = None
    mask: Path | None = None


@dataclass(frozen=True, slots=True)
class CaseDataset:
    """Volumes for the sliding window.

    Attributes:
        sizes: windows of each volume, ``(count,)``.
        kept: arrays prepared here, for raw volumes.
    """

    cases: tuple[Case, ...]
    skipped: tuple[SkippedSample, ...]
    sizes: NDArray[np.int64]
    kept: Kept

    @property
    def count(self) -> int:
        """Volumes there are."""
        return len(self.cases)

    @property
    def shapes(self) -> tuple[Shape, ...]:
        """Voxels of each volume along each axis."""
        return tuple(case.shape for case in self.cases)

    def load(self, indices: Sequence[int]) -> Ragged:
        """Volumes, ``(d, h, w)`` float32 each, read now."""
        return [(self._image(self.cases[index]),) for index in indices]

    def mask(self, index: int) -> NDArray[np.uint8]:
        """The true label of each voxel, C-contiguous ``(d, h, w)``."""
        case = self.cases[index]
        if case.mask is None:
            return np.ascontiguousarray(self.kept.array(f"{case.name}.mask"), np.uint8)
        return _mask(case.mask, case.shape)

    def groups(self) -> dict[str, tuple[int, ...]]:
        """No groups are told apart."""
        return {}

    def _image(self, case: Case) -> NDArray[np.float32]:
        if case.image is None:
            return np.ascontiguousarray(self.kept.array(f"{case.name}.image"), np.float32)
        volume = read_case(case.image)
        if volume.shape != case.shape:
            raise InvalidInputError(
                "the case has changed", where=case.image, expected=str(case.shape), found=str(volume.shape)
            )
        return volume


def open_cases(
    source: Path, recipe: Recipe, *, cache: Path, limit: int | None, skip_bad: bool, progress: Progress
) -> CaseDataset:
    """Find the volumes of a folder, look at each once, and prepare raw ones.

    Raises:
        NotFoundError: when there is nothing at this path.
        InvalidInputError: for a wrong layout, or a volume that cannot be read (which one).
        MachineError: when the disk is full.
    """
    if not source.is_dir():
        raise NotFoundError("the dataset is not there", where=source, hint="assay assets add kits19 --path FOLDER")
    pickles = sorted(path for path in source.glob("case_*.pkl") if path.is_file())[:limit]
    folders = [] if pickles else _raw(source)[:limit]
    if not pickles and not folders:
        raise InvalidInputError(
            "no volumes in this folder",
            where=source,
            expected=f"case_*.pkl with nifti/, as the reference's preprocess.py leaves them, or case_*/{_IMAGE}",
        )
    if pickles:
        masks = [source / "nifti" / path.stem / _MASK for path in pickles]
        files, names, one = [*pickles, *masks], [path.stem for path in pickles], _look(pickles, masks)
    else:
        files = [folder / name for folder in folders for name in (_IMAGE, _MASK)]
        names, one = [folder.name for folder in folders], _prepare(folders, recipe)
    form = f"cases {recipe.size} {recipe.stride} {skip_bad} {recipe.raw.model_dump_json()} {bool(pickles)}"

    def make(writer: Writer) -> dict[str, dict[str, Any]]:
        if folders:
            # Packed CT volumes grow about five times when they are unpacked and resampled.
            require_space(cache, 5 * sum(path.stat().st_size for path in files if path.is_file()))
        return _make(writer, names, one, skip_bad=skip_bad, progress=progress)

    kept = keep(cache, files, form, make)
    return _dataset(kept, source, names, recipe, from_pickles=bool(pickles))


One = Callable[[int, Writer], tuple[int, ...]]


def _raw(source: Path) -> list[Path]:
    found = sorted(path.parent for path in source.glob(f"*/{_IMAGE}"))
    official = [folder for folder in found if folder.name in CASES]
    return official or found


def _look(pickles: Sequence[Path], masks: Sequence[Path]) -> One:
    """Reads a case of the reference's once, to know its shape and that it is good."""

    def one(number: int, writer: Writer) -> tuple[int, ...]:
        del writer
        shape = tuple(int(n) for n in read_case(pickles[number]).shape)
        _mask(masks[number], shape)
        return shape

    return one


def _prepare(folders: Sequence[Path], recipe: Recipe) -> One:
    """Prepares a raw volume and keeps it."""

    def one(number: int, writer: Writer) -> tuple[int, ...]:
        folder = folders[number]
        header, other = read_header(folder / _IMAGE), read_header(folder / _MASK, affine=False)
        if header.shape != other.shape:
            raise InvalidInputError(
                "image and mask differ in shape",
                where=folder,
                expected=str(header.shape),
                found=str(other.shape),
            )
        image, mask = read_volume(folder / _IMAGE, header), read_volume(folder / _MASK, other)
        volume, labels = prepare(image, mask, header.spacing, recipe)
        writer.put(f"{folder.name}.image", volume)
        writer.put(f"{folder.name}.mask", labels)
        return volume.shape

    return one


def _make(
    writer: Writer, names: Sequence[str], one: One, *, skip_bad: bool, progress: Progress
) -> dict[str, dict[str, Any]]:
    """Shape of each good volume by name, and what is wrong with the others."""

    def tried(number: int) -> tuple[int, ...]:
        try:
            return one(number, writer)
        except NotFoundError as error:
            raise InvalidInputError(error.what, where=error.where) from error

    good, bad = read_each(
        range(len(names)),
        tried,
        title="prepare volumes",
        unit="volumes",
        skip_bad=skip_bad,
        progress=progress,
        workers=min(processor_count(), _MOST_WORKERS),
    )
    return {
        "shapes": {names[number]: list(shape) for number, shape in good.items()},
        "bad": {names[number]: reason for number, reason in bad.items()},
    }


def _dataset(kept: Kept, source: Path, names: Sequence[str], recipe: Recipe, *, from_pickles: bool) -> CaseDataset:
    shapes, bad = kept.facts["shapes"], kept.facts["bad"]
    if not shapes:
        raise InvalidInputError(
            "no volume of the dataset can be read", where=source, found=next(iter(bad.values()), None)
        )
    cases = []
    for name in (name for name in names if name in shapes):
        first, second, third = (int(n) for n in shapes[name])
        image = source / f"{name}.pkl" if from_pickles else None
        mask = source / "nifti" / name / _MASK if from_pickles else None
        cases.append(Case(name, (first, second, third), image, mask))
    return CaseDataset(
        cases=tuple(cases),
        skipped=tuple(SkippedSample(name, str(reason)) for name, reason in sorted(bad.items())),
        sizes=np.array([_windows(case, source, recipe) for case in cases], np.int64),
        kept=kept,
    )


def _windows(case: Case, source: Path, recipe: Recipe) -> int:
    try:
        return count_of(case.shape, recipe.size, recipe.stride)
    except InvalidInputError as error:
        raise InvalidInputError(
            error.what,
            where=case.image or source / case.name,
            expected=error.expected,
            found=error.found,
            hint="volumes have to be prepared for the model's window",
        ) from error


def _mask(path: Path, shape: Sequence[int]) -> NDArray[np.uint8]:
    header = read_header(path, affine=False)
    if header.shape != tuple(shape):
        raise InvalidInputError(
            "the mask has another shape than its image", where=path, expected=str(shape), found=str(header.shape)
        )
    return np.ascontiguousarray(read_volume(path, header).astype(np.uint8))
