"""Work that leaves LoadGen's logs without LoadGen, and a director with a simulation that does not take its time."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from assay.loadgen.names import DETAIL, SUMMARY
from assay.power.analyzer import Analyzer
from assay.power.curves import Curve, synthetic
from assay.power.director import Director, directing
from assay.power.faults import Fault
from assay.power.host import Host, SimulatedHost
from assay.power.phase import Phase
from assay.power.samples import stamp
from assay.power.wire import Address

SPEED = 30.0


def write_logs(folder: Path, begin: float, end: float, *, samples: int = 100) -> None:
    """LoadGen's logs of an Offline run."""
    folder.mkdir(parents=True, exist_ok=True)
    values = {
        "effective_scenario": "Offline",
        "generated_samples_per_query": samples,
        "power_begin": stamp(begin),
        "power_end": stamp(end),
        "result_query_count": 1,
    }
    meta = {"is_error": False, "is_warning": False, "file": "loadgen.cc", "line_no": 1, "pid": 1, "tid": 1}
    lines = [
        ":::MLLOG "
        + json.dumps(
            {
                "key": key,
                "value": value,
                "time_ms": 1.0,
                "namespace": "mlperf::logging",
                "event_type": "POINT_IN_TIME",
                "metadata": meta,
            }
        )
        for key, value in values.items()
    ]
    (folder / DETAIL).write_text("\n".join(lines) + "\n", encoding="utf-8")
    (folder / SUMMARY).write_text("Result is : VALID\n", encoding="utf-8")


@dataclass(frozen=True)
class Workload:
    """Takes a moment and writes the logs of it."""

    folder: Path
    seconds: float = 0.3

    def __call__(self, phase: Phase) -> Path:
        begin = time.time() + 0.005
        time.sleep(self.seconds)
        place = self.folder / phase.value
        # As long in both phases, however busy this machine is.
        write_logs(place, begin, begin + self.seconds - 0.01)
        return place


def host(
    *faults: str, curve: Curve | None = None, speed: float = SPEED, timeout_s: float = 5.0, late_s: float = 20.0
) -> SimulatedHost:
    """A simulation that takes twenty samples a second."""
    wrong = tuple(Fault.parse(each) for each in faults)
    load = curve or synthetic(100.0)
    return SimulatedHost(
        lambda: Analyzer(load, wrong, clock=time.time, speed=speed), timeout_s=timeout_s, late_s=late_s
    )


@contextmanager
def director(where: Host) -> Iterator[Address]:
    """A director that says it waited for the analyzer: the simulated one needs no time, but for its log's milliseconds."""
    with directing(Director(where, sleep=lambda _: time.sleep(0.01))) as place:
        yield place
