"""The server's own CM repository, ``<home>/repos/playground``: kept in git, written as commits by contributors.

Whoever writes holds the repository's lock from the first file to the commit. What is about to be written stands in a
journal beside it, so what a killed process left half-done is taken back before anything else is done.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from assay.base.files import locked, machine_errors, read_json, write_json
from assay.base.settings import Settings
from assay.cm import git
from assay.cm.editor import Editor
from assay.cm.git import Author
from assay.cm.meta import has_meta
from assay.cm.registry import Registry
from assay.cm.repository import META, Repository, create_repository, lock_of, open_repository
from assay.errors import AssayError

ALIAS = "playground"
_LOCK = ".playground.lock"
_JOURNAL = "assay-journal.json"
_WAIT_S = 600
_ASSAY = Author("assay", "assay@users.noreply.invalid")


def server_path(settings: Settings) -> Path:
    """Where the server's repository is, or will be."""
    return settings.repos_dir / ALIAS


def server_repository(settings: Settings) -> Repository:
    """The repository, made and registered on first use; what a killed process left half-done is taken back.

    Raises:
        MissingDependencyError: when it has to be made, or something taken back, and git is not installed.
        MachineError: when it cannot be written.
    """
    path = server_path(settings)
    if not (has_meta(path, META) and git.is_clone(path)):
        with locked(settings.home / _LOCK, timeout_s=_WAIT_S):
            _make(path)
    registry = Registry(settings)
    if not registry.owns(path):
        registry.add(path)
    if (path / ".git" / _JOURNAL).exists():
        with locked(lock_of(path), timeout_s=_WAIT_S):
            _take_back(path)
    return open_repository(path)


@dataclass(slots=True)
class Transaction:
    """Changes of the server's repository that become one commit, or nothing.

    Attributes:
        editor: writes artifacts.
        commit: the commit that was made; None before, and when nothing had changed.
    """

    editor: Editor
    commit: str | None = None
    _paths: list[str] = field(default_factory=list)

    @property
    def root(self) -> Path:
        """Root of the repository."""
        return self.editor.repository.path

    def will_write(self, *folders: Path) -> None:
        """Say what is written next; nothing may be written before.

        Args:
            folders: of artifacts, in the repository.
        """
        known = len(self._paths)
        for folder in folders:
            name = folder.relative_to(self.root).as_posix()
            if name not in self._paths:
                self._paths.append(name)
        if len(self._paths) > known:
            write_json(self.root / ".git" / _JOURNAL, self._paths)


@contextlib.contextmanager
def transaction(settings: Settings, author: Author, message: str) -> Iterator[Transaction]:
    """Write to the server's repository: all of it becomes one commit, or none of it stays.

    Args:
        settings: say where it is.
        author: who the commit is by.
        message: of the commit.

    Raises:
        MissingDependencyError: when git is not installed.
        MachineError: when it cannot be written.
    """
    repository = server_repository(settings)
    with repository.editing(timeout_s=_WAIT_S, home=settings.home) as editor:
        _take_back(repository.path)
        work = Transaction(editor)
        try:
            yield work
            work.commit = git.commit(repository.path, work._paths, author, message)
        except BaseException:
            _take_back(repository.path)
            raise
        _forget(repository.path)


def _make(path: Path) -> None:
    git.init(path)
    create_repository(path, ALIAS, fields={"name": "Results, contributors and reports of this playground"})
    git.commit(path, [f"{META}.yaml", ".gitignore"], _ASSAY, "A repository for what is contributed here")


def _take_back(path: Path) -> None:
    """Undo what the journal says was begun; the lock is held, so a lock that git left is a dead process's."""
    journal = path / ".git" / _JOURNAL
    if not journal.exists():
        return
    try:
        said = read_json(journal)
    except AssayError:
        # It is renamed into place whole, so this is none of ours; and nothing is written before it stands.
        said = []
    with machine_errors(path):
        for name in ("index.lock", "HEAD.lock", "refs/heads/main.lock"):
            (path / ".git" / name).unlink(missing_ok=True)
    git.restore(path, [each for each in said if isinstance(each, str)] if isinstance(said, list) else [])
    _forget(path)


def _forget(path: Path) -> None:
    with machine_errors(path):
        (path / ".git" / _JOURNAL).unlink(missing_ok=True)
