"""What came of a run: ``outcome.json``, written by the worker, read by the process that started it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum
from pathlib import Path

from assay import errors
from assay.base.files import read_json, write_json
from assay.errors import AssayError, InvalidInputError, RunFailedError
from assay.harness.spec import OUTCOME_FILE


class Ending(StrEnum):
    """How the worker came to its end."""

    FINISHED = "finished"
    FAILED = "failed"
    INTERRUPTED = "interrupted"


@dataclass(frozen=True, slots=True)
class Failure:
    """An error in a form that crosses the border between processes."""

    kind: str
    what: str
    where: str | None = None
    expected: str | None = None
    found: str | None = None
    hint: str | None = None

    @classmethod
    def of(cls, error: BaseException) -> Failure:
        """The failure of an exception."""
        if isinstance(error, AssayError):
            return cls(type(error).__name__, error.what, error.where, error.expected, error.found, error.hint)
        if isinstance(error, MemoryError):
            return cls("MachineError", "not enough memory", hint="use a smaller --batch-size, or fewer --streams")
        return cls("RunFailedError", f"{type(error).__name__}: {error}", hint="see worker.log in the run's folder")

    def counted(self, queries: int, samples: int) -> Failure:
        """The same, with what was not answered because of it."""
        if not queries:
            return self
        some = f"{queries} {'query' if queries == 1 else 'queries'} failed"
        also = "" if samples == queries else f" ({samples} {'sample' if samples == 1 else 'samples'} not answered)"
        return replace(self, what=f"{self.what}; {some}{also}")

    def error(self) -> AssayError:
        """The exception again, of its own class."""
        kind = getattr(errors, self.kind, RunFailedError)
        if not (isinstance(kind, type) and issubclass(kind, AssayError)):
            kind = RunFailedError
        return kind(self.what, where=self.where, expected=self.expected, found=self.found, hint=self.hint)


@dataclass(frozen=True, slots=True)
class Probe:
    """A short measurement of the engine, without LoadGen.

    Attributes:
        latency_ns: median time of one sample alone.
        batch_latency_ns: median time of one batch.
        fastest_ns: shortest time of one sample alone.
        fastest_batch_ns: shortest time of one batch.
        batch_size: samples in that batch.
        rate: samples per second at that batch size, with all streams.
    """

    latency_ns: int
    batch_latency_ns: int
    fastest_ns: int
    fastest_batch_ns: int
    batch_size: int
    rate: float


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the worker found.

    Attributes:
        ending: finished, failed or interrupted.
        failure: why, when it did not finish.
        backend: the session's own description.
        samples: samples in the prepared dataset.
        skipped: samples left out, name to reason.
        timings_s: seconds of each phase.
        peak_memory: largest resident memory of the worker, in bytes.
        probe: the measurement, when one was asked for.
        figures: what the task measured of its own in the timed part, by name.
        failed_queries: queries with samples that could not be answered.
        failed_samples: those samples.
    """

    ending: Ending
    failure: Failure | None = None
    backend: Mapping[str, str] = field(default_factory=dict)
    samples: int = 0
    skipped: Mapping[str, str] = field(default_factory=dict)
    timings_s: Mapping[str, float] = field(default_factory=dict)
    peak_memory: int = 0
    probe: Probe | None = None
    figures: Mapping[str, float] = field(default_factory=dict)
    failed_queries: int = 0
    failed_samples: int = 0

    def write(self, folder: Path) -> None:
        """Write ``outcome.json``."""
        write_json(folder / OUTCOME_FILE, asdict(self))

    @classmethod
    def read(cls, folder: Path) -> Outcome:
        """Read ``outcome.json``.

        Raises:
            NotFoundError: when the worker left none.
            InvalidInputError: when it is not an outcome.
        """
        path = folder / OUTCOME_FILE
        raw = read_json(path)
        try:
            return cls(
                ending=Ending(raw["ending"]),
                failure=Failure(**raw["failure"]) if raw["failure"] else None,
                backend=raw["backend"],
                samples=raw["samples"],
                skipped=raw["skipped"],
                timings_s=raw["timings_s"],
                peak_memory=raw["peak_memory"],
                probe=Probe(**raw["probe"]) if raw["probe"] else None,
                figures={str(name): float(value) for name, value in raw.get("figures", {}).items()},
                failed_queries=raw.get("failed_queries", 0),
                failed_samples=raw.get("failed_samples", 0),
            )
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise InvalidInputError(f"not an outcome: {error}", where=path) from error
