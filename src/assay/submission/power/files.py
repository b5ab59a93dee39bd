"""Files of a measurement, opened with care: ordinary files inside the tree, read up to a bound.

A tree comes from strangers. A pipe would keep its reader waiting for ever, a link could lead to any file of the
machine, and a sparse file has any size it likes.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from collections.abc import Iterator

MAX_TEXT = 16 << 20
MAX_SESSION = 8 << 20
_FLAGS = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
_NO_LINK = getattr(os, "O_NOFOLLOW", 0)


@contextlib.contextmanager
def opened(path: str, root: str) -> Iterator[int]:
    """Open a file for reading; gives its descriptor.

    Args:
        path: the file.
        root: real path of the tree; a link that leads out of it is not followed.

    Raises:
        OSError: when it is not there, no ordinary file, a link out of the tree, or cannot be read.
    """
    try:
        descriptor = os.open(path, _FLAGS | _NO_LINK)
    except ValueError as error:
        raise OSError(errno.EINVAL, str(error)) from None
    except OSError as error:
        if error.errno not in (errno.ELOOP, errno.EMLINK):
            raise
        real = os.path.realpath(path)
        if not inside(real, root):
            raise OSError(errno.EPERM, "the link leads out of the tree") from None
        descriptor = os.open(real, _FLAGS | _NO_LINK)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, "no ordinary file")
        yield descriptor
    finally:
        os.close(descriptor)


def inside(real: str, root: str) -> bool:
    """Whether a real path is the root or lies below it."""
    return real == root or real.startswith(root + os.sep)


def read(path: str, root: str, limit: int = MAX_TEXT) -> bytes:
    """All bytes of a file of at most ``limit`` bytes.

    Raises:
        OSError: as :func:`opened`, and when it is larger.
    """
    with opened(path, root) as descriptor:
        size = os.fstat(descriptor).st_size
        pieces: list[bytes] = []
        left = limit + 1
        while left > 0 and (piece := os.read(descriptor, min(left, size + 1))):
            pieces.append(piece)
            left -= len(piece)
    if left <= 0:
        raise OSError(errno.EFBIG, f"larger than {limit >> 20} MiB")
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)


def pieces(descriptor: int, size: int = 4 << 20) -> Iterator[bytes]:
    """The bytes of an open file, piece by piece."""
    while piece := os.read(descriptor, size):
        yield piece


def problem(error: OSError) -> str:
    """What the system says of a file, in words."""
    return (error.strerror or str(error)).lower()
