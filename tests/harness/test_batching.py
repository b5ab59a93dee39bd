from __future__ import annotations

import queue
import threading
import time

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.harness.batching import BatchLimits, Collector, Work


def _queue(*works: Work | None) -> queue.SimpleQueue[Work | None]:
    source: queue.SimpleQueue[Work | None] = queue.SimpleQueue()
    for work in works:
        source.put(work)
    return source


def test_waiting_queries_make_one_batch_without_a_deadline() -> None:
    collector = Collector(_queue(([1], [10], 5), ([2], [20], 6), None), BatchLimits(8), 0)
    assert collector.next() == ([1, 2], [10, 20], [5, 6])
    assert collector.next() is None


def test_a_batch_is_never_larger_than_asked() -> None:
    collector = Collector(_queue(([1], [1], 0), ([2], [2], 0), ([3], [3], 0), None), BatchLimits(2), 0)
    assert collector.next() == ([1, 2], [1, 2], [0, 0])
    assert collector.next() == ([3], [3], [0])


def test_a_query_that_does_not_fit_is_kept_for_the_next_batch() -> None:
    collector = Collector(_queue(([1, 2], [1, 2], 0), ([3, 4], [3, 4], 1), None), BatchLimits(3), 0)
    assert collector.next() == ([1, 2], [1, 2], [0])
    assert collector.next() == ([3, 4], [3, 4], [1])
    assert collector.next() is None


def test_a_larger_query_is_a_batch_of_its_own() -> None:
    collector = Collector(_queue(([1, 2, 3], [1, 2, 3], 0), None), BatchLimits(2), 0)
    assert collector.next() == ([1, 2, 3], [1, 2, 3], [0])


def test_it_waits_for_company_until_the_deadline() -> None:
    source = _queue(([1], [1], time.perf_counter_ns()))
    late = threading.Timer(0.05, lambda: source.put(([2], [2], time.perf_counter_ns())))
    late.start()
    batch = Collector(source, BatchLimits(2), 5_000_000_000).next()
    late.join()
    assert batch is not None
    assert batch[0] == [1, 2]


def test_it_does_not_wait_beyond_the_deadline() -> None:
    started = time.perf_counter()
    batch = Collector(_queue(([1], [1], time.perf_counter_ns())), BatchLimits(2), 20_000_000).next()
    assert batch is not None
    assert batch[0] == [1]
    assert time.perf_counter() - started < 5


@settings(max_examples=60)
@given(st.lists(st.integers(1, 6), max_size=30), st.integers(1, 8))
def test_no_query_is_lost_or_doubled(sizes: list[int], batch_size: int) -> None:
    works: list[Work | None] = []
    number = 0
    for size in sizes:
        ids = list(range(number, number + size))
        works.append((ids, ids, 0))
        number += size
    collector = Collector(_queue(*works, None), BatchLimits(batch_size), 0)
    seen: list[int] = []
    while (batch := collector.next()) is not None:
        assert len(batch[0]) <= max(batch_size, *sizes)
        seen += batch[0]
    assert seen == list(range(number))


SIZES = np.array([3, 9, 1, 4, 30, 4])


def test_a_large_query_is_cut_largest_first_and_equal_ones_as_they_came() -> None:
    limits = BatchLimits(3, work=20, sizes=SIZES)
    ids, indices = limits.order([10, 11, 12, 13, 14, 15], [0, 1, 2, 3, 4, 5])
    assert indices == [4, 1, 3, 5, 0, 2]
    assert ids == [14, 11, 13, 15, 10, 12]
    ends = [limits.end(indices, start) for start in (0, 1, 4)]
    assert ends == [1, 4, 6], "30 alone although it is more than 20; then 9+4+4; then 3+1"


def test_samples_of_one_size_stay_in_order() -> None:
    assert BatchLimits(2, work=5).order([1, 2, 3], [7, 8, 9]) == ([1, 2, 3], [7, 8, 9])
    assert BatchLimits(2, work=5).end([7, 8, 9], 0) == 2


def test_a_collected_batch_keeps_to_the_work() -> None:
    works = [([index], [index], 0) for index in range(6)]
    collector = Collector(_queue(*works, None), BatchLimits(8, work=14, sizes=SIZES), 0)
    assert [batch[1] for batch in iter(collector.next, None)] == [[0, 1, 2], [3], [4], [5]]


@settings(max_examples=100)
@given(st.lists(st.integers(0, 20), min_size=1, max_size=40), st.integers(1, 8), st.integers(0, 40), st.booleans())
def test_all_ends_at_once_are_those_found_one_by_one(sizes: list[int], size: int, work: int, told: bool) -> None:
    limits = BatchLimits(size, work, np.array(sizes) if told else None)
    indices, expected, start = list(range(len(sizes))), [], 0
    while start < len(indices):
        start = limits.end(indices, start)
        expected.append(start)
    assert limits.ends(indices) == expected
    assert limits.ends([]) == []
