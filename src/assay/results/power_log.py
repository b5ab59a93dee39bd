"""Power while a run went on, from the samples of the analyzer's log (``spl.txt``): one a second, of any length."""

from __future__ import annotations

import math
from datetime import datetime
from io import FileIO
from pathlib import Path

from assay.base.files import open_regular
from assay.errors import InvalidInputError, NotFoundError
from assay.results.charts import PALETTE, Spec, chart_head

_MAX_BYTES = 64 << 20
_LONGEST_LINE = 4096
_POINTS = 600
_TIME = "%m-%d-%Y %H:%M:%S.%f"


def read_watts(path: Path) -> list[tuple[float, float]]:
    """Samples as seconds since the first one and watts; lines that are none are passed over.

    Raises:
        NotFoundError: when there is no such file.
        InvalidInputError: when it holds fewer than two samples.
    """
    try:
        with open_regular(path) as stream:
            found = _samples(stream)
    except OSError as error:
        raise NotFoundError("there is no log of the power analyzer", where=path) from error
    if len(found) < 2:
        raise InvalidInputError("the log of the power analyzer holds no samples", where=path)
    begin = found[0][0]
    return [((moment - begin).total_seconds(), watts) for moment, watts in found]


def _samples(stream: FileIO) -> list[tuple[datetime, float]]:
    found: list[tuple[datetime, float]] = []
    for line in stream.read(_MAX_BYTES).split(b"\n"):
        # Time,07-28-2022 15:20:14.682,Watts,22.95,Volts,...
        parts = line[:_LONGEST_LINE].decode("utf-8", "replace").split(",", 4)
        if len(parts) < 4 or parts[0] != "Time" or parts[2] != "Watts":
            continue
        try:
            moment, watts = datetime.strptime(parts[1], _TIME), float(parts[3])
        except ValueError:
            continue
        if math.isfinite(watts) and abs(watts) < 1e9:
            found.append((moment, watts))
    return found


def power_over_time(samples: list[tuple[float, float]]) -> Spec:
    """Watts over the seconds of a run, averaged to some hundred points.

    Args:
        samples: seconds and watts, at least one.
    """
    step = max(1, math.ceil(len(samples) / _POINTS))
    parts = [samples[at : at + step] for at in range(0, len(samples), step)]
    return {
        **chart_head(),
        "data": {
            "values": [
                {"time": round(part[0][0], 3), "watts": round(sum(watts for _, watts in part) / len(part), 4)}
                for part in parts
            ]
        },
        "mark": {"type": "line", "color": PALETTE.first},
        "encoding": {
            "x": {"field": "time", "type": "quantitative", "title": "time (s)"},
            "y": {"field": "watts", "type": "quantitative", "title": "power (W)", "scale": {"zero": True}},
        },
    }
