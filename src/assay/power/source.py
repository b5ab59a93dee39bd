"""Where the power of a run comes from, in one word of the user: a director's address, the simulation, or a meter."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from assay.errors import UsageError, unknown
from assay.loadgen.record import Label
from assay.power.director import Director, directing
from assay.power.host import SimulatedHost
from assay.power.official import OfficialTools, simulation_programs
from assay.power.registry import meter_names, open_meter
from assay.power.session import SETTLE_S
from assay.power.simulation import Simulation
from assay.power.wire import Address

SIMULATE = "simulate"
_SIMULATED_SETTLE_S = 1.0
_PAUSES = 4


class Kind(StrEnum):
    """What tells the power."""

    DIRECTOR = "director"
    SIMULATION = "simulation"
    METER = "meter"


@dataclass(frozen=True, slots=True)
class PowerSource:
    """What tells the power of a run.

    Attributes:
        text: as the user wrote it.
        address: of the director.
        simulation: how the simulated analyzer behaves.
        ntp: a time server that clocks are compared with.
        official: a clone of mlcommons/power-dev whose client measures, and its server where no director is named.
    """

    kind: Kind
    text: str
    address: Address | None = None
    simulation: Simulation | None = None
    ntp: str | None = None
    official: Path | None = None

    @classmethod
    def parse(cls, text: str, ntp: str | None = None, official: Path | None = None) -> PowerSource:
        """Read ``HOST:PORT``, ``simulate``, ``simulate:watts=250`` or the name of a meter; nothing is opened.

        Raises:
            NotFoundError: for a word that is none of them.
            UsageError: for an address that is none, a simulation that cannot be, or a session's option with a meter.
        """
        name, colon, rest = text.partition(":")
        if name == SIMULATE:
            return cls(Kind.SIMULATION, text, simulation=Simulation.parse(rest), ntp=ntp, official=official)
        if name in meter_names():
            if ntp is not None or official is not None:
                option = "--power-official" if official is not None else "--power-ntp"
                raise UsageError(f"{option} is for a director; {text} is a meter", hint="leave it out")
            return cls(Kind.METER, text)
        if not colon:
            known = [*meter_names(), SIMULATE]
            hint = f"one of {', '.join(known)}, or the address of a director, which has a port: HOST:4950"
            raise unknown("source of power", text, known, hint=hint)
        return cls(Kind.DIRECTOR, text, Address.parse(text), ntp=ntp, official=official)

    def check(self) -> None:
        """See that a meter and the official programs are there; whether a director answers is seen when it is asked.

        Raises:
            AssayError: what is missing.
        """
        if self.kind is Kind.METER:
            open_meter(self.text)
        self.tools()

    def tools(self) -> OfficialTools | None:
        """The official programs, where they are to measure.

        Raises:
            NotFoundError: when they are not there.
            UsageError: without a time server, which they insist on.
        """
        if self.official is None:
            return None
        if self.ntp is None:
            raise UsageError("the official programs need a time server", hint="--power-ntp HOST")
        return OfficialTools.of(self.official, self.ntp)

    @property
    def session(self) -> bool:
        """Whether a director measures: LoadGen runs twice, while ranging and while testing."""
        return self.kind is not Kind.METER

    @property
    def pauses_s(self) -> float:
        """Seconds that the analyzer is left alone in, all together."""
        if not self.session:
            return 0.0
        own = self.kind is Kind.SIMULATION and self.official is None
        return _PAUSES * (_SIMULATED_SETTLE_S if own else SETTLE_S)

    @property
    def label(self) -> Label | None:
        """What a figure will be labelled with; None where the director's analyzer and programs tell."""
        if self.kind is Kind.SIMULATION:
            return Label.SIMULATED_POWER
        return Label.UNOFFICIAL_POWER if self.kind is Kind.METER else None

    def line(self) -> str:
        """What is measured how, for a person."""
        by = "" if self.official is None else f", by the client of {self.official}"
        twice = f"performance runs are done twice, ranging then testing{by}"
        if self.kind is Kind.SIMULATION:
            return f"power: simulated, nothing is measured; {twice}"
        if self.kind is Kind.METER:
            return f"power: {self.text}, no analyzer: for comparison on this machine only"
        return f"power: director at {self.address}; {twice}"

    def to_dict(self) -> dict[str, object]:
        """The same as JSON values."""
        return {
            "source": self.text,
            "kind": self.kind.value,
            "label": self.label.value if self.label else None,
            "ntp": self.ntp,
            "official": str(self.official) if self.official else None,
        }


@contextmanager
def director_of(source: PowerSource) -> Iterator[Address]:
    """The director that measures: the one that is named, or one of our own with the simulation, as long as needed."""
    if source.address is not None:
        yield source.address
        return
    simulation, tools = source.simulation or Simulation(), source.tools()
    if tools is not None:
        with simulation_programs(simulation) as daemons, tools.serving(*daemons) as place:
            yield place
        return
    # A simulated analyzer has nothing to settle, and its sessions are no measurements.
    host, *more = [SimulatedHost(simulation.analyzer)] * simulation.analyzers
    director = Director(host, source.ntp, more=tuple(more))
    director.sleep = lambda _: director.wait(_SIMULATED_SETTLE_S)
    with directing(director) as place:
        yield place
