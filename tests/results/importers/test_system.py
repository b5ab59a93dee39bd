from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.results.importers.system import system_fields
from assay.results.row import Row

GIVEN: dict[str, Any] = {
    "system_type": "datacenter,edge",
    "status": "Available",
    "system_name": "Box 1 (2x A100)",
    "accelerator_model_name": "NVIDIA A100-SXM4-80GB",
    "accelerators_per_node": "4",
    "host_processor_model_name": "AMD EPYC 7713 64-Core Processor",
    "host_processors_per_node": 2,
    "host_processor_core_count": "4 (big); 4 (LITTLE)",
    "number_of_nodes": "3",
    "host_memory_capacity": "16x 64 GB",
    "operating_system": "Ubuntu 22.04",
    "framework": "TensorRT 8.6.0, CUDA 12.0",
    "hw_notes": "water",
    "sw_notes": "N/A",
}


def test_a_whole_description() -> None:
    assert system_fields(GIVEN, organisation="CTuning").row == {
        "organisation": "cTuning",
        "category": ("datacenter", "edge"),
        "availability": "available",
        "system_name": "Box 1 (2x A100)",
        "accelerator": "A100-SXM-80GB",
        "accelerator_vendor": "NVIDIA",
        "accelerator_given": "NVIDIA A100-SXM4-80GB",
        "accelerators_per_node": 4,
        "accelerators": 12,
        "processor": "AMD EPYC 7713",
        "processor_given": "AMD EPYC 7713 64-Core Processor",
        "processors_per_node": 2,
        "cores": 8,
        "nodes": 3,
        "memory": 1 << 40,
        "memory_given": "16x 64 GB",
        "operating_system": "Ubuntu 22.04",
        "framework": "TensorRT",
        "framework_given": "TensorRT 8.6.0, CUDA 12.0",
        "notes": "water",
    }


def test_nothing_is_null_and_never_a_word() -> None:
    for missing in ("", "N/A", "-", None, {}, []):
        row = system_fields(dict.fromkeys(GIVEN, missing), organisation=missing).row
        assert {name: value for name, value in row.items() if value not in (None, ())} == {}
    assert system_fields({}, organisation=None).row == row


def test_an_accelerator_that_is_not_used_is_none() -> None:
    row = system_fields({**GIVEN, "accelerators_per_node": 0}, organisation="x").row
    assert (row["accelerator"], row["accelerator_vendor"], row["accelerator_given"]) == (None, None, None)
    assert (row["accelerators_per_node"], row["accelerators"]) == (0, 0)


def test_a_count_that_is_none_leaves_the_rest() -> None:
    row = system_fields({**GIVEN, "accelerators_per_node": "(8,4)"}, organisation="x").row
    assert (row["accelerators_per_node"], row["accelerators"], row["accelerator"]) == (None, None, "A100-SXM-80GB")
    assert system_fields({**GIVEN, "number_of_nodes": ""}, organisation="x").row["accelerators"] is None


@pytest.mark.parametrize(
    ("notes", "told"),
    [
        ({"hw_notes": "a", "sw_notes": "b"}, "a. b"),
        ({"sw_notes": "b"}, "b"),
        ({"notes": "c"}, "c"),
        ({"hw_notes": " ", "sw_notes": "none"}, None),
        ({"hw_notes": ["a"]}, None),
    ],
)
def test_notes(notes: dict[str, Any], told: str | None) -> None:
    assert system_fields(notes, organisation=None).row["notes"] == told


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=2), inner, max_size=2),
    max_leaves=3,
)


@given(st.dictionaries(st.sampled_from([*GIVEN, "notes"]), _JSON), _JSON)
def test_any_description_makes_a_row_that_can_be_kept(description: dict[str, Any], organisation: Any) -> None:
    fields = system_fields(description, organisation=organisation).row
    row = Row(uid="u", round="r", benchmark="b", scenario="s", division="d", location="l", **fields)
    assert msgspec.json.decode(msgspec.json.encode(row), type=Row) == row


def test_numbers_of_a_hostile_description_stay_in_their_columns() -> None:
    huge = {
        "accelerators_per_node": 10**9 - 1,
        "number_of_nodes": 10**9 - 1,
        "host_memory_capacity": "9999x 999999999TB",
    }
    fields = system_fields(huge, organisation="x").row
    assert fields["accelerators"] == (10**9 - 1) ** 2 < 2**63 and fields["memory"] is None
    json.dumps(fields)
