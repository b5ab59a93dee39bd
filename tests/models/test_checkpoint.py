from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assay.errors import InvalidInputError, NotFoundError
from assay.models.checkpoint import read_checkpoint


def _load_makers() -> Any:
    spec = importlib.util.spec_from_file_location("checkpoint_makers", Path(__file__).with_name("conftest.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules.setdefault(spec.name, module)
    spec.loader.exec_module(module)
    return module


make = _load_makers()
ARRAYS = {
    "a.weight": np.arange(24, dtype=np.float32).reshape(2, 3, 4),
    "a.bias": np.array([1.5, -2.5], np.float64),
    "steps": np.array(7, np.int64),
    "bytes": np.arange(5, dtype=np.uint8),
}
FORMS = pytest.mark.parametrize("form", [make.legacy, make.zipped])


@FORMS
def test_tensors_come_back_as_they_were(checkpoint: Path, form: Callable[..., bytes]) -> None:
    checkpoint.write_bytes(form(*make.state_of(ARRAYS)))
    found = read_checkpoint(checkpoint)
    assert list(found) == list(ARRAYS)
    for name, array in ARRAYS.items():
        assert found[name].dtype == array.dtype
        assert found[name].shape == array.shape
        assert (found[name] == array).all()


@FORMS
def test_views_of_one_storage_are_cut_out(checkpoint: Path, form: Callable[..., bytes]) -> None:
    values = np.arange(12, dtype=np.float32)
    storage = make.Storage("FloatStorage", "0", 12)
    state = {"part": make.tensor(storage, (2, 2), (4, 1), 5), "turned": make.tensor(storage, (4, 3), (1, 4))}
    checkpoint.write_bytes(form(state, {"0": values}))
    found = read_checkpoint(checkpoint)
    assert found["part"].tolist() == [[5, 6], [9, 10]]
    assert found["turned"].tolist() == values.reshape(3, 4).T.tolist()


def test_a_training_checkpoint_gives_its_state_dict(checkpoint: Path) -> None:
    state, storages = make.state_of(ARRAYS)
    checkpoint.write_bytes(make.legacy({"epoch": 3, "state_dict": state}, storages))
    assert list(read_checkpoint(checkpoint)) == list(ARRAYS)


@FORMS
@pytest.mark.parametrize(
    "name", [("os", "system"), ("builtins", "eval"), ("torch", "load"), ("numpy.core.multiarray", "_reconstruct")]
)
def test_a_call_of_anything_else_is_refused_and_not_made(
    checkpoint: Path, tmp_path: Path, form: Callable[..., bytes], name: tuple[str, str]
) -> None:
    victim = tmp_path / "victim"
    checkpoint.write_bytes(form({"x": make.Call(make.Name(*name), f"touch {victim}")}, {}))
    with pytest.raises(InvalidInputError, match=f"the checkpoint calls {'.'.join(name)}"):
        read_checkpoint(checkpoint)
    assert not victim.exists()


STORAGE = make.Storage("FloatStorage", "0", 6)


@FORMS
@pytest.mark.parametrize(
    ("state", "words"),
    [
        ({"x": make.tensor(STORAGE, (7,))}, "beyond its storage"),
        ({"x": make.tensor(STORAGE, (2,), (6,))}, "beyond its storage"),
        ({"x": make.tensor(STORAGE, (2,), (1,), 5)}, "beyond its storage"),
        ({"x": make.tensor(STORAGE, (2,), (-1,), 5)}, "malformed or too large"),
        ({"x": make.tensor(STORAGE, (2,), (1,), -1)}, "malformed or too large"),
        ({"x": make.tensor(STORAGE, (2**39,), (0,))}, "malformed or too large"),
        ({"x": make.tensor(STORAGE, (2, 3), (1,))}, "malformed or too large"),
        ({"x": make.tensor(make.Storage("EvilStorage", "0", 6), (2,))}, "unknown kind"),
        ({"x": make.tensor(make.Storage("FloatStorage", "../0", 6), (2,))}, "unknown kind"),
        ({"x": 3}, "is no tensor"),
        ({3: make.tensor(STORAGE, (2,))}, "is no tensor"),
        ([], "no state dict"),
        ({}, "no state dict"),
    ],
)
def test_what_is_no_sound_tensor_is_refused(
    checkpoint: Path, form: Callable[..., bytes], state: Any, words: str
) -> None:
    checkpoint.write_bytes(form(state, {"0": np.zeros(6, np.float32)}))
    with pytest.raises(InvalidInputError, match=words):
        read_checkpoint(checkpoint)


def test_another_magic_number_is_no_checkpoint(checkpoint: Path) -> None:
    checkpoint.write_bytes(make.legacy(*make.state_of(ARRAYS), magic=1))
    with pytest.raises(InvalidInputError, match="not a PyTorch checkpoint"):
        read_checkpoint(checkpoint)


def test_something_behind_the_end_is_refused(checkpoint: Path) -> None:
    checkpoint.write_bytes(make.legacy(*make.state_of(ARRAYS)) + b"x")
    with pytest.raises(InvalidInputError, match="behind the last storage"):
        read_checkpoint(checkpoint)


def test_a_missing_file_is_told(checkpoint: Path) -> None:
    with pytest.raises(NotFoundError):
        read_checkpoint(checkpoint)


LEGACY = make.legacy(*make.state_of(ARRAYS))
ZIPPED = make.zipped(*make.state_of(ARRAYS))


@pytest.mark.parametrize("whole", [LEGACY, ZIPPED], ids=["legacy", "zip"])
def test_a_cut_off_file_is_refused_wherever_it_ends(checkpoint: Path, whole: bytes) -> None:
    for length in range(0, len(whole), 7):
        checkpoint.write_bytes(whole[:length])
        with pytest.raises(InvalidInputError):
            read_checkpoint(checkpoint)


def test_a_length_without_bytes_takes_no_memory(checkpoint: Path) -> None:
    checkpoint.write_bytes(b"\x80\x04\x8d" + (2**62).to_bytes(8, "little") + b"short")
    with pytest.raises(InvalidInputError, match="malformed pickle"):
        read_checkpoint(checkpoint)


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.sampled_from([LEGACY, ZIPPED]),
    st.lists(st.tuples(st.integers(0, 2000), st.integers(0, 255)), min_size=1, max_size=4),
)
def test_damage_is_read_or_refused_and_nothing_else(
    checkpoint: Path, whole: bytes, damage: list[tuple[int, int]]
) -> None:
    raw = bytearray(whole)
    for place, value in damage:
        raw[place % len(raw)] = value
    checkpoint.write_bytes(raw)
    try:
        found = read_checkpoint(checkpoint)
    except InvalidInputError:
        return
    assert all(isinstance(array, np.ndarray) for array in found.values())
