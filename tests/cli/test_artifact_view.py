from __future__ import annotations

from pathlib import Path

import pytest

from assay.base.settings import Settings
from assay.cli.artifact_view import entry_document, show_entries, show_entry, tell_broken
from assay.cli.render import Output
from assay.cm.artifact import EXPERIMENT
from assay.cm.library import Library, open_library
from assay.cm.names import Address, Name
from assay.cm.registry import Registry
from assay.cm.repository import create_repository


@pytest.fixture
def library(tmp_path: Path) -> Library:
    settings = Settings(tmp_path / "home")
    repository = create_repository(tmp_path / "one", "me@one", uid="1" * 16)
    with repository.editing() as edit:
        edit.add(EXPERIMENT, "first", tags=("a", "b"), uid="2" * 16)
        edit.add(EXPERIMENT, "second-one", uid="3" * 16)
    Registry(settings).add(repository.path)
    return open_library(settings)


def test_a_document_says_where_it_is(library: Library, tmp_path: Path) -> None:
    assert entry_document(library.load(EXPERIMENT.name, Address(Name("first")))) == {
        "alias": "first",
        "uid": "2" * 16,
        "automation": {"alias": "experiment", "uid": EXPERIMENT.uid},
        "tags": ["a", "b"],
        "repository": {"alias": "me@one", "uid": "1" * 16, "path": str(tmp_path / "one")},
        "path": str(tmp_path / "one" / "experiment" / "first"),
    }


def test_entries_are_lines_and_one_is_a_page(library: Library, capsys: pytest.CaptureFixture[str]) -> None:
    entries = library.find(EXPERIMENT.name)
    show_entries(entries, Output())
    assert capsys.readouterr().out.splitlines() == [
        f"me@one:first       {'2' * 16}  a,b",
        f"me@one:second-one  {'3' * 16}",
    ]
    show_entry(entries[0], {"é": "\x1b"}, ["cfg::base"], Output())
    out = capsys.readouterr().out
    assert "bases       cfg::base" in out and '"\\u00e9": "\\u001b"' in out


def test_what_was_passed_over_is_told_on_stderr(
    library: Library, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tell_broken(library, Output())
    assert capsys.readouterr() == ("", "")
    (tmp_path / "one" / "experiment" / "first" / "_cm.json").write_text("[")
    Registry(Settings(tmp_path / "home")).settings.registry.write_text(f'["{tmp_path / "one"}", "/gone"]')
    tell_broken(open_library(Settings(tmp_path / "home")), Output())
    out, err = capsys.readouterr()
    assert out == "" and "passed over: /gone" in err and "1 unreadable artifact; assay repo verify" in err
