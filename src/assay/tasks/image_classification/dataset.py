"""Prepared images: decoded once, in parallel, kept on disk, loaded a few at a time."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assay.base.files import locked, machine_errors, read_json, require_space, write_json
from assay.base.progress import Progress
from assay.base.tensors import Array
from assay.errors import AssayError, InvalidInputError
from assay.tasks.image_classification.files import LabelledImage, find_images
from assay.tasks.image_classification.preprocess import prepare
from assay.tasks.image_classification.recipe import Recipe
from assay.tasks.protocol import SkippedSample

_VERSION = 1


@dataclass(frozen=True, slots=True)
class ImageDataset:
    """Prepared images on disk and their labels.

    Attributes:
        labels: class of each sample, shape ``(count,)``.
        samples: all samples, memory-mapped, shape ``(count, ...)``.
    """

    count: int
    skipped: tuple[SkippedSample, ...]
    labels: NDArray[np.int64]
    samples: NDArray[Any]

    def load(self, indices: Sequence[int]) -> tuple[Array, ...]:
        """Copy some samples into memory, in this order."""
        return (np.ascontiguousarray(self.samples[np.asarray(indices, np.intp)]),)


def open_images(
    folder: Path, recipe: Recipe, *, cache: Path, limit: int | None, skip_bad: bool, progress: Progress
) -> ImageDataset:
    """Prepare the images of a folder, or take what was prepared before.

    Raises:
        InvalidInputError: for a wrong layout, or an image that cannot be read (which one).
    """
    images = find_images(folder)[:limit]
    key = _key(images, recipe, skip_bad=skip_bad)
    home = cache / "image-classification" / key
    with locked(cache / "image-classification" / f"{key}.lock"):
        found = _cached(home, recipe)
        return found or _prepare_all(images, recipe, home, skip_bad=skip_bad, progress=progress)


def _key(images: list[LabelledImage], recipe: Recipe, *, skip_bad: bool) -> str:
    """What the prepared samples depend on: every file's name, size and time, the recipe, this code's version."""
    digest = hashlib.sha256(f"{_VERSION} {skip_bad} {recipe.model_dump_json(exclude={'output'})}\n".encode())
    for image in images:
        try:
            status = image.path.stat()
            identity = f"{status.st_size} {status.st_mtime_ns}"
        except OSError:
            identity = "absent"
        digest.update(f"{image.path} {image.label} {identity}\n".encode(errors="replace"))
    return digest.hexdigest()[:32]


def _cached(home: Path, recipe: Recipe) -> ImageDataset | None:
    """What was prepared before; None when there is nothing or it is damaged."""
    try:
        index = read_json(home / "index.json")
        samples = np.load(home / "samples.npy", mmap_mode="r", allow_pickle=False)
        labels = np.asarray(index["labels"], np.int64)
        whole = samples.shape == (len(labels), *recipe.shape) and samples.dtype == recipe.dtype
        if not whole or index["checksum"] != _checksum(samples):
            return None
        skipped = tuple(SkippedSample(name, reason) for name, reason in index["skipped"])
    except (AssayError, OSError, ValueError, KeyError, TypeError):
        return None
    return ImageDataset(len(labels), skipped, labels, samples)


def _prepare_all(
    images: list[LabelledImage], recipe: Recipe, home: Path, *, skip_bad: bool, progress: Progress
) -> ImageDataset:
    size = int(np.prod(recipe.shape)) * np.dtype(recipe.dtype).itemsize
    require_space(home.parent, size * len(images))
    scratch = home.with_suffix(".part")
    shutil.rmtree(scratch, ignore_errors=True)
    with machine_errors(scratch):
        scratch.mkdir(parents=True)
    bad: dict[int, str] = {}
    step = progress.start("prepare samples", total=len(images), unit="images")
    try:
        array = np.lib.format.open_memmap(
            scratch / "all.npy", mode="w+", dtype=recipe.dtype, shape=(len(images), *recipe.shape)
        )
        with ThreadPoolExecutor(
            len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
        ) as pool:
            for number, problem in enumerate(
                pool.map(lambda item: _prepare_one(item[1], recipe, array, item[0]), enumerate(images))
            ):
                step.advance()
                if problem is None:
                    continue
                if not skip_bad:
                    pool.shutdown(cancel_futures=True)
                    raise problem
                bad[number] = str(problem)
        array.flush()
        return _keep(images, array, bad, scratch, home, recipe)
    finally:
        step.finish()
        shutil.rmtree(scratch, ignore_errors=True)


def _prepare_one(image: LabelledImage, recipe: Recipe, array: NDArray[Any], number: int) -> InvalidInputError | None:
    try:
        array[number] = prepare(image.path, recipe)
    except InvalidInputError as error:
        error.hint = "remove or replace it, or leave such samples out with --skip-bad (the result is then labelled)"
        return error
    except FileNotFoundError:
        return InvalidInputError(
            "a listed image is missing", where=image.path, hint="get it, or leave it out with --skip-bad"
        )
    return None


def _keep(
    images: list[LabelledImage],
    array: NDArray[Any],
    bad: dict[int, str],
    scratch: Path,
    home: Path,
    recipe: Recipe,
) -> ImageDataset:
    good = [number for number in range(len(images)) if number not in bad]
    if not good:
        raise InvalidInputError(
            "no image of the dataset can be read", where=images[0].path.parent, found=next(iter(bad.values()))
        )
    if bad:
        kept = np.lib.format.open_memmap(
            scratch / "samples.npy", mode="w+", dtype=recipe.dtype, shape=(len(good), *recipe.shape)
        )
        for row, number in enumerate(good):
            kept[row] = array[number]
        kept.flush()
        (scratch / "all.npy").unlink()
    else:
        (scratch / "all.npy").rename(scratch / "samples.npy")
        kept = array  # type: ignore[assignment]
    index = {
        "labels": [images[number].label for number in good],
        "skipped": [[images[number].path.name, reason] for number, reason in bad.items()],
        "checksum": _checksum(kept),
        "recipe": json.loads(recipe.model_dump_json()),
    }
    write_json(scratch / "index.json", index)
    with machine_errors(home):
        shutil.rmtree(home, ignore_errors=True)
        scratch.rename(home)
    found = _cached(home, recipe)
    assert found is not None
    return found


def _checksum(samples: NDArray[Any]) -> str:
    """A checksum over a pixel row of every sample: tells a damaged file without reading gigabytes."""
    middle = samples.shape[1] // 2
    return hashlib.sha256(np.ascontiguousarray(samples[:, middle]).tobytes()).hexdigest()
