from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from assay.base.settings import Settings
from assay.results.best import By, best_results, paired, steps
from assay.results.store import Store, open_store

from .rows import make_row, put

pytestmark = pytest.mark.usefixtures("nothing_published")
ROWS = [
    make_row(0, samples_per_second=300.0, joules_per_sample=2.0, watts=600.0),
    make_row(1, samples_per_second=100.0, joules_per_sample=1.0, watts=100.0),
    make_row(2, samples_per_second=900.0, official=False),
    make_row(3, samples_per_second=900.0, method="inferred"),
    make_row(4, samples_per_second=900.0, origin="local", location="runs/x"),
    make_row(5, samples_per_second=200.0, category=("datacenter", "edge"), joules_per_sample=0.0),
    make_row(6, samples_per_second=150.0, round="v2.1", joules_per_sample=4.0),
    make_row(7, samples_per_second=None, scenario="Server", joules_per_sample=3.0),
    make_row(8, samples_per_second=None, scenario="SingleStream"),
]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    settings = Settings(Path(tmp_path_factory.mktemp("best")))
    put(settings, ROWS)
    with open_store(settings) as store:
        yield store


def test_the_fastest_and_the_most_frugal_of_each_group(store: Store) -> None:
    found = best_results(store, rounds=["v3.0"])
    told = {(each.by, each.scenario, each.category): (each.system, each.results) for each in found}
    assert told == {
        # Refused, inferred and local results are none of them.
        (By.THROUGHPUT, "Offline", "edge"): ("box0", 3),
        (By.EFFICIENCY, "Offline", "edge"): ("box1", 2),
        # A result for both categories stands in both; no joules are no figure.
        (By.THROUGHPUT, "Offline", "datacenter"): ("box5", 1),
        (By.EFFICIENCY, "Server", "edge"): ("box7", 1),
    }


def test_figures_are_those_that_are_compared(store: Store) -> None:
    fast, frugal = paired(best_results(store, rounds=["v3.0"]))[0]
    assert fast is not None and frugal is not None
    assert (fast.figure, frugal.figure) == (300.0, 1.0)
    assert frugal.samples_per_joule == 1.0


def test_a_group_with_one_of_both_keeps_its_place(store: Store) -> None:
    pairs = paired(best_results(store, rounds=["v3.0"]))
    assert [(fast is None, frugal is None) for fast, frugal in pairs] == [
        (False, False),
        (True, False),
        (False, True),
    ]


def test_only_what_somebody_leads(store: Store) -> None:
    assert {each.system for each in best_results(store, organisation="Acme", system="box1")} == {"box1"}
    assert best_results(store, organisation="Zeta") == []
    assert best_results(store, benchmark="bert-99") == []


def test_steps_from_a_round_to_the_next(store: Store) -> None:
    both = best_results(store, rounds=["v2.1", "v3.0"])
    found = steps([each for each in both if each.round == "v2.1"], [each for each in both if each.round == "v3.0"])
    assert {each.after.by: each.ratio for each in found} == {By.THROUGHPUT: 2.0, By.EFFICIENCY: 4.0}


def test_of_equals_it_is_always_the_same_one(tmp_path: Path) -> None:
    settings = Settings(tmp_path)
    rows = [make_row(number, samples_per_second=5.0) for number in range(40)]
    put(settings, rows)
    with open_store(settings) as store:
        assert {best_results(store)[0].uid for _ in range(5)} == {max(row.uid for row in rows)}
