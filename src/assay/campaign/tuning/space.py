"""What is searched: the settings that a model can be run in here, as a finite space with a few dimensions."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from itertools import product
from typing import Any

from assay.backends.protocol import Precision
from assay.base.units import exact_duration, format_duration
from assay.campaign.setting import SettingForm
from assay.rules.model import Scenario


@dataclass(frozen=True, slots=True)
class Engine:
    """An engine and a number format; both change the numbers that come out."""

    backend: str
    precision: Precision

    def __str__(self) -> str:
        return f"{self.backend} {self.precision.value}"


@dataclass(frozen=True, slots=True)
class Candidate:
    """One setting.

    Attributes:
        batch_size: samples the engine gets at once, at most.
        threads: compute threads of one stream; 0 leaves it to the engine.
        batch_wait_ns: Server: longest wait of a query for its batch.
    """

    backend: str
    precision: Precision
    batch_size: int
    streams: int = 1
    threads: int = 0
    batch_wait_ns: int = 0

    @property
    def engine(self) -> Engine:
        """Engine and format."""
        return Engine(self.backend, self.precision)

    def changes(self, scenario: Scenario) -> dict[str, Any]:
        """The fields of a request that ask for this setting."""
        return {
            "backend": self.backend,
            "precision": self.precision,
            "batch_size": None if scenario is Scenario.SINGLE_STREAM else self.batch_size,
            "streams": self.streams,
            "threads": self.threads,
            "batch_wait_ns": self.batch_wait_ns or None,
        }

    def form(self, scenario: Scenario, options: dict[str, str]) -> SettingForm:
        """The setting as campaigns and runs read it."""
        changes = self.changes(scenario)
        wait = changes.pop("batch_wait_ns")
        return SettingForm(**changes, batch_wait=exact_duration(wait) if wait else None, backend_options=options)

    def __str__(self) -> str:
        threads = f"{self.threads} threads" if self.threads > 1 else "1 thread" if self.threads else "its own threads"
        wait = f", wait {format_duration(self.batch_wait_ns)}" if self.batch_wait_ns else ""
        streams = f"{self.streams} streams" if self.streams > 1 else "1 stream"
        return f"{self.engine}, batch {self.batch_size}, {streams}, {threads}{wait}"


Ask = Callable[[str, tuple[str, ...], bool], int]
"""Chooses one of the options of a dimension, by name, words of the options, and whether they have an order."""


@dataclass(frozen=True, slots=True)
class Space:
    """All settings that are searched. A dimension of one option is no dimension.

    Attributes:
        engines: engines and formats that the model can be run in.
        batches: batch sizes, rising.
        streams: batches side by side.
        loads: shares of the processors that all streams together keep busy; 0 leaves it to the engine.
        counts: threads of a stream that the user wants tried, in place of the loads.
        waits: Server: waits of a query for its batch, in nanoseconds; for batches of several samples only.
        processors: of this machine.
    """

    engines: tuple[Engine, ...]
    batches: tuple[int, ...]
    streams: tuple[int, ...] = (1,)
    loads: tuple[float, ...] = (0.0,)
    counts: tuple[int, ...] = ()
    waits: tuple[int, ...] = (0,)
    processors: int = 1

    def pick(self, ask: Ask) -> Candidate:
        """A setting, each of its dimensions asked for."""

        def one(name: str) -> int:
            words = self.words(name)
            return ask(name, words, name != "engine") if len(words) > 1 else 0

        engine, batch, streams = one("engine"), one("batch"), one("streams")
        threads, wait = one("threads"), one("wait") if self.batches[batch] > 1 else 0
        return self._candidate(engine, batch, streams, threads, wait)

    def words(self, name: str) -> tuple[str, ...]:
        """The options of a dimension, for people and for the journal of a search."""
        if name == "engine":
            return tuple(map(str, self.engines))
        if name == "batch":
            return tuple(map(str, self.batches))
        if name == "streams":
            return tuple(map(str, self.streams))
        if name == "wait":
            return tuple(format_duration(wait) if wait else "none" for wait in self.waits)
        loads = tuple(f"{load:.0%} of the processors" if load else "the engine's own" for load in self.loads)
        return tuple(map(str, self.counts)) or loads

    def choice(self, candidate: Candidate) -> dict[str, int] | None:
        """The options that make a setting, by dimension; None when it is not in the space."""
        return next((dict(choice) for choice, made in _every(self) if made == candidate), None)

    def candidates(self) -> list[Candidate]:
        """Every setting once."""
        return list(dict.fromkeys(made for _, made in _every(self)))

    def to_dict(self) -> dict[str, Any]:
        """The space as JSON values."""
        values = asdict(self)
        return {**values, "engines": [{"backend": e.backend, "precision": e.precision.value} for e in self.engines]}

    def lines(self) -> list[str]:
        """The space for a person."""
        names = {"engine": "engine and format", "batch": "batch size", "wait": "wait for a batch"}
        wide = max(map(len, [*names.values(), "threads of a stream"]))
        names["threads"] = "threads of a stream"
        return [
            f"  {names.get(name, name):<{wide}}  {', '.join(self.words(name))}"
            for name in ("engine", "batch", "streams", "threads", "wait")
            if name != "wait" or len(self.waits) > 1
        ]

    def _candidate(self, engine: int, batch: int, streams: int, threads: int, wait: int) -> Candidate:
        chosen, side = self.engines[engine], self.streams[streams]
        if self.counts:
            count = self.counts[threads]
        else:
            load = self.loads[threads]
            count = max(1, round(self.processors * load / side)) if load else 0
        return Candidate(chosen.backend, chosen.precision, self.batches[batch], side, count, self.waits[wait])


@functools.lru_cache(maxsize=4)
def _every(space: Space) -> tuple[tuple[dict[str, int], Candidate], ...]:
    """All settings with the options that make them; kept, for the loop of a search asks for them again and again."""
    names = ("engine", "batch", "streams", "threads", "wait")
    sizes = {name: len(space.words(name)) for name in names}
    found = []
    for picked in product(*(range(sizes[name]) for name in names)):
        options = dict(zip(names, picked, strict=True))
        if space.batches[options["batch"]] == 1 and options.pop("wait"):
            continue
        choice = {name: value for name, value in options.items() if sizes[name] > 1}
        found.append((choice, space.pick(_answer(choice))))
    return tuple(found)


def _answer(choice: Mapping[str, int]) -> Ask:
    def answer(name: str, words: tuple[str, ...], ordered: bool) -> int:
        del words, ordered
        return choice[name]

    return answer
