"""The index of a repository: what ``assay find`` needs of each artifact, and the stamp of every file it was read from.

A cache that may be deleted at any time. Before it is believed, every watched file and folder is looked at again:

* the repository's root, its metadata, each folder of artifacts, and each folder in them that holds none: whatever is
  added, removed or renamed changes the time of one of these;
* each ``_cm.json`` that alone decides what is kept here (it has all the indexed keys, so that a ``_cm.yaml`` beside it
  could change nothing but what is inherited); for any other artifact the files that are there, and its folder.

A stamp is change time and inode. The change time is set by the system whenever a file is written, renamed or linked,
and no program can set it back. What was changed less than two seconds before it was read has no stamp and is read
again, so that a second change within one tick of the clock is seen, too.

No dataclass, no path object, no JSON: this module has to be imported and done in milliseconds.
"""

from __future__ import annotations

import os
from array import array
from bisect import bisect_right
from collections.abc import Callable, Iterable
from functools import partial
from itertools import chain
from operator import attrgetter

MAGIC = b"assay cm index 4\n"
TAG = "\x1f"
NO_STAMP = (0, 0)
_LISTS = ("watched", "kinds", "about", "broken", "odd")
_COLUMNS = ("aliases", "uids", "tags")
_NUMBERS = ("stamps", "spots", "kind_of", "based", *(f"{name}_ends" for name in _COLUMNS))
# Several processes look at the files of a large repository; below this, starting one takes longer than it saves.
_WORTH_A_PROCESS = 3000
_MOST_PROCESSES = 4

Stamp = tuple[int, int]
# On Windows the change time is the time of creation.
stamp: Callable[[os.stat_result], Stamp] = attrgetter(
    *(("st_mtime_ns", "st_size") if os.name == "nt" else ("st_ctime_ns", "st_ino"))
)


class Column:
    """Many short texts as one, so that most of them are never made objects.

    Args:
        raw: bytes that hold the texts.
        begin: where the first begins.
        ends: where each ends, counted from there.
    """

    __slots__ = ("begin", "ends", "raw")

    def __init__(self, raw: bytes | bytearray, begin: int, ends: array[int]) -> None:
        self.raw, self.begin, self.ends = raw, begin, ends

    def __len__(self) -> int:
        return len(self.ends)

    def span(self, row: int) -> tuple[int, int]:
        """Where a text begins and ends in ``raw``."""
        return self.begin + (self.ends[row - 1] if row else 0), self.begin + self.ends[row]

    def __getitem__(self, row: int) -> str:
        begin, end = self.span(row)
        return decode(bytes(self.raw[begin:end]))

    def append(self, text: str) -> None:
        """Add a text to a column that is being made."""
        assert isinstance(self.raw, bytearray)
        self.raw += encode(text)
        self.ends.append(len(self.raw))

    @property
    def end(self) -> int:
        """Where the last text ends in ``raw``."""
        return self.begin + (self.ends[-1] if self.ends else 0)

    def count(self, part: bytes) -> int:
        """How often something is there."""
        return self.raw.count(part, self.begin, self.end)

    def holding(self, part: bytes) -> list[int]:
        """The rows whose text holds something, found without looking at each."""
        end = self.end
        found: list[int] = []
        at = self.raw.find(part, self.begin, end)
        while at >= 0:
            row = bisect_right(self.ends, at - self.begin)
            last = self.begin + self.ends[row]
            # Texts lie side by side: what begins in one and ends in the next is in neither.
            found += [row] if at + len(part) <= last else []
            at = self.raw.find(part, last if at + len(part) <= last else at + 1, end)
        return found

    def holds(self, row: int, part: bytes) -> bool:
        """Whether a text holds something."""
        return self.raw.find(part, *self.span(row)) >= 0


class Index:
    """The rows of one repository as columns of bytes, and what they were read from.

    Attributes:
        root: path of the repository.
        watched: files and folders below it that the rows depend on.
        stamps: two numbers for each of them.
        spots: for each row, which of ``watched`` is its folder, or its ``_cm.json``.
        aliases: alias of each row, empty for none.
        uids: uid of each.
        tags: tags of each, every one between separators.
        kinds: alias, separator and uid of each automation that there is.
        kind_of: for each row, which of ``kinds`` it is.
        based: rows that inherit, whose tags depend on other artifacts.
        about: alias and uid of the repository.
        broken: folder, separator and reason of each artifact that cannot be read.
        odd: folders that have to be read each time: what lies behind links.
    """

    __slots__ = ("based", "kind_of", "root", "spots", "stamps", *_LISTS, *_COLUMNS)

    def __init__(self, root: str) -> None:
        self.root = root
        self.stamps = array("q")
        self.spots, self.kind_of, self.based = array("I"), array("I"), array("I")
        self.watched: list[bytes] = []
        self.kinds: list[bytes] = []
        self.about: list[bytes] = []
        self.broken: list[bytes] = []
        self.odd: list[bytes] = []
        self.aliases = Column(bytearray(), 0, array("I"))
        self.uids = Column(bytearray(), 0, array("I"))
        self.tags = Column(bytearray(), 0, array("I"))

    def whole(self) -> bool:
        """Whether all columns have their length, and point to what there is."""
        rows = len(self.spots)
        columns = {len(self.aliases), len(self.uids), len(self.tags), len(self.kind_of)} == {rows}
        columns = columns and all(each.end <= len(each.raw) for each in (self.aliases, self.uids, self.tags))
        points = not rows or (max(self.spots) < len(self.watched) and max(self.kind_of) < len(self.kinds))
        points = points and (not self.based or max(self.based) < rows)
        return columns and points and len(self.stamps) == 2 * len(self.watched) > 0 and len(self.about) == 2


