"""The index of a repository: what ``assay find`` needs of each artifact, and the stamp of every file it was read from.

A cache that may be deleted at any time. Before it is believed, every watched file and folder is looked at again:

* the repository's root, its metadata, each folder of artifacts, and each folder in them that holds none: whatever is
  added, removed or renamed changes the time of one of these;
* each ``_cm.json`` that alone decides what is kept here (it has all the indexed keys, so that a ``_cm.yaml`` beside it
  could change nothing); for any other artifact the files that are there, and its folder.

A stamp is modification time, change time, inode and size. The change time is set by the system and no program can set
it back. What was changed less than two seconds before it was read has no stamp and is read again, so that a second
change within one tick of the clock is seen, too.

No dataclass, no path object, no JSON: this module has to be imported and done in milliseconds.
"""

from __future__ import annotations

import os
import zlib
from array import array
from collections.abc import Callable, Iterable
from functools import partial
from itertools import chain
from operator import attrgetter

MAGIC = b"assay cm index 1\n"
TAG = "\x1f"
NO_STAMP = (0, 0, 0, 0)
_SECTIONS = ("watched", "folders", "aliases", "uids", "kinds", "kind_uids", "tags", "broken", "odd")
# Several processes look at the files of a large repository; below this, starting one takes longer than it saves.
_WORTH_A_PROCESS = 3000

Stamp = tuple[int, int, int, int]
stamp: Callable[[os.stat_result], Stamp] = attrgetter("st_mtime_ns", "st_ctime_ns", "st_ino", "st_size")


class Index:
    """The rows of one repository as columns, and what they were read from.

    Attributes:
        root: path of the repository.
        watched: files and folders below it that the rows depend on.
        stamps: four numbers for each of them.
        folders: folder of each artifact, relative to the root.
        aliases: alias of each, empty for none.
        uids: uid of each.
        kinds: alias of the automation of each.
        kind_uids: uid of the automation of each.
        tags: tags of each, every one between separators.
        broken: folder, separator and reason of each artifact that cannot be read.
        odd: folders that have to be read each time: links, and names that do not fit in a line.
    """

    __slots__ = ("root", "stamps", *_SECTIONS)

    def __init__(self, root: str) -> None:
        self.root = root
        self.stamps = array("q")
        self.watched: list[str] = []
        self.folders: list[str] = []
        self.aliases: list[str] = []
        self.uids: list[str] = []
        self.kinds: list[str] = []
        self.kind_uids: list[str] = []
        self.tags: list[str] = []
        self.broken: list[str] = []
        self.odd: list[str] = []


def dumps(index: Index) -> bytes:
    """The index as bytes: lines of text in sections, then the stamps."""
    bodies = ["\n".join(getattr(index, name)).encode("utf-8", "surrogateescape") for name in _SECTIONS]
    counts = [f"{len(getattr(index, name))} {len(body)}" for name, body in zip(_SECTIONS, bodies, strict=True)]
    root = index.root.encode("utf-8", "surrogateescape")
    header = "\t".join(counts).encode()
    return b"".join([MAGIC, root, b"\n", header, b"\n", *bodies, index.stamps.tobytes()])


def loads(raw: bytes, root: str) -> Index | None:
    """The index that :func:`dumps` wrote for a repository; None for anything else."""
    try:
        if not raw.startswith(MAGIC):
            return None
        end = raw.index(b"\n", len(MAGIC))
        begin = raw.index(b"\n", end + 1) + 1
        if raw[len(MAGIC) : end].decode("utf-8", "surrogateescape") != root:
            return None
        index = Index(root)
        for name, part in zip(_SECTIONS, raw[end + 1 : begin - 1].split(b"\t"), strict=True):
            count, length = map(int, part.split(b" "))
            lines = raw[begin : begin + length].decode("utf-8", "surrogateescape").split("\n") if count else []
            if len(lines) != count:
                return None
            setattr(index, name, lines)
            begin += length
        index.stamps.frombytes(raw[begin:])
    except ValueError:
        return None
    rows = {len(index.folders), len(index.aliases), len(index.uids), len(index.kinds), len(index.tags)}
    whole = len(index.stamps) == 4 * len(index.watched) and rows == {len(index.kind_uids)} and index.watched
    return index if whole else None


def load(path: str, root: str) -> Index | None:
    """The index kept in a file; None when there is none that can be used."""
    try:
        with open(path, "rb") as stream:
            return loads(stream.read(), root)
    except OSError:
        return None


def index_path(home: str, root: str) -> str:
    """The file that keeps the index of a repository."""
    name = "".join(letter if letter.isalnum() and letter.isascii() else "-" for letter in os.path.basename(root))[:40]
    number = zlib.crc32(root.encode("utf-8", "surrogateescape"))
    return os.path.join(home, "cache", "cm", f"{name}-{number:08x}.index")


def unchanged(index: Index, *, may_fork: bool = False) -> bool:
    """Whether everything that the rows were read from is as it was.

    Args:
        index: a repository's.
        may_fork: this process has no threads, so that half of a large repository may be left to a child.
    """
    try:
        folder = os.open(index.root, os.O_RDONLY)
    except OSError:
        return False
    try:
        many = may_fork and len(index.watched) >= _WORTH_A_PROCESS and hasattr(os, "fork") and (os.cpu_count() or 1) > 1
        return (_by_two if many else _by_one)(index.watched, index.stamps, folder)
    finally:
        os.close(folder)


def _by_one(paths: list[str], stamps: array[int], folder: int) -> bool:
    return _stamps(paths, folder) == stamps


def _by_two(paths: list[str], stamps: array[int], folder: int) -> bool:
    half = len(paths) // 2
    try:
        child = os.fork()
    except OSError:
        return _by_one(paths, stamps, folder)
    if not child:
        # Nothing but this happens in the child, and nothing of the parent's is written or closed by it.
        same = False
        try:
            same = _by_one(paths[half:], stamps[4 * half :], folder)
        finally:
            os._exit(0 if same else 1)
    same = _stamps(paths[:half], folder) == stamps[: 4 * half]
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0 and same


def _stamps(paths: Iterable[str], folder: int) -> array[int]:
    """The stamps of files as they are now; an empty array when one cannot be looked at."""
    try:
        return array("q", chain.from_iterable(map(stamp, map(partial(os.stat, dir_fd=folder), paths))))
    except (OSError, ValueError, OverflowError):
        return array("q")


def select(index: Index, kind: str, name: str, wanted: Iterable[str], unwanted: Iterable[str]) -> list[int]:
    """Rows of an automation, with a name and tags, all without wildcards; an empty text fits everything.

    Args:
        index: a repository's.
        kind: alias or uid of the automation.
        name: alias or uid of the artifact.
        wanted: tags that have to be there.
        unwanted: tags that must not be.
    """
    rows: Iterable[int] = range(len(index.folders))
    for tag in wanted:
        marked, column = f"{TAG}{tag}{TAG}", index.tags
        rows = [row for row in rows if marked in column[row]]
    for tag in unwanted:
        marked, column = f"{TAG}{tag}{TAG}", index.tags
        rows = [row for row in rows if marked not in column[row]]
    for asked, aliases, uids in ((kind, index.kinds, index.kind_uids), (name, index.aliases, index.uids)):
        if asked:
            folded = asked.casefold()
            column = uids if _is_uid(folded) else aliases
            rows = [row for row in rows if column[row] == asked or column[row].casefold() == folded]
    return list(rows)


def _is_uid(text: str) -> bool:
    return len(text) == 16 and not text.strip("0123456789abcdef")
