"""Facets: counts of each value with everything else as it is chosen, and chosen values as a filter."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from assay.base.settings import Settings
from assay.errors import AssayError, NotFoundError, UsageError
from assay.expressions import Schema
from assay.results.facets import NONE, Facet, facets, filter_of
from assay.results.fields import schema
from assay.results.query import Query, Scope, run_query
from assay.results.store import Store, open_store

from .rows import make_row, put

pytestmark = pytest.mark.usefixtures("nothing_published")

ROWS = [
    make_row(0, category=("edge", "datacenter"), accelerator="A1"),
    make_row(1, category=("edge",), accelerator="A2"),
    make_row(2, scenario="Server", category=("datacenter",)),
    make_row(3, round="v2.1", organisation="Other", category=()),
    make_row(4, organisation='Quo"te\\', method="inferred"),
    make_row(5, origin="local", organisation="Mine"),
]


@pytest.fixture
def store(settings: Settings) -> Iterator[Store]:
    put(settings, ROWS)
    with open_store(settings) as opened:
        yield opened


@pytest.fixture
def names() -> Schema:
    return schema()


def counts(found: tuple[Facet, ...], name: str) -> dict[str, int]:
    return {each.value: each.count for facet in found if facet.name == name for each in facet.values}


def test_every_value_is_counted(store: Store, names: Schema) -> None:
    found = facets(store, names, {}).facets
    assert counts(found, "round") == {"v3.0": 3, "v2.1": 1}
    assert counts(found, "category") == {"edge": 2, "datacenter": 2, NONE: 1}
    assert counts(found, "accelerator") == {NONE: 2, "A1": 1, "A2": 1}


def test_a_choice_limits_the_others_and_not_itself(store: Store, names: Schema) -> None:
    found = facets(store, names, {"scenario": ["Server"]}).facets
    assert counts(found, "scenario") == {"Server": 1, "Offline": 3}
    assert counts(found, "organisation") == {"Acme": 1}
    (facet,) = [each for each in found if each.name == "scenario"]
    assert (facet.values[0].value, facet.chosen) == ("Server", ("Server",))


def test_two_choices_limit_each_other(store: Store, names: Schema) -> None:
    found = facets(store, names, {"scenario": ["Offline"], "round": ["v2.1"]}).facets
    assert counts(found, "scenario") == {"Offline": 1}
    assert counts(found, "round") == {"v3.0": 2, "v2.1": 1}


def test_filter_and_scope_hold_besides(store: Store, names: Schema) -> None:
    found = facets(store, names, {}, filter_text="value > 101", scope=Scope(inferred=True, local=True)).facets
    assert counts(found, "organisation") == {"Acme": 1, "Other": 1, 'Quo"te\\': 1, "Mine": 1}


def test_a_choice_that_no_result_has_stays_to_be_taken_back(store: Store, names: Schema) -> None:
    assert counts(facets(store, names, {"organisation": ["Gone"]}).facets, "organisation")["Gone"] == 0


def test_none_can_be_chosen(store: Store, names: Schema) -> None:
    assert counts(facets(store, names, {"accelerator": [NONE]}).facets, "scenario") == {"Offline": 1, "Server": 1}


def test_rounds_stand_newest_first(store: Store, names: Schema) -> None:
    (facet,) = facets(store, names, {}, wanted=("round",)).facets
    assert [each.value for each in facet.values] == ["v3.0", "v2.1"]


@pytest.mark.parametrize("value", ['Quo"te\\', '"; drop table rows; --', "a' or '1'='1", "%", "_", "\\", '\\"'])
def test_a_choice_is_a_value_and_nothing_else(store: Store, names: Schema, value: str) -> None:
    filter_text = filter_of({"organisation": [value]})
    found = run_query(
        store, Query(filter_text, columns=("organisation",), scope=Scope(inferred=True, local=True)), names
    ).dicts()
    assert [row["organisation"] for row in found] == ([value] if value == 'Quo"te\\' else [])


def test_several_values_and_fields_are_one_filter() -> None:
    assert filter_of({"round": ["v3.0", "v2.1"], "category": ["edge", NONE], "organisation": []}) == (
        'round in ("v3.0", "v2.1") and (category is null or category == "edge")'
    )
    assert filter_of({}) == ""


def test_fields_that_hold_no_words_are_refused() -> None:
    with pytest.raises(UsageError):
        filter_of({"watts": ["5"]})
    with pytest.raises(NotFoundError):
        filter_of({"nothing": ["5"]})
    with pytest.raises(UsageError):
        filter_of({"round": ["x" * 5000]})


def test_a_filter_that_means_nothing_is_an_error(store: Store, names: Schema) -> None:
    with pytest.raises(AssayError):
        facets(store, names, {}, filter_text="watts <")
