from __future__ import annotations

import threading
from pathlib import Path

import duckdb
import pytest

from assay.base.settings import Settings
from assay.results import kept as module
from assay.results.audience import ANYBODY, EVERYBODY
from assay.results.facets import facets
from assay.results.fields import schema
from assay.results.kept import Kept
from assay.results.query import Query, Scope, run_query
from assay.results.store import Store, open_seen, open_store, update


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    settings = Settings(home=tmp_path_factory.mktemp("home"))
    update(settings)
    return settings


@pytest.fixture
def keeping(home: Settings) -> Store:
    return open_seen(update(home), EVERYBODY, "2026-01-01T00:00:00Z")


@pytest.mark.parametrize(
    "text",
    [
        "rank(samples_per_second) <= 2",
        'round == "v3.0" and rank(samples_per_second) <= 2',
        '(rank(samples_per_second) <= 3) and (benchmark == "resnet" or watts < 900) and rank(watts) <= 2',
        'rank(samples_per_second) == 1 or organisation == "NVIDIA"',
        'method == "inferred" and rank(samples_per_second) <= 2',
    ],
)
@pytest.mark.parametrize("scope", [Scope(), Scope(inferred=True, refused=True)], ids=["usual", "wide"])
def test_what_is_kept_says_the_same(home: Settings, keeping: Store, text: str, scope: Scope) -> None:
    query = Query(text, columns=["uid", "watts"], scope=scope)
    with open_store(home) as plain:
        assert plain.kept is None
        wanted = run_query(plain, query).rows
        assert wanted
        for _ in range(2):
            assert run_query(keeping.cursor(), query).rows == wanted
        chosen = {"round": ["v3.0"], "category": ["edge"]}
        expected = facets(plain, schema(), chosen, filter_text=text, scope=scope)
        for _ in range(2):
            assert facets(keeping.cursor(), schema(), chosen, filter_text=text, scope=scope) == expected


def test_one_table_serves_all_that_differ_in_what_looks_at_each_alone(keeping: Store) -> None:
    for name in ("v2.0", "v2.1", "v3.0"):
        run_query(keeping.cursor(), Query(f'round == "{name}" and rank(watts) <= 3', columns=["uid"])).rows  # noqa: B018
    tables = keeping.run("SELECT count(*) FROM duckdb_tables() WHERE database_name = 'memory'").fetchall()
    assert tables == [(1,)]


def test_an_audience_has_its_own(home: Settings) -> None:
    path = update(home)
    first, second = (open_seen(path, each, "2026-01-01T00:00:00Z") for each in (EVERYBODY, ANYBODY))
    assert first.kept is not second.kept
    assert first.cursor().kept is first.kept


def test_too_many_are_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MOST_ROWS", 3)
    monkeypatch.setattr(module, "_MOST_TABLES", 2)
    connection = duckdb.connect(":memory:")
    kept = Kept()
    name = kept.uids(connection, "SELECT i::VARCHAR AS uid FROM range(?) t(i)", (3,))
    assert name is not None
    assert connection.execute(f"SELECT count(*) FROM {name}").fetchall() == [(3,)]
    assert kept.uids(connection, "SELECT i::VARCHAR AS uid FROM range(?) t(i)", (4,)) is None
    assert kept.uids(connection, "SELECT 'another' AS uid", ()) is None
    assert kept.uids(connection, "SELECT i::VARCHAR AS uid FROM range(?) t(i)", (3,)) == name


def test_answers_are_made_once_and_the_oldest_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MOST_ANSWERS", 2)
    kept, made = Kept(), []

    def ask(key: str) -> str:
        return kept.answer(key, lambda: made.append(key) or key.upper())

    assert [ask(key) for key in "abacab"] == list("ABACAB")
    assert made == ["a", "b", "c", "b"]


def test_many_threads_may_ask_at_once(keeping: Store) -> None:
    query = Query("rank(watts) <= 3", columns=["uid"])
    found: list[object] = []
    threads = [threading.Thread(target=lambda: found.append(run_query(keeping.cursor(), query).rows)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert all(each == found[0] for each in found)


def test_nothing_is_written_beside_the_index(keeping: Store, home: Settings) -> None:
    before = {path: path.stat().st_mtime_ns for path in Path(home.home).iterdir()}
    run_query(keeping, Query("rank(watts) <= 3", columns=["uid"])).rows  # noqa: B018
    assert {path: path.stat().st_mtime_ns for path in Path(home.home).iterdir()} == before
