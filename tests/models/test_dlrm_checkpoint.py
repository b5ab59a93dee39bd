from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from assay.errors import InvalidInputError
from assay.models.dlrm_checkpoint import locate_checkpoint
from assay.models.dlrm_stored import read_stored

from .conftest import Call, Name, Storage, legacy, state_of, tensor, zipped
from .dlrm_made import checkpoint as training_checkpoint

FORMS = pytest.mark.parametrize("form", [legacy, zipped])
Form = Callable[..., bytes]


@FORMS
def test_tensors_are_found_where_they_lie(tmp_path: Path, form: Form) -> None:
    path = tmp_path / "weights.pt"
    arrays = {"a": np.arange(24, dtype=np.float32).reshape(2, 3, 4), "b": np.arange(5, dtype=np.float32)}
    path.write_bytes(form(*state_of(arrays)))
    found = locate_checkpoint(path)
    assert {name: stored.shape for name, stored in found.items()} == {"a": (2, 3, 4), "b": (5,)}
    for name, array in arrays.items():
        assert np.array_equal(read_stored(found[name]), array)


@FORMS
def test_views_begin_where_they_say(tmp_path: Path, form: Form) -> None:
    path = tmp_path / "weights.pt"
    state = {"part": tensor(Storage("FloatStorage", "0", 12), (2, 3), offset=5)}
    path.write_bytes(form(state, {"0": np.arange(12, dtype=np.float32)}))
    assert read_stored(locate_checkpoint(path)["part"]).tolist() == [[5, 6, 7], [8, 9, 10]]


@pytest.mark.parametrize("zip_form", [False, True])
def test_what_else_the_training_script_saved_is_passed_over(tmp_path: Path, zip_form: bool) -> None:
    path = training_checkpoint(tmp_path / "c.pt", {"table.0": np.ones((3, 2), np.float32)}, zip_form=zip_form)
    assert list(locate_checkpoint(path)) == ["emb_l.0.weight"]


@FORMS
@pytest.mark.parametrize(
    ("state", "what"),
    [
        ({"a": tensor(Storage("FloatStorage", "0", 12), (3, 4), (1, 3))}, "no plain table"),
        ({"a": tensor(Storage("FloatStorage", "0", 12), ())}, "no plain table"),
        ({"a": tensor(Storage("LongStorage", "0", 12), (12,))}, "no plain table"),
        ({"a": tensor(Storage("FloatStorage", "0", 12), (3, 5))}, "beyond its storage"),
        ({"a": tensor(Storage("FloatStorage", "0", 12), (12,), offset=1)}, "beyond its storage"),
        ({"a": tensor(Storage("FloatStorage", "0", 12), (-1, 4))}, "malformed"),
        ({"a": tensor(Storage("FloatStorage", "../0", 12), (12,))}, "unknown kind"),
        ({"a": tensor(Storage("Strange", "0", 12), (12,))}, "unknown kind"),
        ({"a": 7}, "is no tensor"),
        ({"a": Name("os", "system")}, "is no tensor"),
        ({}, "no state dict"),
        ([1, 2], "no state dict"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_other_content_is_told(tmp_path: Path, form: Form, state: Any, what: str) -> None:
    path = tmp_path / "weights.pt"
    named = isinstance(state, dict) and any(isinstance(value, Call) for value in state.values())
    path.write_bytes(form(state, {"0": np.arange(12, dtype=np.float32)} if named else {}))
    with pytest.raises(InvalidInputError, match=what):
        locate_checkpoint(path)


def test_other_files_and_damaged_ones_are_told(tmp_path: Path) -> None:
    path = tmp_path / "weights.pt"
    state, storages = state_of({"a": np.arange(12, dtype=np.float32)})
    whole, archive = legacy(state, storages), zipped(state, storages)
    for data in (
        b"",
        b"no pickle at all",
        whole[:30],
        whole[:-60],
        archive[:60],
        archive[:-30],
        legacy(state, storages, 1),
    ):
        path.write_bytes(data)
        with pytest.raises(InvalidInputError):
            locate_checkpoint(path)
