"""How near ``assay find-rate`` comes to a fine sweep, and how long it takes, over simulated queues.

    python benchmarks/find_rate_simulated.py --queues 40

A queue is a server that takes one query after another; arrivals are random and the same in every run of it but for their
scale, as LoadGen's are. A machine is quiet, or each run of it is as much faster or slower as a normal distribution says, or
it stops now and then for 20 to 200 ms. The sweep of a queue is made on the same machine: rates 0.5 % apart, seven runs of full
length each; its best rate is the highest at which, and at all below it, most runs are VALID. The search knows nothing of that.
"""

from __future__ import annotations

import argparse
import math
import statistics
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from assay.loadgen.attempts import Aim, Attempt
from assay.loadgen.search import find_rate
from assay.loadgen.statistics import queries_needed

START_S = 2.5
"""A run takes so much besides its length."""
RUNS = 7
STEP = 1.005


@dataclass(frozen=True)
class Machine:
    """What a machine does of itself.

    Attributes:
        spread: standard deviation of a run's speed, as a fraction.
        stops: of the machine, in an hour.
    """

    name: str
    spread: float = 0.0
    stops: float = 0.0


MACHINES = (
    Machine("quiet"),
    Machine("runs differ by 0.5 %", spread=0.005),
    Machine("runs differ by 1 %", spread=0.01),
    Machine("runs differ by 2 %", spread=0.02),
    Machine("a stop a minute", stops=60),
)


@dataclass(frozen=True)
class Search:
    """How is searched."""

    name: str
    full_s: float
    attempt_s: float = 10.0
    confirm: bool = True


SEARCHES = (
    Search("600 s", 600),
    Search("60 s", 60),
    Search("20 s, attempts of 6 s", 20, 6),
    Search("600 s, --no-confirm", 600, confirm=False),
)


@dataclass
class Queue:
    """A queue on a machine.

    Attributes:
        service_s: time for one query.
        bound_s: latency bound.
    """

    service_s: float
    bound_s: float
    machine: Machine
    seed: int
    percentile: float = 0.99
    seconds: float = 0.0
    draw: np.random.Generator = field(init=False)
    gaps: NDArray[np.float64] = field(init=False)

    def __post_init__(self) -> None:
        self.gaps = np.random.default_rng(self.seed).exponential(1.0, int(700 / self.service_s))
        self.draw = np.random.default_rng(self.seed + 1)

    def run(self, rate: float | None, seconds: float) -> Attempt:
        """A run at a rate; the probe suggests a third of the capacity."""
        rate = 0.35 / self.service_s if rate is None else rate
        arrivals = np.cumsum(self.gaps[: max(1, int(rate * seconds))]) / rate
        count = len(arrivals)
        service = np.full(count, self.service_s * math.exp(self.draw.normal(0, self.machine.spread)))
        stops = self.draw.poisson(self.machine.stops / 3600 * seconds)
        np.add.at(service, self.draw.integers(0, count, stops), self.draw.uniform(0.02, 0.2, stops))
        work = np.cumsum(service)
        ends = np.maximum.accumulate(arrivals - (work - service)) + work
        late = int((ends - arrivals > self.bound_s).sum())
        lasted = float(ends[-1])
        self.seconds += max(seconds, lasted) + START_S
        return Attempt(rate, seconds, count, late, count / lasted, count >= queries_needed(late, self.percentile))

    def passes(self, rate: float, full_s: float) -> bool:
        """Whether most of the sweep's runs are VALID."""
        runs = 1 if self.machine == MACHINES[0] else RUNS
        return sum(self.run(rate, full_s).valid for _ in range(runs)) * 2 > runs

    def sweep(self, around: float, full_s: float) -> float:
        """The best rate of the sweep, which goes up from well below and ends when two rates one after the other miss."""
        rate, best, misses = around / 1.15, 0.0, 0
        while misses < 2 or not best:
            held = self.passes(rate, full_s)
            best, misses = (rate, 0) if held else (best, misses + 1)
            if misses > 60:
                return math.nan
            rate = rate * STEP if best or misses < 2 else rate / STEP**20
        return best


def measured(search: Search, machine: Machine, queues: int) -> str:
    """A line of the table."""
    errors, runs, full, minutes = [], [], [], []
    for seed in range(queues):
        draw = np.random.default_rng(seed)
        service = float(draw.uniform(0.002, 0.006))
        queue = Queue(service, service * float(draw.uniform(4, 10)), machine, seed)
        aim = Aim(queue.percentile, queue.bound_s, search.full_s, 662, search.attempt_s, confirm=search.confirm)
        found = find_rate(queue.run, aim)
        took = queue.seconds / 60
        best = queue.sweep(found.rate, search.full_s) if found.rate else math.nan
        errors.append((found.rate or 0.0) / best - 1)
        runs.append(len(found.tried))
        full.append(sum(each.attempt.duration_s >= search.full_s for each in found.tried))
        minutes.append(took)
    within = sum(abs(error) <= 0.03 for error in errors) / queues  # one without a rate counts, as missed
    errors = [error for error in errors if not math.isnan(error)]
    worst = max(errors, key=abs)
    tenth = statistics.quantiles(minutes, n=10)[-1]
    return (
        f"| {search.name} | {machine.name} | {within:.0%} | {statistics.mean(errors):+.1%} ({worst:+.1%}) "
        f"| {statistics.mean(runs):.0f}, {statistics.mean(full):.1f} in full | {statistics.median(minutes):.0f} ({tenth:.0f}) |"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--queues", type=int, default=40)
    options = parser.parse_args()
    print("| full length | machine | within 3 % of the sweep | mean (worst) | runs | minutes, median (nine of ten) |")
    print("|---|---|---|---|---|---|")
    for search in SEARCHES:
        for machine in MACHINES:
            print(measured(search, machine, options.queues), flush=True)


if __name__ == "__main__":
    main()
