"""A submission tree as it lies on the disk: folders and files, in the order the disk lists them.

The order is that of ``os.listdir``, in which the official tools walk; rows come out in the same order as theirs.
Links are followed only to places inside the tree. Parts of a tree are read on their own, so that several processes
can read one tree.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from assay.errors import InvalidInputError, NotFoundError

_MAX_DEPTH = 40

FileIdentity = tuple[int, int, int]
"""Size in bytes, time of the last change in nanoseconds, and inode: what tells a file from a changed one."""


@dataclass(slots=True)
class Folder:
    """A folder and everything below it.

    Attributes:
        folders: the folders in it, in the order of the disk.
        files: the regular files in it (links to such inside the tree, too).
        links: symbolic links in it, by name, with their text.
        outside: names of links that lead out of the tree, to nowhere or round in a circle.
        special: names that are neither file, folder nor link (pipes, sockets, devices).
        linked: the folder itself is reached through a link.
        unreadable: why the folder could not be listed; empty when it could.
    """

    folders: dict[str, Folder] = field(default_factory=dict)
    files: dict[str, FileIdentity] = field(default_factory=dict)
    links: dict[str, str] = field(default_factory=dict)
    outside: list[str] = field(default_factory=list)
    special: list[str] = field(default_factory=list)
    linked: bool = False
    unreadable: str = ""

    def at(self, *parts: str) -> Folder | None:
        """A folder below, None when it is not there."""
        folder: Folder | None = self
        for part in parts:
            folder = folder.folders.get(part) if folder is not None else None
        return folder

    def exists(self, name: str) -> bool:
        """Whether something of that name is in the folder."""
        return name in self.folders or name in self.files or name in self.special

    def walk(self, path: str) -> Iterator[tuple[str, Folder]]:
        """This folder and all below with their paths, links not followed, parents first."""
        pending = [(path, self)]
        while pending:
            here, folder = pending.pop()
            yield here, folder
            pending.extend(
                (f"{here}/{name}" if here else name, inner)
                for name, inner in reversed(folder.folders.items())
                if not inner.linked
            )

    def is_empty(self) -> bool:
        """Nothing is in it at all."""
        return not (self.folders or self.files or self.links or self.special)

    def identity(self) -> str:
        """A text that changes whenever a file or folder below is added, taken away or written to."""
        return repr(
            [
                (path, sorted(each.files.items()), sorted(each.links.items()), each.special, each.unreadable)
                for path, each in sorted(self.walk(""), key=lambda item: item[0])
            ]
        )


class TreeReader:
    """Reads parts of one tree.

    Args:
        root: root of the tree.

    Raises:
        NotFoundError: when the root is not there.
        InvalidInputError: when it is no folder.
    """

    def __init__(self, root: Path) -> None:
        if not root.exists():
            raise NotFoundError("the tree is not there", where=root)
        if not root.is_dir():
            raise InvalidInputError(
                "the tree is no folder", where=root, expected="a folder with closed/, open/ or network/"
            )
        self.root = os.path.abspath(root)
        self._real = os.path.realpath(root)

    def read(self, path: str, descend: Callable[[str], bool] | None = None, *, levels: int = _MAX_DEPTH) -> Folder:
        """Read a folder with everything below it.

        Args:
            path: relative to the root, ``""`` for the root.
            descend: which folders of this one are read as well (by name); all when None. The others are empty.
            levels: how many levels of folders are read; those below are empty.
        """
        full = os.path.join(self.root, path) if path else self.root
        try:
            status = os.lstat(full)
            real = os.path.realpath(full)
        except (OSError, ValueError) as error:
            return Folder(unreadable=str(error))
        if stat.S_ISLNK(status.st_mode) and not self._inside(real):
            return Folder(unreadable="the link leads out of the tree")
        folder = self._list(full, descend, 0, levels)
        folder.linked = stat.S_ISLNK(status.st_mode)
        return folder

    def _inside(self, real: str) -> bool:
        return real == self._real or real.startswith(self._real + os.sep)

    def _list(self, path: str, descend: Callable[[str], bool] | None, depth: int, levels: int) -> Folder:
        folder = Folder()
        try:
            with os.scandir(path) as entries:
                found = list(entries)
        except OSError as error:
            folder.unreadable = error.strerror or str(error)
            return folder
        files, inner = folder.files, []
        for entry in found:
            try:
                if entry.is_dir(follow_symlinks=False):
                    inner.append(entry)
                elif entry.is_file(follow_symlinks=False):
                    status = entry.stat(follow_symlinks=False)
                    files[entry.name] = (status.st_size, status.st_mtime_ns, status.st_ino)
                elif entry.is_symlink():
                    self._take_link(folder, entry, depth, levels)
                else:
                    folder.special.append(entry.name)
            except OSError as error:
                folder.special.append(entry.name)
                folder.unreadable = folder.unreadable or (error.strerror or str(error))
        for entry in inner:
            if depth >= _MAX_DEPTH:
                folder.folders[entry.name] = Folder(unreadable="too many folders in one another")
            else:
                wanted = depth + 1 < levels and (descend is None or descend(entry.name))
                folder.folders[entry.name] = self._list(entry.path, None, depth + 1, levels) if wanted else Folder()
        return folder

    def _take_link(self, folder: Folder, entry: os.DirEntry[str], depth: int, levels: int) -> None:
        """Take in a link that leads to a place inside, and does not lead round in a circle."""
        name = entry.name
        folder.links[name] = os.readlink(entry.path)
        target = os.path.realpath(entry.path)
        here = os.path.realpath(os.path.dirname(entry.path))
        circle = here == target or here.startswith(target + os.sep)
        if circle or not self._inside(target) or not os.path.exists(target):
            folder.outside.append(name)
            return
        status = os.stat(target)
        if stat.S_ISDIR(status.st_mode):
            # Links to folders can multiply: each takes up as much of the depth as several plain folders.
            linked = self._list(target, None, depth + 8, levels) if depth + 8 < min(levels, _MAX_DEPTH) else Folder()
            linked.linked = True
            folder.folders[name] = linked
        elif stat.S_ISREG(status.st_mode):
            folder.files[name] = (status.st_size, status.st_mtime_ns, status.st_ino)
        else:
            folder.special.append(name)
