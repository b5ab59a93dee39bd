"""What a setting is good for: the figure that is searched, what else is asked of it, and how far it misses that."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

from assay.base.units import format_duration, format_size
from assay.rules.model import Scenario


class TradeOff(StrEnum):
    """What may be weighed against the figure."""

    MEMORY = "memory"
    WATTS = "watts"


@dataclass(frozen=True, slots=True)
class Measured:
    """What a setting did.

    Attributes:
        figure: the scenario's figure, in its unit.
        p99_ns: latency of a query at the 99th percentile; None in Offline, which has none.
        memory: most memory of a run, in bytes.
        watts: mean power; None without a meter.
        valid: LoadGen's verdict on the run (Server: a rate held).
        runs: ids of the records, the one of the figure last.
    """

    figure: float
    p99_ns: float | None
    memory: int
    watts: float | None
    valid: bool
    runs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Aim:
    """What is searched, and within what.

    Attributes:
        lower_is_better: whether the figure is a latency.
        unit: of the figure.
        trade_off: a second thing to have little of; None searches the best figure alone.
        max_p99_ns: most latency at the 99th percentile.
        max_memory: most memory of a run, in bytes.
        max_watts: most mean power.
    """

    scenario: Scenario
    lower_is_better: bool
    unit: str
    trade_off: TradeOff | None = None
    max_p99_ns: int | None = None
    max_memory: int | None = None
    max_watts: float | None = None

    def excess(self, measured: Measured) -> dict[str, float]:
        """How far each constraint is missed, as a share of it: at most 0 where it holds."""
        pairs: Mapping[str, tuple[float | None, float | None]] = {
            "latency": (measured.p99_ns, self.max_p99_ns),
            "memory": (measured.memory, self.max_memory),
            "watts": (measured.watts, self.max_watts),
        }
        return {name: got / most - 1 for name, (got, most) in pairs.items() if got is not None and most}

    def misses(self, measured: Measured) -> str:
        """What it misses, for a person; empty when everything holds."""
        words = {
            "latency": lambda: (
                f"p99 {format_duration(measured.p99_ns or 0)}, at most {format_duration(self.max_p99_ns or 0)} asked"
            ),
            "memory": lambda: (
                f"{format_size(measured.memory)} of memory, at most {format_size(self.max_memory or 0)} asked"
            ),
            "watts": lambda: f"{measured.watts or 0:.1f} W, at most {self.max_watts or 0:g} W asked",
        }
        return "; ".join(words[name]() for name, share in self.excess(measured).items() if share > 0)

    def surely_misses(self, memory: int) -> str:
        """What a setting misses whose probe alone took some memory, for a person; empty when nothing."""
        if self.max_memory is None or memory <= self.max_memory:
            return ""
        return f"the probe alone took {format_size(memory)} of memory, at most {format_size(self.max_memory)} asked"

    def values(self, measured: Measured) -> tuple[float, ...]:
        """The figure and, where it is weighed, the second thing."""
        second = self.second(measured)
        return (measured.figure,) if second is None else (measured.figure, second)

    def second(self, measured: Measured) -> float | None:
        """What is weighed against the figure; None when nothing is."""
        if self.trade_off is None:
            return None
        return float(measured.memory) if self.trade_off is TradeOff.MEMORY else measured.watts

    def better(self, one: float, other: float) -> bool:
        """Whether a figure is better than another."""
        return one < other if self.lower_is_better else one > other

    def gain(self, figure: float, over: float) -> float:
        """How many times as good a figure is as another; more than 1 is better, whichever way the figure counts."""
        return over / figure if self.lower_is_better else figure / over


T = TypeVar("T")


def front(aim: Aim, found: Iterable[tuple[T, Measured]]) -> list[tuple[T, Measured]]:
    """Those that nothing else beats in every respect, the best figure first."""
    ranked = sorted(found, key=lambda each: each[1].figure, reverse=not aim.lower_is_better)
    if aim.trade_off is None:
        return ranked[:1]
    kept: list[tuple[T, Measured]] = []
    least = float("inf")
    for item, measured in ranked:
        second = aim.second(measured)
        if second is not None and second < least:
            kept.append((item, measured))
            least = second
    return kept


SLACK = 0.15
"""How much a run may do better than the probe of it promises, as a share."""


@dataclass(frozen=True, slots=True)
class Bar:
    """A setting that others have to beat.

    Attributes:
        figure: that its run had.
        promised: that its probe promised.
        memory: of its run.
    """

    figure: float
    promised: float
    memory: int


def hopeless(aim: Aim, promise: float, promised_memory: int, bars: Sequence[Bar], slack: float = SLACK) -> bool:
    """Whether a probe says that a setting will be beaten in every respect.

    The probe leaves LoadGen and the other streams out, so that it promises too much rather than too little; its memory is
    the least that a run takes. It has to be behind the run and behind the probe of another setting: one of the two may
    have been lucky.

    Args:
        aim: what is searched.
        promise: the figure that the probe promises.
        promised_memory: memory that the probe took.
        bars: the settings that nothing beats so far.
        slack: how far behind, as a share.
    """
    for bar in bars:
        beaten = min(aim.gain(bar.figure, promise), aim.gain(bar.promised, promise)) > 1 + slack
        if beaten and (aim.trade_off is None or (aim.trade_off is TradeOff.MEMORY and bar.memory <= promised_memory)):
            return True
    return False
