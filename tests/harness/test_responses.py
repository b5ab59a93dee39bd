from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from assay.errors import RunFailedError
from assay.harness import responses
from assay.harness.responses import ResponsePool
from assay.tasks.protocol import Counted, Parted


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


def test_responses_of_any_size_and_type_are_handed_over(sent: list[tuple[int, bytes]]) -> None:
    pool = ResponsePool(2)
    arrays = [np.arange(3, dtype=np.float32), np.empty(0, np.int64), np.ones((2, 2), np.uint8), np.array(7, np.int32)]
    arrays.append(np.arange(6, dtype=np.int16)[::2])
    pool.complete([1, 2, 3, 4, 5], arrays)
    assert sent == [(number + 1, array.tobytes()) for number, array in enumerate(arrays)]


def test_fewer_responses_than_samples_are_refused_and_none_is_sent(sent: list[tuple[int, bytes]]) -> None:
    pool = ResponsePool(4)
    for few in (np.zeros((1, 2), np.float32), [np.zeros(2)]):
        with pytest.raises(RunFailedError, match="another number of responses") as caught:
            pool.complete([1, 2, 3], few)
        assert (caught.value.expected, caught.value.found) == ("3 responses", "1")
    assert sent == []


@pytest.mark.parametrize(
    "wrong", [np.array([None]), b"bytes", np.array(["x"], object)], ids=["none", "bytes", "object"]
)
def test_what_is_no_array_of_values_is_refused(sent: list[tuple[int, bytes]], wrong: Any) -> None:
    with pytest.raises(RunFailedError, match="no array of plain values"):
        ResponsePool(4).complete([1, 2], [np.zeros(1), wrong])
    assert sent == []


def test_rows_without_bytes_are_empty_answers(sent: list[tuple[int, bytes]]) -> None:
    ResponsePool(4).complete([1, 2], np.empty((2, 0), np.float32))
    assert sent == [(1, b""), (2, b"")]


def test_parts_of_one_array_which_is_used_again(sent: list[tuple[int, bytes]]) -> None:
    pool = ResponsePool(2)
    rows = np.arange(12, dtype=np.float32).reshape(6, 2)
    pool.complete([1, 2, 3], Parted(rows, [2, 2, 5]))
    assert sent == [(1, rows[:2].tobytes()), (2, b""), (3, rows[2:5].tobytes())]
    rows += 1
    pool.complete([4], Parted(rows, [1, 6]))
    pool.complete([5], Parted(rows[::2], [3]))
    pool.complete([6], Parted(np.array([[7]], np.int64), [1]))
    assert sent[3:] == [(4, rows[:1].tobytes()), (5, rows[::2].tobytes()), (6, np.int64(7).tobytes())]
    assert [part.tobytes() for part in Parted(rows, [2, 2, 5])] == [rows[:2].tobytes(), b"", rows[2:5].tobytes()]


def test_parts_that_are_too_few_or_end_behind_their_array_are_refused(sent: list[tuple[int, bytes]]) -> None:
    pool = ResponsePool(4)
    with pytest.raises(RunFailedError, match="another number of responses"):
        pool.complete([1, 2], Parted(np.zeros((4, 2)), [4]))
    with pytest.raises(RunFailedError, match="end behind it") as caught:
        pool.complete([1, 2], Parted(np.zeros((4, 2)), [4, 5]))
    assert (caught.value.expected, caught.value.found) == ("4 rows", "5")
    with pytest.raises(RunFailedError, match="no array of plain values"):
        pool.complete([1], Parted(np.array([None]), [1]))
    assert sent == []


def test_numbers_of_tokens_and_first_tokens_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[tuple[str, list[tuple[int, int, int]]]] = []

    def listen(name: str) -> Any:
        return lambda batch: calls.append((name, [(item.id, item.size, item.n_tokens) for item in batch]))

    def make(number: int, data: int, size: int) -> Any:
        return SimpleNamespace(id=number, data=data, size=size, n_tokens=0)

    fake = SimpleNamespace(
        QuerySamplesComplete=listen("answer"), FirstTokenComplete=listen("first"), QuerySampleResponse=make
    )
    monkeypatch.setattr(responses, "lg", fake)
    pool = ResponsePool(2, first_tokens=True)
    pool.begin(5, np.array([9], np.int64))
    pool.complete([5, 6, 7], Counted([np.zeros(3, np.int64), np.zeros(2, np.int64), np.zeros(0, np.int64)], [3, 2, 0]))
    pool.complete_empty([8, 9])
    assert calls == [
        ("first", [(5, 8, 0)]),
        ("answer", [(5, 24, 3), (6, 16, 2)]),
        ("answer", [(7, 0, 0)]),
        ("first", [(8, 0, 0)]),
        ("first", [(9, 0, 0)]),
        ("answer", [(8, 0, 0), (9, 0, 0)]),
    ]
