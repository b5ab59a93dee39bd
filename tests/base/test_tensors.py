from __future__ import annotations

import numpy as np

from assay.base.tensors import TensorSpec


def test_a_spec_is_a_value() -> None:
    spec = TensorSpec("input", np.dtype(np.float32), (-1, 3, 224, 224))
    assert spec == TensorSpec("input", np.dtype("float32"), (-1, 3, 224, 224))
    assert hash(spec) == hash(TensorSpec("input", np.dtype("float32"), (-1, 3, 224, 224)))
