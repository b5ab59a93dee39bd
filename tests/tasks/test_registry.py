from __future__ import annotations

import pytest

from assay.errors import NotFoundError
from assay.tasks.protocol import ScoresParts
from assay.tasks.registry import tasks


def test_our_tasks_come_through_the_door_of_plugins() -> None:
    assert tasks().get("image-classification").name == "image-classification"


def test_an_unknown_task_is_told_with_the_closest() -> None:
    with pytest.raises(NotFoundError) as caught:
        tasks().get("image-classifcation")
    assert caught.value.expected == "image-classification"


@pytest.mark.parametrize(
    "name",
    [
        "image-classification", "language", "language-model", "medical-imaging", "object-detection", "recommendation",
        "speech-recognition",
    ],
)  # fmt: skip
def test_every_task_of_ours_scores_a_part_of_its_dataset(name: str) -> None:
    assert isinstance(tasks().get(name), ScoresParts)
