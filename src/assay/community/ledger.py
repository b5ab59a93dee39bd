"""What was taken in: rows of accepted results in the server's repository, with evidence beside them.

``experiment/local--mlperf-inference--v3.1--edge--open--image-classification--offline/<time>/`` holds ``cm-result.json``
with the rows of one upload, ``cm-input.json`` that says whose they are, and ``evidence/<uid>/``. A result is known by its
performance log: the same log again is the same result, and somebody else's it stays.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec

from assay.base.files import read_json, write_atomic
from assay.base.settings import Settings
from assay.cm.artifact import CONTRIBUTOR, EXPERIMENT
from assay.cm.git import Author
from assay.community.candidate import Candidate
from assay.community.challenge import Challenge
from assay.community.contributor_entry import ensure_contributor
from assay.community.evidence import FOLDER, keep
from assay.community.outcome import Refusal
from assay.community.server_repository import ALIAS, Transaction, transaction
from assay.errors import AssayError
from assay.results.cm_row import ROW, cm_fields
from assay.results.experiments import INPUT_FILE, RESULT_FILE, alias_of, tags_of
from assay.results.row import Row

_ACCEPTED = "assay_accepted"
_MAX_INPUT = 16 << 20
_MAX_ROWS = 256 << 20


@dataclass(frozen=True, slots=True)
class Stamp:
    """What acceptance adds to a result.

    Attributes:
        now: UTC.
        access: who alone may see it; None for everybody.
        embargo: when everybody may, UTC text.
    """

    contributor: str
    display_name: str
    organisation: str
    now: datetime
    challenges: tuple[Challenge, ...] = ()
    access: str | None = None
    embargo: str | None = None

    @property
    def accepted(self) -> str:
        """The moment as rows hold it."""
        return self.now.strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass(frozen=True, slots=True)
class TakenEntry:
    """A result that is in the repository now; ``known`` when nothing of it changed."""

    row: Row
    path: str
    known: bool


@dataclass(frozen=True, slots=True)
class Taken:
    """What taking candidates gave."""

    entries: tuple[TakenEntry, ...] = ()
    refused: tuple[Refusal, ...] = ()
    commit: str | None = None


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a result of the repository is: the folder of its rows, and whose it is."""

    folder: Path
    contributor: str


def take(candidates: Sequence[Candidate], stamp: Stamp, author: Author, settings: Settings) -> Taken:
    """Write candidates into the server's repository as one commit.

    Raises:
        MissingDependencyError: without git.
        MachineError: when nothing can be written.
    """
    number = len(candidates)
    message = f"{number} {'result' if number == 1 else 'results'} by {stamp.contributor}"
    with transaction(settings, author, message) as work:
        writer = _Writer(work, stamp)
        for each in candidates:
            writer.look_at(each)
        writer.write()
    order = {each.path: number for number, each in enumerate(candidates)}
    entries = sorted(writer.entries, key=lambda each: order[each.path])
    return Taken(tuple(entries), tuple(writer.refused), work.commit)


def uid_of(digest: str, row: Row) -> str:
    """The uid of an accepted result: 16 hex digits that follow from its log and what it was run for."""
    parts = ("accepted", digest, row.round, row.benchmark, row.scenario, row.division)
    return hashlib.sha256("\0".join(parts).encode("utf-8", "replace")).hexdigest()[:16]


