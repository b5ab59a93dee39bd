from __future__ import annotations

import io
import json
import lzma
import tarfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.errors import NotFoundError
from assay.system.fields import Needed, field_list
from assay.system.validate import Level, Problem, validate

SAMPLE = Path(__file__).parents[3] / "shared" / "oracle" / "sample-v3.0.tar.xz"
GOOD: dict[str, object] = {
    "submitter": "Example",
    "division": "open",
    "system_type": "edge",
    "system_type_detail": "",
    "status": "available",
    "system_name": "Example Box",
    "number_of_nodes": 1,
    "host_processor_model_name": "Intel Xeon",
    "host_processors_per_node": "2",
    "host_processor_core_count": 64,
    "host_processor_frequency": "",
    "host_processor_caches": "",
    "host_processor_interconnect": "",
    "host_memory_capacity": "512 GiB",
    "host_memory_configuration": "8x 64 GiB DDR5-4800",
    "host_storage_capacity": "4 TB",
    "host_storage_type": "NVMe SSD",
    "host_networking": "Ethernet",
    "host_network_card_count": "1",
    "host_networking_topology": "N/A",
    "accelerators_per_node": "0",
    "accelerator_model_name": "N/A",
    "accelerator_memory_capacity": "N/A",
    "accelerator_memory_configuration": "N/A",
    "accelerator_frequency": "",
    "accelerator_host_interconnect": "N/A",
    "accelerator_interconnect": "N/A",
    "accelerator_interconnect_topology": "",
    "accelerator_on-chip_memories": "",
    "cooling": "air",
    "framework": "OpenVINO 2025.1",
    "operating_system": "Ubuntu 22.04",
    "other_software_stack": "Python 3.11",
    "hw_notes": "",
    "sw_notes": "",
}


def one(changes: dict[str, object], round_name: str = "v3.1", **places: str) -> Problem:
    problems = validate({**GOOD, **changes}, round_name, **places)
    assert len(problems) == 1, problems
    return problems[0]


def test_a_complete_description_has_no_problem() -> None:
    assert validate(GOOD) == ()
    assert validate(GOOD, submitter="EXAMPLE", division="open") == ()


@pytest.mark.parametrize("name", sorted(GOOD))
def test_every_field_is_missed(name: str) -> None:
    problems = validate({key: value for key, value in GOOD.items() if key != name})
    assert [problem.field for problem in problems if problem.official] == [name]
    assert problems[0].found is None
    assert problems[0].fix.startswith(f"--set {name}=")


@pytest.mark.parametrize("name", sorted(GOOD))
def test_emptiness_is_judged_by_the_round(name: str) -> None:
    fields = field_list()
    field = fields.get(name)
    assert field is not None
    for round_name in ("v2.0", "v3.1"):
        older_fields = {"host_network_card_count", "system_type_detail"} if round_name == "v2.0" else set()
        description = {key: value for key, value in GOOD.items() if key not in older_fields or key == name}
        found = [p for p in validate({**description, name: ""}, round_name) if p.level is Level.ERROR]
        assert bool(found) == fields.filled_in(field, round_name)


def test_the_number_nought_counts_as_empty_and_its_text_does_not() -> None:
    problems = validate({**GOOD, "accelerators_per_node": 0})
    assert problems[0].field == "accelerators_per_node"
    assert '"accelerators_per_node": "0"' in problems[0].fix
    assert problems[0].official


@pytest.mark.parametrize(
    "text", ["TBD", "tbd", "unknown", "XXX", "???", "<fill in>", "...", "To be filled by O.E.M.", "your cpu"]
)
def test_placeholders_are_refused_everywhere(text: str) -> None:
    for name in ("cooling", "host_processor_caches", "hw_notes"):
        problem = one({name: text})
        assert (problem.field, problem.found, problem.official) == (name, text, False)


@pytest.mark.parametrize("text", ["N/A", "n/a", "none", "-"])
def test_not_applicable_only_where_it_can_be(text: str) -> None:
    assert one({"host_processor_model_name": text}).field == "host_processor_model_name"
    assert one({"cooling": text}).field == "cooling"
    assert validate({**GOOD, "host_processor_interconnect": text, "hw_notes": text}) == ()


def test_an_accelerator_has_a_name_when_there_is_one() -> None:
    assert one({"accelerators_per_node": "8"}).field == "accelerator_model_name"
    assert validate({**GOOD, "accelerators_per_node": 8, "accelerator_model_name": "NVIDIA H100"}) == ()
    assert one({"accelerator_model_name": "NVIDIA H100"}).expected == "N/A with accelerators_per_node 0"


