"""Arrays and their descriptions: the language that tasks, engines and the harness share."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.generic]


@dataclass(frozen=True, slots=True)
class TensorSpec:
    """Name, type and shape of a model's input or output; -1 stands for a free dimension."""

    name: str
    dtype: np.dtype[np.generic]
    shape: tuple[int, ...]
