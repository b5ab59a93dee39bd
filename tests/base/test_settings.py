from __future__ import annotations

from pathlib import Path

import pytest

from assay.base.settings import Settings, child_environment, debug_wanted, load_settings


def test_home_from_the_environment(tmp_path: Path) -> None:
    settings = load_settings({"ASSAY_HOME": str(tmp_path)})
    assert settings == Settings(tmp_path, offline=False)
    assert settings.assets_dir == tmp_path / "assets"
    assert settings.runs_dir == tmp_path / "runs"
    assert settings.cache_dir == tmp_path / "cache"
    assert settings.systems_dir == tmp_path / "systems"
    assert settings.local_repo == tmp_path / "repos" / "local"


def test_home_is_absolute_and_knows_the_tilde(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "me"))
    assert load_settings({"ASSAY_HOME": "here"}).home == tmp_path / "here"
    assert load_settings({"ASSAY_HOME": "~/x"}).home == tmp_path / "me" / "x"


@pytest.mark.parametrize("value", ["", "  "])
def test_without_a_home_the_users_data_folder_holds(value: str) -> None:
    home = load_settings({"ASSAY_HOME": value}).home
    assert home.is_absolute()
    assert home.name == "assay"


@pytest.mark.parametrize(
    ("value", "offline"),
    [("1", True), ("TRUE", True), ("on ", True), ("0", False), ("", False), ("no", False)],
)
def test_offline(value: str, offline: bool) -> None:
    assert load_settings({"ASSAY_HOME": "/x", "ASSAY_OFFLINE": value}).offline is offline


def test_the_real_environment_is_read_when_none_is_given(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("ASSAY_HOME", str(tmp_path))
    monkeypatch.setenv("ASSAY_DEBUG", "1")
    assert load_settings().home == tmp_path
    assert debug_wanted()
    monkeypatch.delenv("ASSAY_DEBUG")
    assert not debug_wanted()


def test_a_child_gets_changes_and_we_do_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASSAY_PROBE", "1")
    environment = child_environment(ASSAY_CHILD="2")
    assert (environment["ASSAY_PROBE"], environment["ASSAY_CHILD"]) == ("1", "2")
    assert "ASSAY_CHILD" not in child_environment()


def test_cms_home_is_known_when_it_is_told(tmp_path: Path) -> None:
    assert load_settings({"ASSAY_HOME": "/x"}).cm_repos is None
    settings = load_settings({"ASSAY_HOME": "/x", "CM_REPOS": str(tmp_path)})
    assert settings.cm_repos == tmp_path
    assert (settings.registry, settings.repos_dir) == (Path("/x/repos.json"), Path("/x/repos"))


def test_a_child_can_be_given_less(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASSAY_PROBE", "1")
    assert "ASSAY_PROBE" not in child_environment("ASSAY_PROBE", OTHER="2")
