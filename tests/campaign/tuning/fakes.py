"""A machine that is made up: what a setting does follows a formula, so that the best one is known."""

from __future__ import annotations

from dataclasses import dataclass, field

from assay.backends.protocol import Precision
from assay.campaign.tuning.accuracy import Scored
from assay.campaign.tuning.aim import Aim, Measured, TradeOff
from assay.campaign.tuning.bench import Look, Promise
from assay.campaign.tuning.space import Candidate, Engine, Space
from assay.errors import RunFailedError
from assay.rules.model import Scenario

SPACE = Space(
    engines=(
        Engine("plain", Precision.FP32),
        Engine("plain", Precision.BF16),
        Engine("quick", Precision.FP32),
        Engine("quick", Precision.INT8),
        Engine("broken", Precision.FP32),
    ),
    batches=(1, 2, 4, 8, 16, 32, 64, 128),
    streams=(1, 2, 4, 8),
    loads=(0.0, 1.0, 0.5),
    processors=8,
)
USUAL = Candidate("plain", Precision.FP32, 8)
BEST = Candidate("quick", Precision.FP32, 32, 4, 2)
"""The fastest of those that answer well."""
AIM = Aim(Scenario.OFFLINE, False, "Samples/s")
SPEED = {"plain fp32": 100.0, "plain bf16": 110.0, "quick fp32": 150.0, "quick int8": 400.0}
_BATCH = {1: 0.3, 2: 0.5, 4: 0.7, 8: 0.85, 16: 0.95, 32: 1.0, 64: 0.9, 128: 0.7}
_STREAMS = {1: 0.8, 2: 0.9, 4: 1.0, 8: 0.9}


def rate(candidate: Candidate) -> float:
    """Samples a second."""
    threads = candidate.threads or 3
    busy = min(threads * candidate.streams, 8) / 8
    return (
        SPEED[str(candidate.engine)] * _BATCH[candidate.batch_size] * _STREAMS[candidate.streams] * (0.4 + 0.6 * busy)
    )


def memory(candidate: Candidate) -> int:
    """Bytes."""
    return 100_000_000 + 2_000_000 * candidate.batch_size * candidate.streams


@dataclass
class FakeBench:
    """Settings are measured by the formula.

    Attributes:
        promise: how much too much a probe promises.
        asked: what was called, in order.
        interrupt: number of runs before Ctrl-C is pressed.
        now: seconds of the machine's clock.
    """

    promise: float = 1.05
    interrupt: int | None = None
    lower_is_better: bool = False
    noise: dict[Candidate, list[float]] = field(default_factory=dict)
    asked: list[tuple[str, Candidate]] = field(default_factory=list)
    now: float = 0.0

    def probe(self, candidate: Candidate) -> Promise:
        self.asked.append(("probe", candidate))
        self.now += 3
        if candidate.backend == "broken":
            raise RunFailedError("this engine does not read the model")
        figure = 1000 / rate(candidate) / self.promise if self.lower_is_better else rate(candidate) * self.promise
        return Promise(figure, memory(candidate) - 1_000_000, figure)

    def accuracy(self, candidate: Candidate) -> Scored:
        self.asked.append(("accuracy", candidate))
        value = 60.0 if candidate.precision is Precision.INT8 else 90.0
        return Scored({"acc": value}, {"acc": "percent"}, 20, False, f"accuracy-{candidate.engine}")

    def measure(self, candidate: Candidate, promise: Promise, seconds: float, look: Look) -> Measured:
        self.asked.append(("measure", candidate))
        if self.interrupt is not None:
            self.interrupt -= 1
            if self.interrupt < 0:
                raise KeyboardInterrupt
        self.now += seconds
        factors = self.noise.get(candidate)
        figure = rate(candidate) * (factors.pop(0) if factors else 1.0)
        figure = 1000 / figure if self.lower_is_better else figure
        return Measured(figure, None, memory(candidate), None, True, (f"run-{len(self.asked)}",))

    def runs(self) -> list[Candidate]:
        """Settings that were run, in order."""
        return [candidate for what, candidate in self.asked if what == "measure"]


def aim_for(trade_off: TradeOff | None = None, *, max_memory: int | None = None) -> Aim:
    """The aim of the tests, weighed or bounded."""
    return Aim(Scenario.OFFLINE, False, "Samples/s", trade_off, max_memory=max_memory)
