"""A site of files: what a stranger may see, links that lead to files, and nothing lost when it fails."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from tests.results.rows import make_row, put

from assay.base.settings import Settings
from assay.errors import AssayError, UsageError
from assay.playground import site as site_module
from assay.playground.site import build_site, remove_site

SEEDS = ("/", "/rounds/v3.0", "/views", "/getting-started")
KINDS = frozenset({"rounds", "views", "getting-started", "static", "home.json"})


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home, target = tmp_path_factory.mktemp("home"), tmp_path_factory.mktemp("out") / "site"
    put(Settings(home=home), [make_row(1, access="account:ada", system="unannounced-box", round="v3.0")])
    build_site(Settings(home=home), target, seeds=SEEDS, kinds=KINDS)
    return target


def test_the_site_begins_with_home(site: Path) -> None:
    text = (site / "index.html").read_text()
    assert "Which system is best" in text
    assert 'class="find"' not in text, "there is nothing that could search"


def test_every_link_leads_to_a_file_of_the_site(site: Path) -> None:
    pages = list(site.rglob("*.html"))
    assert len(pages) >= 5
    for page in pages:
        for name, target in re.findall(r'\b(href|src|data-spec|data-view|content)="([^"]*)"', page.read_text()):
            if re.match(r"[a-z]+:|#|$", target) or name == "content":
                continue
            assert not target.startswith("/"), (page, target)
            assert (page.parent / target.partition("#")[0]).resolve().is_file(), (page, target)


def test_charts_carry_their_data(site: Path) -> None:
    text = (site / "rounds" / "v3.0" / "index.html").read_text()
    for figure in re.findall(r'<figure class="chart.*?</figure>', text, re.DOTALL):
        assert 'class="inline"' in figure


def test_what_is_limited_is_not_in_it(site: Path) -> None:
    for path in site.rglob("*"):
        if path.is_file():
            assert b"unannounced-box" not in path.read_bytes(), path


def test_another_folder_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "work").mkdir()
    (tmp_path / "work" / "thesis.txt").write_text("years")
    with pytest.raises(UsageError, match="something else"):
        build_site(Settings(home=tmp_path / "home"), tmp_path / "work", seeds=SEEDS, kinds=KINDS)
    with pytest.raises(UsageError):
        remove_site(tmp_path / "work")
    assert (tmp_path / "work" / "thesis.txt").read_text() == "years"


def test_a_site_is_replaced_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings, target = Settings(home=tmp_path / "home"), tmp_path / "site"
    build_site(settings, target, seeds=("/views",), kinds=frozenset({"static"}))
    (target / "old.txt").write_text("old")
    monkeypatch.setattr(site_module, "_MOST_PAGES", 1)
    with pytest.raises(AssayError):
        build_site(settings, target, seeds=SEEDS, kinds=KINDS)
    assert (target / "old.txt").read_text() == "old"
    assert [each.name for each in tmp_path.iterdir() if each.name.startswith(".site-")] == []
    monkeypatch.undo()
    build_site(settings, target, seeds=("/views",), kinds=frozenset({"static"}))
    assert not (target / "old.txt").exists()
    remove_site(target)
    assert not target.exists()


@pytest.mark.parametrize(
    ("address", "kind", "name"),
    [
        ("/", "text/html", "index.html"),
        ("/rounds/v3.0", "text/html", "rounds/v3.0/index.html"),
        ("/systems/A%2F..%2FB/x", "text/html", None),
        ("/systems/..%2F..%2Fetc/passwd", "text/html", None),
        ("/explorer?x=1", "text/html", None),
        ("/openapi.json", "application/json", "openapi.json"),
    ],
)
def test_names_of_files_stay_in_the_site(address: str, kind: str, name: str | None) -> None:
    found = site_module._file_of(address, kind)
    assert found == name or name is None
    assert ".." not in Path(found).parts
    assert not found.startswith("/")
