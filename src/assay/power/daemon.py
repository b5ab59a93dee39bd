"""A client of SPEC PTDaemon: its commands as methods, each with a time limit, its refusals as errors that say what to do.

The commands are those that the server of mlcommons/power-dev sends; the daemon itself is licensed and not part of assay.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Self

from assay.errors import RunFailedError
from assay.power.identity import Identity
from assay.power.samples import Sample, parse_sample
from assay.power.wire import Address, Wire

HELLO = "Hello, PTDaemon here!"
AUTO = "Auto"
INTERVAL_MS = 1000
_MOST_SAMPLES = 500_000


@dataclass(frozen=True, slots=True)
class Ranges:
    """What an analyzer is set to: a number as text, or ``Auto``."""

    amps: str
    volts: str

    @classmethod
    def parse(cls, answer: str) -> Ranges:
        """Read ``Ranges,<auto>,<amps>,<auto>,<volts>``: a range counts where it is fixed and known.

        Raises:
            RunFailedError: when it is no such answer.
        """
        words = answer.split(",")
        if len(words) < 5 or words[0] != "Ranges":
            expected = "Ranges,<auto>,<amps>,<auto>,<volts>"
            raise RunFailedError("the daemon does not tell its ranges", expected=expected, found=answer[:200])
        return cls(_fixed(words[1], words[2]), _fixed(words[3], words[4]))


def _fixed(auto: str, value: str) -> str:
    try:
        return value if auto == "0" and float(value) > 0 else AUTO
    except ValueError:
        return AUTO


@dataclass(slots=True)
class Daemon:
    """A conversation with the daemon.

    Attributes:
        wire: the connection.
        messages: commands and answers so far, in their order: they become part of ``server.json``.
    """

    wire: Wire
    messages: list[tuple[str, str]] = field(default_factory=list)

    @classmethod
    def connect(cls, address: Address, *, timeout_s: float = 10.0) -> Daemon:
        """Connect, and see that it is a PTDaemon.

        Raises:
            RunFailedError: when it is not, or does not answer.
        """
        daemon = cls(Wire.connect(address, "PTDaemon", timeout_s=timeout_s))
        answer = daemon.ask("Hello")
        if answer != HELLO:
            daemon.wire.close()
            raise RunFailedError("this is no PTDaemon", where=str(address), expected=HELLO, found=answer[:200])
        return daemon

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.wire.close()

    def ask(self, command: str) -> str:
        """Send a command; gives the first line of the answer."""
        answer = self.wire.ask(command)
        self.messages.append((command, answer))
        return answer

    def identify(self) -> Identity:
        """Which analyzer, and which daemon."""
        return Identity.parse(self.ask("Identify"))

    def ranges(self) -> Ranges:
        """What the analyzer is set to."""
        return Ranges.parse(self.ask("RR"))

    def set_volts(self, value: str) -> None:
        """Set the range of volts, or ``Auto``."""
        self._set("V", "volts", value)

    def set_amps(self, value: str) -> None:
        """Set the range of amps, or ``Auto``."""
        self._set("A", "amps", value)

    def _set(self, letter: str, name: str, value: str) -> None:
        answer = self.ask(f"SR,{letter},{value}")
        if answer != f"Range {letter} changed":
            raise RunFailedError(
                f"the analyzer does not take {value} as its range of {name}",
                where=self.wire.peer,
                expected=f"Range {letter} changed",
                found=answer[:200],
                hint="is the device type the one of the analyzer, and did it read sensible values while ranging?",
            )

    def go(self, mark: str) -> None:
        """Start to take a sample a second.

        Args:
            mark: a word that is written beside each.
        """
        self._expect(f"Go,{INTERVAL_MS},0,{mark}", "Starting untimed measurement")

    def stop(self) -> None:
        """End the measurement."""
        self._expect("Stop", "Stopping untimed measurement")

    def _expect(self, command: str, start: str) -> None:
        answer = self.ask(command)
        if not answer.startswith(start):
            raise RunFailedError(
                f"the daemon refuses {command!r}", where=self.wire.peer, expected=start, found=answer[:200]
            )

    def watts(self) -> str:
        """The daemon's own summary of the measurement, in its words."""
        return self.ask("Watts")

    def uncertainty(self) -> str:
        """How sure it was, in its words."""
        return self.ask("Uncertainty")

    def unread(self) -> list[Sample]:
        """The samples that were not read so far.

        Raises:
            RunFailedError: when the answer is no list of samples.
        """
        answer = self.ask("RL")
        words = answer.split(" ")
        if len(words) < 3 or words[0] != "Last" or not words[1].isdigit() or int(words[1]) > _MOST_SAMPLES:
            raise RunFailedError(
                "the daemon does not list its samples",
                where=self.wire.peer,
                expected="Last <count> samples",
                found=answer[:200],
            )
        lines = [self.wire.receive() for _ in range(int(words[1]))]
        samples = [parse_sample(line) for line in lines]
        broken = next((line for line, sample in zip(lines, samples, strict=True) if sample is None), None)
        if broken is not None:
            raise RunFailedError("not a power sample", where=self.wire.peer, found=broken[:200])
        return [sample for sample in samples if sample is not None]
