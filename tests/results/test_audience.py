"""What is limited is nowhere for those who may not see it, whatever they ask."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
from tests.results.rows import make_row, put

from assay.base.settings import Settings
from assay.errors import AssayError
from assay.results.audience import ANYBODY, EVERYBODY, Audience
from assay.results.metrics import load_metrics
from assay.results.one import find_result
from assay.results.overview import overview
from assay.results.query import EVERYTHING, Query, run_query
from assay.results.store import open_store

NOW = "2026-12-01T12:00:00Z"
MEMBERS = Audience(frozenset({"challenge:0123456789abcdef"}))
ADA = Audience(frozenset({"account:ada", "account:o'neil"}))


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    settings = Settings(home=tmp_path)
    rows = [
        make_row(0),
        make_row(1, access="challenge:0123456789abcdef"),
        make_row(2, access="account:ada", embargo="2026-12-01T12:00:00Z"),
        make_row(3, access="account:ada", embargo="2026-12-01T12:00:01Z"),
        make_row(4, access="account:o'neil"),
    ]
    put(settings, rows)
    return settings


@pytest.mark.parametrize(
    ("audience", "seen"),
    [
        (ANYBODY, {"box0", "box2"}),
        (MEMBERS, {"box0", "box1", "box2"}),
        (ADA, {"box0", "box2", "box3", "box4"}),
        (EVERYBODY, {"box0", "box1", "box2", "box3", "box4"}),
    ],
)
def test_each_sees_what_it_may(settings: Settings, audience: Audience, seen: set[str]) -> None:
    names = load_metrics(settings).schema()
    with open_store(settings) as store, contextlib.closing(store.seen_by(audience, NOW)) as limited:
        question = Query('organisation == "Acme"', columns=["system"], scope=EVERYTHING)
        assert {system for (system,) in run_query(limited, question, names).rows} == seen
        everyone = sum(each.results for each in overview(store))
        assert everyone - sum(each.results for each in overview(limited)) == 5 - len(seen)
        assert {
            row for (row,) in limited.cursor().run("SELECT system FROM results WHERE system LIKE 'box%'").fetchall()
        } == seen


def test_a_result_that_may_not_be_seen_is_told_as_one_that_is_not_there(settings: Settings) -> None:
    hidden = make_row(1, access="x")
    with open_store(settings) as store, contextlib.closing(store.seen_by(ANYBODY, NOW)) as limited:
        assert find_result(store, hidden.uid).values["system"] == "box1"
        with pytest.raises(AssayError) as told:
            find_result(limited, hidden.location)
        assert "box1" not in str(told.value).replace(hidden.location, "")
        assert told.value.exit_code == 3


def test_the_tables_behind_the_view_are_not_reached_by_their_names(settings: Settings) -> None:
    with open_store(settings) as store, contextlib.closing(store.seen_by(ANYBODY, NOW)) as limited:
        for table in ("rows", "files", "passed_over"):
            with pytest.raises(Exception, match=table):
                limited.run(f"SELECT * FROM {table}")


def test_the_rule_in_python_is_the_rule_in_the_index(settings: Settings) -> None:
    for audience in (ANYBODY, MEMBERS, ADA, EVERYBODY):
        with open_store(settings) as store, contextlib.closing(store.seen_by(audience, NOW)) as limited:
            sql = "SELECT uid, access, embargo FROM results"
            seen = {uid for uid, *_ in limited.run(sql).fetchall()}
            assert seen == {
                uid for uid, access, until in store.run(sql).fetchall() if audience.sees(access, until, NOW)
            }


def test_keys_of_audiences_differ_as_they_do() -> None:
    keys = {each.key for each in (ANYBODY, EVERYBODY, ADA, MEMBERS)}
    assert len(keys) == 4
