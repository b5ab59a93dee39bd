from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from assay.base.settings import Settings
from assay.cli.artifact_quick import answer, lines
from assay.cli.main import run
from assay.cm import indexing
from assay.cm.artifact import EXPERIMENT
from assay.cm.names import Name
from assay.cm.registry import Registry
from assay.cm.repository import Repository, create_repository, local_repository

Capture = pytest.CaptureFixture[str]
PLAIN = [
    ["experiment"],
    ["EXPERIMENT", "One"],
    [EXPERIMENT.uid],
    ["experiment", "--tags", "a"],
    ["experiment", "--tags=a,-b"],
    ["experiment", "--tags", " a , ,-c"],
    ["cfg"],
]
WHOLE = [
    [],
    ["experiment", "o*"],
    ["experiment", "local:one"],
    ["experiment", "--json"],
    ["experiment", "one", "two"],
    ["experiment", "--where", "a=1"],
    ["experiment", ""],
    ["--help"],
]


@pytest.fixture
def repository(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Repository:
    """A local repository and a registered one, indexed as if they had been there for long."""
    monkeypatch.delenv("CM_REPOS", raising=False)
    monkeypatch.setattr(indexing, "_RACY_NS", -(10**15))
    with local_repository(Settings(home)).editing() as edit:
        edit.add(EXPERIMENT, "one", tags=("a", "b"))
        edit.add(EXPERIMENT, "two", tags=("a",))
    other = create_repository(tmp_path / "other", "me@other")
    Registry(Settings(home)).add(other.path)
    with other.editing() as edit:
        edit.add(EXPERIMENT, "three", tags=("a", "c"))
        edit.add(type(EXPERIMENT)("cfg", "88dce9c160324c5d"), "four")
    run(["find", "experiment", "-q"])
    return other


@pytest.mark.parametrize("arguments", PLAIN, ids=" ".join)
@pytest.mark.usefixtures("repository")
def test_the_quick_answer_is_that_of_the_whole_command(arguments: list[str], capsys: Capture) -> None:
    capsys.readouterr()
    quick = answer(arguments)
    assert quick
    assert run(["find", *arguments]) == 0
    assert quick == capsys.readouterr().out.splitlines()


@pytest.mark.parametrize("arguments", WHOLE, ids=" ".join)
@pytest.mark.usefixtures("repository")
def test_what_is_not_plain_is_left_to_the_whole_command(arguments: list[str]) -> None:
    assert answer(arguments) is None


def test_a_change_is_left_to_the_whole_command(repository: Repository, home: Path) -> None:
    assert answer(["experiment"]) is not None
    with repository.editing() as edit:
        edit.change(repository.load(EXPERIMENT, Name("three")), tags=["new"])
    assert answer(["experiment"]) is None
    run(["find", "experiment", "-q"])
    found = answer(["experiment", "--tags", "new"])
    assert found is not None and "me@other:three" in found[0]
    (repository.path / "experiment" / "bad").mkdir()
    (repository.path / "experiment" / "bad" / "_cm.json").write_text("{")
    run(["find", "experiment", "-q"])
    assert answer(["experiment"]) is None
    (home / "repos.json").write_text("{")
    assert answer(["experiment"]) is None


def test_a_repository_that_is_gone_has_to_be_told(repository: Repository, tmp_path: Path) -> None:
    repository.path.rename(tmp_path / "moved")
    assert answer(["experiment"]) is None


@pytest.mark.usefixtures("repository")
def test_one_repository_by_two_paths_is_found_once(home: Path, tmp_path: Path) -> None:
    before = answer(["experiment"])
    (tmp_path / "link").symlink_to(tmp_path / "other")
    (home / "repos.json").write_text(f'["{tmp_path / "other"}", "{tmp_path / "link"}"]')
    assert answer(["experiment"]) == before


@pytest.mark.usefixtures("repository")
def test_it_imports_nothing_that_takes_time(home: Path) -> None:
    code = (
        "import sys; from assay.cli.artifact_quick import answer; assert answer(['experiment', '--tags', 'a']);"
        "print(sorted({'json', 'dataclasses', 'pathlib', 'click', 'yaml', 'typing', 'assay.errors'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_lines_are_aligned_and_printable() -> None:
    assert lines([("local", "one", "1" * 16, "a,b"), ("me@x", "", "2" * 16, "")]) == [
        f"local:one              {'1' * 16}  a,b",
        f"me@x:{'2' * 16}  {'2' * 16}",
    ]
    assert lines([]) == [] and lines([("a\x1b[1m", "ü\n", "", "")]) == ["a?[1m:ü?"]


def test_the_console_prints_it(repository: Repository, home: Path) -> None:
    assay = str(Path(sys.executable).with_name("assay"))
    done = subprocess.run([assay, "find", "experiment", "--tags", "a,-c"], capture_output=True, text=True, check=True)
    assert [line.split()[0] for line in done.stdout.splitlines()] == ["local:one", "local:two"]


@pytest.mark.usefixtures("repository")
@pytest.mark.parametrize("theirs", ["~/CM", "CM", "/a/../b"])
def test_a_home_of_cm_that_has_to_be_looked_for_is_left_to_the_whole_command(
    theirs: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CM_REPOS", theirs)
    assert answer(["experiment"]) is None


@pytest.mark.usefixtures("repository")
def test_cms_repositories_are_in_the_quick_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    cm = tmp_path / "cm"
    with create_repository(cm / "repos" / "a@b", "a@b").editing() as edit:
        edit.add(EXPERIMENT, "theirs")
    (cm / "repos.json").write_text('["a@b"]')
    monkeypatch.setenv("CM_REPOS", f"{cm}/")
    assert answer(["experiment"]) is None
    run(["find", "experiment"])
    assert answer(["experiment"]) == capsys.readouterr().out.splitlines()
    assert "a@b:theirs" in "".join(answer(["experiment"]) or [])


def test_several_at_once_make_one_index(repository: Repository, home: Path) -> None:
    for place in (home / "cache" / "cm").iterdir():
        place.unlink()
    assay = str(Path(sys.executable).with_name("assay"))
    running = [subprocess.Popen([assay, "find", "experiment"], stdout=subprocess.PIPE, text=True) for _ in range(6)]
    said = {each.communicate(timeout=120)[0] for each in running}
    assert len(said) == 1 and len(said.pop().splitlines()) == 3
    assert sorted(path.suffix for path in (home / "cache" / "cm").iterdir()) == [".index", ".index"]
