from __future__ import annotations

import os
import threading

from assay.base.processors import processors
from assay.harness.pinning import divide_cores, pin_thread


def test_streams_get_blocks_of_neighbours() -> None:
    assert divide_cores([0, 1, 2, 3], 2, 2) == [frozenset({0, 1}), frozenset({2, 3})]
    assert divide_cores([0, 1, 2, 3], 2, 0) == [frozenset({0, 1}), frozenset({2, 3})]


def test_one_stream_or_too_few_cores_is_not_pinned() -> None:
    assert divide_cores([0, 1], 1, 2) == []
    assert divide_cores([0, 1], 2, 2) == []
    assert divide_cores([0], 4, 0) == []


def test_pinning_holds_for_the_thread() -> None:
    core = processors()[-1]
    seen: list[set[int]] = []

    def work() -> None:
        pin_thread(frozenset({core}))
        seen.append(os.sched_getaffinity(0))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [{core}]
    assert len(processors()) >= 1
