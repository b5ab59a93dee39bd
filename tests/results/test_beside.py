from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from assay.base.settings import Settings
from assay.errors import UsageError
from assay.results.beside import Compared, Wanted, beside, of_systems
from assay.results.compare import Change
from assay.results.metrics import load_metrics
from assay.results.one import results_of_uids
from assay.results.row import Row
from assay.results.store import Store, open_store

from .rows import make_row, put

pytestmark = pytest.mark.usefixtures("nothing_published")
ACC = {"accuracy": 76.0, "accuracy_metric": "acc"}
ONE = make_row(0, value=100.0, samples_per_second=100.0, watts=50.0, joules_per_sample=0.5, cores=8, **ACC)
TWO = make_row(1, value=200.0, samples_per_second=200.0, watts=100.5, joules_per_sample=0.25, cores=16, **ACC)
STREAM = make_row(
    2, scenario="SingleStream", value=5.0, unit="Latency (ms)", lower_is_better=True, samples_per_second=200.0,
    latency=5e6, accuracy=0.9, accuracy_metric="mAP", qsl_seed=2**63,
)  # fmt: skip
FASTER = make_row(3, scenario="SingleStream", value=4.0, unit="Latency (ms)", lower_is_better=True, latency=4e6)
OLD = make_row(1, round="v2.1", samples_per_second=900.0)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    settings = Settings(Path(tmp_path_factory.mktemp("beside")))
    put(settings, [ONE, TWO, STREAM, FASTER, OLD])
    return settings


@pytest.fixture(scope="module")
def store(home: Settings) -> Iterator[Store]:
    with open_store(home) as store:
        yield store


def lines(home: Settings, store: Store, *rows: Row) -> dict[str, Compared]:
    metrics = load_metrics(home)
    known = results_of_uids(store, [row.uid for row in rows])
    groups = beside([known[row.uid] for row in rows], metrics, metrics.schema())
    return {each.name: each for _, group in groups for each in group}


def test_ratios_know_which_way_is_better(home: Settings, store: Store) -> None:
    found = lines(home, store, ONE, TWO)
    assert (found["samples_per_second"].ratios, found["samples_per_second"].changes) == ((1, 2), (None, Change.BETTER))
    assert found["watts"].changes == (None, Change.WORSE)
    assert found["samples_per_joule"].changes == (None, Change.BETTER)
    assert found["accuracy"].changes == (None, Change.SAME)
    # More cores are neither good nor bad.
    assert (found["cores"].ratios, found["cores"].changes, found["cores"].better) == ((1, 2), (None, None), "")
    assert found["system"].differs
    assert not found["round"].differs


def test_the_official_figure_takes_its_direction_from_the_scenario(home: Settings, store: Store) -> None:
    found = lines(home, store, STREAM, FASTER)
    assert (found["value"].better, found["value"].changes[1]) == ("lower", Change.BETTER)
    assert found["latency"].changes[1] is Change.BETTER


def test_what_is_not_the_same_thing_has_no_ratio(home: Settings, store: Store) -> None:
    found = lines(home, store, ONE, STREAM)
    assert found["value"].ratios == (None, None)
    assert found["accuracy"].ratios == (None, None)
    assert found["qsl_seed"].values == (None, str(2**63))
    with pytest.raises(UsageError):
        lines(home, store, ONE)


def test_a_result_of_each_system_of_the_same_kind(store: Store) -> None:
    pair = [("Acme", "box0"), ("Acme", "box1")]
    assert [each and each.uid for each in of_systems(store, pair, Wanted())] == [ONE.uid, TWO.uid]
    assert [each and each.uid for each in of_systems(store, pair, Wanted(round="v2.1"))] == [None, OLD.uid]
    assert of_systems(store, [("Acme", "box0")], Wanted(benchmark="bert-99")) == [None]
    mixed = of_systems(store, [("Acme", "box2"), ("Acme", "box3"), ("Acme", "box0")], Wanted())
    assert [each and each.scenario for each in mixed] == ["SingleStream", "SingleStream", None]
