"""All repositories together: where artifacts are looked for by automation, name, tags and fields.

A repository is what lies under its path: two of one alias or one uid stand side by side, and an address that fits
several artifacts is an error that says how to tell them apart.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from assay.base.settings import Settings
from assay.cm.artifact import KNOWN, Artifact, Automation, read_artifact
from assay.cm.index import Index, shown
from assay.cm.indexing import broken_folders, current_index, matching
from assay.cm.inherit import effective_meta
from assay.cm.meta import JsonObject
from assay.cm.names import Address, Name, TagQuery
from assay.cm.registry import Registry
from assay.cm.repository import Broken, Repository
from assay.errors import AssayError, NotFoundError, UsageError, nearest, unknown

Test = Callable[[Artifact], bool]
_ANYTHING = Name()
_SHOWN = 6


@dataclass(frozen=True, slots=True)
class Entry:
    """An artifact as the index knows it; its fields are read when they are asked for.

    Attributes:
        repository: the repository that it lies in.
        path: its folder.
        name: alias and uid.
        automation: what kind of thing it is.
        tags: with those of its bases, in the order they are written.
        inherits: it has a base.
    """

    repository: Repository
    path: Path
    name: Name
    automation: Name
    tags: tuple[str, ...]
    inherits: bool = False

    def read(self) -> Artifact:
        """The artifact with all its fields.

        Raises:
            NotFoundError: when it is gone meanwhile.
            InvalidInputError: when its metadata is malformed.
        """
        return read_artifact(self.path)

    @property
    def address(self) -> str:
        """``repository:alias``, as a command takes it."""
        return f"{self.repository.alias}:{self.name.alias or self.name.uid}"


@dataclass(frozen=True, slots=True)
class Library:
    """Repositories to look in.

    Attributes:
        repositories: in the order of precedence, local ones first.
        broken: those that are registered and missing or malformed.
        home: assay's home, whose cache keeps the indexes; None to do without.
        seen: the index of each repository as it was when it was last looked at.
    """

    repositories: tuple[Repository, ...]
    broken: tuple[Broken, ...] = ()
    home: Path | None = None
    seen: dict[Path, Index] = field(default_factory=dict, compare=False, repr=False)

    def find(
        self,
        automation: Name = _ANYTHING,
        address: Address | None = None,
        tags: TagQuery | None = None,
        where: Test | None = None,
    ) -> list[Entry]:
        """Artifacts of all repositories, in the order of repositories and folders.

        Args:
            automation: their kind; the empty name fits every kind.
            address: their name and repository, wildcards in aliases allowed.
            tags: what they have to be tagged with, and what not.
            where: a test of the artifact, with what it inherits; only those that answer all else are read for it. One
                whose metadata cannot be read fits no test.

        Raises:
            NotFoundError: for an address in a repository that is not there.
        """
        query = tags or TagQuery()
        found = (self._inherited(entry) for entry in self._own(automation, address or Address(_ANYTHING), query))
        return [each for each in found if query.fits(each.tags) and (where is None or self._answers(each, where))]

    def find_in(self, repository: Repository) -> list[Entry]:
        """All artifacts of one repository, with the tags that are their own."""
        return list(self._entries(repository, _ANYTHING, _ANYTHING, TagQuery()))

    def load(self, automation: Name, address: Address) -> Entry:
        """The one artifact of an address.

        Raises:
            NotFoundError: for none, with the closest aliases.
            UsageError: for several, with how to tell them apart.
        """
        return self._inherited(self._one(automation, address))

    def _one(self, automation: Name, address: Address) -> Entry:
        hits = self._own(automation, address)
        if len(hits) == 1:
            return hits[0]
        if not hits:
            kind, asked = automation.alias or automation.uid or "artifact", str(address.artifact)
            raise unknown(kind, asked, {shown(each.name.alias) for each in self._own(automation, Address(_ANYTHING))})
        raise UsageError(
            f"{str(address.artifact)!r} fits {len(hits)} artifacts",
            expected="one of them: its uid, or its repository's alias or path before a colon",
            found=", ".join(self.told(entry) for entry in hits[:_SHOWN]) + (", ..." if len(hits) > _SHOWN else ""),
        )

    def told(self, entry: Entry) -> str:
        """An entry by the shortest address that means it alone."""
        name, repository = entry.name, entry.repository
        same = self._own(entry.automation, Address(Name(alias=name.alias))) if name.alias else []
        text = name.alias if name.alias and len([e for e in same if e.repository == repository]) == 1 else name.uid
        twins = [each for each in self.repositories if each.alias.casefold() == repository.alias.casefold()]
        return shown(f"{repository.path if len(twins) > 1 else repository.alias}:{text}")

    def effective(self, entry: Entry) -> JsonObject:
        """The metadata of an artifact with its bases under it; a base in the same repository goes before others.

        Raises:
            NotFoundError: for a base that is not there.
            InvalidInputError: for bases that are ambiguous, in a circle or nested too deeply.
        """
        return effective_meta(entry.read(), self.lookup(entry.repository))

    def lookup(self, home: Repository) -> Callable[[Name, Address], Artifact]:
        """How artifacts of a repository find their bases."""

        def look(kind: Name, address: Address) -> Artifact:
            near = Library((home,), home=self.home)
            if address.repository == _ANYTHING and len(hits := near._own(kind, address)) == 1:
                return hits[0].read()
            return self._one(kind, address).read()

        return look

    def repository(self, text: str) -> Repository:
        """The one repository of an alias, a uid or a path.

        Raises:
            NotFoundError: for none, with the closest aliases.
            UsageError: for several, with their paths.
        """
        name = _repository_name(text)
        hits = self._in(name)
        if len(hits) > 1:
            raise UsageError(
                f"{text!r} fits {len(hits)} repositories",
                expected="the path of one of them",
                found=", ".join(str(each.path) for each in hits[:_SHOWN]),
            )
        return hits[0]

    def automation(self, text: str) -> Automation:
        """Alias and uid of a kind, from a name that may have only one of them.

        Raises:
            NotFoundError: for a kind that neither CM nor any artifact names.
            UsageError: when artifacts of that alias have several uids.
        """
        name = Name.parse(text)
        if name.alias and name.uid:
            return Automation(name.alias, name.uid)
        known = {kind for kind in KNOWN if name.fits(kind.name)} if name != _ANYTHING else set()
        if not known:
            seen = (
                {(each.automation.alias, each.automation.uid) for each in self._own(name, Address(_ANYTHING))}
                if text
                else set()
            )
            known = {Automation(alias, uid) for alias, uid in seen if alias and uid}
        if len(known) == 1:
            return known.pop()
        hint = "give both: alias,uid"
        if not known:
            raise unknown("automation", text, {kind.alias for kind in KNOWN} | set(self.kinds()), hint=hint)
        raise UsageError(
            f"{text!r} fits {len(known)} automations",
            found=", ".join(sorted(str(kind.name) for kind in known)),
            hint=hint,
        )

    def kinds(self) -> list[str]:
        """Aliases of all automations that there are artifacts of."""
        entries = self._own(_ANYTHING, Address(_ANYTHING))
        return sorted({shown(entry.automation.alias) for entry in entries if entry.automation.alias})

    def unreadable(self) -> list[Broken]:
        """Artifacts whose metadata could not be read when they were last looked for, and why."""
        return [
            Broken(repository.path / folder, reason)
            for repository in self.repositories
            for folder, reason in broken_folders(self.seen.get(repository.path) or self._index(repository))
        ]

    def _in(self, name: Name) -> list[Repository]:
        """The repositories that a name means, by path where it has a separator.

        Raises:
            NotFoundError: for none, with the closest aliases.
        """
        if "/" in name.alias or name.alias == ".":
            path = Path(name.alias).expanduser().absolute().resolve()
            # A dot means the repository that one is in.
            around = [path, *path.parents] if name.alias == "." else [path]
            hits = [each for each in self.repositories if each.path.resolve() in around]
        else:
            hits = [each for each in self.repositories if name.fits(each.name)]
        if not hits and name != _ANYTHING:
            close = nearest(str(name), [shown(each.alias) for each in self.repositories])
            raise NotFoundError(
                f"unknown repository {str(name)!r}", expected=" or ".join(close) or None, hint="assay repo list"
            )
        return hits

    def _own(self, automation: Name, address: Address, tags: TagQuery | None = None) -> list[Entry]:
        """Entries with the tags that are their own; those that inherit, whatever they are tagged with."""
        return [
            entry
            for repository in self._in(address.repository)
            for entry in self._entries(repository, automation, address.artifact, tags or TagQuery())
        ]

    def _inherited(self, entry: Entry) -> Entry:
        """An entry with the tags of its bases, too; as it is when they cannot be found."""
        if not entry.inherits:
            return entry
        try:
            whole = Artifact(entry.path, self.effective(entry))
        except AssayError:
            return entry
        return replace(entry, tags=tuple(dict.fromkeys(whole.tags)))

    def _answers(self, entry: Entry, where: Test) -> bool:
        try:
            artifact = Artifact(entry.path, self.effective(entry)) if entry.inherits else entry.read()
        except AssayError:
            return False
        return where(artifact)

    def _index(self, repository: Repository) -> Index:
        self.seen[repository.path] = current_index(repository, self.home)
        return self.seen[repository.path]

    def _entries(self, repository: Repository, automation: Name, named: Name, tags: TagQuery) -> Iterator[Entry]:
        for row in matching(self._index(repository), automation, named, tags):
            name, kind = Name(row.alias, row.uid), Name(row.kind, row.kind_uid)
            yield Entry(repository, repository.path / row.folder, name, kind, row.tags, row.inherits)


def open_library(settings: Settings) -> Library:
    """Every repository that is registered, with assay or with CM."""
    found, broken = Registry(settings).repositories()
    return Library(tuple(found), tuple(broken), settings.home)


def _repository_name(text: str) -> Name:
    return Name(alias=text) if "/" in text or text == "." else Name.parse(text)
