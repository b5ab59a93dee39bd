"""Reading the files of a dataset: all of them in parallel, the first bad one told, or the bad ones left out and counted."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from assay.base.processors import processor_count
from assay.base.progress import Progress
from assay.errors import AssayError, InvalidInputError, NotFoundError, UsageError

T = TypeVar("T")
R = TypeVar("R")


def require_some(limit: int | None) -> None:
    """A limit of samples has to leave one.

    Raises:
        UsageError: for a limit below one.
    """
    if limit is not None and limit < 1:
        raise UsageError("a dataset needs at least one sample", found=f"a limit of {limit}")


def fingerprint(form: str, files: Iterable[tuple[Path, str]]) -> str:
    """What something made of files depends on, in 32 hexadecimal digits.

    Args:
        form: how it is made, with the version of the code that does so.
        files: each with what it is known by, such as its name and label; its size and time are looked up, and a missing
            one is no error.
    """
    digest = hashlib.sha256(f"{form}\n".encode())
    for path, name in files:
        try:
            status = path.stat()
            identity = f"{status.st_size} {status.st_mtime_ns}"
        except OSError:
            identity = "absent"
        digest.update(f"{name}\0{identity}\n".encode(errors="surrogateescape"))
    return digest.hexdigest()[:32]


def read_each(
    items: Sequence[T],
    read: Callable[[T], R],
    *,
    title: str,
    unit: str,
    skip_bad: bool,
    progress: Progress,
    workers: int | None = None,
) -> tuple[dict[int, R], dict[int, str]]:
    """Read items side by side.

    Threads are enough: what decodes pictures and volumes lets go of the interpreter's lock.

    Args:
        items: what is read.
        read: reads one; an :class:`InvalidInputError` or :class:`NotFoundError` tells that it is bad.
        title: what is done, for people.
        unit: what the items are, in the plural.
        skip_bad: go on past bad ones.
        progress: told of every item.
        workers: threads; as many as there are processors when left out.

    Returns:
        What was read by the item's number, and what is wrong with the others.

    Raises:
        InvalidInputError: for the first bad item in order, unless bad ones are left out.
        NotFoundError: likewise.
    """

    def tried(item: T) -> tuple[R | None, AssayError | None]:
        try:
            return read(item), None
        except (InvalidInputError, NotFoundError) as error:
            error.hint = f"replace or remove it, or leave such {unit} out with --skip-bad (the result is then labelled)"
            return None, error

    good: dict[int, R] = {}
    bad: dict[int, str] = {}
    step = progress.start(title, total=len(items), unit=unit)
    pool = ThreadPoolExecutor(workers or processor_count())
    try:
        for number, (result, problem) in enumerate(pool.map(tried, items)):
            step.advance()
            if problem is None:
                good[number] = result  # type: ignore[assignment]  # there is a result where there is no problem
            elif skip_bad:
                bad[number] = problem.what if problem.found is None else f"{problem.what}: {problem.found}"
            else:
                raise problem
    finally:
        pool.shutdown(cancel_futures=True)
        step.finish()
    return good, bad
