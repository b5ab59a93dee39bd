"""A session of the director: the daemon, from the search for ranges to the samples of the testing run."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from assay.base.files import write_atomic
from assay.errors import AssayError, RunFailedError, UsageError
from assay.power.daemon import AUTO, Daemon, Ranges
from assay.power.host import Host
from assay.power.journal import Journal
from assay.power.phase import Phase
from assay.power.record import SessionRecord
from assay.power.samples import Sample, good, read_samples

SETTLE_S = 10.0
_HEADROOM = 1.1
"""The range of amps has to hold a tenth more than was seen."""


@dataclass(slots=True)
class Session:
    """Ranging, then testing.

    Attributes:
        host: starts the daemon.
        folder: of the session: ``power/``, ``ranging/``, ``run_1/``.
        record: takes the points of each phase.
        settle: waits until the analyzer has settled.
        messages: commands and answers of the daemon.
    """

    host: Host
    folder: Path
    record: SessionRecord
    journal: Journal
    settle: Callable[[], object]
    messages: list[tuple[str, str]] = field(default_factory=list)
    _open: contextlib.ExitStack = field(default_factory=contextlib.ExitStack)
    _daemon: Daemon | None = None
    _before: Ranges | None = None
    _found: Ranges | None = None
    _running: Phase | None = None

    @property
    def _samples(self) -> Path:
        # Beside the session's folder: what is in it is hashed and counts as part of the result.
        return self.folder.with_name(f"{self.folder.name}-samples.txt")

    def _mark(self, phase: Phase) -> str:
        return f"{self.record.session}_{phase}"

    def start(self, phase: Phase) -> None:
        """Set the ranges of a phase and start to measure.

        Raises:
            UsageError: out of turn.
            RunFailedError: when the daemon or the analyzer refuses.
        """
        if self._running is not None or (phase is Phase.TESTING and self._found is None):
            raise UsageError(f"{phase} cannot start now", hint="ranging comes first, and one phase at a time")
        if phase is Phase.RANGING and self._found is not None:
            raise UsageError("ranging is done", hint="start a new session")
        self.record.point(phase, 0)
        daemon = self._daemon or self._start_daemon()
        ranges = self._found or Ranges(AUTO, AUTO)
        daemon.set_volts(ranges.volts)
        daemon.set_amps(ranges.amps)
        self.settle()
        daemon.go(self._mark(phase))
        self._running = phase
        self.journal.say(f"{phase} starts, ranges {ranges.volts} V and {ranges.amps} A")
        self.record.point(phase, 1)

    def _start_daemon(self) -> Daemon:
        log = self.folder / "power" / "ptd_logs.txt"
        daemon = self._open.enter_context(self.host.started(log, self._samples))
        self._daemon, self.messages = daemon, daemon.messages
        identity = daemon.identify()
        self._before = daemon.ranges()
        self.journal.say(f"{identity.analyzer}, PTDaemon {identity.version}")
        if identity.simulated:
            self.journal.warn("the daemon is a simulation: no power is measured")
        return daemon

    def stop(self, phase: Phase) -> None:
        """Stop to measure and keep the samples.

        Raises:
            UsageError: out of turn.
            RunFailedError: when the daemon is lost, or gave no sample.
        """
        if self._running is not phase or self._daemon is None:
            raise UsageError(f"{phase} does not run")
        self.record.point(phase, 2)
        self.settle()
        daemon, self._running = self._daemon, None
        words = [daemon.watts(), daemon.uncertainty()] if phase is Phase.TESTING else []
        daemon.stop()
        samples = self._taken(phase, daemon)
        target = self.folder / phase.folder
        target.mkdir()
        write_atomic(target / "spl.txt", "".join(f"{sample.line()}\n" for sample in samples))
        if phase is Phase.RANGING:
            self._found = _ranges_for(samples)
        else:
            write_atomic(target / "ptd_out.txt", "Power: {}\nUncertainty: {}\n".format(*words))
        self.journal.say(f"{phase} ended, {len(samples)} samples")
        self.record.point(phase, 3)

    def _taken(self, phase: Phase, daemon: Daemon) -> list[Sample]:
        """The samples of a phase, as the daemon wrote them; those it lists have to be as many."""
        listed = len(daemon.unread())
        self.journal.say(f"{daemon.uncertainty()}; {daemon.watts()}")
        try:
            samples = read_samples(self._samples, self._mark(phase))
        except AssayError as error:
            hint = "did the run last for some seconds?"
            raise RunFailedError(f"no sample was taken while {phase}", found=str(error), hint=hint) from error
        if listed != len(samples):
            self.journal.warn(f"the daemon lists {listed} samples and wrote {len(samples)}")
        return samples

    def close(self) -> None:
        """Set the ranges that were set before, and end the daemon."""
        if self._daemon is not None and self._before is not None:
            try:
                self._daemon.set_volts(self._before.volts)
                self._daemon.set_amps(self._before.amps)
            except AssayError as error:
                self.journal.warn(f"the ranges are left as they are: {error}")
        self._daemon = None
        self._open.close()
        self._samples.unlink(missing_ok=True)


def _ranges_for(samples: list[Sample]) -> Ranges:
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
