"""The worker process: ``python -m assay.harness.worker RUN_FOLDER``.

Benchmarks run in a process of their own, so that a crashing engine takes nothing with it, LoadGen's global state is
fresh for every run, and memory figures are those of the run.
"""

from __future__ import annotations

import gc
import resource
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from assay.base.files import write_atomic
from assay.base.processors import processors
from assay.harness.batching import BatchLimits
from assay.harness.control import EXIT_ABANDONED, Control, detach_from_terminal, die_with_parent, leave_now
from assay.harness.engine import Engine, measure, open_engine, telling_batches
from assay.harness.memory import Need, model_bytes, require_memory
from assay.harness.meter import Meter
from assay.harness.monitor import Monitor, PhaseProgress
from assay.harness.outcome import Ending, Failure, Outcome
from assay.harness.pinning import divide_cores
from assay.harness.samples import Store, make_store
from assay.harness.spec import ABORTED_FILE, PROGRESS_FILE, RunSpec, loaded_samples
from assay.harness.supply import Supply, open_supply
from assay.harness.sut import InlineSut, QueuedSut, Sut, Way
from assay.loadgen.live import ProgressWriter
from assay.rules.model import Mode, Scenario
from assay.tasks.protocol import Task
from assay.tasks.registry import tasks

GRACE_S = 8.0


