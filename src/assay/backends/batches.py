"""Models that take one batch size only, told before anything runs."""

from __future__ import annotations

from collections.abc import Sequence

from assay.base.tensors import TensorSpec
from assay.errors import InvalidInputError


def fixed_batch(inputs: Sequence[TensorSpec]) -> int | None:
    """The one batch size that a model takes; None when it takes any."""
    return next((spec.shape[0] for spec in inputs if spec.shape and spec.shape[0] != -1), None)


def check_batch(inputs: Sequence[TensorSpec], size: int) -> None:
    """Check that a model takes batches of a size.

    Raises:
        InvalidInputError: when it takes another size only, with the way out.
    """
    only = fixed_batch(inputs)
    if only is not None and only != size:
        raise InvalidInputError(
            f"the model takes batches of {only} only",
            found=f"a batch of {size}",
            hint=f"give --batch-size {only}, or export the model with a free batch dimension",
        )
