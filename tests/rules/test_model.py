from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.errors import NotFoundError, UsageError
from assay.rules.load import load_round
from assay.rules.model import Category, Division, Mode, Scenario


@pytest.mark.parametrize("text", ["SingleStream", "singlestream", "single-stream", "SINGLE_STREAM", " Single-Stream "])
def test_any_spelling_of_a_scenario_is_found(text: str) -> None:
    assert Scenario.parse(text) is Scenario.SINGLE_STREAM


@pytest.mark.parametrize("enum", [Scenario, Category, Division, Mode])
def test_official_names_are_found_and_others_get_the_closest(enum: type[Scenario]) -> None:
    for member in enum:
        assert enum.parse(member.value) is member
        assert enum.parse(member.value.swapcase()) is member
    with pytest.raises(UsageError, match="unknown"):
        enum.parse("nothing of the kind")


def test_a_misspelt_scenario_gets_the_closest() -> None:
    with pytest.raises(UsageError) as caught:
        Scenario.parse("Ofline")
    assert caught.value.expected == "Offline"


@given(st.text(max_size=30))
def test_any_text_is_a_member_or_a_usage_error(text: str) -> None:
    try:
        assert Scenario.parse(text) in Scenario
    except UsageError as error:
        assert error.exit_code == 2


def test_benchmarks_are_found_by_name_and_alias_in_any_case() -> None:
    round_ = load_round("v3.1")
    for name in ("resnet", "RESNET", "ResNet50"):
        assert round_.benchmark(name).name == "resnet"
    assert round_.benchmark("bert-99.9").name == "bert-99.9"
    with pytest.raises(NotFoundError) as caught:
        round_.benchmark("retinanett")
    assert "retinanet" in str(caught.value.expected)
    assert "v3.1" in str(caught.value.hint)


def test_scenarios_and_categories() -> None:
    round_ = load_round("v3.1")
    unet, bert = round_.benchmark("3d-unet"), round_.benchmark("bert-99.9")
    assert unet.scenarios(Category.DATACENTER) == (Scenario.OFFLINE,)
    assert unet.categories() == (Category.EDGE, Category.DATACENTER)
    assert bert.scenarios(Category.EDGE) == ()
    assert bert.categories() == (Category.DATACENTER,)


def test_nouns_are_frozen() -> None:
    resnet = load_round("v3.1").benchmark("resnet")
    with pytest.raises(dataclasses.FrozenInstanceError):
        resnet.name = "other"  # type: ignore[misc]
