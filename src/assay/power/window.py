"""When LoadGen measured, from its detail log, and how much it did."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from assay.errors import InvalidInputError
from assay.loadgen.logs import DetailLog, read_detail
from assay.power.samples import moment_of

_BEGIN, _END = "power_begin", "power_end"


@dataclass(frozen=True, slots=True)
class Window:
    """From when to when LoadGen measured, seconds since 1970.

    Attributes:
        samples: that were completed in it; None where the log does not say.
        queries: the same of queries.
    """

    begin: float
    end: float
    samples: int | None = None
    queries: int | None = None

    @property
    def seconds(self) -> float:
        """Its length."""
        return self.end - self.begin


def read_window(path: Path) -> Window:
    """Read it from a detail log.

    Raises:
        NotFoundError: when there is no such log.
        InvalidInputError: when the log does not tell.
    """
    log = read_detail(path)
    begin, end = (_moment(log, key, path) for key in (_BEGIN, _END))
    if end <= begin:
        raise InvalidInputError("the measured window ends before it begins", where=path, found=log.text(_END))
    return Window(begin, end, _samples(log), log.integer("result_query_count"))


def _moment(log: DetailLog, key: str, path: Path) -> float:
    text = log.text(key)
    try:
        return moment_of(text or "")
    except ValueError:
        expected, place = "MM-DD-YYYY HH:MM:SS.mmm", f"{path}: {key}"
        problem = "LoadGen does not say when it measured"
        raise InvalidInputError(problem, where=place, expected=expected, found=repr(text)) from None


def _samples(log: DetailLog) -> int | None:
    """Queries times the samples of each: one of Server and SingleStream, eight of MultiStream, all of Offline."""
    count, each = log.integer("result_query_count"), log.integer("generated_samples_per_query")
    return None if count is None or each is None else count * each
