from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from assay.errors import InvalidInputError
from assay.rules.load import read_round
from assay.rules.model import Category, Limits, QualityTarget, Scenario

Broken = Callable[[str, str], tuple[Path, int]]


def test_a_round_is_built_with_its_defaults(write: Callable[..., Path]) -> None:
    round_ = read_round(write())
    cats, dogs = round_.benchmark("CATS"), round_.benchmark("dogs")
    assert (round_.name, round_.seeds.schedule, round_.test05_seeds.qsl) == ("v9.0", 3, 4)
    assert cats.conf_model == "cats-99"
    assert dogs.conf_model == "dog"
    assert cats.scenarios(Category.EDGE) == (Scenario.SINGLE_STREAM, Scenario.OFFLINE, Scenario.MULTI_STREAM)
    assert dogs.categories() == (Category.DATACENTER,)
    assert cats.limits[Scenario.SERVER] == Limits(
        600_000_000_000, 100, 15_000_000, 0.99, 1.0, 1, 500, equal_issue=False
    )
    assert dogs.limits[Scenario.SERVER].target_latency_ns == 10_000_000
    assert cats.limits[Scenario.SINGLE_STREAM].equal_issue
    assert cats.limits[Scenario.OFFLINE].percentile is None
    assert dogs.quality[1] == QualityTarget("tokens", "tokens", 100, 0.9, 90, 110)


@pytest.mark.parametrize(
    ("old", "new", "key", "words"),
    [
        ("target: 79.2", "target: 79.3", "benchmarks.cats-99.quality.0.target", "not reference"),
        ("metric: acc, reference: 80", "metric: mIoU, reference: 80", "benchmarks.cats-99.quality.0.metric", "no unit"),
        ("metric: tokens", "metric: acc", "benchmarks.dogs.quality.1.metric", "given twice"),
        ("upper_limit: 110", "upper_limit: 80", "benchmarks.dogs.quality.1.upper_limit", "below the target"),
        ("count: 500", "count: 1001", "benchmarks.cats-99.performance_sample_count", "more samples"),
        ("[MultiStream]", "[Offline]", "benchmarks.cats-99.optional.edge.0", "named twice"),
        ("[SingleStream, Offline]", "[Offline, Offline]", "benchmarks.cats-99.required.edge.1", "named twice"),
        ("aliases: [cats]", "aliases: [Dogs]", "benchmarks.cats-99.aliases.0", "already the name of 'dogs'"),
        ("aliases: [cats]", "aliases: [CATS-99]", "benchmarks.cats-99.aliases.0", "already the name"),
        ("  dogs:\n", "  CATS-99:\n", "benchmarks.CATS-99", "twice, before as 'cats-99'"),
    ],
)  # fmt: skip
def test_contradictions_are_told_with_their_place(broken: Broken, old: str, new: str, key: str, words: str) -> None:
    path, line = broken(old, new)
    with pytest.raises(InvalidInputError, match=words) as caught:
        read_round(path)
    assert caught.value.where == f"{path}:{line}: {key}"


def test_a_target_may_differ_in_its_last_bits(broken: Broken) -> None:
    path, _ = broken("target: 79.2", "target: 79.20000000000002")
    assert read_round(path).benchmark("cats").quality[0].target == 79.20000000000002


def test_a_benchmark_without_category_is_refused(broken: Broken) -> None:
    path, _ = broken("      datacenter: [Offline]\n", "      datacenter: []\n")
    with pytest.raises(InvalidInputError, match="in no category") as caught:
        read_round(path)
    assert str(caught.value.where).endswith(": benchmarks.dogs.required")


@pytest.mark.parametrize("key", ["percentile: 0.9\n", "samples_per_query: 1\n", "target_latency: 10ms\n"])
def test_scenarios_with_a_latency_need_its_facts(broken: Broken, key: str) -> None:
    path, _ = broken(f"    {key}", "")
    with pytest.raises(InvalidInputError, match="is missing: SingleStream") as caught:
        read_round(path)
    assert str(caught.value.where).endswith(f"scenarios.SingleStream.{key.partition(':')[0]}")


def test_all_four_scenarios_have_to_be_there(write: Callable[..., Path]) -> None:
    text = write().read_text()
    start, end = text.index("  Offline:\n"), text.index("accuracy_units")
    with pytest.raises(InvalidInputError, match="scenario Offline is missing"):
        read_round(write(text[:start] + text[end:]))
