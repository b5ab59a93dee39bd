"""Whole volumes scaled to a cube: one head, or several, and changed copies of them.

``ch2.nii.gz`` with ``ch2bet.nii.gz`` is Colin27 (head, and the same with all but the brain set to zero); folders with
``imaging.nii.gz`` and ``segmentation.nii.gz`` are taken, too. Copies make more samples out of few: they say how a run
behaves, and little about accuracy, so figures of originals and copies are told apart.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assay.base.progress import Progress
from assay.errors import AssayError, InvalidInputError, NotFoundError
from assay.tasks.medical_imaging.kept import Kept, Writer, keep
from assay.tasks.medical_imaging.nifti import read_header, read_volume
from assay.tasks.medical_imaging.recipe import Recipe
from assay.tasks.medical_imaging.whole import to_cube
from assay.tasks.protocol import Ragged, SkippedSample

_COLIN = ("ch2.nii.gz", "ch2bet.nii.gz")
_PAIR = ("imaging.nii.gz", "segmentation.nii.gz")
# A head at half a millimetre has 100 million.
_MAX_VOXELS = 128 << 20

Volume = NDArray[np.float32]
Mask = NDArray[np.bool_]
Change = Callable[[Volume, Mask], tuple[Volume, Mask]]


@dataclass(frozen=True, slots=True)
class Source:
    """Files of one volume."""

    name: str
    image: Path
    mask: Path


@dataclass(frozen=True, slots=True)
class WholeDataset:
    """Cubes and the masks of the volumes that they were made of.

    Attributes:
        names: of each sample: its volume's, and for a copy how it was changed.
        originals: whether a sample is a volume as it came, ``(count,)``.
        shapes: of each volume.
        size: edge of the cubes.
        kept: the cubes and the masks.
        rows: number under which each sample is kept.
    """

    names: tuple[str, ...]
    originals: tuple[bool, ...]
    shapes: tuple[tuple[int, ...], ...]
    skipped: tuple[SkippedSample, ...]
    size: int
    kept: Kept
    rows: tuple[int, ...]

    @property
    def count(self) -> int:
        """Samples there are."""
        return len(self.names)

    @property
    def sizes(self) -> NDArray[np.int64]:
        """The edge of the cube, which all share, ``(count,)``."""
        return np.full(self.count, self.size, np.int64)

    def load(self, indices: Sequence[int]) -> Ragged:
        """Cubes ``(size, size, size)`` float32, each with the shape that the answer shall have, ``(3,)`` int64."""
        return [
            (
                np.array(self.kept.array(f"{self.rows[index]}.cube"), np.float32),
                np.array(self.shapes[index], np.int64),
            )
            for index in indices
        ]

    def mask(self, index: int) -> NDArray[np.uint8]:
        """1 where the class is, C-contiguous, of the volume's own shape."""
        return np.ascontiguousarray(self.kept.array(f"{self.rows[index]}.mask"), np.uint8)

    def groups(self) -> dict[str, tuple[int, ...]]:
        """Samples as they came, and changed copies, where there are any."""
        if all(self.originals):
            return {}
        return {
            "original": tuple(n for n, original in enumerate(self.originals) if original),
            "copies": tuple(n for n, original in enumerate(self.originals) if not original),
        }


def open_wholes(
    source: Path, recipe: Recipe, *, cache: Path, limit: int | None, skip_bad: bool, progress: Progress
) -> WholeDataset:
    """Find the volumes of a folder and prepare cubes, masks and copies.

    Raises:
        NotFoundError: when there is nothing at this path.
        InvalidInputError: for a wrong layout, or a volume that cannot be read (which one).
        MachineError: when the disk is full.
    """
    sources = find_volumes(source)
    files = [path for each in sources for path in (each.image, each.mask)]
    form = f"wholes {recipe.size} {recipe.copies} {skip_bad} {limit}"

    def make(writer: Writer) -> dict[str, Any]:
        return _make(writer, sources, recipe, limit=limit, skip_bad=skip_bad, progress=progress)

    kept = keep(cache, files, form, make)
    samples, bad = kept.facts["samples"], kept.facts["bad"]
    if not samples:
        raise InvalidInputError(
            "no volume of the dataset can be read", where=source, found=next(iter(bad.values()), None)
        )
    return WholeDataset(
        names=tuple(str(each["name"]) for each in samples),
        originals=tuple(bool(each["original"]) for each in samples),
        shapes=tuple(tuple(int(n) for n in each["shape"]) for each in samples),
        skipped=tuple(SkippedSample(name, str(reason)) for name, reason in sorted(bad.items())),
        size=recipe.size,
        kept=kept,
        rows=tuple(range(len(samples))),
    )