def encode(text: str) -> bytes:
    """A text as the index keeps it; file names may be no UTF-8."""
    return text.encode("utf-8", "surrogateescape")


def decode(raw: bytes) -> str:
    """A text from the index."""
    return raw.decode("utf-8", "surrogateescape")


def shown(text: str) -> str:
    """A stranger's text without what could steer a terminal."""
    return text if text.isprintable() else "".join(letter if letter.isprintable() else "?" for letter in text)


def dumps(index: Index) -> bytes:
    """The index as bytes: a line of lengths, lists of lines, columns, and numbers."""
    columns: list[Column] = [getattr(index, name) for name in _COLUMNS]
    lists: list[list[bytes]] = [getattr(index, name) for name in _LISTS]
    numbers = [index.stamps, index.spots, index.kind_of, index.based, *(column.ends for column in columns)]
    parts = [(len(lines), b"\n".join(lines)) for lines in lists]
    parts += [(len(column), bytes(column.raw)) for column in columns]
    parts += [(len(each), each.tobytes()) for each in numbers]
    lengths = "\t".join(f"{count} {len(body)}" for count, body in parts)
    return b"".join([MAGIC, encode(index.root), b"\n", lengths.encode(), b"\n", *(body for _, body in parts)])


def loads(raw: bytes, root: str) -> Index | None:
    """The index that :func:`dumps` wrote for a repository; None for anything else."""
    index = Index(root)
    try:
        if not raw.startswith(MAGIC):
            return None
        end = raw.index(b"\n", len(MAGIC))
        at = raw.index(b"\n", end + 1) + 1
        if raw[len(MAGIC) : end] != encode(root):
            return None
        names = (*_LISTS, *_COLUMNS, *_NUMBERS)
        lengths = [tuple(map(int, each.split(b" "))) for each in raw[end + 1 : at - 1].split(b"\t")]
        if len(raw) != at + sum(length for _, length in lengths):
            return None
        for name, (count, length) in zip(names, lengths, strict=True):
            if name in _COLUMNS:
                setattr(index, name, Column(raw, at, array("I")))
            elif name in _NUMBERS:
                _numbers(index, name).frombytes(raw[at : at + length])
            else:
                setattr(index, name, raw[at : at + length].split(b"\n") if count else [])
            at += length
    except ValueError:
        return None
    return index if index.whole() else None


def _numbers(index: Index, name: str) -> array[int]:
    column = name.removesuffix("_ends")
    numbers: array[int] = getattr(index, column).ends if column != name else getattr(index, name)
    return numbers


def load(path: str, root: str) -> Index | None:
    """The index kept in a file; None when there is none that can be used."""
    try:
        with open(path, "rb") as stream:
            return loads(stream.read(), root)
    except OSError:
        return None


def index_path(home: str, root: str) -> str:
    """The file that keeps the index of a repository; the index says whose it is, should two have one name."""
    name = "".join(letter if letter.isalnum() and letter.isascii() else "-" for letter in os.path.basename(root))[:40]
    number = 5381
    for byte in encode(root):
        number = (number * 33 + byte) % (1 << 64)
    return os.path.join(home, "cache", "cm", f"{name}-{number:016x}.index")


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
        many = may_fork and len(index.watched) >= _WORTH_A_PROCESS and hasattr(os, "fork")
        processes = min(os.cpu_count() or 1, _MOST_PROCESSES) if many else 1
        return _as_they_were(index.watched, index.stamps, folder, processes)
    finally:
        os.close(folder)


def _as_they_were(paths: list[bytes], stamps: array[int], folder: int, processes: int) -> bool:
    """Whether files have their stamps; each process looks at its share, this one at the last."""
    children = []
    for left in range(processes, 1, -1):
        share = len(paths) // left
        try:
            child = os.fork()
        except OSError:
            break
        if not child:
            # Nothing but this happens in the child, and nothing of the parent's is written or closed by it.
            same = False
            try:
                same = _stamps(paths[:share], folder) == stamps[: 2 * share]
            finally:
                os._exit(0 if same else 1)
        children.append(child)
        paths, stamps = paths[share:], stamps[2 * share :]
    mine = _stamps(paths, folder) == stamps
    theirs = [os.waitpid(child, 0)[1] == 0 for child in children]
    return mine and all(theirs)


def _stamps(paths: Iterable[bytes], folder: int) -> array[int]:
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
    tags = index.tags
    marks = sorted((encode(f"{TAG}{tag}{TAG}") for tag in wanted), key=tags.count)
    # The rarest tag leaves the fewest rows to look at.
    rows: Iterable[int] = tags.holding(marks[0]) if marks else range(len(index.spots))
    for mark in marks[1:]:
        rows = [row for row in rows if tags.holds(row, mark)]
    for tag in unwanted:
        mark = encode(f"{TAG}{tag}{TAG}")
        rows = [row for row in rows if not tags.holds(row, mark)]
    if kind:
        at = 1 if _is_uid(kind.casefold()) else 0
        fit = {
            number
            for number, each in enumerate(index.kinds)
            if decode(each).split(TAG)[at].casefold() == kind.casefold()
        }
        rows = [row for row in rows if index.kind_of[row] in fit]
    if name:
        names = index.uids if _is_uid(name.casefold()) else index.aliases
        rows = [row for row in rows if names[row].casefold() == name.casefold()]
    return list(rows)


def _is_uid(text: str) -> bool:
    return len(text) == 16 and not text.strip("0123456789abcdef")
