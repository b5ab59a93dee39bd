from __future__ import annotations

from typing import Any

from assay.base.diagnosis import Condition, Diagnosis
from assay.system.machine import diagnose_machine
from assay.system.reader import Reader


def checks(box: Any, busy: float = 0.0) -> dict[str, Diagnosis]:
    return {check.name: check for check in diagnose_machine(box.reader, busy_percent=lambda: busy)}


def test_a_quiet_server_with_a_saving_governor(xeon: Any) -> None:
    found = checks(xeon)
    warned = {name for name, check in found.items() if check.state is Condition.WARNING}
    assert warned == {"frequency governor"}
    assert "cpupower" in found["frequency governor"].fix
    assert found["memory"].detail == "503.5 GiB, 476.8 GiB available"
    assert "on" in found["turbo"].detail
    assert found["power meter"].state is Condition.MISSING
    assert not any(check.essential for check in found.values())


def test_the_performance_governor_is_fine(xeon: Any) -> None:
    xeon.write({f"sys/devices/system/cpu/cpu{n}/cpufreq/scaling_governor": "performance" for n in range(16)})
    assert checks(xeon)["frequency governor"].state is Condition.OK


def test_one_cpu_that_differs_is_enough(xeon: Any) -> None:
    xeon.write({f"sys/devices/system/cpu/cpu{n}/cpufreq/scaling_governor": "performance" for n in range(15)})
    check = checks(xeon)["frequency governor"]
    assert (check.state, "performance, powersave" in check.detail) == (Condition.WARNING, True)


def test_a_limited_container_on_a_virtual_machine(epyc_vm: Any) -> None:
    found = checks(epyc_vm)
    assert found["CPU limits"].detail == "a quota of 1.5 CPUs and 2 of 4 CPUs allowed"
    assert found["virtual machine"].state is Condition.WARNING
    assert "Amazon EC2" in found["virtual machine"].detail
    assert found["frequency governor"].detail == "left to the host"
    assert found["memory"].detail == "4 GiB (container limit), 4 GiB available"


def test_other_load_is_told(xeon: Any) -> None:
    assert checks(xeon, busy=9.0)["other load"].state is Condition.OK
    found = checks(xeon, busy=42.0)["other load"]
    assert (found.state, found.detail) == (Condition.WARNING, "42% of the CPUs in use")


def test_too_little_memory_is_essential(xeon: Any) -> None:
    xeon.write({"proc/meminfo": "MemTotal: 500000 kB"})
    check = checks(xeon)["memory"]
    assert (check.state, check.essential) == (Condition.MISSING, True)


def test_memory_in_use_is_a_warning_and_unknown_memory_too(xeon: Any, machine: Any) -> None:
    xeon.write({"proc/meminfo": "MemTotal: 16000000 kB\nMemAvailable: 2000000 kB"})
    assert checks(xeon)["memory"].state is Condition.WARNING
    assert checks(machine("empty"))["memory"].state is Condition.WARNING


def test_turbo_switched_off_is_told(xeon: Any) -> None:
    xeon.write({"sys/devices/system/cpu/intel_pstate/no_turbo": 1})
    assert checks(xeon)["turbo"].state is Condition.WARNING


def test_a_gpu_without_a_driver(machine: Any) -> None:
    path = "sys/bus/pci/devices/0000:01:00.0"
    box = machine("gpu").write({f"{path}/class": "0x030200", f"{path}/vendor": "0x10de", f"{path}/device": "0x2330"})
    check = checks(box)["accelerator"]
    assert (check.state, check.fix) == (Condition.WARNING, "install its driver")
    assert "10de:2330" in check.detail


def test_a_mac_is_asked_for_its_load_only(tmp_path: Any) -> None:
    reader = Reader(tmp_path, platform="darwin", run=lambda _: None)
    assert [check.name for check in diagnose_machine(reader, busy_percent=lambda: 1.0)] == ["other load"]
