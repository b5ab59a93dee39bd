"""Runs one after another, whoever carries them out: each is whole on disk, and told of, before the next begins."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import TypeVar

from assay.base.files import require_space
from assay.base.settings import Settings
from assay.campaign.finish import Finished
from assay.errors import AssayError
from assay.harness.outcome import Ending
from assay.loadgen.record import RunRecord, RunStatus
from assay.loadgen.runs import RunCatalogue, RunFolder
from assay.results.record import record_run

T = TypeVar("T")
_SPACE = 64 << 20


def require_room(settings: Settings) -> None:
    """Refuse a disk that could not hold a run's logs, before anything is fetched.

    Raises:
        MachineError: with what is free.
    """
    require_space(settings.runs_dir, _SPACE)


def in_turn(runs: Iterable[T], one: Callable[[T, str], Finished], settings: Settings) -> list[RunRecord]:
    """Carry runs out; the record of each, in order.

    Args:
        runs: as they were planned.
        one: carries one out; its second argument is shared by all, and says that they belong together.
        settings: where records are kept.

    Raises:
        AssayError: what a run broke for (its record is kept).
        KeyboardInterrupt: after an interrupted run has been kept as such.
    """
    group = RunCatalogue(settings.runs_dir).new_group()
    records: list[RunRecord] = []
    for planned in runs:
        finished = one(planned, group)
        records.append(finished.record)
        if finished.outcome.ending is Ending.INTERRUPTED:
            raise KeyboardInterrupt
        if finished.outcome.failure is not None:
            error = finished.outcome.failure.error()
            error.hint = error.hint or f"assay runs show {finished.record.id}"
            raise error
        record_run(settings.runs_dir / finished.record.id, settings)
    return records


def kept_if_it_breaks(record: RunRecord, folder: RunFolder, do: Callable[[], T]) -> T:
    """Do what makes a run, and keep the run as failed where it could not even be made."""
    try:
        return do()
    except AssayError as error:
        folder.write(replace(record, status=RunStatus.FAILED, failure=str(error)))
        raise
    except BaseException:
        folder.write(replace(record, status=RunStatus.FAILED, failure="the run could not be started"))
        raise
