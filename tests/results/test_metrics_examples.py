from __future__ import annotations

from pathlib import Path

import pytest

from assay.base.settings import Settings
from assay.errors import AssayError
from assay.expressions import compile as compile_text
from assay.results.metrics import Metrics, Scope, load_metrics
from assay.results.metrics.examples import Outcome, outcome_of, outcomes, reckoned, row_of
from assay.results.metrics.model import Example
from assay.results.metrics.values import given_values


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(tmp_path / "home")


def with_metric(settings: Settings, expression: str, examples: str, more: str = "") -> Metrics:
    folder = settings.home / "metrics"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "mine.yaml").write_text(f"name: mine\ntitle: m\nexpression: {expression}\n{more}examples:\n{examples}")
    metrics = load_metrics(settings)
    assert not metrics.broken, metrics.broken
    return metrics


def test_sql_and_python_say_the_same_of_every_shipped_example(settings: Settings) -> None:
    metrics = load_metrics(settings)
    for metric in metrics.by_name.values():
        if metric.scope is not Scope.RESULT:
            continue
        for example in metric.examples:
            values = given_values(metrics.asked, example.parameters, "")
            expression = compile_text(metric.name, metrics.schema(values))
            python = tuple(expression.evaluate(row_of(row, "")) for row in example.given)
            assert outcome_of(example, metric, metrics).found == python


def test_examples_of_all_kinds(settings: Settings) -> None:
    metrics = with_metric(
        settings,
        'category == "edge" and latency_p99 < 15 ms',
        "  - {given: {category: [edge, datacenter], latency_p99: 14 ms}, expect: true}\n"
        "  - {given: {category: [edge], latency_p99: 15000000}, expect: false}\n"
        "  - {given: {latency_p99: 1}, expect: null}\n",
    )
    assert [each.found for each in outcomes(metrics.get("mine"), metrics)] == [(True,), (False,), (None,)]
    metrics = with_metric(settings, "upper(system)", "  - {given: {system: box}, expect: BOX}\n")
    assert all(each.passed for each in outcomes(metrics.get("mine"), metrics))


def test_an_example_of_a_group(settings: Settings) -> None:
    metrics = with_metric(
        settings, "mean(watts)", "  - given: [{watts: 1 kW}, {watts: 500}, {watts: null}]\n    expect: 750 W\n"
    )
    (outcome,) = outcomes(metrics.get("mine"), metrics)
    assert (outcome.found, outcome.passed) == ((750.0,), True)


def test_comparable_results_stand_in_their_own_groups(settings: Settings) -> None:
    metrics = load_metrics(settings)
    rows = [
        {"round": "v3.0", "scenario": "Server", "category": ["edge"], "samples_per_second": 10.0},
        {"round": "v3.1", "scenario": "Server", "category": ["edge"], "samples_per_second": 20.0},
        {"round": "v3.1", "scenario": "Server", "category": ["datacenter"], "samples_per_second": 30.0},
        {"round": "v3.1", "scenario": "Server", "category": ["edge"], "samples_per_second": 40.0},
    ]
    none = given_values({}, {}, "")
    assert reckoned(metrics.get("rank"), metrics, rows, none) == [1.0, 2.0, 1.0, 1.0]
    assert reckoned(metrics.get("share_of_best"), metrics, rows, none) == [100.0, 50.0, 100.0, 100.0]


def test_an_example_with_other_values_of_parameters(settings: Settings) -> None:
    metrics = load_metrics(settings)
    metric = metrics.get("cost_per_million_samples")
    values = given_values(metrics.asked, {"price": "7.2 USD/h"}, "")
    assert outcome_of(metric.examples[0], metric, metrics, values).found == (pytest.approx(2.0),)


def test_figures_are_the_same_to_nine_digits() -> None:
    example = Example(({},), (1.0,))
    assert Outcome(example, (1.0,), (1.0 + 1e-11,)).passed
    assert not Outcome(example, (1.0,), (1.0 + 1e-7,)).passed
    assert not Outcome(example, (None,), (0.0,)).passed
    assert not Outcome(example, (True,), ("true",)).passed
    assert not Outcome(example, (1.0, 2.0), (1.0,)).passed


@pytest.mark.parametrize(
    ("example", "told"),
    [
        ("{given: {wats: 1}, expect: 1}", ":5: examples.0.given.wats: unknown field 'wats'; expected watts"),
        ("{given: {logs: 1}, expect: 1}", ":5: examples.0.given.logs: unknown field 'logs'"),
        ("{given: {watts: 5 ms}, expect: 1}", ":5: examples.0.given.watts: this is in ms; expected something in W"),
        ("{given: {watts: true}, expect: 1}", ":5: examples.0.given.watts: the field watts is a number; found True"),
        ("{given: {watts: .inf}, expect: 1}", ":5: examples.0.given.watts: the field watts is a number; found inf"),
        ("{given: {watts: 1" + "0" * 400 + "}, expect: 1}", ":5: examples.0.given.watts: the field watts is a number"),
        ("{given: {system: 5}, expect: 1}", ":5: examples.0.given.system: the field system is a text; found 5"),
        ("{given: {category: edge}, expect: 1}", ":5: examples.0.given.category: the field category is a texts"),
        ("{given: {power: 1}, expect: 1}", ":5: examples.0.given.power: the field power is a boolean; found 1"),
        ("{given: {}, expect: 5 ms}", ":5: examples.0.expect: this is in ms; expected something in W"),
        ("{given: {}, expect: [1, 2]}", ":5: examples.0.expect: the example does not say what to expect"),
        ("{given: {}, expect: 1, parameters: {p: 1}}", "unknown parameter 'p'"),
        ("{given: {}, expect: 1, baseline: wats}", ":5: examples.0.baseline: unknown name 'wats'"),
    ],
)
def test_examples_that_cannot_be_reckoned(settings: Settings, example: str, told: str) -> None:
    metrics = with_metric(settings, "watts", f"  - {example}\n")
    with pytest.raises(AssayError) as caught:
        outcomes(metrics.get("mine"), metrics)
    assert told in str(caught.value)


@pytest.mark.parametrize("whole", [10**18, 10**30])
def test_large_whole_numbers(settings: Settings, whole: int) -> None:
    metrics = with_metric(settings, "memory / 1 B", f"  - {{given: {{memory: {whole}}}, expect: {whole}}}\n")
    assert outcomes(metrics.get("mine"), metrics)[0].passed
