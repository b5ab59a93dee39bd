from __future__ import annotations

import pytest

from assay.base.settings import Settings
from assay.results.overview import RoundCounts, overview
from assay.results.store import open_store

from .rows import make_row, put

pytestmark = pytest.mark.usefixtures("nothing_published")


def test_results_are_counted_by_round(settings: Settings) -> None:
    with open_store(settings) as store:
        assert overview(store) == []
    put(
        settings,
        [
            make_row(0, power=True),
            make_row(0, scenario="Server", power=True, method="inferred"),
            make_row(1, organisation=None, benchmark="bert-99"),
            make_row(2, round="v2.1"),
            make_row(3, origin="local"),
        ],
    )
    with open_store(settings) as store:
        assert overview(store) == [
            RoundCounts("v2.1", True, 1, 1, 0, 1, 1, 1),
            RoundCounts("v3.0", True, 3, 2, 2, 1, 2, 2),
            RoundCounts("v3.0", False, 1, 1, 0, 1, 1, 1),
        ]
