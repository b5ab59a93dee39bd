"""Jobs of a check: spread over processes, answered from the cache where nothing has changed."""

from __future__ import annotations

import gc
import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from assay.errors import MachineError
from assay.rules.model import Round
from assay.submission.cache import OutcomeCache, encode, file_state, forget_old_trees
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
    """What a job gave.

    Attributes:
        outcome: of the system, where it cannot be encoded.
        encoded: the outcome as bytes, which cross the border of a process four times faster.
    """

    division: str
    submitter: str
    system: str
    outcome: SystemOutcome | None = None
    encoded: bytes | None = None
    seen: list[Seen] = field(default_factory=list)
    files: int = 0
    reused: bool = False


class Worker:
    """Does jobs in one process."""

    def __init__(self, work: Work, cache: Path | None) -> None:
        self._work = work
        self._reader = TreeReader(Path(work.root))
        assert work.round.submission is not None
        self._table = LevelTable(work.round, work.options.passed_over(work.round.submission))
        rules = repr((work.round, work.options))
        self._cache = None if cache is None else OutcomeCache(cache, work.root, rules)

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
        name, key = f"{job.division}/{job.submitter}/{job.system}", ""
        if self._cache is not None:
            key = self._cache.key(name, *_state(self._reader.root, job.task, folders))
            done.encoded = self._cache.find(name, key)
            done.reused = done.encoded is not None
        if done.encoded is None:
            outcome = judge_system(
                self._reader.root, self._work.round, self._table, job.task, folders, self._work.options
            )
            done.encoded = encode(outcome)
            if done.encoded is None:
                done.outcome = outcome
            elif self._cache is not None:
                self._cache.keep(name, key, done.encoded)
        return done


def _state(root: str, task: SystemTask, folders: SystemFolders) -> Iterator[str | bytes]:
    """Texts and bytes that change whenever something changes that the outcome of a system depends on."""
    yield file_state(f"{root}/{task.submitter_path}/systems/{task.system}.json")
    yield repr((sorted(task.mapping.items()), sorted(task.measurements_top)))
    yield task.code.identity()
    for kind, folder in folders.each():
        yield kind
        yield folder.identity()


class _Own:
    """The worker of a process of the pool; set once when the process starts."""

    worker: Worker | None = None


def _start(work: Work, cache: Path | None) -> None:
    # A tree of folders has no cycles, and looking for some takes a third of the time of listing it.
    gc.disable()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _Own.worker = Worker(work, cache)


def _do(job: Job) -> Done:
    assert _Own.worker is not None
    return _Own.worker.do(job)


class Runner:
    """Does jobs, in processes of its own where there are enough of them.

    The processes start with the runner, before anything else (a progress bar) has started a thread: a process that
    has threads must not be forked, and starting fresh ones takes a second more.
    """

    def __init__(self, work: Work, count: int, jobs: int | None, cache: Path | None) -> None:
        if cache is not None:
            forget_old_trees(cache)
        self._work, self._cache = work, cache
        self._processes = min(jobs or os.cpu_count() or 1, count)
        self._pool: ProcessPoolExecutor | None = None
        if self._processes > 1 and count > _SMALL:
            forkable = "fork" in multiprocessing.get_all_start_methods() and threading.active_count() == 1
            context = multiprocessing.get_context("fork" if forkable else "spawn")
            self._pool = ProcessPoolExecutor(self._processes, context, _start, (work, cache))
            self._pool.submit(os.getpid).result()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)

    def run(self, pending: Sequence[Job]) -> Iterator[Done]:
        """Do all jobs, in any order.

        Raises:
            MachineError: when a process was killed.
        """
        if self._pool is None:
            worker = Worker(self._work, self._cache)
            for job in pending:
                yield worker.do(job)
            return
        try:
            yield from self._in_pool(self._pool, pending)
        except BrokenProcessPool:
            raise MachineError(
                "a process of the check was killed",
                expected="enough memory for the largest log of the tree",
                hint="assay check --jobs 1",
            ) from None

    def _in_pool(self, pool: ProcessPoolExecutor, pending: Sequence[Job]) -> Iterator[Done]:
        waiting: set[Future[Done]] = set()
        for job in pending:
            waiting.add(pool.submit(_do, job))
            if len(waiting) >= self._processes * 4:
                finished, waiting = wait(waiting, return_when=FIRST_COMPLETED)
                for each in finished:
                    yield each.result()
        while waiting:
            finished, waiting = wait(waiting, return_when=FIRST_COMPLETED)
            for each in finished:
                yield each.result()
