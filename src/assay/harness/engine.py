"""The engine as the harness uses it: a session, its streams, and the task's reading of the outputs."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from assay.backends.protocol import Session
from assay.backends.registry import backends
from assay.base.tensors import Array
from assay.harness.outcome import Probe
from assay.harness.samples import SampleStore
from assay.harness.spec import RunSpec
from assay.harness.sut import Infer, rows_of
from assay.tasks.protocol import MODEL, ModelPart, Task

_WARM_UP_RUNS = 3


@dataclass(frozen=True, slots=True)
class Engine:
    """A loaded model and one way in for every stream."""

    session: Session
    infers: tuple[Infer, ...]

    def warm_up(self, store: SampleStore, indices: Sequence[int], batch_sizes: Sequence[int]) -> None:
        """Run each batch size a few times on every stream, outside the timed part."""
        self.session.prepare(batch_sizes)
        for size in batch_sizes:
            chosen = [indices[i % len(indices)] for i in range(size)]
            for infer in self.infers:
                for _ in range(_WARM_UP_RUNS):
                    infer(store.batch(chosen))


def open_engine(spec: RunSpec, task: Task) -> Engine:
    """Load the model and check that it fits the task.

    Raises:
        InvalidInputError: when the model does not fit the task, or is no model.
        UsageError: when an option cannot be met here.
        MissingDependencyError: when the engine is not installed.
    """
    session = backends().get(spec.backend).open(spec.model, spec.options)
    task.check_model(session.inputs, session.outputs, spec.recipe)
    return Engine(session, tuple(_infer(session, task, spec) for _ in range(spec.options.streams)))


def measure(engine: Engine, store: SampleStore, indices: Sequence[int], spec: RunSpec) -> Probe:
    """Measure the engine for ``spec.probe_s`` seconds: half with single samples, half with batches.

    With several streams the rate is that of one stream times their number, which is what they reach at best.
    """
    size = spec.batch_size
    engine.warm_up(store, indices, sorted({1, size}))
    infer = engine.infers[0]
    single = _times(infer, store.batch([indices[0]]), spec.probe_s / 2)
    batch = single
    if size > 1:
        batch = _times(infer, store.batch([indices[i % len(indices)] for i in range(size)]), spec.probe_s / 2)
    median = float(np.median(batch))
    return Probe(
        latency_ns=round(float(np.median(single))),
        batch_latency_ns=round(median),
        batch_size=size,
        rate=size * 1e9 / median * len(engine.infers),
    )


def _infer(session: Session, task: Task, spec: RunSpec) -> Infer:
    part = ModelPart(session.inputs, session.outputs, session.stream().run, fixed_shapes=session.fixed_batches)
    pipeline = task.pipeline({MODEL: part}, spec.recipe)

    def infer(inputs: Sequence[Array]) -> Array:
        return rows_of(pipeline(tuple(inputs)))  # type: ignore[arg-type]

    return infer


def _times(infer: Infer, inputs: Sequence[Array], seconds: float) -> list[int]:
    times: list[int] = []
    end = time.perf_counter_ns() + round(seconds * 1e9)
    while not times or time.perf_counter_ns() < end:
        started = time.perf_counter_ns()
        infer(inputs)
        times.append(time.perf_counter_ns() - started)
    return times
