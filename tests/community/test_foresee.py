from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from assay.base.settings import Settings
from assay.community.accept import accept
from assay.community.foresee import foresee
from assay.community.parcel import parcel_of_path

from ..submission.smalltree import SmallTree
from .conftest import MakeRun, needs_git


@needs_git
def test_it_says_what_the_server_says_later(settings: Settings, tree: SmallTree) -> None:
    told = foresee(parcel_of_path(tree.root), settings)
    assert told is not None
    assert not settings.home.exists()
    later = accept(tree.root, "ada", settings, now=datetime(2026, 12, 1, tzinfo=UTC))
    assert (told.message, told.round, told.ok) == (later.message, later.round, later.ok)
    assert [each.uid for each in told.accepted] == [each.uid for each in later.accepted]


def test_runs_are_judged_too(settings: Settings, make_run: MakeRun) -> None:
    log = {"result_validity": "INVALID", "result_min_duration_met": False}
    told = foresee(parcel_of_path(make_run(log=log)), settings)
    assert told is not None
    assert not told.ok
    assert told.refused[0].reason.startswith("the run is INVALID")
    assert told.findings[0].code == "minimum duration"


def test_an_archive_is_judged_where_it_is_unpacked(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_bytes(b"PK")
    assert foresee(parcel_of_path(tmp_path / "a.zip"), settings) is None
