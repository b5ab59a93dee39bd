from __future__ import annotations

import numpy as np
import pytest

from assay.backends.batches import check_batch, fixed_batch
from assay.base.tensors import TensorSpec
from assay.errors import InvalidInputError

FLOAT = np.dtype(np.float32)


def spec(*shape: int) -> TensorSpec:
    return TensorSpec("x", FLOAT, shape)


def test_the_first_fixed_batch_counts() -> None:
    assert fixed_batch([spec(-1, 3)]) is None
    assert fixed_batch([spec(), spec(-1, 3), spec(8, 3)]) == 8
    assert fixed_batch([]) is None


def test_another_size_is_refused_with_the_way_out() -> None:
    check_batch([spec(-1, 3)], 17)
    check_batch([spec(8, 3)], 8)
    with pytest.raises(InvalidInputError) as caught:
        check_batch([spec(8, 3)], 1)
    assert caught.value.found == "a batch of 1"
    assert "--batch-size 8" in str(caught.value.hint)
