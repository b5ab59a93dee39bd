"""The engine as the harness uses it: sessions of the model or its parts, and a task's pipeline for each stream."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from assay.backends.protocol import NO_FILE, Backend, ModelFormat, Session
from assay.backends.registry import backends
from assay.errors import UsageError
from assay.harness.batching import BatchLimits
from assay.harness.first_tokens import FirstTokens
from assay.harness.outcome import Probe
from assay.harness.parts import part_files
from assay.harness.samples import Store
from assay.harness.spec import RunSpec
from assay.harness.sut import Infer
from assay.tasks.protocol import MODEL, ModelPart, Pipeline, Samples, Task, TellsFirst, merge_figures

_WARM_UP_RUNS = 3
_WARM_UP_S = 5.0


@dataclass(frozen=True, slots=True)
class Engine:
    """A loaded model and one way in for every stream.

    Attributes:
        sessions: of the model, or of each of its parts.
        pipelines: one for each stream.
    """

    sessions: Mapping[str, Session]
    pipelines: tuple[Pipeline, ...]

    @property
    def infers(self) -> tuple[Infer, ...]:
        """The way in of each stream: methods, because calling an object takes 0.1 us longer."""
        return tuple(pipeline.__call__ for pipeline in self.pipelines)

    @property
    def first_tokens(self) -> tuple[FirstTokens, ...]:
        """The same for LoadGen that times tokens.

        Raises:
            UsageError: when the task tells no tokens.
        """
        telling = [pipeline for pipeline in self.pipelines if isinstance(pipeline, TellsFirst)]
        if len(telling) < len(self.pipelines):
            raise UsageError("the task tells LoadGen no tokens, which the benchmark times", expected="language-model")
        return tuple(FirstTokens(pipeline.answer) for pipeline in telling)

    @property
    def fixed_batches(self) -> bool:
        """Whether a batch size that was not prepared costs time."""
        return any(session.fixed_batches for session in self.sessions.values())

    def describe(self) -> dict[str, str]:
        """Facts for the run's record; those of the first part where parts differ."""
        facts: dict[str, str] = {}
        for session in self.sessions.values():
            facts = {**session.describe(), **facts}
        return facts

    def warm_up(self, store: Store, indices: Sequence[int], batch_sizes: Sequence[int]) -> None:
        """Run each batch size a few times on every stream, outside the timed part; for samples of one size."""
        for session in self.sessions.values():
            session.prepare(batch_sizes)
        for size in batch_sizes:
            chosen = [indices[i % len(indices)] for i in range(size)]
            for infer in self.infers:
                for _ in range(_WARM_UP_RUNS):
                    infer(store.batch(chosen))

    def warm_up_ragged(self, store: Store, batches: Sequence[list[int]]) -> None:
        """Run some batches once on every stream, outside the timed part; none begins after five seconds but the first.

        Args:
            store: the samples of all batches are loaded in it.
            batches: the most telling first.
        """
        for infer in self.infers:
            end = time.monotonic() + _WARM_UP_S
            for number, batch in enumerate(batches):
                if number == 0 or time.monotonic() < end:
                    infer(store.batch(batch))

    def reset(self) -> None:
        """The timed part begins: pipelines forget what they measured."""
        for pipeline in self.pipelines:
            pipeline.reset()

    def figures(self) -> dict[str, float]:
        """What the pipelines measured since."""
        return merge_figures([pipeline.figures() for pipeline in self.pipelines])


def open_engine(spec: RunSpec, task: Task) -> Engine:
    """Load the model and check that it fits the task.

    Raises:
        NotFoundError: when a part of the model is not in its folder.
        InvalidInputError: when the model does not fit the task, or is no model.
        UsageError: when an option cannot be met here.
        MissingDependencyError: when the engine is not installed.
    """
    backend = backends().get(spec.backend)
    files = {MODEL: NO_FILE} if _is_remote(backend) else part_files(spec.model, task.parts(spec.recipe))
    sessions = {name: backend.open(path, spec.options) for name, path in files.items()}
    for name, session in sessions.items():
        if session.inputs or session.outputs or not _generates(session):
            task.check_model(session.inputs, session.outputs, spec.recipe, part=name)
    pipelines = []
    for _ in range(spec.options.streams):
        parts = {name: model_part(session) for name, session in sessions.items()}
        pipelines.append(task.pipeline(parts, spec.recipe))
    return Engine(sessions, tuple(pipelines))


def model_part(session: Session) -> ModelPart:
    """A new stream of a session, as the pipeline sees it."""
    stream = session.stream()
    return ModelPart(
        session.inputs,
        session.outputs,
        stream.run,
        getattr(stream, "generate", None),
        fixed_shapes=session.fixed_batches,
    )


def measure(engine: Engine, store: Store, single: list[int], batch: list[int], spec: RunSpec) -> Probe:
    """Measure the engine for ``spec.probe_s`` seconds: half with a single sample, half with a batch.

    With several streams the rate is that of one stream times their number, which is what they reach at best.

    Args:
        engine: warmed up.
        store: holds the samples.
        single: one sample.
        batch: the samples of one batch.
        spec: says for how long.
    """
    infer = engine.infers[0]
    one = _times(infer, store.batch(single), spec.probe_s / 2)
    many = one if len(batch) == 1 else _times(infer, store.batch(batch), spec.probe_s / 2)
    median = float(np.median(many))
    return Probe(
        latency_ns=round(float(np.median(one))),
        batch_latency_ns=round(median),
        fastest_ns=min(one),
        fastest_batch_ns=min(many),
        batch_size=len(batch),
        rate=len(batch) * 1e9 / median * len(engine.infers),
    )


def telling_batches(largest_first: Sequence[int], limits: BatchLimits) -> list[list[int]]:
    """Batches of typical, of the largest and of the smallest samples, within the limits."""
    # A small dataset fills a large batch more than once, as LoadGen's query does.
    times = -(-limits.size // max(len(largest_first), 1))
    largest_first = [index for index in largest_first for _ in range(times)]
    last = len(largest_first)
    end = max(last - limits.size, 0)
    starts = dict.fromkeys((min(last // 2, end), 0, end))
    return [list(largest_first[start : limits.end(largest_first, start)]) for start in starts]


def _is_remote(backend: Backend) -> bool:
    return tuple(getattr(backend, "formats", ())) == (ModelFormat.REMOTE,)


def _generates(session: Session) -> bool:
    return hasattr(session.stream(), "generate")


def _times(infer: Infer, inputs: Samples, seconds: float) -> list[int]:
    times: list[int] = []
    end = time.perf_counter_ns() + round(seconds * 1e9)
    while not times or time.perf_counter_ns() < end:
        started = time.perf_counter_ns()
        infer(inputs)
        times.append(time.perf_counter_ns() - started)
    return times
