"""The results that came last: own and taken-in ones, by when they came, for who may see them."""

from __future__ import annotations

import pytest

from assay.base.settings import Settings
from assay.results.audience import ANYBODY
from assay.results.latest import latest
from assay.results.store import open_store

from .rows import make_row, put

pytestmark = pytest.mark.usefixtures("nothing_published")


def test_the_newest_come_first_and_published_ones_not_at_all(settings: Settings) -> None:
    put(
        settings,
        [
            make_row(1, origin="local", created="2026-11-01T00:00:00Z"),
            make_row(
                2, origin="local", created="2026-01-01T00:00:00Z", accepted="2026-12-01T00:00:00Z", contributor="ada"
            ),
            make_row(3, origin="local", created="2026-11-02T00:00:00Z", labels=("short-run",)),
            make_row(4, origin="local"),
            make_row(5, created="2026-12-31T00:00:00Z"),
        ],
    )
    with open_store(settings) as store:
        found = latest(store, 10)
        assert [each.system for each in found] == ["box2", "box3", "box1"]
        assert (found[0].when, found[0].contributor) == ("2026-12-01T00:00:00Z", "ada")
        assert (found[0].labels, found[1].labels) == ((), ("short-run",))
        assert [each.system for each in latest(store, 1)] == ["box2"]


def test_what_is_not_for_everybody_is_not_told(settings: Settings) -> None:
    put(
        settings,
        [
            make_row(1, origin="local", created="2026-11-01T00:00:00Z"),
            make_row(2, origin="local", created="2026-11-02T00:00:00Z", access="account:ada"),
        ],
    )
    with open_store(settings) as whole:
        store = whole.seen_by(ANYBODY, "2026-12-01T00:00:00Z")
        assert [each.system for each in latest(store, 10)] == ["box1"]
        store.close()
