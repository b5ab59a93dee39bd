"""The index of a server: up to date with the files, and for each audience only what it may see."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from assay.base.settings import Settings
from assay.errors import MachineError
from assay.playground import index as index_module
from assay.playground.index import Index, utc_text
from assay.results import store as store_module
from assay.results.audience import ANYBODY, EVERYBODY, Audience
from assay.results.store import Store

from ..results.rows import make_row, put

ADA = Audience(frozenset({"account:ada"}))
NOON = datetime(2026, 11, 28, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def nothing_published(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store_module, "PUBLISHED", Path("no such table"))


@dataclass
class Clock:
    now: datetime = NOON

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def index(tmp_path: Path, clock: Clock) -> Iterator[Index]:
    settings = Settings(home=tmp_path)
    put(
        settings,
        [
            make_row(1),
            make_row(2, access="account:ada"),
            make_row(3, access="account:bob", embargo="2026-11-28T13:00:00Z"),
        ],
    )
    made = Index(settings, clock, every_s=0.02)
    yield made
    made.stop()


def systems(store: Store) -> list[str]:
    try:
        return [name for (name,) in store.run("SELECT system FROM results ORDER BY system").fetchall()]
    finally:
        store.close()


def test_each_audience_sees_its_own(index: Index) -> None:
    index.refresh()
    for _ in range(2):  # the second time from what is open
        assert systems(index.seen_by(ANYBODY)) == ["box1"]
        assert systems(index.seen_by(ADA)) == ["box1", "box2"]
        assert systems(index.seen_by(EVERYBODY)) == ["box1", "box2", "box3"]


def test_an_embargo_ends_by_the_clock(index: Index, clock: Clock) -> None:
    index.refresh()
    before = index.version
    assert systems(index.seen_by(ANYBODY)) == ["box1"]
    clock.now = NOON + timedelta(minutes=59, seconds=59)
    assert (index.version, systems(index.seen_by(ANYBODY))) == (before, ["box1"])
    clock.now = NOON + timedelta(hours=1)
    assert index.version != before
    assert systems(index.seen_by(ANYBODY)) == ["box1", "box3"]


def test_it_can_be_asked_without_having_been_started(index: Index) -> None:
    assert systems(index.seen_by(ANYBODY)) == ["box1"]
    assert index.version
    assert "watts" in index.names.fields
    assert "samples_per_joule" in index.metrics.by_name


def test_a_change_is_seen_while_it_runs(index: Index) -> None:
    index.start()
    before, old = index.version, index.seen_by(ANYBODY)
    put(index.settings, [make_row(4)], name="two")
    for _ in range(500):
        if index.version != before:
            break
        index_module.threading.Event().wait(0.02)
    assert systems(index.seen_by(ANYBODY)) == ["box1", "box4"]
    # A request that had begun goes on with what it had.
    assert systems(old) == ["box1"]


def test_a_store_is_kept_for_a_few_audiences_only(index: Index) -> None:
    index.refresh()
    for number in range(40):
        systems(index.seen_by(Audience(frozenset({f"account:{number}"}))))
    assert len(index._open) <= 16


@pytest.mark.parametrize("error", [MachineError("the disk is full"), OSError("gone")])
def test_a_problem_is_told_and_what_is_open_goes_on(
    index: Index, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    index.start()
    broken, looks = [True], [0]

    def update(settings: Settings) -> Path:
        looks[0] += 1
        if broken[0]:
            raise error
        return store_module.update(settings)

    monkeypatch.setattr(index_module, "update", update)
    wait = index_module.threading.Event().wait
    for _ in range(500):
        if index.problem:
            break
        wait(0.02)
    assert index.problem
    assert systems(index.seen_by(ANYBODY)) == ["box1"]
    broken[0] = False
    for _ in range(500):
        if not index.problem:
            break
        wait(0.02)
    assert not index.problem


def test_a_moment_as_rows_write_it() -> None:
    assert utc_text(datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=UTC)) == "2026-01-02T03:04:05Z"
