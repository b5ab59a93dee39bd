"""A simulated power analyzer: ranges, samples from a load curve, and the faults that were asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

from assay.power.curves import Curve, synthetic
from assay.power.faults import Fault, FaultKind
from assay.power.phase import Phase
from assay.power.samples import Channel, Sample

_AMPS = (0.5, 1.0, 2.0, 5.0, 10.0, 20.0)
_VOLTS = (15.0, 30.0, 60.0, 150.0, 300.0, 600.0)
_MAINS, _FACTOR = 230.0, 0.95
_SKEW_S = 5.0
_LOST_AFTER = 2


@dataclass(frozen=True, slots=True)
class Reading:
    """What comes of a tick: a sample, what the daemon complains of, and whether the connection breaks."""

    sample: Sample | None
    complaints: tuple[str, ...] = ()
    lost: bool = False


@dataclass(slots=True)
class Analyzer:
    """The analyzer.

    Attributes:
        curve: watts at each second since ``started``.
        faults: what it does wrong.
        clock: seconds since 1970.
        speed: samples in the time of one: above 1 measurements of tests need not last long.
        channels: names of its channels, which share the load; none for an analyzer of one.
    """

    curve: Curve = field(default_factory=lambda: synthetic(100.0))
    faults: tuple[Fault, ...] = ()
    clock: Callable[[], float] = field(kw_only=True)
    speed: float = field(default=1.0, kw_only=True)
    channels: tuple[str, ...] = field(default=(), kw_only=True)
    amps: float | None = field(default=None, init=False)
    volts: float | None = field(default=None, init=False)
    mark: str = field(default="", init=False)
    measured: list[Sample] = field(default_factory=list, init=False)
    _started: float = field(default=0.0, init=False)
    _next: float = field(default=0.0, init=False)
    _interval: float = field(default=0.0, init=False)
    _ticks: int = field(default=0, init=False)
    _running: bool = field(default=False, init=False)

    def __post_init__(self) -> None:
        self._started = self.clock()

    @property
    def running(self) -> bool:
        """Whether it takes samples."""
        return self._running

    @property
    def phase(self) -> Phase | None:
        """The phase of the measurement that runs or ran last."""
        return Phase.of_mark(self.mark)

    def faulty(self, kind: FaultKind) -> bool:
        """Whether it does something wrong now."""
        return any(fault.kind is kind and fault.strikes(self.phase) for fault in self.faults)

    def set_range(self, letter: str, text: str) -> bool:
        """Set the range that holds a value, or any; tells whether there is one."""
        if any(fault.kind is FaultKind.BAD_RANGE for fault in self.faults) and text != "Auto":
            return False
        ranges = _AMPS if letter == "A" else _VOLTS
        try:
            wanted = None if text == "Auto" else float(text)
        except ValueError:
            return False
        chosen = None if wanted is None else next((each for each in ranges if 0 < wanted <= each), None)
        if wanted is not None and chosen is None:
            return False
        if letter == "A":
            self.amps = chosen
        else:
            self.volts = chosen
        return True

    def start(self, interval_ms: int, mark: str) -> None:
        """Begin to take samples."""
        self.mark, self.measured, self._ticks, self._running = mark, [], 0, True
        self._interval = interval_ms / 1000 / self.speed
        self._next = self.clock() + self._interval

    def stop(self) -> None:
        """Take no more."""
        self._running = False

    def wait_s(self) -> float | None:
        """Seconds to the next sample; None when none is due."""
        return max(self._next - self.clock(), 0.0) if self._running else None

    def due(self) -> Iterator[Reading]:
        """What has come since the last look."""
        while self._running and self.clock() >= self._next:
            moment, self._next = self._next, self._next + self._interval
            self._ticks += 1
            reading = self._reading(moment)
            if reading.sample is not None:
                self.measured.append(reading.sample)
            yield reading

    def _reading(self, moment: float) -> Reading:
        if self.faulty(FaultKind.LOST_CONNECTION) and self._ticks > _LOST_AFTER:
            return Reading(None, lost=True)
        if self.faulty(FaultKind.DROPOUT) and self._ticks % 2 == 0:
            return Reading(None, ("ERROR: Bad watts reading nan from the simulated analyzer",))
        watts = self.curve(moment - self._started)
        amps = watts / _MAINS / _FACTOR
        complaints: list[str] = []
        if self.faulty(FaultKind.OVERRANGE) or (self.amps is not None and amps > self.amps * 1.3):
            complaints.append("ERROR: Current appears to be too high for set range")
        if self.faulty(FaultKind.UNCERTAINTY):
            complaints.append("WARNING: Uncertainty 1.45%, which is above 1.00% limit for the last sample!")
        sample = Sample(moment, watts, _MAINS, amps, _FACTOR, self.mark, self._shares(watts, amps))
        if self.faulty(FaultKind.CLOCK_SKEW):
            sample = replace(sample, time=moment + _SKEW_S)
        return Reading(sample, tuple(complaints))

    def _shares(self, watts: float, amps: float) -> tuple[Channel, ...]:
        count = len(self.channels)
        return tuple(Channel(name, watts / count, _MAINS, amps / count, _FACTOR) for name in self.channels)
