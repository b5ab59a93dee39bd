from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from assay.errors import NotFoundError, UsageError
from assay.system.description import Description, State, describe, system_id
from assay.system.facts import Accelerator, AcceleratorFacts, Fact, Package, SystemFacts
from assay.system.probe import probe
from assay.system.validate import validate


def by_name(description: Description) -> dict[str, Any]:
    return {entry.field.name: entry for entry in description.entries}


def with_gpus(facts: SystemFacts, *devices: Accelerator) -> SystemFacts:
    return replace(
        facts,
        accelerators=AcceleratorFacts(Fact(len(devices), "NVML"), Fact(devices, "NVML"), Fact("NVIDIA 550", "NVML")),
    )


def with_packages(facts: SystemFacts, *packages: Package) -> SystemFacts:
    return replace(facts, software=replace(facts.software, packages=Fact(packages, "metadata")))


def test_a_server_fills_what_it_knows(xeon: Any) -> None:
    fields = by_name(describe(probe(xeon.reader), name="x"))
    expected = {
        "system_name": "Dell Inc. PowerEdge R760",
        "number_of_nodes": "1",
        "host_processor_model_name": "Intel(R) Xeon(R) Platinum 8480+",
        "host_processors_per_node": "2",
        "host_processor_core_count": "4",
        "host_processor_frequency": "3800 MHz",
        "host_processor_caches": "L1d: 384 KiB; L1i: 256 KiB; L2: 16 MiB; L3: 210 MiB",
        "host_memory_capacity": "503.5 GiB",
        "host_memory_configuration": "8x 64 GiB DDR5-4800",
        "host_storage_capacity": "4.3 TB",
        "host_storage_type": "1x NVMe SSD, 1x SSD",
        "host_networking": "1x Ethernet 25 Gbit/s, 1x InfiniBand 200 Gbit/s",
        "host_network_card_count": "2",
        "accelerators_per_node": "0",
        "accelerator_model_name": "N/A",
        "accelerator_interconnect": "N/A",
        "operating_system": "Ubuntu 22.04.3 LTS (Linux 5.15.0-91-generic)",
    }
    assert {name: fields[name].value for name in expected} == expected
    assert {fields[name].state for name in expected} == {State.PROBED}
    assert fields["host_memory_configuration"].source == "/sys/firmware/dmi/tables/DMI: memory devices"


def test_what_the_machine_does_not_tell_is_missing_or_may_stay_empty(epyc_vm: Any) -> None:
    description = describe(probe(epyc_vm.reader), name="x")
    fields = by_name(description)
    assert fields["host_memory_configuration"].state is State.MISSING
    assert "virtual machines" in fields["host_memory_configuration"].source
    assert fields["host_processor_frequency"].state is State.EMPTY_ALLOWED
    assert fields["cooling"].source == "only you know"
    assert fields["host_networking_topology"].suggestion == "N/A"
    assert {entry.field.name for entry in description.missing()} >= {"submitter", "division", "cooling"}
    assert "host_processor_frequency" not in {entry.field.name for entry in description.missing()}


def test_states_and_validation_agree(xeon: Any, epyc_vm: Any, arm: Any) -> None:
    for box in (xeon, epyc_vm, arm):
        description = describe(probe(box.reader), name="x")
        missing = {entry.field.name for entry in description.missing()}
        assert {problem.field for problem in validate(description.to_official_json())} == missing


def test_answers_win_over_the_machine(xeon: Any) -> None:
    description = describe(
        probe(xeon.reader),
        name="x",
        submitter="Example",
        division="closed",
        category="datacenter,edge",
        status="rdi",
        given={"system_name": "R760", "number_of_nodes": 4, "accelerators_per_node": 0},
        sources={"system_name": "--set"},
    )
    fields = by_name(description)
    assert (fields["system_name"].value, fields["system_name"].state) == ("R760", State.ASKED)
    assert fields["system_name"].source == "--set"
    assert fields["number_of_nodes"].value == 4
    assert fields["accelerators_per_node"].value == "0", "the number 0 counts as empty"
    assert description.to_official_json()["system_type"] == "datacenter,edge"
    assert description.given()["submitter"] == "Example"


