"""What came of a trial: one setting, how it was left, and what it did."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any, TypeVar

import msgspec

from assay.campaign.tuning.aim import Measured
from assay.campaign.tuning.bench import Promise
from assay.campaign.tuning.space import Candidate
from assay.errors import InvalidInputError

T = TypeVar("T")


class Ended(StrEnum):
    """How a trial was left."""

    MEASURED = "measured"
    """It was run, and everything that is asked holds."""
    MISSED = "missed"
    """It was run, and does not hold what is asked."""
    PRUNED = "pruned"
    """It was given up: it would not have been among the best."""
    INACCURATE = "inaccurate"
    """Its engine and format do not answer well enough."""
    FAILED = "failed"
    """It could not be run."""


@dataclass(frozen=True, slots=True)
class Trial:
    """One setting that was tried.

    Attributes:
        number: in the order in which they were tried; 0 is the usual setting.
        why: it was left as it was; empty for one that was measured.
        seconds: that it took.
    """

    number: int
    candidate: Candidate
    ended: Ended
    promise: Promise | None = None
    measured: Measured | None = None
    why: str = ""
    seconds: float = 0.0

    def to_dict(self) -> dict[str, Any]:
        """The trial as JSON values."""
        return asdict(self)


def kept(raw: Any, form: type[T], *, where: str) -> T:
    """A value of a search's journal in its form.

    Raises:
        InvalidInputError: when it has another.
    """
    try:
        return msgspec.convert(raw, form, strict=True)
    except msgspec.ValidationError as error:
        raise InvalidInputError(
            f"not what a search of this version keeps: {error}", where=where, hint="begin it again with --restart"
        ) from error
