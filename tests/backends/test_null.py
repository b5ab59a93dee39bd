from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from assay.backends.null import BACKEND
from assay.backends.protocol import Backend, BackendOptions, Precision
from assay.errors import InvalidInputError, UsageError
from assay.testing import BackendContract, tiny_classifier


class TestNull(BackendContract):
    computes = False

    def backend(self) -> Backend:
        return BACKEND


def test_the_same_arrays_come_back_every_time(tmp_path: Path) -> None:
    stream = BACKEND.open(tiny_classifier(tmp_path / "m.onnx"), BackendOptions()).stream()
    images = np.ones((3, 3, 8, 8), np.float32)
    first = stream.run((images,))
    assert stream.run((images,)) is first
    assert first[0].shape == (3, 10)
    assert not first[0].any()
    with pytest.raises(ValueError, match="read-only"):
        first[0][:] = 1  # type: ignore[call-overload]


def test_every_format_is_taken_since_nothing_is_computed(tmp_path: Path) -> None:
    for precision in Precision:
        session = BACKEND.open(tiny_classifier(tmp_path / "m.onnx"), BackendOptions(precision=precision))
        assert session.describe()["precision"] == "none"


def test_it_has_no_options(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="has no options"):
        BACKEND.open(tiny_classifier(tmp_path / "m.onnx"), BackendOptions(extra={"spinning": "on"}))


def test_a_fixed_batch_holds_as_with_any_engine(tmp_path: Path) -> None:
    session = BACKEND.open(tiny_classifier(tmp_path / "m.onnx", batch=2), BackendOptions())
    session.prepare([2])
    with pytest.raises(InvalidInputError, match="batches of 2 only"):
        session.prepare([1])
