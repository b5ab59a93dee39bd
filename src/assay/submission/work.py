"""Jobs of a check: spread over processes, answered from the cache where nothing has changed."""

from __future__ import annotations

import gc
import multiprocessing
import os
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from dataclasses import dataclass, field
from pathlib import Path

from assay.rules.model import Round
from assay.submission.levels import LevelTable
from assay.submission.model import Seen, SystemOutcome
from assay.submission.read import Options, SystemFolders, SystemTask, judge_system
from assay.submission.tree import TreeReader

_SMALL = 3


@dataclass(frozen=True, slots=True)
class Work:
    """What all jobs of a check share."""

    root: str
    round: Round
    options: Options


@dataclass(frozen=True, slots=True)
class Job:
    """A system, or (``task`` is None) the rest of a submitter's folder."""

    division: str
    submitter: str
    system: str
    task: SystemTask | None
    systems: tuple[str, ...] = ()


@dataclass(slots=True)
class Done:
    """What a job gave."""

    division: str
    submitter: str
    system: str
    outcome: SystemOutcome | None = None
    seen: list[Seen] = field(default_factory=list)
    files: int = 0
    reused: bool = False


class Worker:
    """Does jobs in one process."""

    def __init__(self, work: Work, cache: Path | None) -> None:
        self._work = work
        self._reader = TreeReader(Path(work.root))
        self._table = LevelTable(work.round, work.options.ignored)
        self._cache = None if cache is None else _open_cache(cache, work)

    def do(self, job: Job) -> Done:
        """Do one job."""
        from assay.submission.check import rest_issues

        rules = self._work.round.submission
        assert rules is not None
        done = Done(job.division, job.submitter, job.system)
        if job.task is None:
            done.seen, done.files = rest_issues(self._reader, job.division, job.submitter, job.systems, rules)
            return done
        folders = SystemFolders(self._reader, job.task)
        done.outcome = judge_system(
            self._reader.root, self._work.round, self._table, job.task, folders, self._work.options
        )
        done.files = done.outcome.files
        return done


def _open_cache(path: Path, work: Work) -> None:
    del path, work


def run_jobs(work: Work, pending: Sequence[Job], jobs: int | None, cache: Path | None) -> Iterator[Done]:
    """Do all jobs, in any order."""
    processes = min(jobs or os.cpu_count() or 1, len(pending))
    if processes <= 1 or len(pending) <= _SMALL:
        worker = Worker(work, cache)
        for job in pending:
            yield worker.do(job)
        return
    yield from _in_processes(work, pending, processes, cache)


class _Own:
    """The worker of a process of the pool; set once when the process starts."""

    worker: Worker | None = None


def _start(work: Work, cache: Path | None) -> None:
    # A tree of folders has no cycles, and looking for some takes a third of the time of listing it.
    gc.disable()
    _Own.worker = Worker(work, cache)


def _do(chunk: Sequence[Job]) -> list[Done]:
    assert _Own.worker is not None
    return [_Own.worker.do(job) for job in chunk]


def _in_processes(work: Work, pending: Sequence[Job], processes: int, cache: Path | None) -> Iterator[Done]:
    # A process that has other threads must not be forked; a fresh one costs a third of a second more.
    forkable = "fork" in multiprocessing.get_all_start_methods() and threading.active_count() == 1
    context = multiprocessing.get_context("fork" if forkable else "spawn")
    with ProcessPoolExecutor(processes, context, _start, (work, cache)) as pool:
        waiting: set[Future[list[Done]]] = set()
        try:
            for job in pending:
                waiting.add(pool.submit(_do, [job]))
                if len(waiting) >= processes * 4:
                    finished, waiting = wait(waiting, return_when=FIRST_COMPLETED)
                    for each in finished:
                        yield from each.result()
            while waiting:
                finished, waiting = wait(waiting, return_when=FIRST_COMPLETED)
                for each in finished:
                    yield from each.result()
        finally:
            for each in waiting:
                each.cancel()
