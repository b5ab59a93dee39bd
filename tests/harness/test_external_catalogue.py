from __future__ import annotations

import json
from pathlib import Path

import pytest

from assay.base.settings import Settings
from assay.errors import InvalidInputError, NotFoundError
from assay.harness.external.catalogue import find_implementation, load_implementations
from assay.rules.load import load_round

from .test_external_forms import write


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path / "home")


def test_every_shipped_implementation_runs_benchmarks_of_the_round(settings: Settings) -> None:
    known = load_implementations(settings)
    assert len([name for name in known if name.startswith("mlcommons-reference-")]) == 8
    for of in known.values():
        # The first DLRM left with v3.1.
        round_ = load_round("v3.0" if of.name.endswith("-dlrm") else "v3.1")
        for name in of.benchmarks:
            assert of.runs(round_.benchmark(name)), f"{of.name} does not run {name}"
        assert of.source
        assert of.needs.files


def test_the_users_own_replaces_a_repositorys_which_replaces_ours(settings: Settings, tmp_path: Path) -> None:
    repository, own = tmp_path / "repository", settings.home / "implementations"
    for folder in (repository / "implementations", own):
        folder.mkdir(parents=True)
    write(repository / "implementations", title="Of the repository")
    (settings.home / "repos.json").write_text(json.dumps([str(repository)]))
    assert find_implementation("mine", settings).title == "Of the repository"
    write(own, title="Of the user")
    assert find_implementation("Mine", settings).title == "Of the user"


def test_one_by_its_path(settings: Settings, tmp_path: Path) -> None:
    assert find_implementation(str(write(tmp_path)), settings).name == "mine"
    with pytest.raises(NotFoundError):
        find_implementation("./none.yaml", settings)


def test_an_unknown_name_comes_with_the_closest(settings: Settings) -> None:
    with pytest.raises(NotFoundError, match="mlcommons-reference-resnet50"):
        find_implementation("mlcommons-resnet50", settings)


def test_a_file_of_another_name_is_refused(settings: Settings) -> None:
    folder = settings.home / "implementations"
    folder.mkdir(parents=True)
    write(folder).rename(folder / "other.yaml")
    with pytest.raises(InvalidInputError, match=r"expected mine.yaml"):
        load_implementations(settings)
