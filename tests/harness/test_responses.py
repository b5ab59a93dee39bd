from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from assay.harness import responses
from assay.harness.responses import ResponsePool


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, bytes]]:
    """What LoadGen is handed: id and bytes of every response, read at the time of the call."""
    import ctypes

    received: list[tuple[int, bytes]] = []

    def complete(batch: list[Any]) -> None:
        received.extend((item.id, ctypes.string_at(item.data, item.size) if item.size else b"") for item in batch)

    def make(number: int, data: int, size: int) -> Any:
        return SimpleNamespace(id=number, data=data, size=size)

    monkeypatch.setattr(responses, "lg", SimpleNamespace(QuerySamplesComplete=complete, QuerySampleResponse=make))
    return received


def test_each_id_gets_its_row(sent: list[tuple[int, bytes]]) -> None:
    pool = ResponsePool(4)
    rows = np.arange(6, dtype=np.float32).reshape(3, 2)
    pool.complete([7, 8, 9], rows)
    assert sent == [(7, rows[0].tobytes()), (8, rows[1].tobytes()), (9, rows[2].tobytes())]


def test_more_than_the_pool_is_sent_in_pieces(sent: list[tuple[int, bytes]]) -> None:
    pool = ResponsePool(4)
    rows = np.arange(11, dtype=np.int64).reshape(11, 1)
    pool.complete(list(range(11)), rows)
    assert sent == [(number, rows[number].tobytes()) for number in range(11)]


def test_padding_rows_are_not_sent(sent: list[tuple[int, bytes]]) -> None:
    ResponsePool(4).complete([5], np.array([[1.5], [2.5]], np.float32))
    assert sent == [(5, np.float32(1.5).tobytes())]


def test_the_size_of_a_response_may_change(sent: list[tuple[int, bytes]]) -> None:
    pool = ResponsePool(4)
    pool.complete([1], np.array([[1]], np.int64))
    pool.complete([2, 3], np.array([[1, 2], [3, 4]], np.uint8))
    assert sent[1:] == [(2, b"\1\2"), (3, b"\3\4")]


def test_empty_answers(sent: list[tuple[int, bytes]]) -> None:
    ResponsePool(2).complete_empty([1, 2, 3])
    assert sent == [(1, b""), (2, b""), (3, b"")]
