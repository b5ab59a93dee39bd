"""Files put in place whole: copies, replacements, and whole trees that appear under their name when they are done.

What is under way has a name of its own beside its target (:func:`part_of`), always the same one, so that what a
killed process left is overwritten by the next one and never stays in a submission.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import stat
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from assay.base.files import machine_errors, open_regular, read_json
from assay.base.progress import Progress, Step
from assay.errors import AssayError, InvalidInputError, UsageError
from assay.submission.tree import Folder, TreeReader

PART = ".assay-part"
_CHUNK = 1 << 20


def part_of(path: str) -> str:
    """The name under which a file or folder is made before it gets its own."""
    folder, name = os.path.split(path)
    return os.path.join(folder, f".{name}{PART}")


@dataclass(frozen=True, slots=True)
class Identity:
    """What tells a file from a changed one: size, time of the last change, inode, permissions."""

    size: int
    changed: int
    inode: int
    mode: int

    @classmethod
    def of(cls, path: str) -> Identity:
        """Identity of a file.

        Raises:
            OSError: when it is not there.
        """
        status = os.stat(path)
        return cls(status.st_size, status.st_mtime_ns, status.st_ino, stat.S_IMODE(status.st_mode))


def put(path: str, data: bytes, mode: int) -> None:
    """Give a file new content at once; the folder must be there.

    Raises:
        MachineError: when the machine refuses.
    """
    part = part_of(path)
    with machine_errors(Path(path)), _removed_on_error(part):
        with _fresh(part) as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(part, mode)
        os.replace(part, path)


def hash_file(path: str, step: Step) -> str:
    """SHA-256 of a file.

    Raises:
        OSError: when it cannot be read.
    """
    digest = hashlib.sha256()
    for chunk in _chunks(path):
        digest.update(chunk)
        step.advance(len(chunk))
    return digest.hexdigest()


def copy_file(source: str, target: str, step: Step, *, expected: str | None = None, sync: bool = False) -> str:
    """Copy a file with its permissions and times, and return its SHA-256; the target appears when it is whole.

    Args:
        expected: SHA-256 that the source must have, else nothing is put in place.
        sync: the copy is on the disk when this returns, for originals that are about to be replaced.

    Raises:
        InvalidInputError: when the source changes meanwhile, or is not what is expected.
        MachineError: when the machine refuses.
        OSError: when the source cannot be read.
    """
    part, before, digest = part_of(target), Identity.of(source), hashlib.sha256()
    with machine_errors(Path(target)):
        os.makedirs(os.path.dirname(target), exist_ok=True)
        with _removed_on_error(part):
            with _fresh(part) as file:
                for chunk in _chunks(source):
                    digest.update(chunk)
                    file.write(chunk)
                    step.advance(len(chunk))
                if sync:
                    file.flush()
                    os.fsync(file.fileno())
            if Identity.of(source) != before:
                raise InvalidInputError("the file changed while it was read", where=source)
            if expected is not None and digest.hexdigest() != expected:
                raise InvalidInputError(
                    "the file is not what it was", where=source, expected=expected, found=digest.hexdigest()
                )
            os.chmod(part, before.mode)
            os.utime(part, ns=(before.changed, before.changed))
            os.replace(part, target)
    return digest.hexdigest()


def remove_folder(path: str) -> None:
    """Take a folder away: it loses its name at once, then what is in it goes.

    Raises:
        MachineError: when the machine refuses.
    """
    part = part_of(path)
    with machine_errors(Path(path)):
        if os.path.isdir(part):
            shutil.rmtree(part)
        if os.path.isdir(path):
            os.replace(path, part)
            shutil.rmtree(part)


def flat(folder: Folder, path: str) -> Iterator[tuple[str, Folder]]:
    """A folder and all below, with those behind links that lead to places inside the tree."""
    yield path, folder
    for name, inner in folder.folders.items():
        yield from flat(inner, f"{path}/{name}" if path else name)


def refuse_strange(folder: Folder, path: str, root: str) -> None:
    """Refuse to copy what has links out of the tree, pipes or devices in it, or cannot be read.

    Raises:
        InvalidInputError: with the first such place.
    """
    for here, each in flat(folder, path):
        where = os.path.join(root, here)
        if each.outside:
            raise InvalidInputError(
                "the link leads out of the tree, to nowhere or in a circle",
                where=os.path.join(where, each.outside[0]),
                hint="put the file itself there",
            )
        if each.special:
            raise InvalidInputError(
                "this is neither file nor folder", where=os.path.join(where, each.special[0]), hint="remove it"
            )
        if each.unreadable:
            raise InvalidInputError("the folder cannot be read", where=where, found=each.unreadable)


@contextlib.contextmanager
def new_tree(
    reader: TreeReader,
    parts: Sequence[str],
    target: Path,
    *,
    tool: str,
    progress: Progress,
    wanted: Callable[[str], bool] = lambda _: True,
) -> Iterator[str]:
    """Copy parts of a tree, let the caller work on the copy, and give it its name when all is done.

    An interrupted copy is gone on with by the same call: files that are there in full are not copied again. What
    links lead to is copied in their place.

    Args:
        parts: folders relative to the root, such as ``closed/Acme``.
        target: must not be there.
        tool: what the copy is for; another tool's unfinished copy is not touched.
        wanted: which files to copy, by path relative to the root.

    Yields:
        The root of the copy that is under way.

    Raises:
        UsageError: when the target, or an unfinished copy of something else, is there.
        InvalidInputError: for links out of the tree and the like.
        MachineError: when the machine refuses.
    """
    staging = Path(part_of(os.path.abspath(target)))
    with machine_errors(target):
        if os.path.lexists(target):
            if staging.is_dir() and not (staging / "tree").exists():
                shutil.rmtree(staging)
            raise UsageError("the new tree is there already", where=target, hint="name a folder that is not there")
        folders, files = _all_below(reader, parts)
        _claim(staging, {"tool": tool, "tree": os.path.realpath(reader.root), "parts": list(parts)}, files)
        root = str(staging / "tree")
        for folder in folders:
            os.makedirs(os.path.join(root, folder), exist_ok=True)
        _copy_all(reader.root, root, {path: found for path, found in files.items() if wanted(path)}, progress)
        yield root
        os.replace(root, target)
        shutil.rmtree(staging)


_Files = dict[str, tuple[int, int, int]]


def _all_below(reader: TreeReader, parts: Sequence[str]) -> tuple[list[str], _Files]:
    """Folders and files of parts of a tree, by path relative to its root."""
    folders: list[str] = []
    files: _Files = {}
    for part in parts:
        folder = reader.read(part)
        refuse_strange(folder, part, reader.root)
        for here, each in flat(folder, part):
            folders.append(here)
            files |= {f"{here}/{name}": found for name, found in each.files.items()}
    return folders, files


def _claim(staging: Path, about: dict[str, object], files: _Files) -> None:
    """Take the place of an unfinished copy: go on with one of the same tree, begin anew when the tree has changed."""
    note = str(staging / "about.json")
    listing = hashlib.sha256(repr(sorted(files.items())).encode("utf-8", "surrogateescape")).hexdigest()
    if os.path.lexists(staging):
        try:
            before = read_json(Path(note), max_bytes=1 << 20)
        except AssayError:
            # A run that was killed at its very beginning leaves nothing but the note under another name.
            before = about if {*os.listdir(staging)} <= {os.path.basename(part_of(note))} else None
        if not isinstance(before, dict) or {**before, "listing": ""} != {**about, "listing": ""}:
            raise UsageError(
                "an unfinished copy of something else is in the way", where=staging, hint="remove it, or name another"
            )
        if before.get("listing") != listing:
            shutil.rmtree(staging)
    os.makedirs(staging, exist_ok=True)
    put(note, json.dumps({**about, "listing": listing}).encode(), 0o644)
    os.makedirs(staging / "tree", exist_ok=True)


def _copy_all(source: str, root: str, files: _Files, progress: Progress) -> None:
    step = progress.start("Copying", total=sum(size for size, _, _ in files.values()), unit="B")
    try:
        for path, (size, changed, _) in files.items():
            target = os.path.join(root, path)
            with contextlib.suppress(FileNotFoundError):
                status = os.stat(target)
                if (status.st_size, status.st_mtime_ns) == (size, changed):
                    step.advance(size)
                    continue
            copy_file(os.path.join(source, path), target, step)
    finally:
        step.finish()


def _fresh(path: str) -> BinaryIO:
    """A new file under a name that something a killed process left may have; a link there is not followed."""
    if os.path.isdir(path) and not os.path.islink(path):
        raise InvalidInputError("a folder stands where a file is made", where=path, hint="remove it")
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path)
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")


@contextlib.contextmanager
def _removed_on_error(path: str) -> Iterator[None]:
    try:
        yield
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(path)
        raise


def _chunks(path: str) -> Iterator[bytes]:
    with open_regular(path) as file:
        while chunk := file.read(_CHUNK):
            yield chunk
