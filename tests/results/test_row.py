from __future__ import annotations

import hashlib
import re

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from assay.results.row import FORMAT, Row, seeds_of, uid_of

from .rows import any_row, make_row


@given(any_row())
def test_any_row_is_json_and_back(row: Row) -> None:
    assert msgspec.json.decode(msgspec.json.encode(row), type=Row) == row


def test_what_is_not_known_takes_no_room() -> None:
    row = Row(uid="u", round="r", benchmark="b", scenario="s", division="d", location="l")
    assert msgspec.json.decode(msgspec.json.encode(row)) == {
        "uid": "u", "round": "r", "benchmark": "b", "scenario": "s", "division": "d", "location": "l",
    }  # fmt: skip
    assert row.format == FORMAT


def test_a_row_is_a_value() -> None:
    row = make_row()
    assert row == make_row() and row != make_row(1)
    with pytest.raises(AttributeError):
        row.value = 3.0  # type: ignore[misc]


@pytest.mark.parametrize("name", ["queries", "accelerators_per_node", "accelerators", "cores", "nodes", "memory"])
@pytest.mark.parametrize("value", [-1, 2**63, 10**30, 1.5, "4"])
def test_a_count_is_one_that_the_index_can_hold(name: str, value: object) -> None:
    raw = msgspec.json.decode(msgspec.json.encode(make_row())) | {name: value}
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(raw, Row)


def test_the_uid_follows_from_where_a_result_stands() -> None:
    place = ("v3.0", "closed/Acme/results/box/bert-99/Offline", "bert-99", "Offline")
    text = "v3.0\0closed/Acme/results/box/bert-99/Offline\0bert-99\0Offline"
    assert uid_of(*place) == hashlib.sha256(text.encode()).hexdigest()[:16] == "40dc2e950f8f71c1"
    assert len({uid_of(*place), uid_of("v3.1", *place[1:]), uid_of(*place[:3], "Server")}) == 3
    # The parts are apart: what moves from one into the next is another result.
    assert uid_of("a", "bc", "d", "e") != uid_of("ab", "c", "d", "e")


@given(st.text(), st.text(), st.text(), st.text())
@example("\ud800", "closed/\udcff", "", "")
def test_any_place_has_a_uid(round_: str, location: str, benchmark: str, scenario: str) -> None:
    assert re.fullmatch("[0-9a-f]{16}", uid_of(round_, location, benchmark, scenario))


def test_the_seeds_of_a_row() -> None:
    assert seeds_of(make_row(qsl_seed=1, schedule_seed=2**64 - 1)) == (1, None, 2**64 - 1)
