"""What a simulated analyzer is asked to be: its load and what it does wrong, as options and as one word."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from assay.errors import UsageError, unknown
from assay.power.analyzer import Analyzer
from assay.power.curves import read_curve, share_of, synthetic
from assay.power.faults import Fault
from assay.power.samples import MOST_ANALYZERS

_MOST_WATTS, _MOST_SPEED = 1e6, 1000.0


@dataclass(frozen=True, slots=True)
class Simulation:
    """The options.

    Attributes:
        watts: a load about so many.
        curve: a load curve in its place, CSV of seconds and watts.
        faults: ways to misbehave, such as ``dropout:testing``.
        speed: samples in the time of one.
        channels: of the analyzer; 0 for one that has no names for them.
        analyzers: that share the load.
    """

    watts: float = 100.0
    curve: Path | None = None
    faults: tuple[str, ...] = ()
    speed: float = 1.0
    channels: int = 0
    analyzers: int = 1

    @classmethod
    def parse(cls, text: str) -> Simulation:
        """Read ``watts=250,misbehave=dropout:testing``; nothing at all is the usual simulation.

        Raises:
            NotFoundError: for an option or a fault that is none, or a curve that is not there.
            UsageError: for a value that it cannot have.
        """
        curve: Path | None = None
        faults: list[str] = []
        numbers = {"watts": 100.0, "speed": 1.0}
        analyzers = 1
        for pair in filter(None, text.split(",")):
            name, _, value = pair.partition("=")
            if name in numbers:
                numbers[name] = _number(name, value, _MOST_WATTS if name == "watts" else _MOST_SPEED)
            elif name == "curve" and value:
                curve = Path(value)
            elif name == "analyzers":
                analyzers = _count(value)
            elif name == "misbehave":
                faults.append(value)
            else:
                raise unknown("option of the simulation", name, ["watts", "speed", "curve", "misbehave", "analyzers"])
        found = cls(numbers["watts"], curve, tuple(faults), numbers["speed"], analyzers=analyzers)
        found.analyzer()
        return found

    def analyzer(self, clock: Callable[[], float] = time.time) -> Analyzer:
        """The analyzer that they ask for, or one of those that share the load; what they cannot mean is told."""
        curve = read_curve(self.curve) if self.curve else synthetic(self.watts)
        if self.analyzers > 1:
            curve = share_of(curve, self.analyzers)
        faults = tuple(Fault.parse(each) for each in self.faults)
        names = tuple(f"Ch{number + 1}" for number in range(self.channels))
        return Analyzer(curve, faults, clock=clock, speed=self.speed, channels=names)

    def words(self) -> list[str]:
        """The same options on a command line of ``assay power simulate``."""
        curve = ["--curve", str(self.curve.resolve())] if self.curve else []
        faults = [word for fault in self.faults for word in ("--misbehave", fault)]
        shared = ["--analyzers", str(self.analyzers)] if self.analyzers > 1 else []
        return ["--watts", str(self.watts), "--speed", str(self.speed), *curve, *faults, *shared]


def _count(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 4 and 1 <= int(text) <= MOST_ANALYZERS):
        raise UsageError("no number of analyzers", expected=f"1 to {MOST_ANALYZERS}", found=repr(text))
    return int(text)


def _number(name: str, text: str, most: float) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value <= most:
        raise UsageError(f"no value of {name}", expected=f"above 0, at most {most:g}", found=repr(text))
    return value
