"""A program of somebody else's: it runs LoadGen on its own, answers with the label in a picture's name, and can misbehave.

Some ways to misbehave are cheats that compliance tests are there to find.
"""

from __future__ import annotations

import argparse
import array
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import mlperf_loadgen as lg

COST_S = 0.001
"""Of one sample."""
SCENARIOS = {"bulk": "Offline", "one-by-one": "SingleStream", "arrivals": "Server"}


def main() -> int:
    given = arguments()
    output = Path(given.output)
    misbehave(given.misbehave, output)
    pictures = sorted(Path(given.dataset).glob("*.png"))
    labels = [float(path.stem.rpartition("_")[2]) for path in pictures]
    settings = lg.TestSettings()
    scenario = SCENARIOS[given.scenario]
    settings.scenario = getattr(lg.TestScenario, scenario)
    settings.FromConfig(given.user_conf, "mine", scenario)
    settings.mode = lg.TestMode.AccuracyOnly if given.accuracy else lg.TestMode.PerformanceOnly
    seeds = (int(seed) for seed in given.seeds.split(","))
    settings.qsl_rng_seed, settings.sample_index_rng_seed, settings.schedule_rng_seed = seeds

    work = Work(given.misbehave)

    def issue(samples: list[lg.QuerySample]) -> None:
        for sample in samples:
            work.do(sample.index)
            wrong = given.misbehave == "wrong" and not given.accuracy
            answer = array.array("f", [0.0 if wrong else labels[sample.index]])
            address, length = answer.buffer_info()
            lg.QuerySamplesComplete([lg.QuerySampleResponse(sample.id, address, length * answer.itemsize)])

    output.mkdir(parents=True, exist_ok=True)
    log = lg.LogSettings()
    where = lg.LogOutputSettings()
    where.outdir = str(output)
    log.log_output = where
    sut = lg.ConstructSUT(issue, lambda: None)
    qsl = lg.ConstructQSL(len(labels), len(labels), lambda indices: None, lambda indices: None)
    lg.StartTestWithLogSettings(sut, qsl, settings, log, "audit.config")
    lg.DestroyQSL(qsl)
    lg.DestroySUT(sut)
    sys.stdout.write("done\n")
    return 0


class Work:
    """A sleep for each sample; what sleeps before took too long is made good, so that a busy machine changes little."""

    def __init__(self, how: str) -> None:
        self.how = how
        self.seen: set[int] = set()
        self.due = 0.0

    def do(self, index: int) -> None:
        if self.how == "cache" and index in self.seen:
            return
        self.seen.add(index)
        now = time.perf_counter()
        self.due = (self.due if now - self.due < 0.05 else now) + COST_S
        time.sleep(max(0.0, self.due - now))


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    for name in ("scenario", "user-conf", "output", "dataset", "seeds", "misbehave"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--accuracy", action="store_true")
    return parser.parse_args()


def misbehave(how: str, output: Path) -> None:
    if how == "raise":
        raise KeyError("no such layer")
    if how == "shell":
        # What a shell makes of a child that was killed; 35072 is how os.system tells it.
        sys.exit(137)
    if how == "signal":
        os.kill(os.getpid(), signal.SIGSEGV)
    if how == "audited" and Path("audit.config").exists():
        raise KeyError("somebody looks")
    if how == "nothing":
        (output.parent / "notes.txt").write_text("logs are elsewhere")
        sys.exit(0)
    if how == "linger":
        # The number of a process that does not listen to anybody, and then waiting for ever.
        child = subprocess.Popen(
            [sys.executable, "-c", "import signal, time; signal.signal(2, 1); signal.signal(15, 1); time.sleep(600)"]
        )
        (output.parent / "child.txt").write_text(str(child.pid))
        time.sleep(600)


if __name__ == "__main__":
    sys.exit(main())
