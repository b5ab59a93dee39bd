"""Building the index of a repository, and bringing it up to date with what lies on the disk.

What has its old stamp keeps its old row; everything else is read. See :mod:`assay.cm.index` for what is watched.
"""

from __future__ import annotations

import contextlib
import os
import time
from array import array
from bisect import bisect_left
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from assay.base.files import write_atomic
from assay.cm.artifact import META, Artifact, read_artifact
from assay.cm.index import (
    NO_STAMP,
    TAG,
    Index,
    Stamp,
    decode,
    dumps,
    encode,
    index_path,
    load,
    select,
    stamp,
    unchanged,
)
from assay.cm.meta import read_json_meta
from assay.cm.names import Name, TagQuery
from assay.cm.repository import META as REPOSITORY_META
from assay.cm.repository import Repository, folders_in
from assay.errors import AssayError, MachineError

# Coarser than the clock of any file system in use but FAT, whose stamps are two seconds apart.
_RACY_NS = 2_000_000_000
_DECIDING = frozenset({"alias", "uid", "automation_alias", "automation_uid", "tags"})


@dataclass(frozen=True, slots=True)
class Row:
    """What the index says of one artifact.

    Attributes:
        folder: relative to the repository's root.
        alias: empty for none.
        uid: empty for none.
        kind: alias of its automation; the folder's name where it names none.
        kind_uid: uid of its automation.
        tags: its own, in the order they are written.
        inherits: it has a base, whose tags are its, too.
    """

    folder: str
    alias: str
    uid: str
    kind: str
    kind_uid: str
    tags: tuple[str, ...]
    inherits: bool = False


def current_index(repository: Repository, home: Path | None) -> Index:
    """The index of a repository as it lies on the disk now, kept in assay's cache when there is a home."""
    root = str(repository.path)
    place = index_path(str(home), root) if home is not None else None
    old = load(place, root) if place is not None else None
    if old is not None and not old.odd and unchanged(old):
        return old
    index = _Builder(repository, old).build()
    if place is not None and "\n" not in root and _encodes(root):
        # A home that cannot be written makes the next search slower, and no more.
        with contextlib.suppress(MachineError, OSError):
            write_atomic(Path(place), dumps(index))
    return index


def rows(index: Index) -> Iterator[Row]:
    """The rows of an index."""
    return (row_at(index, number) for number in range(len(index.spots)))


def row_at(index: Index, number: int) -> Row:
    """One row of an index."""
    kind, _, kind_uid = decode(index.kinds[index.kind_of[number]]).partition(TAG)
    tags = index.tags[number]
    return Row(
        decode(index.watched[index.spots[number]]).removesuffix(f"/{META}.json"),
        index.aliases[number],
        index.uids[number],
        kind,
        kind_uid,
        tuple(tags[1:-1].split(TAG)) if tags else (),
        _has(index.based, number),
    )


def _has(numbers: array[int], number: int) -> bool:
    """Whether a number is among ascending ones."""
    at = bisect_left(numbers, number)
    return at < len(numbers) and numbers[at] == number


def broken_folders(index: Index) -> Iterator[tuple[str, str]]:
    """Folders whose metadata cannot be read, and why."""
    for line in index.broken:
        folder, _, reason = decode(line).partition(TAG)
        yield folder, reason


def matching(index: Index, automation: Name, name: Name, tags: TagQuery) -> Iterator[Row]:
    """Rows of an automation with a name and tags, wildcards allowed; column by column, for most rows are no hits.

    Rows that inherit are there whatever their own tags are: it takes their bases to know.
    """
    numbers = select(index, "", "", tags.wanted, tags.unwanted)
    if index.based and (tags.wanted or tags.unwanted):
        numbers = sorted({*numbers, *index.based})
    if automation != Name():
        fit = {number for number, kind in enumerate(index.kinds) if automation.fits(Name(*decode(kind).split(TAG)[:2]))}
        numbers = [number for number in numbers if index.kind_of[number] in fit]
    if name != Name():
        numbers = [number for number in numbers if name.fits(Name(index.aliases[number], index.uids[number]))]
    return (row_at(index, number) for number in numbers)


