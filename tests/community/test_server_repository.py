from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from assay.base.settings import Settings
from assay.cm.artifact import EXPERIMENT
from assay.cm.git import Author
from assay.cm.registry import Registry
from assay.community.server_repository import ALIAS, server_repository, transaction
from assay.errors import MissingDependencyError

from ..cm.test_git import run_git
from .conftest import needs_git

pytestmark = needs_git
ADA = Author.of("ada", "Ada")


def state(root: Path) -> tuple[str, str]:
    """The commit, and what is not in it."""
    return run_git(root, "rev-parse", "HEAD"), run_git(root, "status", "--porcelain", "--ignored")


def test_it_is_made_registered_and_kept_in_git(settings: Settings) -> None:
    repository = server_repository(settings)
    assert (repository.alias, repository.path) == (ALIAS, settings.home / "repos" / "playground")
    assert [each.alias for each in Registry(settings).repositories()[0]] == [ALIAS]
    before = state(repository.path)
    assert before[1] == ""
    assert server_repository(settings).uid == repository.uid
    assert state(repository.path) == before


def test_changes_are_one_commit_by_their_author(settings: Settings) -> None:
    with transaction(settings, ADA, "two things") as work:
        work.will_write(work.root / "experiment" / "a", work.root / "experiment" / "b")
        work.editor.add(EXPERIMENT, "a")
        work.editor.add(EXPERIMENT, "b")
    assert work.commit == state(work.root)[0]
    assert state(work.root)[1] == ""
    said = run_git(work.root, "log", "-1", "--format=%an|%ae|%cn|%s", "--name-only").split("\n")
    assert said[0] == "Ada|ada@users.noreply.invalid|assay|two things"
    assert said[2:] == ["experiment/a/_cm.json", "experiment/b/_cm.json"]


def test_nothing_changed_is_no_commit(settings: Settings) -> None:
    with transaction(settings, ADA, "one") as work:
        work.will_write(work.root / "experiment" / "a")
        work.editor.add(EXPERIMENT, "a")
    with transaction(settings, ADA, "again") as again:
        again.will_write(again.root / "experiment" / "a")
        again.editor.ensure(EXPERIMENT, "a")
    assert again.commit is None
    assert state(work.root) == (work.commit, "")


def test_an_error_takes_everything_back(settings: Settings) -> None:
    with transaction(settings, ADA, "one") as work:
        work.will_write(work.root / "experiment" / "a")
        work.editor.add(EXPERIMENT, "a")
    with pytest.raises(ZeroDivisionError), transaction(settings, ADA, "two") as broken:
        broken.will_write(broken.root / "experiment" / "a", broken.root / "experiment" / "b")
        broken.editor.ensure(EXPERIMENT, "a", tags=("new",))
        broken.editor.add(EXPERIMENT, "b")
        raise ZeroDivisionError
    assert state(work.root) == (work.commit, "")


def test_what_somebody_edits_by_hand_is_neither_committed_nor_lost(settings: Settings) -> None:
    root = server_repository(settings).path
    (root / "notes.txt").write_text("mine")
    with transaction(settings, ADA, "one") as work:
        work.will_write(root / "experiment" / "a")
        work.editor.add(EXPERIMENT, "a")
    assert state(root)[1] == "?? notes.txt"
    with pytest.raises(ZeroDivisionError), transaction(settings, ADA, "two"):
        raise ZeroDivisionError
    assert (root / "notes.txt").read_text() == "mine"


KILLED = """
import os, signal, sys
from pathlib import Path
from assay.base.settings import Settings
from assay.cm.artifact import EXPERIMENT
from assay.cm.git import Author
from assay.community.server_repository import transaction
with transaction(Settings(Path(sys.argv[1])), Author.of("ada"), "never") as work:
    work.will_write(work.root / "experiment" / "half")
    artifact = work.editor.add(EXPERIMENT, "half")
    (work.root / ".git" / "index.lock").touch()
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_what_a_killed_process_left_is_taken_back(settings: Settings) -> None:
    root = server_repository(settings).path
    before = state(root)
    done = subprocess.run([sys.executable, "-c", KILLED, str(settings.home)], check=False)
    assert done.returncode == -signal.SIGKILL
    assert (root / "experiment" / "half").is_dir()
    server_repository(settings)
    assert not (root / "experiment" / "half").exists()
    assert state(root) == before
    with transaction(settings, ADA, "one") as work:
        work.will_write(root / "experiment" / "a")
        work.editor.add(EXPERIMENT, "a")
    assert state(root) == (work.commit, "")


def test_a_hook_is_not_run(settings: Settings) -> None:
    root = server_repository(settings).path
    hook = root / ".git" / "hooks" / "pre-commit"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\ntouch ran\nexit 1\n")
    hook.chmod(0o755)
    with transaction(settings, ADA, "one") as work:
        work.will_write(root / "experiment" / "a")
        work.editor.add(EXPERIMENT, "a")
    assert work.commit
    assert not (root / "ran").exists()


def test_without_git_it_is_told(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", os.devnull)
    with pytest.raises(MissingDependencyError, match="git is not installed"):
        server_repository(settings)
