from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from assay.base.settings import Settings
from assay.results.lines import line_of, lines_beside, of_system, of_uids
from assay.results.one import find_result, results_of_uids
from assay.results.store import Store, open_store

from .rows import make_row, put

pytestmark = pytest.mark.usefixtures("nothing_published")
CHIP = {"accelerator": "A100", "accelerators": 2}
OWN = make_row(0, joules_per_sample=4.0, **CHIP)
OLD = make_row(0, round="v2.1", **CHIP)
SERVER = make_row(0, scenario="Server", **CHIP)
LIKE = make_row(1, **CHIP)
BIGGER = make_row(2, accelerator="A100", accelerators=8)
INFERRED = make_row(3, method="inferred", **CHIP)
BARE = make_row(4)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    settings = Settings(Path(tmp_path_factory.mktemp("lines")))
    put(settings, [OWN, OLD, SERVER, LIKE, BIGGER, INFERRED, BARE])
    with open_store(settings) as store:
        yield store


def test_results_of_a_system_newest_round_first(store: Store) -> None:
    found = of_system(store, "Acme", "box0", most=10)
    assert [each.uid for each in found] == [OWN.uid, SERVER.uid, OLD.uid]
    assert (found[0].samples_per_joule, found[1].samples_per_joule) == (0.25, None)
    assert len(of_system(store, "Acme", "box0", most=1)) == 1


def test_what_belongs_beside_a_result(store: Store) -> None:
    found = lines_beside(store, find_result(store, OWN.uid).values, most=5)
    assert [each.uid for each in found.scenarios] == [SERVER.uid]
    assert [each.uid for each in found.rounds] == [OLD.uid]
    assert [each.uid for each in found.chips] == [LIKE.uid]


def test_nothing_belongs_beside_a_system_without_a_chip(store: Store) -> None:
    found = lines_beside(store, find_result(store, BARE.uid).values, most=5)
    assert (found.scenarios, found.rounds, found.chips) == ((), (), ())


def test_no_more_of_each_kind_than_asked_for(tmp_path: Path) -> None:
    settings = Settings(tmp_path)
    rows = [make_row(number, **CHIP) for number in range(9)]
    put(settings, [*rows, make_row(0, scenario="Server", **CHIP)])
    with open_store(settings) as store:
        found = lines_beside(store, find_result(store, rows[0].uid).values, most=3)
    assert [each.system for each in found.chips] == ["box8", "box7", "box6"]
    assert len(found.scenarios) == 1


def test_by_uid_in_the_order_asked_for(store: Store) -> None:
    assert [each.uid for each in of_uids(store, [LIKE.uid, "0" * 16, OWN.uid])] == [LIKE.uid, OWN.uid]
    found = results_of_uids(store, [OWN.uid, "nonsense"])
    assert list(found) == [OWN.uid]
    assert results_of_uids(store, []) == {}
    assert line_of(found[OWN.uid].values) == of_uids(store, [OWN.uid])[0]
