"""Accuracy logs whose responses are large, such as whole volumes: read one response at a time."""

from __future__ import annotations

import contextlib
import mmap
from collections.abc import Iterator
from pathlib import Path

from assay.errors import InvalidInputError, NotFoundError
from assay.loadgen.logs import Tokens, accuracy_entries, token_entries


def walk_accuracy(path: Path) -> Iterator[tuple[int, bytes]]:
    """Sample index and response of each entry of ``mlperf_log_accuracy.json``; one of them is in memory at a time.

    Raises:
        NotFoundError: when it is not there.
        InvalidInputError: when it is not LoadGen's list of responses, or cut off; the last is told at the end.
    """
    with _mapped(path) as raw:
        for _, index, data in accuracy_entries(path, raw):
            yield index, data


def walk_tokens(path: Path) -> Iterator[Tokens]:
    """The same with what LoadGen was told of the tokens of each response.

    Raises:
        NotFoundError: when it is not there.
        InvalidInputError: when it is not LoadGen's list of responses, or cut off; the last is told at the end.
    """
    with _mapped(path) as raw:
        yield from token_entries(path, raw)


@contextlib.contextmanager
def _mapped(path: Path) -> Iterator[mmap.mmap]:
    try:
        with path.open("rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as raw:
            yield raw
    except FileNotFoundError as error:
        raise NotFoundError("the log is not there", where=path) from error
    except OSError as error:
        raise InvalidInputError(f"the log cannot be read: {error.strerror}", where=path) from error
    except ValueError as error:  # what has no bytes cannot be mapped
        raise InvalidInputError("the accuracy log is empty", where=path) from error