@pytest.mark.parametrize(("value", "fix"), [("two", "=1"), ("2 sockets", "=2"), ("1.5", "=1"), ("-1", "=1")])
def test_counts_are_whole_numbers(value: str, fix: str) -> None:
    problem = one({"host_processors_per_node": value})
    assert problem.expected == "a whole number"
    assert f"--set host_processors_per_node{fix}" in problem.fix


def test_no_processors_is_no_machine() -> None:
    assert one({"host_processors_per_node": "0"}).expected == "a whole number from 1"


@pytest.mark.parametrize("value", [["a"], {"a": 1}, None, True])
def test_lists_objects_and_truth_values_are_no_answers(value: object) -> None:
    assert one({"host_memory_capacity": value}).found == repr(value)


def test_choices_are_compared_as_the_checker_does() -> None:
    assert validate({**GOOD, "status": "Available"}) == ()
    assert one({"system_type": "Edge"}).fix == "--set system_type=edge"
    assert one({"system_type": "edge, datacenter"}).fix == "--set system_type=edge,datacenter"
    assert validate({**GOOD, "system_type": "datacenter,edge"}) == ()
    assert one({"status": "soon"}).official


def test_places_of_the_file() -> None:
    assert one({}, submitter="Other").field == "submitter"
    assert one({}, division="closed").fix == "--set division=closed"


NETWORK: dict[str, object] = {
    each.name: "1" if each.kind == "count" else "Ethernet"
    for each in field_list().fields
    if each.needed is Needed.NETWORK
}


def test_the_network_division_has_fields_of_its_own() -> None:
    network = {**NETWORK, "division": "network", "is_network": "True"}
    assert validate({**GOOD, **network}) == ()
    del network["nic_sut"]
    assert one(network).field == "nic_sut"
    problem = one({"division": "network"})
    assert (problem.field, problem.found) == ("is_network", None)


def test_network_mode_does_not_fit_the_closed_division() -> None:
    problem = one({**NETWORK, "division": "closed", "is_network": "true"})
    assert problem.expected == '"false" in the closed division'


def test_a_truth_value_where_text_is_asked_for_is_said_to_stop_the_checker() -> None:
    problems = validate({**GOOD, "is_network": True})
    assert problems[0].found == "True"
    assert problems[0].official


def test_unknown_fields_are_warnings() -> None:
    problem = one({"colour": "grey"})
    assert (problem.field, problem.level) == ("colour", Level.WARNING)
    newer = validate(GOOD, "v3.0")
    assert {(each.field, each.level) for each in newer} == {
        ("host_network_card_count", Level.WARNING),
        ("system_type_detail", Level.WARNING),
    }
    assert validate({**GOOD, "boot_firmware_version": "2.1"}) == ()


def test_an_unknown_round_is_not_judged() -> None:
    with pytest.raises(NotFoundError):
        validate(GOOD, "v9")


def test_a_problem_as_json() -> None:
    document = one({"cooling": ""}).to_dict()
    assert set(document) == {"field", "found", "expected", "fix", "rule", "level"}
    assert "check_system_desc_id" in str(document["rule"])


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@given(st.dictionaries(st.sampled_from([*GOOD, "is_network", "x"]), json_values, max_size=8))
def test_any_json_is_judged_without_an_error(changes: dict[str, Any]) -> None:
    for problem in validate({**GOOD, **changes}):
        assert problem.expected
        assert problem.fix


@pytest.mark.skipif(not SAMPLE.is_file(), reason="needs the sample round ../shared/oracle/sample-v3.0.tar.xz")
def test_real_descriptions_of_a_round_pass_under_its_own_rules() -> None:
    count = 0
    with tarfile.open(fileobj=io.BytesIO(lzma.decompress(SAMPLE.read_bytes()))) as archive:
        for member in archive:
            parts = Path(member.name).parts
            if len(parts) >= 4 and parts[-2] == "systems" and member.name.endswith(".json"):
                stream = archive.extractfile(member)
                assert stream is not None
                description = json.load(stream)
                problems = validate(description, "v3.0", submitter=parts[-3], division=parts[-4])
                assert [problem for problem in problems if problem.level is Level.ERROR] == [], member.name
                assert validate(description, "v3.1"), "v3.1 asks for two fields that no v3.0 file has"
                count += 1
    assert count >= 5
