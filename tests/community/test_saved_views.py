"""Saved views are entries of a repository; private ones are nobody else's."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from assay.base.settings import Settings
from assay.cm.git import head
from assay.community.saved_views import find_view, load_views, save_view
from assay.community.server_repository import server_path
from assay.errors import AssayError, NotFoundError, UsageError
from assay.results.audience import ANYBODY, EVERYBODY, Audience

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)
ADA, BOB = Audience(frozenset({"account:ada"})), Audience(frozenset({"account:bob"}))


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path)


def test_a_view_is_kept_and_found_again(settings: Settings) -> None:
    saved = save_view(
        settings, title="  Best  edge ", query="round=v3.0&mark=bar", contributor="me", now=NOW, shared=False
    )
    assert saved.title == "Best edge"
    assert find_view(settings, saved.alias, ANYBODY) == find_view(settings, saved.uid.upper(), ANYBODY)
    assert find_view(settings, saved.name, ANYBODY).query == "round=v3.0&mark=bar"


def test_a_view_on_a_server_is_a_commit_by_who_saved_it(settings: Settings) -> None:
    save_view(settings, title="One", query="x=watts", contributor="ada", now=NOW)
    first = head(server_path(settings))
    save_view(settings, title="Two", query="x=watts", contributor="ada", now=NOW)
    assert head(server_path(settings)) != first


def test_a_private_view_is_told_as_one_that_is_not_there(settings: Settings) -> None:
    saved = save_view(settings, title="Mine", query="x=watts", contributor="ada", now=NOW, private=True)
    assert saved in load_views(settings, ADA)
    assert saved in load_views(settings, EVERYBODY)
    for audience in (ANYBODY, BOB):
        assert saved not in load_views(settings, audience)
        with pytest.raises(NotFoundError) as told:
            find_view(settings, saved.name, audience)
        assert "Mine" not in str(told.value)


@pytest.mark.parametrize(
    ("title", "query"),
    [("", "x=watts"), ("a" * 121, "x=watts"), ("a\x07", "x=watts"), ("fine", ""), ("fine", "x=" + "a" * 9000)],
)
def test_what_cannot_be_kept_is_refused_and_nothing_written(settings: Settings, title: str, query: str) -> None:
    with pytest.raises(UsageError):
        save_view(settings, title=title, query=query, contributor="ada", now=NOW)
    assert not server_path(settings).exists()


def test_entries_that_are_wrong_are_passed_over(settings: Settings) -> None:
    saved = save_view(settings, title="Good", query="x=watts", contributor="me", now=NOW, shared=False)
    folder = settings.local_repo / "view"
    (broken,) = [each for each in folder.iterdir() if each.name == saved.alias]
    other = folder / "broken"
    other.mkdir()
    (other / "_cm.json").write_text(
        (broken / "_cm.json").read_text().replace('"x=watts"', "[1]").replace(saved.uid, "f" * 16)
    )
    assert [each.title for each in load_views(settings, EVERYBODY) if each.repository == "local"] == ["Good"]
    with pytest.raises(AssayError):
        find_view(settings, "broken", EVERYBODY)
