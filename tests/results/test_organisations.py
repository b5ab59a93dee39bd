from __future__ import annotations

from pathlib import Path

import pytest

from assay.base.settings import Settings
from assay.errors import NotFoundError
from assay.results.organisations import find_organisation, organisations
from assay.results.store import open_store

from .rows import make_row, put

pytestmark = pytest.mark.usefixtures("nothing_published")
ROWS = [
    make_row(0, power=True),
    make_row(1, division="open", method="inferred"),
    make_row(2, division="network", round="v2.1"),
    make_row(3, organisation="acorn", location="x", origin="local"),
    make_row(4, organisation=None, location="y"),
]


def test_what_each_submitted_by_round(tmp_path: Path) -> None:
    settings = Settings(tmp_path)
    put(settings, ROWS)
    with open_store(settings) as store:
        acme, acorn = organisations(store)
        assert (acme.name, acme.rounds) == ("Acme", ("v2.1", "v3.0"))
        assert (acorn.name, acorn.submitted.official) == ("acorn", False)
        whole = acme.submitted
        assert (whole.systems, whole.results, whole.measured, whole.closed, whole.open, whole.power) == (
            3,
            3,
            2,
            2,
            1,
            1,
        )
        assert whole.power_share == pytest.approx(1 / 3)
        rounds = find_organisation(store, "Acme")
        assert {name: each.results for name, each in rounds.items()} == {"v2.1": 1, "v3.0": 2}
        with pytest.raises(NotFoundError, match="Acmee") as caught:
            find_organisation(store, "Acmee")
        assert caught.value.expected == "Acme"
