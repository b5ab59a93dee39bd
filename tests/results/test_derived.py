from __future__ import annotations

from pathlib import Path

from assay.base.settings import Settings
from assay.results.derived import derived, derived_of
from assay.results.fields import FIELDS
from assay.results.metrics import Better, load_metrics, load_values

EMPTY = dict.fromkeys((field.name for field in FIELDS), None)


def test_metrics_that_apply_and_those_that_wait(tmp_path: Path) -> None:
    settings = Settings(tmp_path)
    metrics = load_metrics(settings)
    found = {each.name: each for each in derived(EMPTY | {"joules_per_sample": 0.5}, metrics, metrics.schema())}
    best = found["samples_per_joule"]
    assert (best.value, best.unit, best.better, best.formula) == (
        2.0,
        "samples/J",
        Better.HIGHER,
        "1 / joules_per_sample",
    )
    carbon = found["carbon_per_million_samples"]
    assert (carbon.value, carbon.needs) == (None, ("grid_factor",))
    # Neither what has no figure here nor what compares results with each other.
    assert not {"watts_per_node", "rank", "share_of_best", "speedup"} & set(found)


def test_the_users_numbers_give_figures(tmp_path: Path) -> None:
    settings = Settings(tmp_path)
    metrics = load_metrics(settings)
    names = metrics.schema(load_values(settings, metrics.asked, {"price": "3.6 USD/h"}))
    one, other = derived_of([EMPTY | {"samples_per_second": 1000.0}, EMPTY], metrics, names)
    assert {each.name: each.value for each in one}["cost_per_million_samples"] == 1.0
    assert "cost_per_million_samples" not in {each.name for each in other}
