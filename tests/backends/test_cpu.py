from __future__ import annotations

import os
from pathlib import Path

import pytest

from assay.backends import cpu
from assay.backends.protocol import Precision


def files(root: Path, contents: dict[str, str]) -> Path:
    for name, text in contents.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


@pytest.mark.parametrize(
    ("flags", "formats", "int8", "bf16"),
    [
        ({"avx2"}, ("fp32",), "slow", "no bf16"),
        ({"avx512_vnni"}, ("fp32", "int8"), "AVX512-VNNI", "no bf16"),
        ({"avx512_vnni", "amx_int8", "amx_bf16", "avx512_bf16"}, ("fp32", "bf16", "int8"), "AMX", "AMX"),
        ({"asimddp", "bf16"}, ("fp32", "bf16", "int8"), "dot products", "BFMMLA"),
        (set(), ("fp32",), "slow", "no bf16"),
    ],
)
def test_formats_by_flags(flags: set[str], formats: tuple[str, ...], int8: str, bf16: str) -> None:
    have = frozenset(flags)
    assert cpu.native_precisions(have) == tuple(Precision(name) for name in formats)
    assert int8 in cpu.int8_note(have)
    assert bf16 in cpu.bf16_note(have)


def test_flags_of_both_kinds_of_processors(tmp_path: Path) -> None:
    intel = files(tmp_path / "x86", {"proc/cpuinfo": "processor\t: 0\nflags\t\t: fpu avx2\n\nprocessor\t: 1\n"})
    arm = files(tmp_path / "arm", {"proc/cpuinfo": "processor\t: 0\nFeatures\t: fp asimddp\n"})
    assert cpu.cpu_flags(intel) == {"fpu", "avx2"}
    assert cpu.cpu_flags(arm) == {"fp", "asimddp"}
    assert cpu.cpu_flags(tmp_path / "none") == frozenset()


@pytest.mark.parametrize(
    ("contents", "quota"),
    [
        ({}, None),
        ({"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.max": "max 100000\n"}, None),
        ({"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.max": "250000 100000\n"}, 2.5),
        # The strictest group counts, wherever it stands.
        (
            {
                "proc/self/cgroup": "0::/a/b\n",
                "sys/fs/cgroup/a/b/cpu.max": "max 100000\n",
                "sys/fs/cgroup/a/cpu.max": "100000 100000\n",
                "sys/fs/cgroup/cpu.max": "400000 100000\n",
            },
            1.0,
        ),
        (
            {
                "proc/self/cgroup": "4:memory:/x\n3:cpu,cpuacct:/job\n",
                "sys/fs/cgroup/cpu/job/cpu.cfs_quota_us": "300000\n",
                "sys/fs/cgroup/cpu/job/cpu.cfs_period_us": "100000\n",
            },
            3.0,
        ),
        (
            {
                "proc/self/cgroup": "3:cpu:/\n",
                "sys/fs/cgroup/cpu/cpu.cfs_quota_us": "-1\n",
                "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000\n",
            },
            None,
        ),
        ({"proc/self/cgroup": "rubbish\n0::/\n", "sys/fs/cgroup/cpu.max": "1 0\n"}, None),
    ],
)
def test_quotas(tmp_path: Path, contents: dict[str, str], quota: float | None) -> None:
    assert cpu.cpu_quota(files(tmp_path, contents)) == quota


def test_cores_are_physical_ones_within_affinity_and_quota(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {0, 1, 2, 3}, raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: 8)
    topology = "sys/devices/system/cpu/cpu{}/topology/thread_siblings_list"
    root = files(tmp_path, {topology.format(number): f"{number % 2},{number % 2 + 2}" for number in range(4)})
    assert cpu.usable_cores(root) == 2
    assert cpu.is_limited(root)
    files(root, {"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.max": "50000 100000"})
    assert cpu.usable_cores(root) == 1


def test_without_a_topology_every_processor_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {0, 1, 2}, raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: 3)
    assert cpu.usable_cores(tmp_path) == 3
    assert not cpu.is_limited(tmp_path)


def test_systems_without_affinity(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: 6)
    assert cpu.usable_cores(tmp_path) == 6
    assert not cpu.is_limited(tmp_path)
