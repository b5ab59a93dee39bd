"""The accuracy of an engine and a format beside what the round or the user asks."""

from __future__ import annotations

from assay.campaign.tuning.accuracy import Scored, shortfall
from assay.rules.model import QualityTarget

TARGETS = (QualityTarget("acc", "percent", 76.46, 0.99, 75.6954),)


def scored(value: float, *, official: bool = False) -> Scored:
    return Scored({"acc": value}, {"acc": "percent"}, 50_000, official, "run")


def test_the_rounds_target_holds_for_its_own_model_and_data() -> None:
    usual = scored(70.0, official=True)
    assert shortfall(scored(75.7, official=True), usual, TARGETS, None) == ""
    assert shortfall(scored(75.6, official=True), usual, TARGETS, None) == (
        "acc 75.6% misses the 99.0% of the reference that the round asks"
    )


def test_of_a_stand_in_its_share_of_the_usual_settings_accuracy_is_asked() -> None:
    assert shortfall(scored(89.2), scored(90.0), TARGETS, None) == ""
    assert shortfall(scored(85.0), scored(90.0), TARGETS, None) == "acc 85% misses 99.0% of the usual setting's 90%"


def test_a_share_of_the_users_holds_over_both() -> None:
    assert shortfall(scored(85.0, official=True), scored(90.0), TARGETS, 0.9) == ""
    assert shortfall(scored(80.0, official=True), scored(90.0), TARGETS, 0.9) != ""


def test_an_upper_limit_of_the_round_is_one() -> None:
    target = (QualityTarget("acc", "percent", 10.0, 0.99, 9.9, upper_limit=11.0),)
    assert shortfall(scored(12.0, official=True), scored(10.0), target, None)
    assert not shortfall(scored(12.0), scored(10.0), target, None), "of a stand-in, more is no harm"


def test_metrics_that_the_round_does_not_ask_are_not_judged() -> None:
    found = Scored({"acc": 90.0, "other": 1.0}, {}, 20, False, "run")
    usual = Scored({"acc": 90.0, "other": 5.0}, {}, 20, False, "run")
    assert shortfall(found, usual, TARGETS, None) == ""
    assert shortfall(found, usual, (), None) != "", "without any target each is judged by its share"
    assert found.line() == "acc 90, other 1 over 20 samples"
