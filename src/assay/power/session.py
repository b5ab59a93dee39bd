"""A session of the director: its analyzers, from the search for ranges to the samples of the testing run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from assay.base.files import write_atomic
from assay.errors import UsageError
from assay.power.host import Host
from assay.power.instrument import Instrument, Taken
from assay.power.journal import Journal
from assay.power.phase import Phase
from assay.power.record import SessionRecord
from assay.power.samples import Sample
from assay.power.together import merge_logs, merged, objections

SETTLE_S = 10.0


@dataclass(slots=True)
class Session:
    """Ranging, then testing.

    Attributes:
        hosts: each starts the daemon of an analyzer; with several their watts are summed.
        folder: of the session: ``power/``, ``ranging/``, ``run_1/``.
        record: takes the points of each phase.
        settle: waits until the analyzers have settled.
    """

    hosts: Sequence[Host]
    folder: Path
    record: SessionRecord
    journal: Journal
    settle: Callable[[], object]
    instruments: list[Instrument] = field(init=False)
    _running: Phase | None = None
    _ranged: bool = False

    def __post_init__(self) -> None:
        several = len(self.hosts) > 1
        self.instruments = [
            Instrument(
                host,
                self.journal,
                self._beside(f"log-{number}") if several else self._log,
                self._beside(f"samples-{number}"),
                f"analyzer {number}: " if several else "",
            )
            for number, host in enumerate(self.hosts, 1)
        ]

    @property
    def messages(self) -> list[tuple[str, str]]:
        """Commands and answers of the daemons, one after the other."""
        return [message for each in self.instruments for message in each.messages]

    @property
    def _log(self) -> Path:
        return self.folder / "power" / "ptd_logs.txt"

    def _beside(self, name: str) -> Path:
        # Beside the session's folder: what is in it is hashed and counts as part of the result.
        return self.folder.with_name(f"{self.folder.name}-{name}.txt")

    def _mark(self, phase: Phase) -> str:
        return f"{self.record.session}_{phase}"

    def start(self, phase: Phase) -> None:
        """Set the ranges of a phase and start to measure.

        Raises:
            UsageError: out of turn.
            RunFailedError: when a daemon or an analyzer refuses.
        """
        if self._running is not None or (phase is Phase.TESTING and not self._ranged):
            raise UsageError(f"{phase} cannot start now", hint="ranging comes first, and one phase at a time")
        if phase is Phase.RANGING and self._ranged:
            raise UsageError("ranging is done", hint="start a new session")
        self.record.point(phase, 0)
        for each in self.instruments:
            ranges = each.prepare()
            self.journal.say(f"{each.name}{phase} starts, ranges {ranges.volts} V and {ranges.amps} A")
        self.settle()
        self._go(self._mark(phase))
        self._running = phase
        self.record.point(phase, 1)

    def _go(self, mark: str) -> None:
        """Start them in the same moment: their samples are put together in their order."""
        with ThreadPoolExecutor(len(self.instruments)) as threads:
            for _ in threads.map(lambda each: each.go(mark), self.instruments):
                pass

    def stop(self, phase: Phase) -> None:
        """Stop to measure and keep the samples.

        Raises:
            UsageError: out of turn.
            RunFailedError: when a daemon is lost, or gave no sample.
        """
        if self._running is not phase:
            raise UsageError(f"{phase} does not run")
        self.record.point(phase, 2)
        self.settle()
        self._running = None
        taken = [each.stop(phase, self._mark(phase)) for each in self.instruments]
        target = self.folder / phase.folder
        target.mkdir()
        write_atomic(target / "spl.txt", "".join(f"{sample.line()}\n" for sample in self._samples(taken)))
        if phase is Phase.RANGING:
            self._ranged = True
        else:
            write_atomic(target / "ptd_out.txt", _summary([each.summary for each in taken]))
        self.record.point(phase, 3)

    def _samples(self, taken: Sequence[Taken]) -> list[Sample]:
        if len(taken) == 1:
            return taken[0].samples
        each = [one.samples for one in taken]
        samples = merged(each)
        for objection in objections(each, samples):
            self.journal.warn(objection)
        return samples

    def close(self) -> None:
        """Set the ranges that were set before, and end the daemons."""
        for each in self.instruments:
            each.close()
        if len(self.instruments) > 1:
            merge_logs([each.log for each in self.instruments], self._log)


def _summary(texts: Sequence[str]) -> str:
    if len(texts) == 1:
        return texts[0]
    return "".join(f"Analyzer {number}:\n{text}" for number, text in enumerate(texts, 1))