def test_a_machine_with_gpus(xeon: Any) -> None:
    gpu = Accelerator("NVIDIA H100 80GB HBM3", 80 << 30, "PCIe Gen5 x16", "NVLink, 18 links", 1980)
    fields = by_name(describe(with_gpus(probe(xeon.reader), gpu, gpu), name="x"))
    assert fields["accelerators_per_node"].value == "2"
    assert fields["accelerator_model_name"].value == "NVIDIA H100 80GB HBM3"
    assert fields["accelerator_memory_capacity"].value == "80 GiB"
    assert fields["accelerator_host_interconnect"].value == "PCIe Gen5 x16"
    assert fields["accelerator_interconnect"].value == "NVLink, 18 links"
    assert fields["accelerator_frequency"].value == "1980 MHz"
    assert fields["accelerator_memory_configuration"].state is State.MISSING


def test_different_gpus_are_counted_and_one_has_no_peer(xeon: Any) -> None:
    first, second = Accelerator("A", 1 << 30, None, None, None), Accelerator("B", None, None, None, None)
    fields = by_name(describe(with_gpus(probe(xeon.reader), first, first, second), name="x"))
    assert fields["accelerator_model_name"].value == "2x A, 1x B"
    assert fields["accelerator_interconnect"].state is State.MISSING
    alone = by_name(describe(with_gpus(probe(xeon.reader), first), name="x"))
    assert alone["accelerator_interconnect"].value == "N/A"


def test_accelerators_that_cannot_be_described_are_missing(machine: Any) -> None:
    fields = by_name(describe(probe(machine("orin").write({"sys/devices/gpu.0/load": 0}).reader), name="x"))
    assert fields["accelerators_per_node"].value == "1"
    assert fields["accelerator_model_name"].state is State.MISSING


def test_one_engine_is_the_framework_and_two_are_a_question(xeon: Any) -> None:
    facts = probe(xeon.reader)
    onnx, vino = Package("ONNX Runtime", "onnxruntime", "1.22"), Package("OpenVINO", "openvino", "2025.1")
    numpy = Package("NumPy", "numpy", "2.1")
    one = by_name(describe(with_packages(facts, onnx, numpy), name="x"))
    assert one["framework"].value == "ONNX Runtime 1.22"
    assert str(one["other_software_stack"].value).endswith("; NumPy 2.1")
    two = by_name(describe(with_packages(facts, onnx, vino), name="x"))
    assert (two["framework"].state, two["framework"].suggestion) == (
        State.MISSING,
        "ONNX Runtime 1.22, OpenVINO 2025.1",
    )


def test_fields_follow_the_round_and_the_division(xeon: Any) -> None:
    facts = probe(xeon.reader)
    assert "host_network_card_count" not in by_name(describe(facts, name="x", round_name="v3.0"))
    network = by_name(describe(facts, name="x", division="network"))
    assert network["is_network"].value == "true"
    assert network["nic_sut"].state is State.MISSING
    assert "is_network" not in by_name(describe(facts, name="x", division="closed"))


def test_power_fields_are_kept_when_given(xeon: Any) -> None:
    fields = by_name(describe(probe(xeon.reader), name="x", given={"boot_firmware_version": "2.1"}))
    assert fields["boot_firmware_version"].value == "2.1"
    assert "power_management" not in fields


def test_a_misspelt_field_has_close_names(xeon: Any) -> None:
    with pytest.raises(UsageError, match="cooling") as caught:
        describe(probe(xeon.reader), name="x", given={"coling": "air"})
    assert caught.value.exit_code == 2


def test_an_unknown_round_is_refused(xeon: Any) -> None:
    with pytest.raises(NotFoundError):
        describe(probe(xeon.reader), name="x", round_name="v1.0")


def test_answering_replaces_adds_and_takes_away(xeon: Any) -> None:
    old = describe(probe(xeon.reader), name="x", extra={"room": "12"})
    new = old.answered({"cooling": "water", "boot_firmware_version": "2", "system_name": ""}, "given by you")
    fields = by_name(new)
    assert (fields["cooling"].value, fields["cooling"].state) == ("water", State.ASKED)
    assert fields["boot_firmware_version"].state is State.ASKED
    assert (fields["system_name"].value, fields["system_name"].state) == ("", State.EMPTY_ALLOWED)
    assert new.to_official_json()["room"] == "12"
    assert by_name(old)["cooling"].value == ""
    with pytest.raises(UsageError):
        old.answered({"x": "y"}, "given by you")


@pytest.mark.parametrize(
    ("text", "name"), [("lab 1/GPU", "lab_1_GPU"), ("../..", ""), ("xeon-01", "xeon-01"), ("é", "")]
)
def test_ids_are_safe_names(text: str, name: str) -> None:
    assert system_id(text) == name
