from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import psutil
import pytest

from assay.backends.onnxruntime import BACKEND
from assay.backends.protocol import BackendOptions
from assay.errors import InvalidInputError, MachineError
from assay.models.dlrm_graph import dlrm_graph
from assay.models.dlrm_official import DATA, OFFICIAL, build_official
from assay.models.dlrm_synthetic import DLRM, DLRM_V2, Official

from .dlrm_made import SMALL_V1, SMALL_V2, checkpoint, snapshot, weights


def make_legacy(folder: Path, tensors: Any) -> Path:
    return checkpoint(folder / "tb00_40M.pt", tensors)


def make_zip(folder: Path, tensors: Any) -> Path:
    return checkpoint(folder / "tb00_40M.pt", tensors, zip_form=True)


def make_snapshot(folder: Path, tensors: Any) -> Path:
    snapshot(folder / "weights" / "model_weights", tensors, len(SMALL_V2.top))
    return folder / "weights"


FORMS = pytest.mark.parametrize(
    ("make", "official"), [(make_legacy, SMALL_V1), (make_zip, SMALL_V1), (make_snapshot, SMALL_V2)]
)
Make = Callable[[Path, Any], Path]


def answers(path: Path, official: Official) -> Any:
    random = np.random.default_rng(3)
    limits = np.repeat(official.rows, official.hots)
    ids = random.integers(0, limits, (50, len(limits))).astype(np.int32)
    session = BACKEND.open(path, BackendOptions(threads=1))
    found = np.array(session.stream().run((random.random((50, 13), np.float32), ids))[0])
    session.close()
    return found


@FORMS
def test_the_model_answers_as_one_with_the_same_weights_inside(tmp_path: Path, make: Make, official: Official) -> None:
    tensors = weights(official)
    target = tmp_path / "model.onnx"
    build_official(make(tmp_path, tensors), target, official)
    inside = tmp_path / "inside.onnx"
    same = dlrm_graph("same", tensors, hots=official.hots, bottom=3, top=5, cross=official.cross)
    inside.write_bytes(same.SerializeToString())
    found = answers(target, official)
    assert np.array_equal(found, answers(inside, official))
    assert found.std() > 1e-3
    assert (tmp_path / DATA).stat().st_size > 4 * official.width * sum(official.rows)


@FORMS
def test_too_little_memory_is_told_before_tables_are_copied(
    tmp_path: Path, make: Make, official: Official, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Memory(NamedTuple):
        available: int

    monkeypatch.setattr(psutil, "virtual_memory", lambda: Memory(1000))
    source = make(tmp_path, weights(official))
    with pytest.raises(MachineError, match="too little memory") as caught:
        build_official(source, tmp_path / "model.onnx", official)
    assert caught.value.found == "1.0 kB available"
    assert not (tmp_path / DATA).exists()


@FORMS
def test_other_weights_are_told(tmp_path: Path, make: Make, official: Official) -> None:
    def problem(number: int, tensors: Any) -> InvalidInputError:
        folder = tmp_path / str(number)
        folder.mkdir()
        source = make(folder, tensors)
        with pytest.raises(InvalidInputError) as caught:
            build_official(source, folder / "model.onnx", official)
        return caught.value

    good = weights(official)
    missing = {name: value for name, value in good.items() if name != "table.3"}
    assert "no table.3" in str(problem(1, missing).found)
    more = {**good, "table.26": np.zeros((4, 4), np.float32)}
    assert "also table.26" in str(problem(2, more).found)
    wide = {**good, "table.3": np.zeros((4, 6), np.float32)}
    assert problem(3, wide).what == "table.3 has another shape"
    narrow = {**good, "top.0.weight": good["top.0.weight"][:, :-1]}
    assert problem(4, narrow).what == "top.0.weight has another shape"


def test_a_strange_name_is_told(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match=r"'top_l\.0\.mask' is none of the model's"):
        build_official(
            make_legacy(tmp_path, {"top.0.mask": np.zeros((1, 1), np.float32)}), tmp_path / "model.onnx", SMALL_V1
        )


def test_a_table_that_is_cut_off_is_told(tmp_path: Path) -> None:
    source = make_snapshot(tmp_path, weights(SMALL_V2))
    part = next((source / "model_weights" / "sharded").iterdir())
    part.write_bytes(part.read_bytes()[:-4])
    with pytest.raises(InvalidInputError, match="cut off"):
        build_official(source, tmp_path / "model.onnx", SMALL_V2)


def test_the_small_ones_are_like_the_official_ones_in_number() -> None:
    for small, official in ((SMALL_V1, DLRM), (SMALL_V2, DLRM_V2)):
        assert (len(small.rows), small.hots, len(small.bottom), len(small.top), small.cross) == (
            *(len(official.rows), official.hots, len(official.bottom), len(official.top), official.cross),
        )
    assert OFFICIAL["dlrm-checkpoint"] is DLRM
    assert replace(DLRM_V2) == OFFICIAL["dlrm-v2-checkpoint"]
