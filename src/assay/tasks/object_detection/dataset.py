"""Pictures that are decoded when they are loaded.

What a detector gets is large (7.7 MB for RetinaNet, 17 MB for SSD-ResNet34) and has fractions, so it is not kept on
disk: 190 GB of OpenImages would be, where decoding takes 15 ms of a run's untimed part. Kept is which pictures can be
read; that is tried once, for all of them in parallel.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from assay.base.files import locked, read_json, write_json
from assay.base.processors import processor_count
from assay.base.progress import Progress
from assay.errors import AssayError, InvalidInputError
from assay.tasks.object_detection.annotations import Picture, Truth, find_truth
from assay.tasks.object_detection.picture import Preparer, read_picture
from assay.tasks.object_detection.recipe import Recipe
from assay.tasks.protocol import Ragged, Sample, SkippedSample
from assay.tasks.reading import fingerprint, read_each, require_some

_VERSION = 1


@dataclass(frozen=True, slots=True)
class PictureDataset:
    """Pictures and what is to be found in them.

    Attributes:
        truth: of the samples, in their order.
    """

    skipped: tuple[SkippedSample, ...]
    truth: Truth
    prepare: Preparer

    @property
    def count(self) -> int:
        """Samples there are."""
        return len(self.truth.pictures)

    @property
    def sizes(self) -> None:
        """All samples are one size."""

    def load(self, indices: Sequence[int]) -> Ragged:
        """Samples by their indices: the model's input, and the index as the response has to name it.

        The pictures lie side by side in one array, so that neighbours make a batch without being copied.

        Raises:
            InvalidInputError: when a picture cannot be read any more.
        """
        pictures = np.empty((len(indices), *self.prepare.shape), self.prepare.dtype)

        def one(row: int) -> Sample:
            index = int(indices[row])
            pictures[row] = self.prepare(read_picture(self.truth.pictures[index].path))
            return pictures[row], np.array([index], np.float32)

        with ThreadPoolExecutor(processor_count()) as pool:
            return list(pool.map(one, range(len(indices))))


def open_pictures(
    source: Path, recipe: Recipe, *, cache: Path, limit: int | None, skip_bad: bool, progress: Progress
) -> PictureDataset:
    """The pictures of a folder, after trying whether they can be read.

    Raises:
        NotFoundError: when there is no dataset at this path.
        InvalidInputError: for a wrong layout, or a picture that cannot be read (which one).
    """
    require_some(limit)
    truth = find_truth(source)
    if limit is not None:
        truth = truth.of(range(min(limit, len(truth.pictures))))
    pictures = truth.pictures
    home = cache / "object-detection"
    key = fingerprint(str(_VERSION), [(picture.path, str(picture.path)) for picture in pictures])
    with locked(home / f"{key}.lock"):
        bad = _known(home / f"{key}.json")
        if bad is None:
            _, bad = read_each(
                pictures,
                _try,
                title="check pictures",
                unit="pictures",
                skip_bad=skip_bad,
                progress=progress,
            )
            write_json(home / f"{key}.json", {str(number): reason for number, reason in bad.items()})
    if bad and not skip_bad:
        number, reason = min(bad.items())
        raise InvalidInputError(reason, where=pictures[number].path)
    if len(bad) == len(pictures):
        raise InvalidInputError("no picture of the dataset can be read", where=source, found=bad[0])
    skipped = tuple(SkippedSample(pictures[number].name, reason) for number, reason in sorted(bad.items()))
    kept = [number for number in range(len(pictures)) if number not in bad]
    return PictureDataset(skipped, truth.of(kept), Preparer(recipe))


def _known(path: Path) -> dict[int, str] | None:
    """Pictures that cannot be read, from an earlier try; None when there was none or what it left is damaged."""
    try:
        return {int(number): str(reason) for number, reason in read_json(path).items()}
    except (AssayError, ValueError, AttributeError):
        return None


def _try(picture: Picture) -> None:
    """Read a picture and forget it: all of them would not fit into memory."""
    read_picture(picture.path)