class Worker:
    """One run, from the spec to the outcome."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.spec = RunSpec.read(folder)
        self.meter = Meter()
        self.timings: dict[str, float] = {}
        self.progress = ProgressWriter(folder / PROGRESS_FILE)
        self.sut: Sut | None = None
        self.facts: dict[str, Any] = {}
        self.stopping = threading.Event()

    def run(self) -> Outcome:
        """Prepare, load, warm up, run LoadGen (or measure); never raises for what a user can cause."""
        try:
            return self._run()
        except BaseException as error:  # noqa: BLE001 - the border of the process: everything becomes an outcome
            return self._outcome(Ending.FAILED, Failure.of(error))

    def stop(self) -> None:
        """End in order: drain LoadGen, and leave after the grace period if it has not come to its end."""
        self.stopping.set()
        self._mark_aborted("interrupted by the user")
        if self.sut is None:
            self._leave()
        else:
            self.sut.drain()
            timer = threading.Timer(GRACE_S, self._leave)
            timer.daemon = True
            timer.start()

    def _leave(self) -> None:
        self._outcome(Ending.INTERRUPTED, None).write(self.folder)
        leave_now(130)

    def _run(self) -> Outcome:
        spec = self.spec
        task = tasks().get(spec.task)
        # The samples first: with them it is known how much memory the run takes, before the model is loaded.
        with self._phase("prepare samples"):
            supply = open_supply(spec, task, PhaseProgress(self.progress))
        self.facts.update(samples=supply.count, skipped=supply.skipped)
        require_memory(self._need(task, supply))
        with self._phase("load model"):
            engine = open_engine(spec, task)
        self.facts["backend"] = engine.describe()
        limits = BatchLimits(spec.batch_size, spec.max_batch_work, supply.sizes)
        store = make_store(supply.load, spec.batch_size, ragged=supply.ragged)
        if spec.probe_s > 0:
            return self._probe(engine, store, supply, limits)
        with self._phase("warm up"):
            self._warm_up(engine, store, supply, limits)
        self.sut = self._make_sut(engine, store, limits)
        return self._test(self.sut, engine, supply.count)

    def _need(self, task: Task, supply: Supply) -> Need:
        spec = self.spec
        loaded = loaded_samples(spec.attributes, supply.count)
        extra = task.extra_memory(spec.recipe, spec.batch_size) * spec.options.streams
        return Need(model_bytes(spec.model), round(loaded * supply.sample_bytes), loaded, extra)

    def _warm_up(self, engine: Engine, store: Store, supply: Supply, limits: BatchLimits) -> list[list[int]]:
        """Get engine and pipelines going; the batches that were run."""
        spec = self.spec
        if supply.ragged:
            batches = telling_batches(supply.largest_first(), limits)
            store.load(sorted({index for batch in batches for index in batch}))
            engine.warm_up_ragged(store, batches)
            return batches
        alone = spec.scenario is Scenario.SERVER or spec.probe_s > 0
        sizes = sorted({1, spec.batch_size} if alone else {spec.batch_size})
        few = list(range(min(supply.count, spec.batch_size)))
        store.load(few)
        engine.warm_up(store, few, sizes)
        return [[few[i % len(few)] for i in range(spec.batch_size)]]

    def _test(self, sut: Sut, engine: Engine, total: int) -> Outcome:
        # Here and not above: probing and failing early need no LoadGen.
        from assay.harness.loadgen_session import run_test

        engine.reset()
        # What is there stays to the end: no collection of garbage has to walk through it while queries wait.
        gc.collect()
        gc.freeze()
        with self._phase("run"), Monitor(self.meter, self.progress, self.spec):
            run_test(self.spec, self.folder, sut, total)
        sut.close()
        self.facts["figures"] = engine.figures()
        if sut.failure is not None:
            self.facts.update(failed_queries=sut.failed_queries, failed_samples=sut.failed_samples)
            self._mark_aborted(f"{type(sut.failure).__name__}: {sut.failure}")
            failure = Failure.of(sut.failure)
            return self._outcome(Ending.FAILED, failure.counted(sut.failed_queries, sut.failed_samples))
        return self._outcome(Ending.INTERRUPTED if self.stopping.is_set() else Ending.FINISHED, None)

    def _probe(self, engine: Engine, store: Store, supply: Supply, limits: BatchLimits) -> Outcome:
        with self._phase("measure"):
            batch = self._warm_up(engine, store, supply, limits)[0]
            self.facts["probe"] = measure(engine, store, batch[:1], batch, self.spec)
        return self._outcome(Ending.FINISHED, None)

    def _make_sut(self, engine: Engine, store: Store, limits: BatchLimits) -> Sut:
        spec, fixed = self.spec, engine.fixed_batches
        streams = len(engine.infers)
        ways: Sequence[Way] = engine.first_tokens if spec.first_tokens else engine.infers
        queued = spec.scenario is Scenario.SERVER or (spec.scenario is Scenario.OFFLINE and streams > 1)
        if not queued:
            return InlineSut(store, limits, self.meter, ways[0], fixed_batch=fixed)
        return QueuedSut(
            store,
            limits,
            self.meter,
            ways,
            wait_ns=spec.batch_wait_us * 1000,
            cores=divide_cores(processors(), streams, spec.options.threads),
            split=spec.scenario is Scenario.OFFLINE or spec.mode is Mode.ACCURACY,
            fixed_batch=fixed,
        )

    def _outcome(self, ending: Ending, failure: Failure | None) -> Outcome:
        return Outcome(
            ending=ending,
            failure=failure,
            timings_s=dict(self.timings),
            peak_memory=_peak_memory(),
            **self.facts,
        )

    def _mark_aborted(self, why: str) -> None:
        write_atomic(
            self.folder / ABORTED_FILE,
            f"This run did not come to its end: {why}.\nSamples after that moment were answered with nothing, so "
            "LoadGen's figures in this folder mean nothing.\n",
        )

    @contextmanager
    def _phase(self, name: str) -> Iterator[None]:
        self.progress.phase(name)
        started = time.perf_counter()
        try:
            yield
        finally:
            self.timings[name] = round(time.perf_counter() - started, 6)


def _peak_memory() -> int:
    """Most memory that this process held, in bytes."""
    try:
        # What getrusage tells begins with that of the parent at the moment of the fork.
        for line in Path("/proc/self/status").read_text(encoding="ascii", errors="replace").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    except OSError:
        pass
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def main(arguments: list[str]) -> int:
    """Run the spec of a folder; the exit code says only whether an outcome was written."""
    folder = Path(arguments[0])
    die_with_parent()
    detach_from_terminal()
    worker = Worker(folder)
    Control(sys.stdin.buffer, worker.stop, lambda: leave_now(EXIT_ABANDONED)).start()
    outcome = worker.run()
    outcome.write(folder)
    # LoadGen's and the engine's threads need no orderly goodbye, and some engines hang in theirs.
    leave_now(0)
    return 0


if __name__ == "__main__":
    main(sys.argv[1:])
