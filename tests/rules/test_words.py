from __future__ import annotations

import pytest

from assay.rules.document import changes
from assay.rules.load import load_round, round_names
from assay.rules.model import QualityTarget, Scenario
from assay.rules.words import (
    benchmark_words,
    categories_words,
    changes_words,
    limits_words,
    metric_word,
    quality_words,
    round_words,
    scenario_words,
)


def test_a_benchmark_says_what_it_is_and_what_accuracy_it_asks() -> None:
    words = benchmark_words(load_round("v3.0").benchmark("bert-99"))
    assert "BERT-Large" in words
    assert "10,833 samples" in words
    assert "F1 has to reach 89.9653 %, which is 99% of the reference's 90.874 %" in words


def test_a_target_with_a_limit_above_says_so() -> None:
    target = QualityTarget("TOKENS", "tokens", 100.0, 0.9, 90.0, 110.0)
    assert quality_words(target).endswith("the reference's 100 tokens, and must not pass 110 tokens")


def test_a_metric_that_is_called_the_opposite_of_what_it_is_gets_another_name() -> None:
    rnnt = load_round("v3.1").benchmark("rnnt")
    assert quality_words(rnnt.quality[0]).startswith("word accuracy (100 - WER) has to reach 91.6")
    assert metric_word("acc") == "acc"


def test_limits_carry_their_units() -> None:
    round_ = load_round("v3.0")
    resnet = round_.benchmark("resnet")
    server = limits_words(round_.scenarios[Scenario.SERVER], resnet.limits[Scenario.SERVER])
    assert server == "at least 10m 00s and 270,336 queries; 99% of the queries within 15.0 ms"
    offline = limits_words(round_.scenarios[Scenario.OFFLINE], resnet.limits[Scenario.OFFLINE])
    assert offline == "at least 10m 00s and 24,576 samples in its one query"
    single = limits_words(round_.scenarios[Scenario.SINGLE_STREAM], resnet.limits[Scenario.SINGLE_STREAM])
    assert "within" not in single


def test_scenarios_say_which_way_is_better() -> None:
    scenarios = load_round("v3.1").scenarios
    assert "90th percentile" in scenario_words(scenarios[Scenario.SINGLE_STREAM])
    assert "8 samples" in scenario_words(scenarios[Scenario.MULTI_STREAM])
    assert scenario_words(scenarios[Scenario.SERVER]).endswith("queries per second; higher is better.")
    assert scenario_words(scenarios[Scenario.OFFLINE]).endswith("samples per second; higher is better.")


@pytest.mark.parametrize("name", round_names())
def test_every_round_has_its_seeds_durations_tests_and_divisions_in_words(name: str) -> None:
    round_ = load_round(name)
    words = "\n".join(round_words(round_))
    assert str(round_.seeds.qsl) in words
    assert str(round_.test05_seeds.schedule) in words
    assert "10m 00s" in words
    assert "TEST01" in words
    assert "closed" in words
    for benchmark in round_.benchmarks.values():
        assert benchmark_words(benchmark)
        assert [category for category, _, _ in categories_words(benchmark)] == [
            category.value for category in benchmark.categories()
        ]


def test_changes_of_many_benchmarks_are_told_once() -> None:
    old, new = load_round("v3.0"), load_round("v3.1")
    found = changes(old, new)
    words = changes_words(found, (old, new))
    assert len(words) < len(found)
    queries = next(each for each in words if each.fact == "Server, min query count")
    assert (queries.old, queries.new) == ("270,336", "100")
    assert {"bert-99", "bert-99.9", "3d-unet-99.9", "resnet"} <= set(queries.benchmarks)
    new_ones = next(each for each in words if each.fact == "benchmark is new")
    assert "gptj-99" in new_ones.benchmarks
    gone = next(each for each in words if each.fact == "benchmark is gone")
    assert gone.benchmarks == ("dlrm-99", "dlrm-99.9")
    seeds = next(each for each in words if each.fact == "seeds, qsl")
    assert (seeds.old, seeds.new, seeds.benchmarks) == ("10003631887983097364", "148687905518835231", ())


def test_rounds_that_state_the_same_have_no_changes() -> None:
    round_ = load_round("v3.0")
    assert changes_words(changes(round_, round_), (round_, round_)) == []
