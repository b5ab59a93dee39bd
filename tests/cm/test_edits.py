from __future__ import annotations

import threading
from pathlib import Path

import pytest

from assay.base.settings import Settings
from assay.cm.artifact import EXPERIMENT
from assay.cm.edits import copy_to, move_to
from assay.cm.library import Library, open_library
from assay.cm.names import Address
from assay.cm.registry import Registry
from assay.cm.repository import create_repository
from assay.errors import UsageError


@pytest.fixture
def library(tmp_path: Path) -> Library:
    settings = Settings(tmp_path / "home")
    for name in ("one", "two"):
        repository = create_repository(tmp_path / name, f"me@{name}")
        Registry(settings).add(repository.path)
        with repository.editing() as edit:
            for number in range(4):
                edit.add(EXPERIMENT, f"{name}-{number}", tags=(name,))
    return open_library(settings)


def test_a_copy_has_a_uid_of_its_own_and_a_move_keeps_it(library: Library) -> None:
    one, two = library.repositories
    entry = library.load(EXPERIMENT.name, Address.parse("one-0"))
    copied = copy_to(entry, EXPERIMENT, two, "copy")
    assert copied.path.is_relative_to(two.path) and copied.uid != entry.name.uid
    moved = move_to(entry, EXPERIMENT, two, "moved")
    assert moved.uid == entry.name.uid and not entry.path.exists()
    renamed = move_to(library.load(EXPERIMENT.name, Address.parse("moved")), EXPERIMENT, two, "again")
    assert renamed.path.name == "again"
    assert len(library.find_in(one)) == 3 and len(library.find_in(two)) == 6


def test_what_is_taken_there_stays_here(library: Library) -> None:
    two = library.repositories[1]
    entry = library.load(EXPERIMENT.name, Address.parse("one-0"))
    with pytest.raises(UsageError, match="already"):
        move_to(entry, EXPERIMENT, two, "two-0")
    assert entry.path.exists() and len(library.find_in(two)) == 4


def test_moves_against_each_other_do_not_wait_for_ever(library: Library) -> None:
    one, two = library.repositories
    jobs = [(entry, two if entry.repository == one else one) for entry in library.find(EXPERIMENT.name)]
    threads = [
        threading.Thread(target=move_to, args=(entry, EXPERIMENT, target, entry.name.alias)) for entry, target in jobs
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert {entry.tags[0] for entry in library.find_in(one)} == {"two"}
    assert len(library.find_in(two)) == 4
