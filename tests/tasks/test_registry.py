from __future__ import annotations

import pytest

from assay.errors import NotFoundError
from assay.tasks.registry import tasks


def test_our_tasks_come_through_the_door_of_plugins() -> None:
    assert tasks().get("image-classification").name == "image-classification"


def test_an_unknown_task_is_told_with_the_closest() -> None:
    with pytest.raises(NotFoundError) as caught:
        tasks().get("image-classifcation")
    assert caught.value.expected == "image-classification"