class _Writer:
    """Takes in the candidates of one upload while the repository's lock is held."""

    def __init__(self, work: Transaction, stamp: Stamp) -> None:
        self.entries: list[TakenEntry] = []
        self.refused: list[Refusal] = []
        self._work = work
        self._stamp = stamp
        self._there = dict(_places(work.root))
        self._fresh: dict[str, Candidate] = {}
        self._new: dict[str, list[tuple[Row, Candidate]]] = defaultdict(list)
        self._changed: dict[Path, dict[str, tuple[Row, Candidate]]] = defaultdict(dict)

    def look_at(self, each: Candidate) -> None:
        """Decide what becomes of a candidate."""
        uid = uid_of(each.digest, each.row)
        place = self._there.get(uid)
        if uid in self._fresh:
            same = self._fresh[uid].path
            self._refuse(each, f"its log is that of another result of this upload: {same}")
        elif place is not None and place.contributor != self._stamp.contributor:
            self._refuse(each, "its log was accepted before, from somebody else")
        elif place is not None:
            self._fresh[uid] = each
            self._again(uid, each, place)
        else:
            self._fresh[uid] = each
            self._new[alias_of(each.row)].append((self._stamped(uid, each.row), each))

    def write(self) -> None:
        """Write what changed: evidence first, then what says whose it is, then rows."""
        for folder, changes in self._changed.items():
            self._rewrite(folder, changes)
        for alias, found in sorted(self._new.items()):
            self._add(alias, found)
        if self._new or self._changed:
            self._contributor()

    def _refuse(self, each: Candidate, why: str) -> None:
        self.refused.append(Refusal(each.path, why, each.row.benchmark, each.row.scenario, ("log-known",)))

    def _stamped(self, uid: str, row: Row, old: Row | None = None) -> Row:
        """A row with what acceptance adds; of one that was there the moment stays, and challenges are added to."""
        stamp = self._stamp
        joined = tuple(dict.fromkeys((*(old.challenges if old else ()), *(each.uid for each in stamp.challenges))))
        first = old is None or not old.accepted or (joined and not old.challenges)
        return msgspec.structs.replace(
            row,
            uid=uid,
            contributor=stamp.contributor,
            challenges=joined,
            accepted=stamp.accepted if first else old.accepted if old else None,
            access=stamp.access,
            embargo=stamp.embargo,
            source=ALIAS,
            commit=None,
            url=None,
        )

    def _again(self, uid: str, each: Candidate, place: _Place) -> None:
        old = next((row for row in _rows(place.folder) if row.uid == uid), None)
        if old is None:
            self._changed[place.folder][uid] = (self._stamped(uid, each.row), each)
            return
        given = each.row
        if old.accuracies and not given.accuracies:
            # The performance run alone, of a result whose accuracy is known: nothing is forgotten.
            given = msgspec.structs.replace(old)
        new = self._stamped(uid, given, old)
        new = msgspec.structs.replace(new, logs=old.logs, location=old.location)
        if new == old:
            self.entries.append(TakenEntry(old, each.path, known=True))
        else:
            self._changed[place.folder][uid] = (new, each)

    def _add(self, alias: str, found: list[tuple[Row, Candidate]]) -> None:
        root = self._work.editor.repository.root
        self._work.will_write(root / EXPERIMENT.alias / alias)
        artifact = self._work.editor.ensure(EXPERIMENT, alias, tags=tags_of(row for row, _ in found))
        self._work.will_write(artifact.path)
        folder = artifact.path / self._folder_name(artifact.path, [row.uid for row, _ in found])
        rows = [self._with_evidence(folder, row, each) for row, each in found]
        said = {row.uid: {"digest": each.digest, "path": each.path} for row, each in found}
        self._save(folder, rows, said)
        self.entries += [TakenEntry(row, each.path, known=False) for row, (_, each) in zip(rows, found, strict=True)]

    def _rewrite(self, folder: Path, changes: dict[str, tuple[Row, Candidate]]) -> None:
        self._work.will_write(folder.parent)
        rows: list[Row] = []
        for old in _rows(folder):
            if old.uid not in changes:
                rows.append(old)
                continue
            row, each = changes[old.uid]
            rows.append(self._with_evidence(folder, row, each))
            self.entries.append(TakenEntry(rows[-1], each.path, known=False))
        # A row whose file lost it comes back.
        for uid, (row, each) in changes.items():
            if uid not in {known.uid for known in rows}:
                rows.append(self._with_evidence(folder, row, each))
                self.entries.append(TakenEntry(rows[-1], each.path, known=False))
        said = _said(folder).get("results", {})
        said |= {uid: {"digest": each.digest, "path": each.path} for uid, (_, each) in changes.items()}
        self._save(folder, rows, said)

    def _with_evidence(self, folder: Path, row: Row, each: Candidate) -> Row:
        kept = keep(each.evidence, folder / FOLDER / row.uid)
        location = (folder / FOLDER / row.uid).relative_to(self._work.root).as_posix()
        return msgspec.structs.replace(row, location=location, logs={**row.logs, **each.row.logs, **kept})

    def _save(self, folder: Path, rows: Iterable[Row], said: dict[str, Any]) -> None:
        ordered = sorted(rows, key=lambda row: row.uid)
        mine = {"contributor": self._stamp.contributor, "results": said}
        write_atomic(folder / INPUT_FILE, _json({"action": "accept", "automation": "experiment", _ACCEPTED: mine}))
        write_atomic(folder / RESULT_FILE, _json([{**cm_fields(row), ROW: row} for row in ordered]))

    def _folder_name(self, experiment: Path, uids: list[str]) -> str:
        """CM's name for a set of results, the time; its microseconds come from the results, so that two differ."""
        key = hashlib.sha256("\0".join(uids).encode()).hexdigest()
        name = f"{self._stamp.now.strftime('%Y-%m-%d.%H-%M-%S')}.{int(key, 16) % 10**6:06d}"
        return name if not (experiment / name).exists() else f"{name}.{key[:4]}"

    def _contributor(self) -> None:
        """Complete the contributor's entry; what not everybody may see leaves no trace in it."""
        stamp = self._stamp
        if stamp.access is not None:
            return
        root = self._work.editor.repository.root
        self._work.will_write(root / CONTRIBUTOR.alias / stamp.contributor)
        ensure_contributor(
            self._work.editor,
            stamp.contributor,
            name=stamp.display_name,
            organisation=stamp.organisation,
            challenges=[each.uid for each in stamp.challenges],
            day=stamp.now.strftime("%Y%m%d"),
        )


def _places(root: Path) -> Iterable[tuple[str, _Place]]:
    """Every accepted result of a repository."""
    for path in sorted((root / EXPERIMENT.alias).glob(f"*/*/{INPUT_FILE}")):
        said = _said(path.parent)
        results = said.get("results")
        if isinstance(results, dict):
            for uid in results:
                yield str(uid), _Place(path.parent, str(said.get("contributor") or ""))


def _said(folder: Path) -> dict[str, Any]:
    """Whose a folder of results is; empty for one of another kind."""
    try:
        whole = read_json(folder / INPUT_FILE, max_bytes=_MAX_INPUT)
    except AssayError:
        return {}
    found = whole.get(_ACCEPTED) if isinstance(whole, dict) else None
    return found if isinstance(found, dict) else {}


def _rows(folder: Path) -> list[Row]:
    """The accepted rows of a folder."""
    try:
        given = read_json(folder / RESULT_FILE, max_bytes=_MAX_ROWS)
        return [msgspec.convert(each[ROW], Row) for each in given]
    except (AssayError, KeyError, TypeError, msgspec.ValidationError):
        return []


def _json(value: object) -> bytes:
    """JSON as CM writes it: sorted keys, two spaces, a line end."""
    return msgspec.json.format(msgspec.json.encode(value, order="sorted"), indent=2) + b"\n"
