from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.system.facts import Accelerator, Cache, Disk, MemoryModule, NetworkCard, Package, format_binary
from assay.system.probe import probe


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0 B"), (1023, "1023 B"), (49152, "48 KiB"), (540660465664, "503.5 GiB"), (3 << 40, "3 TiB")],
)
def test_binary_sizes(count: int, text: str) -> None:
    assert format_binary(count) == text


@given(st.integers(0, 1 << 60))
def test_a_binary_size_is_close_to_its_text(count: int) -> None:
    number, unit = format_binary(count).split()
    scale = {"B": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30, "TiB": 1 << 40}[unit]
    assert float(number) * scale == pytest.approx(count, rel=0.051, abs=1)


def test_things_as_people_read_them() -> None:
    assert str(Cache("L2", 1 << 20, 4)) == "L2: 4 MiB (4 x 1 MiB)"
    assert str(MemoryModule(8 << 30, None, 3200)) == "8 GiB"
    assert str(Disk("sda", 10**12, "HDD", "WD10")) == "sda: 1.0 TB HDD (WD10)"
    assert str(NetworkCard(("a", "b"), "Ethernet", 2500)) == "a, b: Ethernet 2.5 Gbit/s"
    assert str(Accelerator("X", 16 << 30, None, None, None)) == "X 16 GiB"
    assert str(Package("NumPy", "numpy", "2.1")) == "NumPy 2.1"


def test_lines_have_labels_units_and_origins(xeon: Any) -> None:
    lines = {(group, line.name): line for group, found in probe(xeon.reader).groups() for line in found}
    assert lines["processor", "frequency_max_mhz"].text == "3800 MHz"
    assert lines["processor", "frequency_max_mhz"].label == "Highest frequency"
    assert lines["processor", "turbo"].text == "on"
    assert lines["memory", "total"].text == "503.5 GiB"
    assert lines["storage", "capacity"].text == "4.3 TB"
    assert lines["accelerators", "devices"].text == "none"
    assert lines["accelerators", "driver"].text is None
