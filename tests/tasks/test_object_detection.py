from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

import cv2
import numpy as np
import pytest

from assay.base.tensors import Array, TensorSpec
from assay.errors import InvalidInputError
from assay.tasks.object_detection import TASK
from assay.tasks.object_detection.dataset import PictureDataset
from assay.tasks.protocol import Dataset, Task
from assay.testing import TaskContract, refusal, write_accuracy_log

SIDE = 32


def spec(name: str, *shape: int, dtype: type[np.generic] = np.float32) -> TensorSpec:
    return TensorSpec(name, np.dtype(dtype), shape)


class TestObjectDetection(TaskContract):
    """A model that gives rows of corner, corner, score, class."""

    recipe: ClassVar[dict[str, Any]] = {
        "size": SIDE,
        "classes": "position",
        "output": {"detections": "found", "threshold": 0.05, "class_offset": 1},
    }

    def task(self) -> Task:
        return TASK

    def dataset(self, folder: Path) -> Path:
        (folder / "images").mkdir()
        (folder / "labels").mkdir()
        for number in range(5):
            pixels = np.random.default_rng(number).integers(0, 256, (48, 40 + number, 3), np.uint8)
            cv2.imwrite(str(folder / "images" / f"{number:03d}.png"), pixels)
            lines = [f"{7 * number} 0.5 0.5 0.{number + 3} 0.25", f"{number} 0.25 0.75 0.2 0.3"]
            (folder / "labels" / f"{number:03d}.txt").write_text("\n".join(lines))
        return folder

    def model_specs(self) -> tuple[Sequence[TensorSpec], Sequence[TensorSpec]]:
        return [spec("image", -1, 3, SIDE, SIDE)], [spec("found", -1, 4, 6)]

    def boxes(self, dataset: Dataset, index: int) -> tuple[np.ndarray[Any, Any], list[int]]:
        """Left, top, right, bottom as parts of the side, and class from 0, of a picture's objects."""
        assert isinstance(dataset, PictureDataset)
        picture = dataset.truth.pictures[index]
        ids = [number for number, _ in dataset.truth.categories]
        mine = [entry for entry in dataset.truth.objects if entry["image_id"] == picture.id]
        corners = [
            [x / picture.width, y / picture.height, (x + w) / picture.width, (y + h) / picture.height]
            for x, y, w, h in (entry["bbox"] for entry in mine)
        ]
        return np.array(corners), [ids.index(entry["category_id"]) for entry in mine]

    def right_outputs(self, dataset: Dataset, indices: Sequence[int]) -> Sequence[Array]:
        found = np.zeros((len(indices), 4, 6), np.float32)
        for row, index in enumerate(indices):
            boxes, classes = self.boxes(dataset, index)
            found[row, : len(boxes), :4] = boxes * SIDE
            found[row, : len(boxes), 4] = 0.9
            found[row, : len(boxes), 5] = classes
        return [found]

    def test_a_log_without_every_sample_is_refused(self, tmp_path: Path) -> None:
        """An empty response is an answer here: nothing was found."""
        dataset = self.opened(tmp_path)
        responses = self.responses(dataset)
        for number, broken in enumerate((responses[1:], [*responses[1:], (0, b"123")], [*responses, (9, b"")], [])):
            log = write_accuracy_log(tmp_path / f"{number}.json", broken)
            refusal(InvalidInputError, self.task().score, log, dataset, self.recipe)


class TestSeparateOutputs(TestObjectDetection):
    """Boxes, scores, classes and a count, as TensorFlow's SSD gives them, on pictures as bytes."""

    recipe: ClassVar[dict[str, Any]] = {
        "size": SIDE,
        "layout": "NHWC",
        "dtype": "uint8",
        "classes": "id",
        "output": {
            "boxes": "detection_boxes:0",
            "scores": "detection_scores:0",
            "classes": "detection_classes:0",
            "count": "num_detections:0",
            "corners": "yxyx",
            "unit": "fraction",
        },
    }

    def model_specs(self) -> tuple[Sequence[TensorSpec], Sequence[TensorSpec]]:
        outputs = [
            spec("num_detections:0", -1),
            spec("detection_boxes:0", -1, -1, 4),
            spec("detection_scores:0", -1, -1),
            spec("detection_classes:0", -1, -1),
        ]
        return [spec("image_tensor:0", -1, SIDE, SIDE, 3, dtype=np.uint8)], outputs

    def right_outputs(self, dataset: Dataset, indices: Sequence[int]) -> Sequence[Array]:
        assert isinstance(dataset, PictureDataset)
        ids = [number for number, _ in dataset.truth.categories]
        boxes = np.zeros((len(indices), 5, 4), np.float32)
        scores, classes = np.ones((len(indices), 5), np.float32), np.ones((len(indices), 5), np.float32)
        counts = np.zeros(len(indices), np.float32)
        for row, index in enumerate(indices):
            corners, labels = self.boxes(dataset, index)
            counts[row] = len(corners)
            boxes[row, : len(corners)] = corners[:, [1, 0, 3, 2]]
            classes[row, : len(corners)] = [ids[label] for label in labels]
        return [counts, boxes, scores, classes]


def refused(inputs: Sequence[TensorSpec], outputs: Sequence[TensorSpec], **recipe: Any) -> InvalidInputError:
    with pytest.raises(InvalidInputError) as caught:
        TASK.check_model(inputs, outputs, {"size": SIDE, **recipe})
    return caught.value


IMAGE = spec("images", 1, 3, SIDE, SIDE)
OUTPUTS = [spec("boxes", -1, 4), spec("labels", -1, dtype=np.int64), spec("scores", -1)]


def test_a_model_of_the_official_form_is_taken() -> None:
    TASK.check_model([IMAGE], OUTPUTS, {"size": SIDE})
    TASK.check_model([spec("images", -1, -1, -1, -1)], OUTPUTS, {"size": SIDE})


def test_inputs_that_do_not_fit_are_told_with_both_shapes() -> None:
    error = refused([spec("x", -1, SIDE, SIDE, 3)], OUTPUTS)
    assert (error.expected, error.found) == (f"shape (batch, 3, {SIDE}, {SIDE})", f"shape (-1, {SIDE}, {SIDE}, 3)")
    assert "NHWC" in str(error.hint)
    assert "no detector" in str(refused([spec("ids", -1, 128)], OUTPUTS).hint)
    assert refused([spec("x", 1, 3, SIDE, SIDE, dtype=np.uint8)], OUTPUTS).found == "uint8"
    assert refused([IMAGE, spec("shape", 1, 2)], OUTPUTS).found == "images, shape"


def test_outputs_that_do_not_fit_are_told_with_the_way_out() -> None:
    error = refused([IMAGE], [spec("boxs", -1, 4), *OUTPUTS[1:]])
    assert "boxs" in str(error.expected)
    assert error.found == "boxs, labels, scores"
    assert "under output in the recipe" in str(error.hint)
    assert refused([IMAGE], [spec("boxes", -1, 5), *OUTPUTS[1:]]).found == "shape (-1, 5)"
    assert refused([IMAGE], [spec("boxes", 1, -1, 4), *OUTPUTS[1:]]).expected == "shape (batch, n)"
    assert "corner" in str(refused([IMAGE], OUTPUTS, output={"detections": "boxes"}).expected)


def test_a_batch_needs_room_where_it_is_put_together() -> None:
    assert TASK.extra_memory({"size": SIDE}, 1) == 0
    assert TASK.extra_memory({"size": SIDE}, 8) == 8 * 3 * SIDE * SIDE * 4
