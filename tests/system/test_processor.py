from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from assay.system.facts import Cache
from assay.system.processor import probe_processor, read_cpuinfo
from assay.system.reader import Reader

CPU = "sys/devices/system/cpu"


def test_a_dual_socket_xeon_is_read_in_full(xeon: Any) -> None:
    facts = probe_processor(xeon.reader)
    assert facts.model.value == "Intel(R) Xeon(R) Platinum 8480+"
    assert (facts.sockets.value, facts.cores_per_socket.value) == (2, 4)
    assert (facts.cores.value, facts.threads.value) == (8, 16)
    assert facts.frequency_max_mhz.value == 3800
    assert facts.governor.value == "powersave"
    assert facts.turbo.value is True
    assert facts.numa_nodes.value == 2
    assert facts.caches.value == (
        Cache("L1d", 48 << 10, 8),
        Cache("L1i", 32 << 10, 8),
        Cache("L2", 2 << 20, 8),
        Cache("L3", 105 << 20, 2),
    )
    assert facts.isa.value is not None
    assert {"AVX2", "AVX512_VNNI", "AVX512_BF16", "AMX_INT8", "AMX_BF16"} <= set(facts.isa.value)
    assert "SSE2" not in facts.isa.value


def test_every_fact_says_where_it_was_read(xeon: Any, epyc_vm: Any, arm: Any) -> None:
    for box in (xeon, epyc_vm, arm):
        facts = probe_processor(box.reader)
        assert all(getattr(facts, name).source for name in facts.__slots__)


def test_a_virtual_machine_without_cpufreq_has_no_frequency(epyc_vm: Any) -> None:
    facts = probe_processor(epyc_vm.reader)
    assert facts.frequency_max_mhz.value is None
    assert "virtual machines" in facts.frequency_max_mhz.source
    assert (facts.governor.value, facts.turbo.value, facts.numa_nodes.value) == (None, None, None)
    assert (facts.sockets.value, facts.cores.value, facts.threads.value) == (1, 2, 4)


def test_an_arm_core_is_named_by_its_part_number_and_packages_stay_unknown(arm: Any) -> None:
    facts = probe_processor(arm.reader)
    assert facts.model.value == "Arm Neoverse-N1"
    assert "implementer" in facts.model.source
    assert facts.sockets.value is None
    assert facts.cores.value == 2
    assert facts.cores_per_socket.value is None
    assert facts.isa.value == ("ASIMD", "ASIMDDP", "ASIMDHP")


def test_an_unknown_arm_core_is_not_guessed(machine: Any) -> None:
    box = machine("new").cpuinfo(1, CPU_implementer="0x41", CPU_part="0xfff", Features="asimd")
    box.write({"proc/device-tree/model": b"Acme Board\0"})
    fact = probe_processor(box.reader).model
    assert fact.value is None
    assert "Acme Board" in fact.source


def test_an_architecture_name_is_no_model_name(machine: Any) -> None:
    box = machine("jetson").cpuinfo(
        2,
        model_name="ARMv8 Processor rev 1 (v8l)",
        CPU_implementer="0x41",
        CPU_part="0xd42",
        Features="asimd",
    )
    assert probe_processor(box.reader).model.value == "Arm Cortex-A78AE"


def test_big_and_little_cores_are_both_named(machine: Any) -> None:
    text = (
        "processor\t: 0\nCPU implementer\t: 0x41\nCPU part\t: 0xd03\n\n"
        "processor\t: 1\nCPU implementer\t: 0x41\nCPU part\t: 0xd08\n"
    )
    box = machine("pi").write({"proc/cpuinfo": text})
    assert probe_processor(box.reader).model.value == "Arm Cortex-A53 + Arm Cortex-A72"


def test_without_sysfs_cpuinfo_tells_the_topology(machine: Any) -> None:
    blocks = [f"processor : {n}\nphysical id : {n // 4}\ncore id : {n % 4 // 2}\nmodel name : X" for n in range(8)]
    facts = probe_processor(machine("old").write({"proc/cpuinfo": "\n\n".join(blocks)}).reader)
    assert (facts.sockets.value, facts.cores.value, facts.threads.value) == (2, 4, 8)
    assert facts.cores.source == "/proc/cpuinfo: physical id and core id"


def test_cpus_that_are_switched_off_do_not_count(xeon: Any) -> None:
    xeon.write({f"{CPU}/cpu{n}/online": 0 for n in range(8, 16)})
    facts = probe_processor(xeon.reader)
    assert (facts.cores.value, facts.threads.value) == (8, 8)


def test_only_flags_that_every_cpu_has_count(machine: Any) -> None:
    text = "processor : 0\nflags : fpu avx2 avx512f\n\nprocessor : 1\nflags : fpu avx2\n"
    assert probe_processor(machine("hybrid").write({"proc/cpuinfo": text}).reader).isa.value == ("AVX2",)


def test_amd_boost_switched_off_is_told(xeon: Any) -> None:
    (xeon.root / CPU / "intel_pstate/no_turbo").unlink()
    xeon.write({f"{CPU}/cpufreq/boost": 0})
    assert probe_processor(xeon.reader).turbo.value is False


def test_an_empty_machine_gives_reasons_and_no_values(machine: Any) -> None:
    facts = probe_processor(machine("empty").reader)
    values = {name: getattr(facts, name).value for name in facts.__slots__ if name != "architecture"}
    assert set(values.values()) == {None}


@given(st.binary(max_size=400))
def test_any_cpuinfo_is_survived(data: bytes) -> None:
    class Fixed(Reader):
        def data(self, path: str) -> bytes | None:
            return data if path == "proc/cpuinfo" else None

        def children(self, folder: str, pattern: str = r".*") -> list[str]:
            return []

    info = read_cpuinfo(Fixed())
    assert all(cpu["processor"].isdigit() for cpu in info.cpus)
    probe_processor(Fixed())
