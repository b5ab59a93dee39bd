from __future__ import annotations

from assay.harness.meter import Meter


def test_a_query_under_way_counts_what_is_done_of_it() -> None:
    meter = Meter()
    meter.issued += 100
    meter.done_in_query = 40
    assert (meter.read().issued, meter.read().done) == (100, 40)
    meter.query_done(100, 5_000)
    assert meter.read().done == 100
    assert meter.read().latencies.tolist() == [5_000]


def test_batches_count_every_query() -> None:
    meter = Meter()
    meter.batch_done(3, [10, 20, 30])
    assert meter.read().done == 3
    assert meter.read().latencies.tolist() == [10, 20, 30]


def test_only_the_latest_latencies_are_kept() -> None:
    meter = Meter()
    for number in range(70_000):
        meter.query_done(1, number)
    kept = meter.read().latencies
    assert len(kept) == 65_536
    assert min(kept) == 70_000 - 65_536
    assert meter.read().done == 70_000
