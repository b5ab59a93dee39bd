"""Tells how a run is going, twice a second, into ``progress.jsonl``."""

from __future__ import annotations

import math
import threading
import time
from array import array
from types import TracebackType
from typing import Self

import numpy as np

from assay.base.progress import Step
from assay.harness.meter import Meter
from assay.harness.spec import RunSpec
from assay.loadgen.live import ProgressWriter, Snapshot
from assay.loadgen.whole_sets import carries_all_out, makes_sets, stream_plans, whole_sets
from assay.rules.model import Mode, Scenario

_EVERY_S = 0.5


class Monitor:
    """Writes a snapshot of the meter regularly while the block runs, and one at its end."""

    def __init__(self, meter: Meter, writer: ProgressWriter, spec: RunSpec) -> None:
        self._meter = meter
        self._writer = writer
        self._spec = spec
        self._started = time.monotonic()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._loop, name="monitor", daemon=True)

    def __enter__(self) -> Self:
        # A first time takes longer: in the thread it would hold up queries of the run.
        _percentiles(array("q", (0, 0)))
        self._started = time.monotonic()
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self._thread.join(timeout=5)
        self._writer.snapshot(self.snapshot())

    def snapshot(self) -> Snapshot:
        """How far the run is now."""
        reading = self._meter.read()
        elapsed = time.monotonic() - self._started
        rate = reading.done / elapsed if elapsed > 0 else 0.0
        p50 = p90 = p99 = None
        if self._spec.scenario is not Scenario.OFFLINE and len(reading.latencies):
            p50, p90, p99 = _percentiles(reading.latencies)
        return Snapshot(
            elapsed_s=round(elapsed, 3),
            issued=reading.issued,
            done=reading.done,
            rate=round(rate, 3),
            p50_ns=p50,
            p90_ns=p90,
            p99_ns=p99,
            eta_s=self._eta(elapsed, reading.issued, reading.done, rate),
        )

    def _eta(self, elapsed: float, issued: int, done: int, rate: float) -> float | None:
        """Seconds left: by samples where LoadGen has issued all, else by the longer of duration and count."""
        spec = self._spec
        if rate <= 0:
            return None
        if spec.scenario is Scenario.OFFLINE:
            return round((issued - done) / rate, 1)
        if spec.mode is Mode.ACCURACY:
            return None
        duration = float(spec.attributes.get("min_duration_ms", 0)) / 1e3
        return round(max(duration - elapsed, (self._fewest(duration) - done) / rate, 0.0), 1)

    def _fewest(self, duration: float) -> int:
        """Samples that are done at the end, at least."""
        spec, attributes = self._spec, self._spec.attributes
        queries = int(attributes.get("min_query_count", 0))
        if spec.scenario is Scenario.MULTI_STREAM:
            return queries * int(attributes.get("multi_stream_samples_per_query", 8))
        equal_issue = bool(attributes.get("sample_concatenate_permutation"))
        if not makes_sets(spec.scenario, equal_issue=equal_issue):
            return queries
        loaded = int(attributes.get("performance_sample_count_override", 0)) or 1
        if carries_all_out(spec.scenario, equal_issue=equal_issue):
            expected = int(attributes.get("single_stream_expected_latency_ns", 0))
            queries = max(queries + 1, stream_plans(duration, expected))
        return whole_sets(queries, loaded)

    def _loop(self) -> None:
        while not self._ended.wait(_EVERY_S):
            self._writer.snapshot(self.snapshot())


def _percentiles(latencies: array[int]) -> tuple[int, int, int]:
    """The 50th, 90th and 99th by nearest rank, in nanoseconds; ``numpy.percentile`` takes longer and loads modules late."""
    values = np.frombuffer(latencies, dtype=np.int64)
    p50, p90, p99 = (max(math.ceil(len(values) * share) - 1, 0) for share in (0.50, 0.90, 0.99))
    ordered = np.partition(values, (p50, p90, p99))
    return int(ordered[p50]), int(ordered[p90]), int(ordered[p99])


class PhaseProgress:
    """Progress of the untimed phases, passed on through the same file."""

    def __init__(self, writer: ProgressWriter) -> None:
        self._writer = writer

    def start(self, label: str, *, total: float | None = None, unit: str = "") -> Step:
        """Begin a phase."""
        del unit
        return _PhaseStep(self._writer, label, total)

    def message(self, text: str) -> None:
        """Pass a line on."""
        self._writer.phase(text)


class _PhaseStep:
    def __init__(self, writer: ProgressWriter, label: str, total: float | None) -> None:
        self._writer, self._label, self._total = writer, label, total
        self._done, self._told = 0.0, 0.0

    def advance(self, amount: float = 1) -> None:
        self.update(done=self._done + amount)

    def update(self, *, done: float | None = None, total: float | None = None, note: str | None = None) -> None:
        del note
        self._done = self._done if done is None else done
        self._total = self._total if total is None else total
        now = time.monotonic()
        if now - self._told >= _EVERY_S:
            self._told = now
            self._writer.phase(self._label, done=self._done, total=self._total)

    def finish(self) -> None:
        self._writer.phase(self._label, done=self._done, total=self._total)
