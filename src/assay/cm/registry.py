"""Which repositories there are: CM's own registry, which is only read, and assay's, which the user writes.

``$CM_REPOS/repos.json`` and ``$ASSAY_HOME/repos.json`` have one form, a list of paths, so that CM can be pointed at
either. A repository without ``cmr.yaml`` gets none written into it: what it is called is kept in
``repo-identities.json`` beside the list, which CM does not look at.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from assay.base.files import locked, read_json, write_json
from assay.base.settings import Settings
from assay.cm.meta import JsonObject, JsonValue, has_meta
from assay.cm.places import IDENTITIES, places, registered, resolved
from assay.cm.repository import META, Broken, Repository, open_repository
from assay.errors import AssayError, InvalidInputError, NotFoundError

_LOCK = ".repos.lock"


@dataclass(frozen=True, slots=True)
class Registry:
    """The lists of repositories of a home.

    Attributes:
        settings: where the home and CM's are.
    """

    settings: Settings

    def repositories(self) -> tuple[list[Repository], list[Broken]]:
        """Every repository that can be opened, in the order of precedence, and what is missing or broken."""
        home, cm_repos = self.settings.home, self.settings.cm_repos
        paths, wrong = places(str(home), str(cm_repos) if cm_repos else "")
        broken = [Broken(Path(text.partition(": ")[0]), text.partition(": ")[2]) for text in wrong]
        # The two local ones are made on first use: nobody has to be told that they are not there.
        may_be_missing = {str(folder / "repos" / "local") for folder in (home, cm_repos) if folder}
        identities = self._identities(strict=False)
        found: dict[Path, Repository] = {}
        for path in map(Path, paths):
            if str(path) in may_be_missing and not has_meta(path, META):
                continue
            try:
                # One repository by two paths is one repository.
                found.setdefault(path.resolve(), open_repository(path, identities.get(str(path))))
            except (AssayError, OSError) as error:
                broken.append(Broken(path, error.what if isinstance(error, AssayError) else str(error)))
        return list(found.values()), broken

    def add(self, path: Path, identity: JsonObject | None = None) -> Repository:
        """Register a repository; one that is registered already stays where it is in the list.

        Args:
            path: its root.
            identity: a description, and alias and uid for a repository that has no metadata of its own.

        Raises:
            NotFoundError: when there is no repository.
            InvalidInputError: when it or the registry is malformed.
            MachineError: when the registry cannot be written.
        """
        path = path.absolute()
        repository = open_repository(path, identity)
        with locked(self.settings.home / _LOCK, timeout_s=60):
            if has_meta(path, META):
                entries = self._entries()
                if path.resolve() not in self._resolved(entries):
                    write_json(self.settings.registry, [*entries, str(path)])
            if identity is not None:
                write_json(self._identities_path, {**self._identities(strict=True), str(path): dict(identity)})
        return repository

    def remove(self, path: Path) -> bool:
        """Take a repository from assay's registry; whether it was there.

        Raises:
            InvalidInputError: when the registry is malformed.
            MachineError: when it cannot be written.
        """
        with locked(self.settings.home / _LOCK, timeout_s=60):
            entries, identities = self._entries(), self._identities(strict=True)
            kept = [entry for entry in entries if _real(Path(resolved(str(self.settings.home), entry))) != _real(path)]
            named = {key: value for key, value in identities.items() if _real(Path(key)) != _real(path)}
            if kept != entries:
                write_json(self.settings.registry, kept)
            if named != identities:
                write_json(self._identities_path, dict(named))
        return kept != entries or named != identities

    def identity(self, path: Path) -> JsonObject:
        """What is kept here of a repository: its description, and its name when it has none; empty for nothing."""
        return self._identities(strict=True).get(str(path.absolute()), {})

    def owns(self, path: Path) -> bool:
        """Whether a repository is in assay's registry, rather than in CM's or local."""
        listed = self._resolved(self._entries()) | {_real(Path(key)) for key in self._identities(strict=False)}
        return _real(path) in listed

    @property
    def _identities_path(self) -> Path:
        return self.settings.home / IDENTITIES

    def _entries(self) -> list[str]:
        entries, reason = registered(str(self.settings.home))
        if reason:
            # Writing would throw away what somebody may still want to repair.
            raise InvalidInputError(
                reason.partition(": ")[2], where=self.settings.registry, hint="repair it, or delete it to start anew"
            )
        return entries

    def _resolved(self, entries: list[str]) -> set[Path]:
        return {_real(Path(resolved(str(self.settings.home), entry))) for entry in entries}

    def _identities(self, *, strict: bool) -> dict[str, dict[str, JsonValue]]:
        try:
            value = read_json(self._identities_path)
        except NotFoundError:
            return {}
        except InvalidInputError:
            if strict:
                raise
            return {}
        if not isinstance(value, dict) or not all(isinstance(item, dict) for item in value.values()):
            if strict:
                raise InvalidInputError("has to be a mapping of paths to identities", where=self._identities_path)
            return {}
        return value


def _real(path: Path) -> Path:
    return path.absolute().resolve()
