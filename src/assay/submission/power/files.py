"""Files of a measurement, opened with care: only what the tree's listing shows, read up to a bound.

A tree comes from strangers. A pipe would keep its reader waiting for ever, a link could lead to any file of the
machine, and a sparse file has any size it likes. The listing (:class:`assay.submission.tree.Folder`) has no links
that lead out of the tree; whatever is not in it is not opened.
"""

from __future__ import annotations

import contextlib
import errno
import os
import sys
from collections.abc import Iterator
from io import FileIO

from assay.base.files import open_regular
from assay.submission.tree import Folder

MAX_TEXT = 16 << 20
MAX_SESSION = 8 << 20
MAX_HASHED = 4 << 30
OUTSIDE = "a link out of the tree is not followed"
_PIECE = 4 << 20


@contextlib.contextmanager
def opened(path: str, folder: Folder, name: str, limit: int = MAX_HASHED) -> Iterator[FileIO]:
    """Open a file for reading.

    Args:
        path: of the folder on the disk.
        folder: its listing.
        name: of the file, relative to the folder, with ``/``.
        limit: largest size in bytes.

    Raises:
        OSError: when it is not there, no ordinary file, a link out of the tree, too large, or cannot be read.
    """
    *above, last = name.split("/")
    inner = folder.at(*above)
    if inner is None or last not in inner.files:
        raise _refused(inner, last)
    try:
        file = open_regular(os.path.join(path, name))
    except ValueError as error:
        raise OSError(errno.EINVAL, str(error)) from None
    with file:
        if os.fstat(file.fileno()).st_size > limit:
            raise OSError(errno.EFBIG, _too_large(limit))
        yield file


def _refused(folder: Folder | None, name: str) -> OSError:
    if folder is not None and name in folder.outside:
        return OSError(errno.EPERM, "a link out of the tree, or to nowhere, is not followed")
    if folder is not None and (name in folder.special or name in folder.folders):
        return OSError(errno.EINVAL, "no ordinary file")
    return OSError(errno.ENOENT, os.strerror(errno.ENOENT))


def read(path: str, folder: Folder, name: str, limit: int = MAX_TEXT) -> bytes:
    """All bytes of a file of at most ``limit`` bytes.

    Raises:
        OSError: as :func:`opened`.
    """
    with opened(path, folder, name, limit) as file:
        return b"".join(pieces(file, limit))


def pieces(file: FileIO, limit: int = MAX_HASHED) -> Iterator[bytes]:
    """The bytes of an open file, piece by piece.

    Raises:
        OSError: when there are more than ``limit``, because the file grows or its size is not told.
    """
    left = limit
    while piece := file.read(_PIECE):
        left -= len(piece)
        if left < 0:
            raise OSError(errno.EFBIG, _too_large(limit))
        yield piece


def listed(folder: Folder, path: str) -> dict[str, str]:
    """What the official checker opens below a folder: all but folders, links to folders not followed.

    Args:
        folder: the listing.
        path: of the folder on the disk.

    Returns:
        Names relative to the folder, with ``/``, and why each cannot be opened; empty for ordinary files.
    """
    found: dict[str, str] = {}
    for here, each in folder.walk(""):
        prefix = f"{here}/" if here else ""
        found |= dict.fromkeys((f"{prefix}{name}" for name in each.files), "")
        found |= dict.fromkeys((f"{prefix}{name}" for name in each.special), "no ordinary file")
        for name in each.outside:
            # Nothing but its kind is asked of what a link out of the tree leads to.
            target = f"{path}/{prefix}{name}"
            if not os.path.isdir(target):
                found[f"{prefix}{name}"] = OUTSIDE if os.path.isfile(target) else "a link to nowhere"
    return found


def unreadable(path: str, folder: Folder, name: str) -> str:
    """Why a file cannot be opened, in words; empty when it can."""
    try:
        with opened(path, folder, name, sys.maxsize):
            return ""
    except OSError as error:
        return problem(error)


def problem(error: OSError) -> str:
    """What the system says of a file, in words."""
    return (error.strerror or str(error)).lower()


def _too_large(limit: int) -> str:
    return f"larger than {limit >> 20} MiB"
