from __future__ import annotations

import multiprocessing
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

import pytest

from assay.errors import MachineError
from assay.rules.load import load_round
from assay.submission.read import Options
from assay.submission.work import Job, Runner, Work

from .smalltree import SUBMITTER, build


def jobs(count: int) -> list[Job]:
    return [Job("closed", SUBMITTER, "", None) for _ in range(count)]


@pytest.mark.parametrize("processes", [1, 2])
def test_all_jobs_are_done(processes: int, tmp_path: Path) -> None:
    build(tmp_path, "v3.0")
    work = Work(str(tmp_path), load_round("v3.0"), Options())
    with Runner(work, 9, processes, None) as runner:
        done = list(runner.run(jobs(9)))
    assert len(done) == 9
    assert {each.files for each in done} == {sum(1 for each in tmp_path.rglob("*") if each.is_file())}


def test_few_jobs_need_no_processes(tmp_path: Path) -> None:
    work = Work(str(tmp_path), load_round("v3.0"), Options())
    assert Runner(work, 3, 8, None)._pool is None


def test_a_killed_process_is_told(tmp_path: Path) -> None:
    work = Work(str(tmp_path), load_round("v3.0"), Options())
    before = set(multiprocessing.active_children())
    with Runner(work, 999, 2, None) as runner, pytest.raises(MachineError, match="killed") as told:
        done = runner.run(jobs(999))
        next(done)
        for process in set(multiprocessing.active_children()) - before:
            process.kill()
        list(done)
    assert told.value.hint == "assay check --jobs 1"
    assert not isinstance(told.value.__cause__, BrokenProcessPool)
