"""One analyzer of a session: its daemon, the ranges that it had before and is given, and its samples."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from assay.errors import AssayError, RunFailedError
from assay.power.daemon import AUTO, Daemon, Ranges
from assay.power.host import Host
from assay.power.journal import Journal
from assay.power.phase import Phase
from assay.power.samples import Sample, good, read_samples

_HEADROOM = 1.1
"""The range of amps has to hold a tenth more than was seen."""


@dataclass(frozen=True, slots=True)
class Taken:
    """What an analyzer took in a phase.

    Attributes:
        samples: in order.
        summary: the daemon's own words of the testing run: power, and how sure it was.
    """

    samples: list[Sample]
    summary: str = ""


@dataclass(slots=True)
class Instrument:
    """An analyzer.

    Attributes:
        host: starts its daemon.
        journal: of the session.
        log: takes what the daemon prints.
        file: takes the samples, with their marks; beside the session's folder, whose files are hashed.
        name: in the journal where there are several; empty for the only one.
        found: ranges that hold what was seen while ranging.
        messages: commands and answers of the daemon.
    """

    host: Host
    journal: Journal
    log: Path
    file: Path
    name: str = ""
    found: Ranges | None = None
    messages: list[tuple[str, str]] = field(default_factory=list)
    _open: contextlib.ExitStack = field(default_factory=contextlib.ExitStack)
    _daemon: Daemon | None = None
    _before: Ranges | None = None

    def prepare(self) -> Ranges:
        """Start the daemon where it does not run, and set the ranges of the phase to come; gives them.

        Raises:
            RunFailedError: when the daemon or the analyzer refuses.
        """
        daemon = self._daemon or self._start()
        ranges = self.found or Ranges(AUTO, AUTO)
        daemon.set_volts(ranges.volts)
        daemon.set_amps(ranges.amps)
        return ranges

    def go(self, mark: str) -> None:
        """Start to measure."""
        self._running().go(mark)

    def stop(self, phase: Phase, mark: str) -> Taken:
        """Stop to measure.

        Raises:
            RunFailedError: when the daemon is lost, gave no sample, or no reading while ranging.
        """
        daemon = self._running()
        words = [daemon.watts(), daemon.uncertainty()] if phase is Phase.TESTING else []
        daemon.stop()
        samples = self._samples(phase, daemon, mark)
        if phase is Phase.RANGING:
            self.found = ranges_for(samples)
        self.journal.say(f"{self.name}{phase} ended, {len(samples)} samples")
        return Taken(samples, "Power: {}\nUncertainty: {}\n".format(*words) if words else "")

    def close(self) -> None:
        """Set the ranges that were set before, and end the daemon."""
        if self._daemon is not None and self._before is not None:
            try:
                self._daemon.set_volts(self._before.volts)
                self._daemon.set_amps(self._before.amps)
            except AssayError as error:
                self.journal.warn(f"{self.name}the ranges are left as they are: {error}")
        self._daemon = None
        self._open.close()
        self.file.unlink(missing_ok=True)

    def _running(self) -> Daemon:
        if self._daemon is None:
            raise RunFailedError(f"{self.name}the daemon does not run")
        return self._daemon

    def _start(self) -> Daemon:
        daemon = self._open.enter_context(self.host.started(self.log, self.file))
        self._daemon, self.messages = daemon, daemon.messages
        identity = daemon.identify()
        self._before = daemon.ranges()
        self.journal.say(f"{self.name}{identity.analyzer}, PTDaemon {identity.version}")
        if identity.simulated:
            self.journal.warn(f"{self.name}the daemon is a simulation: no power is measured")
        return daemon

    def _samples(self, phase: Phase, daemon: Daemon, mark: str) -> list[Sample]:
        """The samples of a phase, as the daemon wrote them; those it lists have to be as many."""
        listed = len(daemon.unread())
        self.journal.say(f"{self.name}{daemon.uncertainty()}; {daemon.watts()}")
        try:
            samples = read_samples(self.file, mark)
        except AssayError as error:
            hint = "did the run last for some seconds?"
            raise RunFailedError(
                f"{self.name}no sample was taken while {phase}", found=str(error), hint=hint
            ) from error
        if listed != len(samples):
            self.journal.warn(f"{self.name}the daemon lists {listed} samples and wrote {len(samples)}")
        return samples


def ranges_for(samples: Sequence[Sample]) -> Ranges:
    """Ranges that hold what was seen.

    Raises:
        RunFailedError: when no sample is a reading.
    """
    readings = [sample for sample in samples if good(sample) and sample.volts > 0 and sample.amps > 0]
    # A range is that of each channel; the largest of all holds them, as the official server has it.
    seen = [(sample.amps, sample.volts) for sample in readings]
    seen += [(channel.amps, channel.volts) for sample in readings for channel in sample.channels]
    if not readings:
        hint = "is the machine under test plugged in through the analyzer?"
        raise RunFailedError("the analyzer read no power while ranging", found=f"{len(samples)} samples", hint=hint)
    amps = max(amps for amps, _ in seen) * _HEADROOM
    return Ranges(f"{amps:.6g}", f"{max(volts for _, volts in seen):.6g}")
