from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from assay.base.settings import Settings
from assay.errors import NotFoundError
from assay.results.store import Store, open_store
from assay.results.systems import SORTS, Asked, choices, find_system, same_chip, systems

from .rows import make_row, put

pytestmark = pytest.mark.usefixtures("nothing_published")
ODD = "a/b%2F? #<é> \"'"
ROWS = [
    make_row(0, accelerator="A100", accelerators=8, system_name="Big box", processor="EPYC", power=True),
    make_row(0, scenario="Server", accelerator="A100", accelerators=8),
    make_row(0, round="v2.1", accelerator="A100", accelerators=4, system_name="Old box", method="inferred"),
    make_row(1, organisation="Beta/Gamma", system=ODD, location="x", accelerator="A100", accelerators=1),
    make_row(2, organisation="Zeta", location="y", category=("datacenter", "edge"), processor="Xeon"),
    make_row(3, organisation="Zeta", location="z", processor="Xeon"),
    make_row(4, organisation=None, location="runs/a", origin="local"),
]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    settings = Settings(Path(tmp_path_factory.mktemp("systems")))
    put(settings, ROWS)
    with open_store(settings) as store:
        yield store


def names(store: Store, **asked: object) -> list[str]:
    return [each.system for each in systems(store, Asked(**asked), most=50)[1]]  # type: ignore[arg-type]


def test_a_system_has_the_description_of_its_newest_round_and_counts_of_all(store: Store) -> None:
    count, found = systems(store, Asked(), most=50)
    assert count == len(found) == 4
    first = found[0]
    assert (first.system, first.system_name, first.accelerators, first.rounds) == (
        "box0",
        "Big box",
        8,
        ("v2.1", "v3.0"),
    )
    assert (first.results, first.measured, first.power, first.benchmarks, first.official) == (3, 2, 1, 1, True)


def test_systems_are_chosen_by_words_and_values(store: Store) -> None:
    assert names(store, words=("BIG", "a100")) == ["box0"]
    assert names(store, words=("big", "xeon")) == []
    assert names(store, organisation="Zeta") == ["box2", "box3"]
    assert names(store, category="datacenter") == ["box2"]
    assert names(store, round="v2.1") == ["box0"]
    assert names(store, accelerator="A100") == ["box0", ODD]
    assert names(store, words=("'; DROP TABLE results --",)) == []


def test_every_order_holds_everything_once(store: Store) -> None:
    for sort in SORTS:
        assert sorted(names(store, sort=sort)) == sorted(["box0", ODD, "box2", "box3"]), sort
    assert names(store, sort="-results")[0] == "box0"
    with pytest.raises(NotFoundError):
        systems(store, Asked(sort="results; --"), most=1)


def test_pages_of_the_list_tell_how_many_there_are(store: Store) -> None:
    count, found = systems(store, Asked(), most=2, offset=2)
    assert (count, [each.system for each in found]) == (4, ["box2", "box3"])
    assert systems(store, Asked(), most=2, offset=100) == (4, [])


def test_choices_are_what_is_there(store: Store) -> None:
    found = choices(store)
    assert found["organisation"] == ["Acme", "Beta/Gamma", "Zeta"]
    assert found["round"] == ["v3.0", "v2.1"]
    assert found["category"] == ["datacenter", "edge"]
    assert found["accelerator"] == ["A100"]


def test_a_description_for_each_round(store: Store) -> None:
    found = find_system(store, "Acme", "box0")
    assert list(found.descriptions) == ["v2.1", "v3.0"]
    assert found.descriptions["v2.1"]["system_name"] == "Old box"


def test_slashes_belong_to_whichever_name_has_them(store: Store) -> None:
    organisation, _, rest = f"Beta/Gamma/{ODD}".partition("/")
    found = find_system(store, organisation, rest)
    assert (found.organisation, found.system) == ("Beta/Gamma", ODD)


def test_an_unknown_system_gives_the_closest_ones(store: Store) -> None:
    with pytest.raises(NotFoundError) as caught:
        find_system(store, "Acme", "box")
    assert caught.value.expected == "box0"
    with pytest.raises(NotFoundError) as caught:
        find_system(store, "Nobody", "box22")
    assert "box2" in str(caught.value.expected)


def test_systems_with_the_same_chip(store: Store) -> None:
    assert same_chip(store, find_system(store, "Acme", "box0"), most=5) == [("Beta/Gamma", ODD, 1, 1)]
    assert [name for _, name, *_ in same_chip(store, find_system(store, "Zeta", "box2"), most=5)] == ["box3"]
