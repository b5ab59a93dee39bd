"""Power without an analyzer: processors (RAPL), NVIDIA's graphics cards (NVML), a log that is played again.

They leave out fans, disks, power supplies and whatever else a wall socket feeds: for comparison on one machine only,
and always labelled ``unofficial-power``.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from assay.errors import AssayError, InvalidInputError, MachineError, NotFoundError
from assay.power.curves import given
from assay.power.samples import Sample

_RAPL = Path("/sys/class/powercap")
_MOST_UJ = 1 << 64


class Meter(Protocol):
    """Something that tells watts."""

    @property
    def name(self) -> str:
        """What it is called, a word."""
        ...

    def watts(self) -> float | None:
        """Average power since it was asked last; None where nothing can be said yet.

        Raises:
            MachineError: when it cannot be read.
        """
        ...


@dataclass(slots=True)
class RaplMeter:
    """Energy counters of the processors' packages.

    Attributes:
        root: where the kernel shows them.
        clock: seconds, never going back.
    """

    root: Path = _RAPL
    clock: Callable[[], float] = time.monotonic
    _zones: tuple[Path, ...] = field(default=(), init=False)
    _last: tuple[float, tuple[int, ...]] | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        self._zones = tuple(sorted(zone for zone in self.root.glob("*-rapl:*") if zone.name.count(":") == 1))
        # A zone of the whole platform holds the packages: counting both would count them twice.
        packages = tuple(zone for zone in self._zones if _word(zone / "name").startswith("package"))
        self._zones = packages or self._zones
        if not self._zones:
            hint = "RAPL needs Linux on a processor of Intel or AMD, and is hidden from most virtual machines"
            raise NotFoundError("this machine has no energy counters (RAPL)", where=self.root, hint=hint)

    @property
    def name(self) -> str:
        """What it is called."""
        return "rapl"

    def watts(self) -> float | None:
        """Average power of all packages since the last look."""
        now, energy = self.clock(), tuple(_number(zone / "energy_uj") for zone in self._zones)
        last, self._last = self._last, (now, energy)
        if last is None or now <= last[0]:
            return None
        used = sum(self._used(zone, old, new) for zone, old, new in zip(self._zones, last[1], energy, strict=True))
        return used / 1e6 / (now - last[0])

    def _used(self, zone: Path, old: int, new: int) -> int:
        """Microjoules between two readings of a counter, which begins anew at its end."""
        return new - old if new >= old else new - old + _number(zone / "max_energy_range_uj")


def _word(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii").strip()
    except PermissionError as error:
        hint = "only root may read it on most systems: sudo chmod o+r " + str(path)
        raise MachineError("an energy counter may not be read", where=path, hint=hint) from error
    except (OSError, UnicodeDecodeError) as error:
        raise MachineError("an energy counter cannot be read", where=path) from error


def _number(path: Path) -> int:
    text = _word(path)
    if not text.isdigit() or int(text) >= _MOST_UJ:
        raise MachineError("not an energy counter", where=path, expected="microjoules", found=repr(text[:40]))
    return int(text)


@dataclass(slots=True)
class NvmlMeter:
    """NVIDIA's graphics cards, all of them together, as their driver tells it.

    Attributes:
        nvml: the ``pynvml`` module.
    """

    nvml: Any
    _cards: tuple[Any, ...] = field(default=(), init=False)

    def __post_init__(self) -> None:
        with self._asking():
            self.nvml.nvmlInit()
            count = self.nvml.nvmlDeviceGetCount()
            self._cards = tuple(self.nvml.nvmlDeviceGetHandleByIndex(index) for index in range(count))
        if not self._cards:
            raise NotFoundError("this machine has no NVIDIA graphics card")

    @property
    def name(self) -> str:
        """What it is called."""
        return "nvml"

    def watts(self) -> float | None:
        """Power of all cards now."""
        with self._asking():
            return sum(int(self.nvml.nvmlDeviceGetPowerUsage(card)) for card in self._cards) / 1000

    @contextlib.contextmanager
    def _asking(self) -> Iterator[None]:
        try:
            yield
        except self.nvml.NVMLError as error:
            raise MachineError(f"NVML does not tell the power: {error}") from error


@dataclass(slots=True)
class ReplayMeter:
    """A log of samples, played again from its start.

    Attributes:
        samples: what to play.
        clock: seconds, never going back.
    """

    samples: Sequence[Sample]
    clock: Callable[[], float] = time.monotonic
    _begin: float = field(init=False)
    _curve: Callable[[float], float] = field(init=False)

    def __post_init__(self) -> None:
        start = self.samples[0].time
        self._curve = given([(sample.time - start, sample.watts) for sample in self.samples])
        self._begin = self.clock()

    @property
    def name(self) -> str:
        """What it is called."""
        return "replay"

    def watts(self) -> float | None:
        """What the log says of this second after its start."""
        return self._curve(self.clock() - self._begin)


@dataclass(slots=True)
class Recorder:
    """Takes samples in a thread while something runs, in the form of ``spl.txt``.

    Attributes:
        meter: asked again and again.
        path: takes the samples.
        interval_s: time between two of them.
    """

    meter: Meter
    path: Path
    interval_s: float = 1.0
    failure: AssayError | None = field(default=None, init=False)
    _stop: threading.Event = field(default_factory=threading.Event, init=False)

    @contextlib.contextmanager
    def recording(self) -> Iterator[None]:
        """Record as long as the context lasts.

        Raises:
            MachineError: when the meter could not be read to the end.
        """
        if self.interval_s <= 0:
            raise InvalidInputError("no time between two samples", found=f"{self.interval_s:g} s")
        # A first look, so that what cannot be read is told before the run and not after it.
        self.meter.watts()
        thread = threading.Thread(target=self._run, name="power-recorder", daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._stop.set()
            thread.join(timeout=10)
        if self.failure is not None:
            raise self.failure

    def _run(self) -> None:
        mark = f"unofficial_{self.meter.name}"
        try:
            with self.path.open("w", encoding="utf-8", buffering=1) as file:
                while not self._stop.wait(self.interval_s):
                    watts = self.meter.watts()
                    if watts is not None:
                        file.write(f"{Sample(time.time(), watts, mark=mark).line()}\n")
        except OSError as error:
            self.failure = MachineError(f"cannot write the samples: {error.strerror}", where=self.path)
        except AssayError as error:
            self.failure = error
