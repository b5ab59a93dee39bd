"""Writing a repository: add, update, copy, move and remove artifacts while its lock is held.

Every file is renamed into place, a copy becomes visible as a whole, and what is removed disappears at once: a reader
sees each artifact as it was or as it is.
"""

from __future__ import annotations

import re
import secrets
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from assay.base.files import machine_errors, write_atomic, write_json
from assay.cm.artifact import META, Artifact, Automation, is_artifact, read_artifact, union, write_artifact
from assay.cm.artifact_files import dump_yaml
from assay.cm.fields import Key, with_value, without
from assay.cm.indexing import current_index, matching
from assay.cm.meta import JsonObject, JsonValue, is_uid, new_uid
from assay.cm.names import Name, TagQuery, check_alias
from assay.cm.repository import Repository
from assay.errors import InvalidInputError, UsageError

IDENTITY = ("alias", "uid", "automation_alias", "automation_uid")
_RENAME = "assay move AUTOMATION ARTIFACT NEW-ALIAS"
_PART = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.@+=-]{0,199}")


@dataclass(frozen=True, slots=True)
class Editor:
    """The only writer of a repository while its lock is held; got from :meth:`Repository.editing`."""

    repository: Repository
    home: Path | None = None

    def get(self, automation: Automation, alias: str) -> Artifact | None:
        """The artifact of an alias, None when there is none.

        Raises:
            InvalidInputError: when a folder of that name is there and its metadata cannot be read.
        """
        folder = self.repository.root / automation.alias / check_alias(alias)
        if is_artifact(folder):
            artifact = read_artifact(folder)
            if artifact.alias == alias:
                return artifact
        # Folder names are a habit, not a rule: the metadata decide.
        hits = self._find(automation, Name(alias=alias))
        return hits[0] if hits else None

    def add(
        self,
        automation: Automation,
        alias: str,
        *,
        tags: tuple[str, ...] = (),
        meta: JsonObject | None = None,
        uid: str | None = None,
        as_yaml: bool = False,
    ) -> Artifact:
        """Add an artifact; ``as_yaml`` writes ``_cm.yaml``.

        Raises:
            UsageError: for an alias or uid that is taken, or an alias that cannot be one.
        """
        self._require_free(automation, alias, uid)
        return self._added(automation, alias, tags, meta, uid, as_yaml=as_yaml)

    def _added(
        self,
        automation: Automation,
        alias: str,
        tags: tuple[str, ...],
        meta: JsonObject | None,
        uid: str | None = None,
        *,
        as_yaml: bool = False,
    ) -> Artifact:
        whole: dict[str, JsonValue] = {
            **(meta or {}),
            "alias": alias,
            "uid": uid or new_uid(),
            "automation_alias": automation.alias,
            "automation_uid": automation.uid,
            "tags": union((), tags),
        }
        artifact = Artifact(self._new_folder(automation.alias, alias), whole)
        if as_yaml:
            write_atomic(artifact.path / f"{META}.yaml", dump_yaml(whole))
        else:
            write_artifact(artifact)
        return artifact

    def update(self, artifact: Artifact, *, tags: tuple[str, ...] = (), meta: JsonObject | None = None) -> Artifact:
        """Add tags and set fields of an artifact; its identity and everything else stay."""
        current = read_artifact(artifact.path)
        keep = {key: current.meta[key] for key in IDENTITY if key in current.meta}
        changed = Artifact(current.path, {**current.meta, **(meta or {}), **keep, "tags": union(current.tags, tags)})
        if changed.meta != current.meta:
            write_artifact(changed)
        return changed

    def ensure(
        self,
        automation: Automation,
        alias: str,
        *,
        tags: tuple[str, ...] = (),
        meta: JsonObject | None = None,
        among: Mapping[str, Artifact] | None = None,
    ) -> Artifact:
        """The artifact of an alias with these tags and fields, added when it is not there.

        Args:
            among: all artifacts of the kind by alias, for who ensures many and has looked once.
        """
        found = self.get(automation, alias) if among is None else among.get(alias)
        if found is None:
            return self._added(automation, alias, tags, meta)
        return self.update(found, tags=tags, meta=meta)

    def write_file(self, artifact: Artifact, name: str, value: JsonValue) -> Path:
        """Write a JSON file of an artifact, such as ``2026-11-23.20-15-00.000000/cm-result.json``.

        Raises:
            UsageError: for a path that leaves the artifact's folder, or its metadata.
        """
        parts = name.split("/")
        if not all(_PART.fullmatch(part) for part in parts) or parts[0].startswith("_cm."):
            raise UsageError(f"{name!r} cannot be a file of an artifact", expected="a relative path of plain names")
        target = artifact.path.joinpath(*parts)
        write_json(target, value)
        return target

    def change(
        self,
        artifact: Artifact,
        *,
        values: Mapping[Key, JsonValue] | None = None,
        gone: Iterable[Key] = (),
        tags: Iterable[str] = (),
        no_tags: Iterable[str] = (),
    ) -> Artifact:
        """Set fields and tags of an artifact, and take others away; everything else stays as it is.

        Raises:
            UsageError: for a field that is part of the identity, or that lies below one that is no mapping.
        """
        current = read_artifact(artifact.path)
        meta: JsonObject = current.meta
        for key in [*(values or {}), *gone]:
            if key[0] in IDENTITY:
                raise UsageError(f"{key[0]!r} is what an artifact is known by", expected="another field", hint=_RENAME)
        for key in gone:
            meta = without(meta, key)
        for key, value in (values or {}).items():
            meta = with_value(meta, key, value)
        changed = Artifact(current.path, meta)
        dropped = set(no_tags)
        wanted = [tag for tag in union(changed.tags, tuple(tags)) if tag not in dropped]
        if wanted != list(changed.tags):
            changed = Artifact(current.path, {**meta, "tags": wanted})
        if changed.meta != current.meta:
            write_artifact(changed)
        return changed

    def copy(self, source: Artifact, automation: Automation, alias: str, *, uid: str | None = None) -> Artifact:
        """A copy of an artifact, of this repository or another, with all its files under a new alias.

        Args:
            source: what is copied.
            automation: its kind.
            alias: of the copy.
            uid: of the copy; fresh unless given.

        Raises:
            UsageError: for an alias or uid that is taken, or an alias that cannot be one.
            MachineError: when it cannot be written.
        """
        self._require_free(automation, alias, uid)
        target = self._new_folder(automation.alias, alias)
        part = target.parent / f".{alias}.{secrets.token_hex(4)}.part"
        with machine_errors(target):
            try:
                # Links are copied as links: what they lead to is not the artifact's.
                shutil.copytree(source.path, part, symlinks=True)
                copied = read_artifact(part)
                meta = {**copied.meta, "alias": alias, "uid": uid or new_uid()}
                write_artifact(Artifact(part, meta))
                part.replace(target)
            finally:
                shutil.rmtree(part, ignore_errors=True)
        return Artifact(target, meta)

    def rename(self, artifact: Artifact, automation: Automation, alias: str) -> Artifact:
        """Give an artifact of this repository another alias, and its folder that name; its uid stays.

        Raises:
            UsageError: for an alias that is taken or cannot be one.
        """
        self._require_inside(artifact)
        if alias.casefold() != artifact.alias.casefold():
            self._require_free(automation, alias, None)
        check_alias(alias)
        renamed = Artifact(artifact.path, {**read_artifact(artifact.path).meta, "alias": alias})
        # The metadata decide, so whoever is interrupted here has renamed the artifact and not its folder.
        write_artifact(renamed)
        target = artifact.path.parent / alias
        if target.exists():
            return renamed
        with machine_errors(target):
            artifact.path.rename(target)
        return Artifact(target, renamed.meta)

    def remove(self, artifact: Artifact) -> None:
        """Delete an artifact and all its files.

        Raises:
            MachineError: when it cannot be deleted.
        """
        self._require_inside(artifact)
        with machine_errors(artifact.path):
            if artifact.path.is_symlink():
                artifact.path.unlink()
                return
            # Out of sight at once, then file by file.
            hidden = artifact.path.parent / f".{artifact.path.name}.{secrets.token_hex(4)}.gone"
            artifact.path.rename(hidden)
            shutil.rmtree(hidden)

    def _find(self, automation: Automation, name: Name) -> list[Artifact]:
        if self.home is None:
            return self.repository.find(automation, name)
        index = current_index(self.repository, self.home)
        hits = matching(index, automation.name, name, TagQuery())
        return [read_artifact(self.repository.path / hit.folder) for hit in hits]

    def _require_inside(self, artifact: Artifact) -> None:
        if not artifact.path.resolve().is_relative_to(self.repository.root.resolve()):
            raise InvalidInputError("the artifact is not in this repository", where=artifact.path)

    def _require_free(self, automation: Automation, alias: str, uid: str | None) -> None:
        if self.get(automation, alias) is not None:
            raise UsageError(
                f"there is already a {automation.alias} {alias!r}", where=self.repository.path, expected="another alias"
            )
        if uid is not None:
            if not is_uid(uid):
                raise UsageError(f"{uid!r} cannot be a uid", expected="16 lower-case hex digits")
            if self._find(automation, Name(uid=uid)):
                raise UsageError(
                    f"there is already a {automation.alias} {uid}", where=self.repository.path, expected="another uid"
                )

    def _new_folder(self, kind: str, alias: str) -> Path:
        """Where a new artifact goes; CM goes by metadata, so a folder of its name may hold something else."""
        kind_folder = self.repository.root / check_alias(kind)
        if kind_folder.is_symlink() and not kind_folder.resolve().is_relative_to(self.repository.root.resolve()):
            raise InvalidInputError(
                "the folder of the automation is a link that leaves the repository", where=kind_folder
            )
        folder = kind_folder / check_alias(alias)
        if folder.is_symlink() or is_artifact(folder) or (folder.exists() and not folder.is_dir()):
            raise UsageError(f"{alias!r} is taken by something else", where=folder, expected="another alias")
        return folder
