"""A submission tree as it lies on the disk: folders and files, in the order the disk lists them.

The order is that of ``os.listdir``, in which the official tools walk; rows come out in the same order as theirs.
Links are followed only to places inside the tree. Parts of a tree are read on their own, so that several processes
can read one tree.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec

from assay.errors import InvalidInputError, NotFoundError

_MAX_DEPTH = 40
_encode = msgspec.msgpack.Encoder().encode
_AS_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC

FileIdentity = tuple[int, int, int]
"""Size in bytes, time of the last change in nanoseconds, and inode: what tells a file from a changed one."""


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

    # Written out, not a dataclass: a round has 70,000 folders, and default factories are a tenth of listing them.
    __slots__ = ("files", "folders", "linked", "links", "outside", "special", "unreadable")

    def __init__(
        self,
        folders: dict[str, Folder] | None = None,
        files: dict[str, FileIdentity] | None = None,
        *,
        unreadable: str = "",
    ) -> None:
        self.folders: dict[str, Folder] = {} if folders is None else folders
        self.files: dict[str, FileIdentity] = {} if files is None else files
        self.links: dict[str, str] = {}
        self.outside: list[str] = []
        self.special: list[str] = []
        self.linked = False
        self.unreadable = unreadable

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

    def identity(self) -> bytes:
        """Bytes that change whenever a file or folder below is added, taken away or written to.

        They may change as well when the disk lists a folder in another order, which costs a second look.
        """
        listing = [
            (path, list(each.files.items()), list(each.links.items()), each.special, each.unreadable)
            for path, each in self.walk("")
        ]
        try:
            return _encode(listing)
        except ValueError:  # a name that is not UTF-8
            return repr(listing).encode("utf-8", "surrogateescape")


def require_tree(root: Path) -> None:
    """Tell a tree that is not there before anything is said about it.

    Raises:
        NotFoundError: when the root is not there.
        InvalidInputError: when it is no folder.
    """
    if not root.exists():
        raise NotFoundError("the tree is not there", where=root)
    if not root.is_dir():
        raise InvalidInputError(
            "the tree is no folder", where=root, expected="a folder with closed/, open/ or network/"
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
        require_tree(root)
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
        folder = self._list(full, full, None, descend, 0, levels)
        folder.linked = stat.S_ISLNK(status.st_mode)
        return folder

    def _inside(self, real: str) -> bool:
        return real == self._real or real.startswith(self._real + os.sep)

    def _list(
        self,
        path: str,
        name: str,
        above: int | None,
        descend: Callable[[str], bool] | None,
        depth: int,
        levels: int,
    ) -> Folder:
        """List a folder: ``name`` in the folder whose descriptor is ``above``, or anywhere when that is None.

        The system then looks up one name for each file instead of the whole path, a fifth of the time.
        """
        folder = Folder()
        try:
            descriptor = os.open(name, _AS_FOLDER if above is None else _AS_FOLDER | os.O_NOFOLLOW, dir_fd=above)
        except OSError as error:
            folder.unreadable = error.strerror or str(error)
            return folder
        try:
            inner = self._entries(path, descriptor, folder, depth, levels)
            for each in inner:
                wanted = depth + 1 < levels and (descend is None or descend(each))
                if depth + 1 >= _MAX_DEPTH:
                    folder.folders[each] = Folder(unreadable="too many folders in one another")
                elif wanted:
                    folder.folders[each] = self._list(f"{path}/{each}", each, descriptor, None, depth + 1, levels)
                else:
                    folder.folders[each] = Folder()
        finally:
            os.close(descriptor)
        return folder

    def _entries(self, path: str, descriptor: int, folder: Folder, depth: int, levels: int) -> list[str]:
        """Take in what is not a folder; the names of those that are."""
        files, inner = folder.files, []
        try:
            with os.scandir(descriptor) as entries:
                found = list(entries)
        except OSError as error:
            folder.unreadable = error.strerror or str(error)
            return []
        for entry in found:
            try:
                if entry.is_file(follow_symlinks=False):
                    status = entry.stat(follow_symlinks=False)
                    files[entry.name] = (status.st_size, status.st_mtime_ns, status.st_ino)
                elif entry.is_dir(follow_symlinks=False):
                    inner.append(entry.name)
                elif entry.is_symlink():
                    self._take_link(folder, path, entry.name, depth, levels)
                else:
                    folder.special.append(entry.name)
            except OSError as error:
                folder.special.append(entry.name)
                folder.unreadable = folder.unreadable or (error.strerror or str(error))
        return inner

    def _take_link(self, folder: Folder, path: str, name: str, depth: int, levels: int) -> None:
        """Take in a link that leads to a place inside, and does not lead round in a circle."""
        link = f"{path}/{name}"
        folder.links[name] = os.readlink(link)
        target = os.path.realpath(link)
        here = os.path.realpath(path)
        circle = here == target or here.startswith(target + os.sep)
        if circle or not self._inside(target) or not os.path.exists(target):
            folder.outside.append(name)
            return
        status = os.stat(target)
        if stat.S_ISDIR(status.st_mode):
            # Links to folders can multiply: each takes up as much of the depth as several plain folders.
            linked = Folder()
            if depth + 8 < min(levels, _MAX_DEPTH):
                linked = self._list(target, target, None, None, depth + 8, levels)
            linked.linked = True
            folder.folders[name] = linked
        elif stat.S_ISREG(status.st_mode):
            folder.files[name] = (status.st_size, status.st_mtime_ns, status.st_ino)
        else:
            folder.special.append(name)
