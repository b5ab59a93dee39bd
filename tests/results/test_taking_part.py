from __future__ import annotations

import contextlib
from collections.abc import Iterator

import pytest

from assay.base.settings import Settings
from assay.results.audience import ANYBODY, EVERYBODY, Audience
from assay.results.store import Store, open_store
from assay.results.taking_part import TakenIn, taken_in, unseen

from .rows import make_row, put

pytestmark = pytest.mark.usefixtures("nothing_published")

ONE, TWO = "00000000000000a1", "00000000000000a2"
NOW = "2026-12-01T12:00:00Z"
ROWS = (
    make_row(0, contributor="ada", challenges=(ONE,)),
    make_row(1, contributor="ada", challenges=(ONE, TWO)),
    make_row(2, contributor="bob", challenges=(ONE,), access=f"challenge:{ONE}"),
    make_row(3, challenges=(TWO,)),
    make_row(4, contributor="cy", access="account:cy", embargo="2026-12-02T00:00:00Z"),
)


@contextlib.contextmanager
def seen_by(settings: Settings, audience: Audience, now: str = NOW) -> Iterator[Store]:
    with open_store(settings) as store, contextlib.closing(store.seen_by(audience, now)) as seen:
        yield seen


def test_results_and_contributors_of_challenges_are_counted_as_far_as_they_are_seen(settings: Settings) -> None:
    put(settings, ROWS)
    with seen_by(settings, ANYBODY) as store:
        assert taken_in(store) == {ONE: TakenIn(2, 1), TWO: TakenIn(1, 1)}
    with seen_by(settings, EVERYBODY) as store:
        assert taken_in(store) == {ONE: TakenIn(3, 2), TWO: TakenIn(1, 1)}


def test_unseen_are_results_that_are_there_and_hidden(settings: Settings) -> None:
    put(settings, ROWS)
    uids = [each.uid for each in ROWS] + ["ffffffffffffffff", "' OR 1=1 --"]
    with seen_by(settings, ANYBODY) as store:
        assert unseen(store, uids) == {ROWS[2].uid, ROWS[4].uid}
        assert unseen(store, []) == frozenset()
    with seen_by(settings, Audience(frozenset({f"challenge:{ONE}"})), "2026-12-03T00:00:00Z") as store:
        assert unseen(store, uids) == frozenset()
    with open_store(settings) as whole:
        assert unseen(whole, uids) == frozenset()
