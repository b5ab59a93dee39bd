from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError
from typing import Any

from assay.system import software
from assay.system.software import packages_fact, probe_software


def test_names_of_system_and_kernel(xeon: Any) -> None:
    facts = probe_software(xeon.reader)
    assert facts.operating_system.value == "Ubuntu 22.04.3 LTS"
    assert facts.kernel.value == "Linux 5.15.0-91-generic"
    assert facts.python.value == f"{platform.python_implementation()} {platform.python_version()}"


def test_second_places_are_looked_at(epyc_vm: Any) -> None:
    facts = probe_software(epyc_vm.reader)
    assert facts.operating_system.value == "Amazon Linux 2023"
    assert facts.operating_system.source == "/usr/lib/os-release: PRETTY_NAME"
    assert facts.kernel.value == "Linux 6.1.0-13-cloud-amd64"


def test_nothing_is_made_up(machine: Any) -> None:
    facts = probe_software(machine("empty").reader)
    assert (facts.operating_system.value, facts.kernel.value) == (None, None)


def test_libraries_by_their_metadata(monkeypatch: Any) -> None:
    def version(name: str) -> str:
        if name == "openvino":
            return "2025.1"
        raise PackageNotFoundError(name)

    monkeypatch.setattr(software, "version", version)
    assert [str(package) for package in packages_fact().value or ()] == ["OpenVINO 2025.1"]
