"""Several analyzers as one: a machine with more power supplies than an analyzer has inputs.

Source: merge_power_logs in ptd_client_server/lib/server.py of mlcommons/power-dev (since September 2024): samples are
put together in the order in which they were taken, the watts of all are summed, time and mark are those of the first, and
the sample of each analyzer stands behind its name.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from pathlib import Path

from assay.power.samples import Sample

_UNKNOWN = -1.0
_FARTHEST_S = 1.0


def merged(taken: Sequence[Sequence[Sample]]) -> list[Sample]:
    """The samples of all analyzers as those of one, as many as the one has that took the fewest."""
    return [_together(samples) for samples in zip(*taken, strict=False)]


def _together(samples: Sequence[Sample]) -> Sample:
    # An analyzer that was off says -1 W; one whose clamps are the wrong way round has the right watts, below zero.
    watts = sum(abs(sample.watts) for sample in samples if sample.watts != _UNKNOWN)
    first = samples[0]
    return Sample(first.time, watts, mark=first.mark, analyzers=tuple(samples))


def apart_s(samples: Sequence[Sample]) -> float:
    """How far the readings of different analyzers that were put together lie apart, at most, in seconds."""
    times = [[each.time for each in sample.analyzers] for sample in samples if sample.analyzers]
    return max((max(moments) - min(moments) for moments in times), default=0.0)


def objections(taken: Sequence[Sequence[Sample]], samples: Sequence[Sample]) -> list[str]:
    """What speaks against putting them together, in sentences."""
    found = []
    counts = [len(each) for each in taken]
    if len(set(counts)) > 1:
        found.append(
            f"the analyzers took {', '.join(map(str, counts))} samples; {min(counts)} of each were put together"
        )
    apart = apart_s(samples)
    if apart > _FARTHEST_S:
        found.append(f"samples that were put together lie {apart:.1f} s apart")
    return found


def merge_logs(logs: Sequence[Path], target: Path) -> None:
    """What the daemons printed in one file, one behind the other, each below its name; the logs go."""
    parts = ([f"Analyzer {number}\n".encode(), log.read_bytes()] for number, log in enumerate(logs, 1) if log.is_file())
    target.write_bytes(b"".join(chain.from_iterable(parts)))
    for log in logs:
        log.unlink(missing_ok=True)
