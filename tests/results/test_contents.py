from __future__ import annotations

from pathlib import Path

import pytest

from assay.base.settings import Settings
from assay.results.contents import Totals, accuracies, contents, names_in, totals
from assay.results.store import open_store

from .rows import make_row, put

pytestmark = pytest.mark.usefixtures("nothing_published")


def test_what_is_in_a_round(tmp_path: Path) -> None:
    settings = Settings(tmp_path)
    rows = [
        make_row(0, power=True, accelerator="A100"),
        make_row(1, method="inferred"),
        make_row(2, category=("datacenter", "edge"), organisation="Zeta"),
        make_row(3, benchmark="bert-99", round="v2.1"),
        make_row(4, origin="local", location="runs/a"),
    ]
    put(settings, rows)
    with open_store(settings) as store:
        found = {(each.official, each.category): each for each in contents(store, round_="v3.0")}
        edge = found[True, "edge"]
        assert (edge.results, edge.measured, edge.power, edge.organisations, edge.systems) == (3, 2, 1, 2, 3)
        assert found[True, "datacenter"].results == 1
        assert found[False, "edge"].results == 1
        assert [each.round for each in contents(store, benchmark="bert-99")] == ["v2.1"]
        assert totals(store, "v3.0") == Totals(3, 2, 1, 2, 3, 1)
        assert totals(store, "nowhere") == Totals(0, 0, 0, 0, 0, 0)
        names = names_in(store, ["v3.0", "v9.9"])
        assert names["v3.0"] == {"organisation": ["Acme", "Zeta"], "accelerator": ["A100"], "benchmark": ["resnet"]}
        assert names["v9.9"] == {"organisation": [], "accelerator": [], "benchmark": []}


def test_accuracies_are_counted_in_bins_that_hold_them_all(tmp_path: Path) -> None:
    settings = Settings(tmp_path)
    acc = {"accuracy_metric": "acc", "accuracy_unit": "percent"}
    rows = [make_row(number, accuracy=70.0 + number, **acc) for number in range(9)]
    rows += [make_row(20, accuracy=0.9, accuracy_metric="mAP"), make_row(21, accuracy=50.0, method="inferred", **acc)]
    rows += [make_row(22, accuracy=76.0, division="open", **acc), make_row(23, accuracy=None)]
    put(settings, rows)
    with open_store(settings) as store:
        found = accuracies(store, "resnet")
        assert sum(each.results for each in found) == 10
        assert {each.metric for each in found} == {"acc"}
        assert {each.division for each in found} == {"closed", "open"}
        assert (min(each.low for each in found), max(each.high for each in found)) == (70.0, 78.0)
        assert accuracies(store, "none") == []


def test_one_accuracy_of_all_is_a_bin(tmp_path: Path) -> None:
    settings = Settings(tmp_path)
    put(settings, [make_row(number, accuracy=76.0, accuracy_metric="acc") for number in range(3)])
    with open_store(settings) as store:
        (only,) = accuracies(store, "resnet")
        assert (only.low, only.high, only.results) == (76.0, 76.0, 3)