class _Builder:
    """One pass over a repository."""

    def __init__(self, repository: Repository, old: Index | None) -> None:
        self.repository = repository
        self.index = Index(str(repository.path))
        self.index.about = [encode(_line(repository.alias)), encode(_line(repository.uid))]
        self.kinds: dict[bytes, int] = {}
        self.now = time.time_ns()
        stamps = old.stamps.tolist() if old is not None else []
        groups = zip(*[iter(stamps)] * 2, strict=True)
        self.stamps: dict[str, Stamp] = (
            dict(zip(map(decode, old.watched), groups, strict=True)) if old is not None else {}
        )
        self.rows = {row.folder: row for row in rows(old)} if old is not None else {}
        self.broken = dict(broken_folders(old)) if old is not None else {}

    def build(self) -> Index:
        """Look at every folder; read what is new or changed."""
        for name in ("", f"{REPOSITORY_META}.yaml", f"{REPOSITORY_META}.json", *self._prefixes()):
            self._watch_there(name or ".")
        for kind in folders_in(self.repository.root):
            within = self._name(kind)
            self._watch_there(within)
            for name, linked in _sub_folders(kind):
                self._look(f"{within}/{name}", linked=linked or kind.is_symlink())
        return self.index

    def _prefixes(self) -> list[str]:
        """The folders on the way to the artifacts."""
        relative = self.repository.root.relative_to(self.repository.path)
        return [part.as_posix() for part in (relative, *relative.parents) if part.parts]

    def _look(self, name: str, *, linked: bool) -> None:
        if "\n" in name or TAG in name or not _encodes(name):
            self._add_broken(_line(name), "the folder's name does not fit in a line of text")
            return
        if linked:
            # What lies behind a link changes without a trace on this side.
            self.index.odd.append(encode(name))
            self._watch_all(dict.fromkeys(self._read(name)))
            return
        watched = [path for path in (name, f"{name}/{META}.json", f"{name}/{META}.yaml") if path in self.stamps]
        if watched and all(self._stamp(path) == self.stamps[path] != NO_STAMP for path in watched):
            if name in self.rows:
                self._add(self.rows[name])
            elif name in self.broken:
                self._add_broken(name, self.broken[name])
            self._watch_all({path: self.stamps[path] for path in watched})
            return
        self._watch_all(self._read(name))

    def _read(self, name: str) -> dict[str, Stamp | None]:
        """Read an artifact and tell what to watch; stamps are taken before, so that a change meanwhile is seen next time."""
        folder = self.repository.path / name
        whole, half = f"{name}/{META}.json", f"{name}/{META}.yaml"
        stamps = {path: found for path in (name, whole, half) if (found := self._stamp(path)) is not None}
        try:
            alone = whole in stamps and half not in stamps
            if alone and (meta := read_json_meta(folder / f"{META}.json")).keys() >= _DECIDING:
                self._add(self._row(Artifact(folder, meta), name))
                # A link can be led elsewhere: then its folder changes.
                return dict(stamps) if (folder / f"{META}.json").is_symlink() else {whole: stamps[whole]}
            if whole in stamps or half in stamps:
                self._add(self._row(read_artifact(folder), name))
        except (AssayError, OSError) as error:
            self._add_broken(name, _line(str(error)))
        return dict(stamps)

    def _row(self, artifact: Artifact, name: str) -> Row:
        kind = artifact.automation
        if not kind.alias and not kind.uid:
            kind = type(kind)(alias=artifact.path.parent.name)
        # Texts that do not fit in a line are no names or tags that anybody could ask for.
        alias, uid, kind_alias, kind_uid, *tags = map(
            _line, (artifact.alias, artifact.uid, kind.alias, kind.uid, *artifact.tags)
        )
        own = tuple(tag for tag in tags if tag)
        return Row(name, alias, uid, kind_alias, kind_uid, own, inherits=bool(artifact.meta.get("_base")))

    def _add(self, row: Row) -> None:
        """A row, whose folder or file is what is watched next."""
        index, kind = self.index, encode(f"{row.kind}{TAG}{row.kind_uid}")
        if kind not in self.kinds:
            self.kinds[kind] = len(index.kinds)
            index.kinds.append(kind)
        if row.inherits:
            index.based.append(len(index.spots))
        index.spots.append(len(index.watched))
        index.kind_of.append(self.kinds[kind])
        index.aliases.append(row.alias)
        index.uids.append(row.uid)
        index.tags.append(TAG + TAG.join(row.tags) + TAG if row.tags else "")

    def _add_broken(self, folder: str, reason: str) -> None:
        self.index.broken.append(encode(f"{folder}{TAG}{reason}"))

    def _watch_there(self, path: str) -> None:
        found = self._stamp(path)
        if found is not None:
            self._watch_all({path: found})

    def _watch_all(self, stamps: Mapping[str, Stamp | None]) -> None:
        for path, found in stamps.items():
            # Too young to be told from what may be written in the same tick of the clock.
            young = found is None or found[0] > self.now - _RACY_NS
            self.index.watched.append(encode(path))
            self.index.stamps.extend(NO_STAMP if found is None or young else found)

    def _stamp(self, path: str) -> Stamp | None:
        try:
            found = stamp(os.stat(f"{self.index.root}/{path}"))
        except (OSError, ValueError):
            return None
        # Numbers that do not fit are those of no file that could be compared.
        return found if all(-(1 << 63) <= number < 1 << 63 for number in found) else NO_STAMP

    def _name(self, folder: Path) -> str:
        return folder.relative_to(self.repository.path).as_posix()


def _sub_folders(kind: Path) -> list[tuple[str, bool]]:
    """Names of the folders in one, and whether each is a link; as :func:`folders_in` finds them, without a path each."""
    with os.scandir(kind) as entries:
        listed = sorted((entry.name, entry.is_symlink()) for entry in entries if entry.is_symlink() or entry.is_dir())
    if not any(linked for _, linked in listed):
        return [(name, False) for name, _ in listed if not name.startswith(".")]
    links = dict(listed)
    return [(folder.name, links.get(folder.name, True)) for folder in folders_in(kind)]


def _line(text: str) -> str:
    """A text made to fit in a line of the index."""
    whole = text.replace("\n", " ").replace(TAG, " ")
    return whole if _encodes(whole) else whole.encode("utf-8", "replace").decode()


def _encodes(text: str) -> bool:
    try:
        return text.encode("utf-8", "surrogateescape").decode("utf-8", "surrogateescape") == text
    except UnicodeError:
        return False
