from __future__ import annotations

from typing import Any

import pytest

from assay.system.host import probe_host


def test_bare_metal_without_limits(xeon: Any) -> None:
    facts = probe_host(xeon.reader)
    assert facts.hostname.value == "xeon-01"
    assert facts.product.value == "Dell Inc. PowerEdge R760"
    assert (facts.virtualization.value, facts.container.value) == ("none", "none")
    assert facts.cpus_allowed.value == 16
    assert (facts.cpu_quota.value, facts.memory_limit.value) == (None, None)


def test_a_pod_on_a_cloud_machine(epyc_vm: Any) -> None:
    facts = probe_host(epyc_vm.reader)
    assert facts.virtualization.value == "Amazon EC2"
    assert facts.container.value == "Kubernetes"
    assert facts.cpus_allowed.value == 2
    assert facts.cpu_quota.value == 1.5
    assert facts.cpu_quota.source == "/sys/fs/cgroup/kubepods/pod7/c1/cpu.max"
    assert facts.memory_limit.value == 4 << 30
    assert facts.memory_limit.source == "/sys/fs/cgroup/kubepods/pod7/memory.max"


def test_bare_metal_of_a_cloud_is_no_virtual_machine(xeon: Any) -> None:
    xeon.write({"sys/class/dmi/id/sys_vendor": "Amazon EC2", "sys/class/dmi/id/product_name": "m7i.metal-24xl"})
    assert probe_host(xeon.reader).virtualization.value == "none"


@pytest.mark.parametrize(
    ("vendor", "product", "kind"),
    [
        ("QEMU", "Standard PC (Q35 + ICH9, 2009)", "KVM or QEMU"),
        ("VMware, Inc.", "VMware7,1", "VMware"),
        ("Microsoft Corporation", "Virtual Machine", "Hyper-V"),
        ("Google", "Google Compute Engine", "Google Compute Engine"),
    ],
)
def test_hypervisors_by_name(machine: Any, vendor: str, product: str, kind: str) -> None:
    box = machine("vm").write({"sys/class/dmi/id/sys_vendor": vendor, "sys/class/dmi/id/product_name": product})
    assert probe_host(box.reader).virtualization.value == kind


def test_a_hypervisor_flag_without_a_name(machine: Any) -> None:
    box = machine("vm").cpuinfo(1, flags="fpu hypervisor")
    assert probe_host(box.reader).virtualization.value == "yes, kind unknown"


def test_arm_without_a_trace_of_a_hypervisor_stays_unknown(arm: Any) -> None:
    facts = probe_host(arm.reader)
    assert facts.virtualization.value is None
    assert facts.product.value == "Some Board Rev 2"


def test_version_1_control_groups(machine: Any) -> None:
    box = machine("v1").write(
        {
            "proc/self/cgroup": "4:memory:/docker/ab\n3:cpu,cpuacct:/docker/ab\n1:name=systemd:/docker/ab",
            "sys/fs/cgroup/cpu,cpuacct/docker/ab/cpu.cfs_quota_us": 250000,
            "sys/fs/cgroup/cpu,cpuacct/docker/ab/cpu.cfs_period_us": 100000,
            "sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us": -1,
            "sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us": 100000,
            "sys/fs/cgroup/memory/docker/ab/memory.limit_in_bytes": 1 << 31,
            "sys/fs/cgroup/memory/memory.limit_in_bytes": 9223372036854771712,
        }
    )
    facts = probe_host(box.reader)
    assert (facts.cpu_quota.value, facts.memory_limit.value) == (2.5, 1 << 31)
    assert facts.container.value == "Docker"


def test_version_1_without_a_limit(machine: Any) -> None:
    box = machine("v1").write({"sys/fs/cgroup/memory/memory.limit_in_bytes": 9223372036854771712})
    box.write({"proc/self/cgroup": "4:memory:/"})
    assert probe_host(box.reader).memory_limit.value is None


def test_a_control_group_path_cannot_leave_the_tree(machine: Any) -> None:
    box = machine("evil").write({"proc/self/cgroup": "0::/../../../x", "x/cpu.max": "100 100"})
    assert probe_host(box.reader).cpu_quota.value is None


@pytest.mark.parametrize(("path", "kind"), [(".dockerenv", "Docker"), ("run/.containerenv", "Podman")])
def test_marker_files(machine: Any, path: str, kind: str) -> None:
    assert probe_host(machine("c").write({path: ""}).reader).container.value == kind


def test_a_host_that_runs_containers_is_none(machine: Any) -> None:
    mounts = (
        "29 1 8:2 / / rw - ext4 /dev/sda2 rw\n"
        "99 29 0:50 / /var/lib/docker/overlay2/ab/merged rw - overlay overlay rw,lowerdir=/var/lib/docker"
    )
    assert probe_host(machine("h").write({"proc/self/mountinfo": mounts}).reader).container.value == "none"


def test_a_root_file_system_of_docker_is_one(machine: Any) -> None:
    mounts = "600 500 0:50 / / rw,relatime - overlay overlay rw,lowerdir=/var/lib/docker/overlay2/l/X"
    assert probe_host(machine("h").write({"proc/self/mountinfo": mounts}).reader).container.value == "Docker"


def test_fillers_of_mainboard_makers_are_no_product(machine: Any) -> None:
    box = machine("diy").write({"sys/class/dmi/id/sys_vendor": "To Be Filled By O.E.M."})
    box.write({"sys/class/dmi/id/product_name": "System Product Name"})
    assert probe_host(box.reader).product.value is None
