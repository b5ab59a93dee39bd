"""Mean average precision from LoadGen's accuracy log, in the official form.

Source: mlcommons/inference v3.1, vision/classification_and_detection/tools/accuracy-openimages.py and (v2.0)
accuracy-coco.py: the first response of a sample holds, fewer than seven numbers are a picture without detections, boxes
are multiplied with the picture's size, COCO's evaluation over the pictures seen, three decimals. Boxes are reckoned in
double precision, as under the NumPy 1 of those rounds.
"""

from __future__ import annotations

import contextlib
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from assay.errors import InvalidInputError, MissingDependencyError
from assay.loadgen.logs import read_accuracy
from assay.tasks.object_detection.annotations import Truth
from assay.tasks.object_detection.pipeline import ROW
from assay.tasks.protocol import Accuracy

_SEEN = 0.3
"""Score from which an object counts as found where there are no boxes."""


@dataclass(frozen=True, slots=True)
class Found:
    """What was found in one picture.

    Attributes:
        index: of the sample.
        rows: ``(n, 7)`` float32: index, top, left, bottom, right, score, class.
    """

    index: int
    rows: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Precision:
    """COCO's figures, 0 to 1: averaged over overlaps from 0.50 to 0.95, and at two of them."""

    ap: float
    ap50: float
    ap75: float


def score_log(log: Path, truth: Truth, *, positions: bool, part: bool = False) -> Accuracy:
    """Score ``mlperf_log_accuracy.json``.

    With ``part`` the log may hold some pictures only, and only these count, as in the official tool.

    Args:
        log: LoadGen's log.
        truth: pictures in the order of the samples, and their objects.
        positions: class numbers are positions in the list of categories (the official ``--use-inv-map``).
        part: take a log of some samples.

    Raises:
        InvalidInputError: when a sample has no response, or one is no list of detections.
    """
    found = read_found(log)
    total = len(truth.pictures)
    indices = {each.index for each in found}
    enough = len(indices) > 0 if part else len(indices) == total
    if not enough or not indices <= set(range(total)):
        raise InvalidInputError(
            "the log does not hold one response for each sample",
            where=log,
            expected=f"{total} samples",
            found=f"{len(indices)} sample indices",
            hint="the accuracy run did not come to its end, or was made with another dataset",
        )
    if truth.expected is not None:
        return _expected(found, truth, log, positions=positions)
    precision = average_precision(found, truth, positions=positions, where=log)
    percent = 100.0 * precision.ap
    return Accuracy(
        metrics={"mAP": percent},
        units={"mAP": "percent"},
        samples=len(indices),
        text=f"mAP={percent:.3f}%",
        details={"AP50": 100.0 * precision.ap50, "AP75": 100.0 * precision.ap75},
    )


def read_found(log: Path) -> list[Found]:
    """The detections of every sample, in the order of the log; the first response of a sample holds.

    Raises:
        InvalidInputError: when a response is no list of rows of seven numbers.
    """
    read = read_accuracy(log)
    found: dict[int, Found] = {}
    for index, data in zip(read.qsl_idx.tolist(), read.data, strict=True):
        if index in found:
            continue
        size = len(data) // 4
        if len(data) % 4 or (size >= ROW and size % ROW):
            raise InvalidInputError(
                f"the response to sample {index} has {len(data)} bytes",
                where=log,
                expected=f"rows of {ROW} float32: a multiple of {4 * ROW}",
            )
        rows = np.frombuffer(data, "<f4").reshape(-1, ROW) if size >= ROW else np.empty((0, ROW), np.float32)
        if not np.isfinite(rows).all():
            raise InvalidInputError(f"the response to sample {index} holds values that are no numbers", where=log)
        found[index] = Found(index, rows)
    return list(found.values())


def average_precision(found: Sequence[Found], truth: Truth, *, positions: bool, where: Path) -> Precision:
    """COCO's average precision over the pictures in ``found``.

    Raises:
        MissingDependencyError: when pycocotools is not installed.
        InvalidInputError: for a class number that is no position, or when these pictures have no objects.
    """
    try:
        from pycocotools.coco import COCO
        from pycocotools.cocoeval import COCOeval
    except ImportError as error:
        raise MissingDependencyError(
            f"pycocotools cannot be imported: {error}", hint="pip install pycocotools"
        ) from error
    seen = sorted({truth.pictures[each.index].id for each in found})
    if not {entry["image_id"] for entry in truth.objects} & set(seen):
        raise InvalidInputError("the annotations have no object in the pictures of this run", where=where)
    detections = _detections(found, truth, positions=positions, where=where)
    if not len(detections):
        return Precision(0.0, 0.0, 0.0)
    # It prints what it does.
    with contextlib.redirect_stdout(io.StringIO()):
        true = COCO()
        true.dataset = {
            "images": [{"id": each.id, "width": each.width, "height": each.height} for each in truth.pictures],
            "categories": [{"id": number, "name": name} for number, name in truth.categories],
            # It writes into the annotations.
            "annotations": [dict(entry) for entry in truth.objects],
        }
        true.createIndex()
        evaluation = COCOeval(true, true.loadRes(detections), iouType="bbox")
        evaluation.params.imgIds = seen
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    stats = [float(value) for value in evaluation.stats[:3]]
    return Precision(*stats)


def _detections(found: Sequence[Found], truth: Truth, *, positions: bool, where: Path) -> NDArray[np.float64]:
    """Rows of pycocotools: image id, left, top, width, height, score, category id; in the order of the log."""
    made = [np.empty((0, ROW))]
    for each in found:
        picture = truth.pictures[each.index]
        rows = each.rows.astype(np.float64)
        top, left, bottom, right = (
            rows[:, 1] * picture.height,
            rows[:, 2] * picture.width,
            rows[:, 3] * picture.height,
            rows[:, 4] * picture.width,
        )
        classes = _categories(each, truth, where) if positions else np.trunc(rows[:, 6])
        image = np.full(len(rows), picture.id, np.float64)
        made.append(np.column_stack((image, left, top, right - left, bottom - top, rows[:, 5], classes)))
    return np.concatenate(made)


def _categories(found: Found, truth: Truth, where: Path) -> NDArray[np.float64]:
    """Category ids of class numbers that are positions; 0, which the reference does not use, stays."""
    ids = np.array([0, *(number for number, _ in truth.categories)], np.float64)
    numbers = found.rows[:, 6].astype(np.int64)
    wrong = numbers[(numbers < 0) | (numbers >= len(ids))]
    if len(wrong):
        raise InvalidInputError(
            f"the response to sample {found.index} names class {wrong[0]}",
            where=where,
            expected=f"1 to {len(ids) - 1}, a position in the dataset's list of categories",
            hint="class_offset under output in the recipe moves the classes",
        )
    return np.asarray(ids[numbers], np.float64)


def _expected(found: Sequence[Found], truth: Truth, log: Path, *, positions: bool) -> Accuracy:
    """The share of listed objects that were found, wherever in the picture: no boxes are known, so no mAP."""
    assert truth.expected is not None
    good = total = 0
    for each in found:
        numbers = _categories(each, truth, log) if positions else np.trunc(each.rows[:, 6])
        shown = set(numbers[each.rows[:, 5] >= _SEEN].astype(np.int64).tolist())
        wanted = truth.expected[each.index]
        total += len(wanted)
        good += len(shown.intersection(wanted))
    share = 100.0 * good / total if total else 0.0
    return Accuracy(
        metrics={"found": share},
        units={"found": "percent"},
        samples=len(found),
        text=f"found={share:.3f}%, good={good}, total={total}",
    )
