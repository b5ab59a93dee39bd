"""``assay site build``: what it is told, what it says, and a small site in earnest."""

from __future__ import annotations

import functools
import json
from pathlib import Path
from typing import Any

import pytest

from assay.playground import site
from assay.playground.site import Built

from .conftest import Call


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sites of a few pages."""
    monkeypatch.setattr(
        site,
        "build_site",
        functools.partial(
            site.build_site, seeds=("/views", "/rounds"), kinds=frozenset({"views", "rounds.csv", "static"})
        ),
    )


@pytest.mark.usefixtures("results_home", "small")
def test_a_site_is_built_and_counted(call: Call, tmp_path: Path) -> None:
    code, out, error = call("site", "build", tmp_path / "public")
    assert code == 0
    pages = int(out.split()[0])
    assert out.split()[1] == "pages,"
    assert str(tmp_path / "public") in out
    assert "http.server" in error
    assert (tmp_path / "public" / "views" / "index.html").is_file()
    code, out, _ = call("site", "build", tmp_path / "public", "--json")
    said = json.loads(out)
    assert (code, said["pages"], said["folder"]) == (0, pages, str(tmp_path / "public"))
    assert said["files"] > 2
    assert said["bytes"] > 1000


@pytest.mark.usefixtures("results_home", "small")
def test_another_folder_is_refused(call: Call, tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years")
    code, out, error = call("site", "build", tmp_path)
    assert (code, out) == (2, "")
    assert "something else" in error
    assert (tmp_path / "thesis.txt").read_text() == "years"


@pytest.mark.usefixtures("results_home")
@pytest.mark.parametrize("options", [[], ["--every-result"]])
def test_options_are_passed_on(call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: list[str]) -> None:
    asked: dict[str, Any] = {}

    def build(settings: Any, folder: Path, **more: Any) -> Built:
        asked.update(more, folder=folder)
        return Built(folder, 1, 2, 3)

    monkeypatch.setattr(site, "build_site", build)
    assert call("site", "build", tmp_path / "out", *options)[0] == 0
    assert asked["folder"] == tmp_path / "out"
    assert asked["every_result"] is bool(options)
    assert "progress" in asked
