"""Meters without an analyzer, on made-up machines."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from assay.errors import AssayError, InvalidInputError, MachineError, NotFoundError
from assay.power.meters import NvmlMeter, RaplMeter, Recorder, ReplayMeter
from assay.power.samples import Sample, read_samples


def zone(root: Path, name: str, kind: str, energy: int, largest: int = 1_000_000_000) -> Path:
    folder = root / name
    folder.mkdir(parents=True)
    for file, value in (("name", kind), ("energy_uj", energy), ("max_energy_range_uj", largest)):
        (folder / file).write_text(f"{value}\n")
    return folder


class Clock:
    """A clock that is moved by hand."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_packages_are_added_up_and_not_what_holds_them_or_lies_in_them(tmp_path: Path) -> None:
    first, second = (
        zone(tmp_path, "intel-rapl:0", "package-0", 1_000_000),
        zone(tmp_path, "intel-rapl:1", "package-1", 0),
    )
    zone(tmp_path, "intel-rapl:0:0", "core", 0)
    zone(tmp_path, "intel-rapl:2", "psys", 0)
    clock = Clock()
    meter = RaplMeter(tmp_path, clock)
    assert meter.watts() is None
    (first / "energy_uj").write_text("31000000")
    (second / "energy_uj").write_text("10000000")
    clock.now += 2
    assert meter.watts() == 20
    assert meter.watts() is None


def test_a_counter_that_begins_anew(tmp_path: Path) -> None:
    folder = zone(tmp_path, "intel-rapl:0", "package-0", 999_000_000)
    clock = Clock()
    meter = RaplMeter(tmp_path, clock)
    meter.watts()
    (folder / "energy_uj").write_text("4000000")
    clock.now += 1
    assert meter.watts() == 5


def test_no_counters_and_ones_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="no energy counters"):
        RaplMeter(tmp_path)
    folder = zone(tmp_path, "intel-rapl:0", "package-0", 1)
    meter = RaplMeter(tmp_path)
    (folder / "energy_uj").write_text("lots")
    with pytest.raises(MachineError, match="not an energy counter"):
        meter.watts()
    (folder / "energy_uj").unlink()
    with pytest.raises(MachineError, match="cannot be read"):
        meter.watts()


class FakeNvml:
    """The driver's library with two cards."""

    class NVMLError(Exception):
        """Its error."""

    milliwatts: tuple[int, ...] = (30_000, 12_500)
    broken = False

    def nvmlInit(self) -> None:
        """Begin."""

    def nvmlDeviceGetCount(self) -> int:
        """Cards."""
        return len(self.milliwatts)

    def nvmlDeviceGetHandleByIndex(self, index: int) -> int:
        """A card."""
        return index

    def nvmlDeviceGetPowerUsage(self, card: int) -> int:
        """Its power."""
        if self.broken:
            raise self.NVMLError("GPU is lost")
        return self.milliwatts[card]


def test_cards_are_added_up() -> None:
    library: Any = FakeNvml()
    meter = NvmlMeter(library)
    assert (meter.name, meter.watts()) == ("nvml", 42.5)
    library.broken = True
    with pytest.raises(MachineError, match="NVML does not tell the power: GPU is lost"):
        meter.watts()
    library.milliwatts = ()
    with pytest.raises(NotFoundError, match="no NVIDIA graphics card"):
        NvmlMeter(library)


def test_a_log_is_played_again() -> None:
    clock = Clock()
    meter = ReplayMeter([Sample(5000, 10), Sample(5002, 30)], clock)
    found = []
    for _ in range(4):
        found.append(meter.watts())
        clock.now += 1
    assert found == [10, 10, 30, 30]


@dataclass
class Counting:
    """A meter that breaks after some looks."""

    breaks_at: int = 1 << 30
    looks: int = field(default=0)
    name = "counting"

    def watts(self) -> float | None:
        self.looks += 1
        if self.looks >= self.breaks_at:
            raise MachineError("it is broken")
        return float(self.looks)


def test_samples_are_recorded_and_say_that_they_are_unofficial(tmp_path: Path) -> None:
    path = tmp_path / "spl.txt"
    with Recorder(Counting(), path, 0.01).recording():
        time.sleep(0.1)
    samples = read_samples(path)
    assert len(samples) >= 3
    assert {sample.mark for sample in samples} == {"unofficial_counting"}
    assert [sample.watts for sample in samples] == [float(number) for number in range(2, len(samples) + 2)]


def test_a_meter_that_breaks_is_told_at_the_end_and_one_that_is_broken_before_the_run(tmp_path: Path) -> None:
    with pytest.raises(AssayError, match="it is broken"), Recorder(Counting(3), tmp_path / "a", 0.01).recording():
        time.sleep(0.1)
    ran = []
    with pytest.raises(AssayError, match="it is broken"), Recorder(Counting(1), tmp_path / "b", 0.01).recording():
        ran.append(1)
    assert ran == []
    with pytest.raises(InvalidInputError), Recorder(Counting(), tmp_path / "c", 0).recording():
        pass
