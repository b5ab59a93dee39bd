from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from assay.base.settings import Settings
from assay.results.best import By
from assay.results.one import find_result
from assay.results.ranks import Rank, ordinal, ranks
from assay.results.row import Row
from assay.results.store import Store, open_store

from .rows import make_row, put

pytestmark = pytest.mark.usefixtures("nothing_published")
FAST = make_row(0, samples_per_second=400.0, joules_per_sample=4.0)
TWIN = make_row(1, samples_per_second=200.0, joules_per_sample=1.0)
OTHER = make_row(2, samples_per_second=200.0)
BOTH = make_row(3, samples_per_second=100.0, category=("datacenter", "edge"))
INFERRED = make_row(4, samples_per_second=300.0, method="inferred")
OPEN = make_row(5, samples_per_second=900.0, division="open")
NOTHING = make_row(6, samples_per_second=None, value=None)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    settings = Settings(Path(tmp_path_factory.mktemp("ranks")))
    put(settings, [FAST, TWIN, OTHER, BOTH, INFERRED, OPEN, NOTHING])
    with open_store(settings) as store:
        yield store


def of(store: Store, row: Row) -> list[Rank]:
    return ranks(store, find_result(store, row.uid).values)


def test_equals_share_a_place_and_the_next_is_left_out(store: Store) -> None:
    assert next((each.place, each.of) for each in of(store, TWIN)) == (2, 4)
    assert [(each.place, each.of) for each in of(store, OTHER)] == [(2, 4)]
    assert [(each.category, each.place, each.of) for each in of(store, BOTH)] == [
        ("datacenter", 1, 1),
        ("edge", 4, 4),
    ]


def test_less_energy_is_better(store: Store) -> None:
    assert of(store, TWIN)[1] == Rank(By.EFFICIENCY, "edge", 1, 2, True, TWIN.uid, 1.0)
    assert of(store, FAST)[1] == Rank(By.EFFICIENCY, "edge", 2, 2, True, TWIN.uid, 0.25)


def test_a_computed_result_has_the_place_it_would_have(store: Store) -> None:
    (found,) = of(store, INFERRED)
    assert (found.place, found.of, found.counted, found.best_uid) == (2, 5, False, FAST.uid)


def test_nothing_is_ranked_without_a_figure(store: Store) -> None:
    assert of(store, NOTHING) == []


@pytest.mark.parametrize(
    ("place", "text"),
    [(1, "1st"), (2, "2nd"), (3, "3rd"), (4, "4th"), (11, "11th"), (12, "12th"), (13, "13th"), (21, "21st"), (111, "111th"), (1022, "1022nd")],
)  # fmt: skip
def test_places_in_words(place: int, text: str) -> None:
    assert ordinal(place) == text