def find_volumes(source: Path) -> list[Source]:
    """Volumes with their masks, by name.

    Raises:
        NotFoundError: when the folder is not there.
        InvalidInputError: when it holds none.
    """
    if not source.is_dir():
        raise NotFoundError("the dataset is not there", where=source)
    if all((source / name).is_file() for name in _COLIN):
        return [Source("colin27", *(source / name for name in _COLIN))]
    found = [
        Source(path.parent.name, path, path.with_name(_PAIR[1]))
        for path in sorted(source.glob(f"*/{_PAIR[0]}"))
        if path.is_file()
    ]
    if not found:
        raise InvalidInputError(
            "no volumes in this folder", where=source, expected=f"{' and '.join(_COLIN)}, or */{' and '.join(_PAIR)}"
        )
    return found


def _make(
    writer: Writer, sources: Sequence[Source], recipe: Recipe, *, limit: int | None, skip_bad: bool, progress: Progress
) -> dict[str, Any]:
    changes = list(CHANGES.items())[: recipe.copies]
    most = len(sources) * (1 + len(changes)) if limit is None else limit
    samples: list[dict[str, Any]] = []
    bad: dict[str, str] = {}

    def put(name: str, volume: Volume, mask: Mask, *, original: bool) -> None:
        writer.put(f"{len(samples)}.cube", to_cube(volume, recipe.size))
        writer.put(f"{len(samples)}.mask", mask.astype(np.uint8))
        samples.append({"name": name, "original": original, "shape": list(volume.shape)})
        step.advance()

    step = progress.start("prepare volumes", total=most, unit="volumes")
    try:
        for source in sources:
            if len(samples) == most:
                break
            try:
                volume, mask = _read(source)
            except AssayError as error:
                if not skip_bad:
                    error.hint = "replace it, or leave such volumes out with --skip-bad (the result is then labelled)"
                    raise
                bad[source.name] = error.what if error.found is None else f"{error.what}: {error.found}"
                continue
            put(source.name, volume, mask, original=True)
            for change, apply in changes[: most - len(samples)]:
                put(f"{source.name}, {change}", *apply(volume, mask), original=False)
    finally:
        step.finish()
    return {"samples": samples, "bad": bad}


def _read(source: Source) -> tuple[Volume, Mask]:
    header, other = read_header(source.image), read_header(source.mask)
    if header.shape != other.shape:
        raise InvalidInputError(
            "image and mask differ in shape", where=source.mask, expected=str(header.shape), found=str(other.shape)
        )
    if int(np.prod(header.shape)) > _MAX_VOXELS:
        raise InvalidInputError(
            "the volume is too large", where=source.image, expected=f"at most {_MAX_VOXELS:,} voxels"
        )
    volume = np.ascontiguousarray(read_volume(source.image, header), np.float32)
    return volume, np.ascontiguousarray(read_volume(source.mask, other) > 0)


def _mirrored(volume: Volume, mask: Mask) -> tuple[Volume, Mask]:
    """Left and right changed; of a head that is another possible head."""
    return volume[::-1], mask[::-1]


def _turned(degrees: float, axes: tuple[int, int]) -> Change:
    def turned(volume: Volume, mask: Mask) -> tuple[Volume, Mask]:
        from scipy.ndimage import rotate

        return (
            rotate(volume, degrees, axes=axes, reshape=False, order=1),
            rotate(mask.astype(np.uint8), degrees, axes=axes, reshape=False, order=0) > 0,
        )

    return turned


def _brightness(power: float) -> Change:
    def changed(volume: Volume, mask: Mask) -> tuple[Volume, Mask]:
        highest = np.float32(max(float(volume.max()), 1e-6))
        return np.maximum(volume / highest, 0) ** np.float32(power) * highest, mask

    return changed


CHANGES: dict[str, Change] = {
    "mirrored": _mirrored,
    "brighter": _brightness(0.85),
    "darker": _brightness(1.15),
    "turned 5 degrees": _turned(5.0, (0, 1)),
    "turned -5 degrees": _turned(-5.0, (0, 1)),
    "nodding 5 degrees": _turned(5.0, (1, 2)),
    "tilted 5 degrees": _turned(5.0, (0, 2)),
}
"""How copies are changed, in the order in which they are made."""
