"""Texts that lie beside the metadata of an entry: bounded, of the entry's own folder, never through a link out of it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from assay.base.files import open_regular
from assay.base.units import format_size
from assay.cm.artifact import META
from assay.errors import InvalidInputError

_LONGEST = 1 << 20
_MOST = 50
_MAIN = ("README.md", "info.html")

Stamp = tuple[tuple[str, int, int, int], ...]


@dataclass(frozen=True, slots=True)
class Text:
    """A text: its name in the entry's folder and its content."""

    name: str
    content: str


def read_texts(folder: Path) -> tuple[list[Text], list[str]]:
    """The main text of an entry (``README.md``, else ``info.html``), then ``docs/*.md``; and what cannot be read."""
    found: list[Text] = []
    wrong: list[str] = []
    main = next((name for name in _MAIN if (folder / name).is_file()), None)
    docs = _docs(folder)
    if len(docs) > _MOST:
        wrong.append(f"{folder / 'docs'}: {len(docs)} texts; the first {_MOST} are shown")
    for name in [*([main] if main else []), *docs[:_MOST]]:
        try:
            found.append(Text(name, read_text(folder, name)))
        except InvalidInputError as error:
            wrong.append(str(error))
    return found, wrong


def read_text(folder: Path, name: str) -> str:
    """A text of a folder.

    Raises:
        InvalidInputError: when it is too long, no UTF-8, or a link that leaves the folder.
    """
    path = folder / name
    if not path.resolve().is_relative_to(folder.resolve()):
        raise InvalidInputError("the file is a link that leaves its folder", where=path)
    try:
        with open_regular(path) as stream:
            raw = stream.read(_LONGEST + 1)
    except OSError as error:
        raise InvalidInputError(f"cannot be read: {error.strerror}", where=path) from error
    if len(raw) > _LONGEST:
        raise InvalidInputError("file is too large", where=path, expected=f"at most {format_size(_LONGEST)}")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidInputError("file is not UTF-8 text", where=path) from error


def stamp_of(folder: Path) -> Stamp:
    """Name, size, time and inode of everything that an entry is read from: another stamp means another entry."""
    names = [f"{META}.yaml", f"{META}.json", *_MAIN, *_docs(folder)[: _MOST + 1]]
    found = []
    for name in names:
        try:
            status = (folder / name).stat()
        except OSError:
            continue
        found.append((name, status.st_size, status.st_mtime_ns, status.st_ino))
    return tuple(found)


def title_of(text: str, name: str) -> str:
    """The first Markdown heading of a text, else its name without its ending."""
    for line in text.splitlines()[:50]:
        if line.startswith("#") and (words := line.lstrip("#").strip()):
            return words[:200]
    return name.rpartition("/")[2].rpartition(".")[0] or name


def _docs(folder: Path) -> list[str]:
    """Names of ``docs/*.md``; none where ``docs`` is a link."""
    try:
        with os.scandir(folder / "docs") as entries:
            names = [each.name for each in entries if each.name.endswith(".md") and not each.name.startswith(".")]
    except OSError:
        return []
    return [] if (folder / "docs").is_symlink() else [f"docs/{name}" for name in sorted(names)]
