"""A CM repository: ``cmr.yaml`` or ``cmr.json`` at its root, artifacts two folders below.

Reading walks the files; nothing is cached, so nothing can be stale. Whoever writes holds the repository's
lock, and every file is renamed into place: writers side by side lose nothing, readers never see a half.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

from assay.base.files import locked, write_atomic
from assay.base.settings import Settings
from assay.cm.artifact import Artifact, Automation, is_artifact, read_artifact
from assay.cm.inherit import effective_meta
from assay.cm.meta import JsonObject, has_meta, new_uid, read_meta
from assay.cm.names import Name, TagQuery, check_alias
from assay.errors import AssayError, InvalidInputError, NotFoundError, unknown

if TYPE_CHECKING:
    from assay.cm.editor import Editor

META = "cmr"
LOCAL_ALIAS = "local"
LOCAL_UID = "9a3280b14a4285c9"
LOCK = ".assay.lock"


@dataclass(frozen=True, slots=True)
class Broken:
    """A folder whose metadata cannot be read, and why."""

    path: Path
    reason: str


@dataclass(frozen=True, slots=True)
class Repository:
    """A repository on disk.

    Attributes:
        path: its root.
        meta: every field of ``cmr.yaml`` and ``cmr.json``.
    """

    path: Path
    meta: JsonObject

    @property
    def alias(self) -> str:
        """Its alias, such as ``local`` or ``mlcommons@cm4mlperf-results``."""
        return str(self.meta.get("alias") or "")

    @property
    def uid(self) -> str:
        """Its uid."""
        return str(self.meta.get("uid") or "")

    @property
    def name(self) -> Name:
        """Alias and uid together."""
        return Name(self.alias, self.uid)

    @property
    def root(self) -> Path:
        """The folder that holds the automations: the root, or the sub-folder that ``prefix`` names."""
        return self.path / str(self.meta.get("prefix") or "")

    def scan(self, automation: Automation | None = None) -> Iterator[Artifact | Broken]:
        """Every artifact in the order of folder names, and what cannot be read.

        Args:
            automation: only artifacts of this kind.
        """
        for kind in folders_in(self.root):
            if automation is not None and not self._may_hold(kind, automation):
                continue
            for folder in folders_in(kind):
                if not is_artifact(folder):
                    continue
                try:
                    artifact = read_artifact(folder)
                except AssayError as error:
                    yield Broken(folder, str(error))
                    continue
                if automation is None or automation.name.fits(artifact.automation):
                    yield artifact

    def _may_hold(self, folder: Path, automation: Automation) -> bool:
        """Whether a folder holds artifacts of a kind; like CM, its first artifact decides."""
        if folder.name == automation.alias:
            return True
        for first in folders_in(folder):
            if is_artifact(first):
                try:
                    return automation.name.fits(read_artifact(first).automation)
                except AssayError:
                    return False
        return False

    def find(
        self, automation: Automation | None = None, name: Name | None = None, tags: TagQuery | None = None
    ) -> list[Artifact]:
        """Artifacts by kind, name (wildcards in the alias) and tags; unreadable folders are passed over."""
        wanted, query = name or Name(), tags or TagQuery()
        return [
            artifact
            for artifact in self.scan(automation)
            if isinstance(artifact, Artifact) and wanted.fits(artifact.name) and query.fits(artifact.tags)
        ]

    def load(self, automation: Automation, name: Name) -> Artifact:
        """The one artifact of a name.

        Raises:
            NotFoundError: for none (with the closest aliases) or several.
        """
        hits = self.find(automation, name)
        if len(hits) == 1:
            return hits[0]
        if hits:
            raise NotFoundError(
                f"{str(name)!r} fits {len(hits)} artifacts",
                where=self.path,
                found=", ".join(hit.alias or hit.uid for hit in hits[:4]),
            )
        raise unknown(automation.alias, str(name), [artifact.alias for artifact in self.find(automation)])

    def effective(self, artifact: Artifact) -> JsonObject:
        """The metadata of an artifact with its bases resolved inside this repository.

        Raises:
            NotFoundError: for a base that is not here.
            InvalidInputError: for bases in a circle.
        """
        return effective_meta(artifact, lambda kind, at: self.load(Automation(kind.alias, kind.uid), at.artifact))

    @contextlib.contextmanager
    def editing(self, *, timeout_s: float = 60, home: Path | None = None) -> Iterator[Editor]:
        """Hold the repository's lock and write; not to be nested.

        Args:
            timeout_s: how long to wait for the lock.
            home: assay's home, whose index tells quickly whether a name is taken.

        Raises:
            MachineError: when another process keeps the lock, or nothing can be written.
        """
        from assay.cm.editor import Editor

        with locked(lock_of(self.path), timeout_s=timeout_s):
            yield Editor(self, home)


def lock_of(path: Path) -> Path:
    """The lock file of a repository; inside ``.git`` where there is one, so that git does not see it."""
    return path / ".git" / "assay.lock" if (path / ".git").is_dir() else path / LOCK


def open_repository(path: Path, identity: JsonObject | None = None) -> Repository:
    """Open a repository.

    Args:
        path: its root.
        identity: what is kept elsewhere: a description, and for a repository that has no ``cmr.yaml`` alias and uid.

    Raises:
        NotFoundError: when the folder is not there or has no ``cmr.yaml`` and no ``cmr.json``.
        InvalidInputError: for malformed metadata, no alias or uid, or a prefix that leaves the folder.
    """
    if has_meta(path, META):
        described = {"desc": identity["desc"]} if identity and "desc" in identity else {}
        repository = Repository(path, {**read_meta(path, META), **described})
    elif identity is not None and path.is_dir():
        repository = Repository(path, identity)
    else:
        raise NotFoundError("no CM repository", where=path, expected="a folder with cmr.yaml or cmr.json")
    for key in ("alias", "uid"):
        if not repository.meta.get(key):
            raise InvalidInputError(f"the repository has no {key}", where=path / f"{META}.yaml")
    prefix = repository.meta.get("prefix")
    if prefix and not isinstance(prefix, str):
        raise InvalidInputError("the prefix is no text", where=f"{path / META}.yaml: prefix", found=repr(prefix))
    if not repository.root.resolve().is_relative_to(path.resolve()):
        raise InvalidInputError(
            "the prefix leaves the repository",
            where=f"{path / META}.yaml: prefix",
            found=str(repository.meta["prefix"]),
        )
    return repository


def create_repository(
    path: Path, alias: str, *, uid: str | None = None, fields: Mapping[str, str] | None = None
) -> Repository:
    """Make a repository in a new or empty folder; one that is there already is opened.

    Args:
        path: its root.
        alias: such as ``organisation@name``.
        uid: 16 hex digits; fresh unless given.
        fields: further fields of ``cmr.yaml``, such as ``desc``.

    Raises:
        UsageError: for an alias that cannot be one.
        MachineError: when the folder cannot be written.
    """
    check_alias(alias)
    with locked(lock_of(path), timeout_s=60):
        if not has_meta(path, META):
            meta = {**(fields or {}), "alias": alias, "uid": uid or new_uid(), "git": False}
            # The lock is nobody's content: it should not be committed with the repository.
            if not (path / ".gitignore").exists():
                write_atomic(path / ".gitignore", f"{LOCK}\n")
            write_atomic(
                path / f"{META}.yaml",
                yaml.safe_dump(meta, sort_keys=True, allow_unicode=True, default_flow_style=False),
            )
    return open_repository(path)


def local_repository(settings: Settings) -> Repository:
    """The repository that new results go to, made on first use.

    With ``CM_REPOS`` set to assay's home, CM itself takes it for its own ``local`` repository.

    Raises:
        InvalidInputError: when its metadata is malformed.
        MachineError: when it cannot be written.
    """
    if has_meta(settings.local_repo, META):
        return open_repository(settings.local_repo)
    return create_repository(settings.local_repo, LOCAL_ALIAS, uid=LOCAL_UID, fields={"name": "local CM repository"})


def folders_in(path: Path) -> list[Path]:
    """Sub-folders in the order of their names, hidden ones and links out of the folder left out."""
    try:
        entries = sorted(path.iterdir(), key=lambda entry: entry.name)
    except (FileNotFoundError, NotADirectoryError):
        return []
    root = path.resolve()
    return [
        entry
        for entry in entries
        if not entry.name.startswith(".")
        and entry.is_dir()
        and (not entry.is_symlink() or entry.resolve().is_relative_to(root))
    ]
