"""What a measurement says: watts while LoadGen measured, energy of a sample, power over time, and what speaks against it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from assay.base.files import open_regular, read_json
from assay.errors import InvalidInputError
from assay.loadgen.names import DETAIL
from assay.loadgen.record import Label
from assay.power.identity import Identity
from assay.power.phase import Phase
from assay.power.record import own_sources
from assay.power.samples import Sample, good, moment_of, read_samples
from assay.power.window import Window, read_window

_FEW, _DROP = 0.9, 0.05
_MAX_LOG = 64 << 20
_STAMP_LENGTH = len("MM-DD-YYYY HH:MM:SS.mmm")
_UNCERTAIN = re.compile(r"WARNING: Uncertainty .* above 1\.00% limit")


@dataclass(frozen=True, slots=True)
class PowerFigures:
    """Power while LoadGen measured.

    Attributes:
        watts: average of the samples strictly inside LoadGen's window that are above 0 W.
        seconds: length of the window.
        readings: how many samples that were.
        samples: of the benchmark, that were completed; None where LoadGen's log does not say.
        points: seconds since the window's begin and watts, of the whole log.
        problems: what speaks against the measurement, in sentences.
        labels: what the figure must not be shown without.
        queries: that were completed; None where LoadGen's log does not say.
    """

    watts: float
    seconds: float
    readings: int
    samples: int | None
    points: tuple[tuple[float, float], ...] = ()
    problems: tuple[str, ...] = ()
    labels: tuple[Label, ...] = ()
    queries: int | None = None

    @property
    def joules(self) -> float:
        """Energy of the whole window."""
        return self.watts * self.seconds

    @property
    def joules_per_sample(self) -> float | None:
        """Energy of one sample of the benchmark."""
        return self.joules / self.samples if self.samples else None

    @property
    def samples_per_joule(self) -> float | None:
        """The same the other way round: more is better."""
        return self.samples / self.joules if self.samples and self.joules else None

    def to_dict(self) -> dict[str, Any]:
        """The figures as JSON values, without the points."""
        return {
            "watts": self.watts,
            "seconds": self.seconds,
            "readings": self.readings,
            "samples": self.samples,
            "joules": self.joules,
            "joules_per_sample": self.joules_per_sample,
            "samples_per_joule": self.samples_per_joule,
            "problems": list(self.problems),
            "labels": [label.value for label in self.labels],
        }


def reckon(samples: Sequence[Sample], window: Window, labels: tuple[Label, ...] = ()) -> PowerFigures:
    """Figures of a run from its samples.

    Raises:
        InvalidInputError: when no sample lies in the window.
    """
    inside = [sample for sample in samples if window.begin < sample.time < window.end]
    readings = [sample.watts for sample in inside if good(sample)]
    if not readings:
        raise InvalidInputError(
            "no power was read while LoadGen measured",
            expected=f"samples in a window of {window.seconds:.1f} s",
            found=f"{len(samples)} samples, {len(inside)} of them in the window",
            hint="did the run last for some seconds, and do the clocks of both machines agree?",
        )
    points = tuple((round(sample.time - window.begin, 3), sample.watts) for sample in samples if good(sample))
    return PowerFigures(
        sum(readings) / len(readings),
        window.seconds,
        len(readings),
        window.samples,
        points,
        tuple(_gaps(len(inside), len(readings), window)),
        labels,
        window.queries,
    )


def _gaps(inside: int, readings: int, window: Window) -> Iterator[str]:
    if readings < inside:
        yield f"{inside - readings} of {inside} samples are no readings"
    if inside < _FEW * window.seconds - 1:
        yield f"{inside} samples in {window.seconds:.0f} s: one a second is asked, so some were dropped"


def analyse(folder: Path) -> PowerFigures:
    """Figures of a measurement, from the ``performance/`` folder that client and director leave.

    Raises:
        NotFoundError: when a file is missing.
        InvalidInputError: when one is damaged, or no sample lies in LoadGen's window.
    """
    windows = {phase: read_window(folder / phase.folder / DETAIL) for phase in Phase}
    samples = {phase: read_samples(folder / phase.folder / "spl.txt") for phase in Phase}
    testing = reckon(samples[Phase.TESTING], windows[Phase.TESTING], session_labels(folder / "power"))
    problems = [*testing.problems]
    try:
        ranging = reckon(samples[Phase.RANGING], windows[Phase.RANGING])
    except InvalidInputError as error:
        problems.append(f"ranging: {error.what}")
    else:
        if testing.watts < ranging.watts * (1 - _DROP):
            problems.append(
                f"{testing.watts:.1f} W while testing are more than 5% below {ranging.watts:.1f} W while ranging"
            )
    problems += _complaints(folder / "power" / "ptd_logs.txt", windows[Phase.TESTING])
    return replace(testing, problems=tuple(problems))


def session_labels(power: Path) -> tuple[Label, ...]:
    """Power is official only from an analyzer, measured by the official client and server, as they tell it.

    Args:
        power: the folder with the records of a session.

    Raises:
        NotFoundError: when there are none.
        InvalidInputError: when one is damaged.
    """
    client, server = (read_json(power / f"{side}.json") for side in ("client", "server"))
    for record in (client, server):
        if not isinstance(record, dict) or not isinstance(record.get("sources"), dict):
            raise InvalidInputError("not a record of a power session", where=power)
    answers = _identities(server)
    if any(Identity.parse(each).simulated for each in answers):
        return (Label.SIMULATED_POWER,)
    ours = set(own_sources())
    own = any(ours & set(record["sources"]) for record in (client, server))
    return (Label.UNOFFICIAL_POWER,) if own or not answers or server.get("debug") else ()


def _identities(server: dict[str, Any]) -> list[str]:
    """Who the daemon said it is."""
    messages = server.get("ptd_messages")
    found = [each for each in messages if isinstance(each, dict)] if isinstance(messages, list) else []
    return [str(each.get("reply")) for each in found if each.get("cmd") == "Identify"]


def analyzers_of(folder: Path) -> tuple[Identity, ...]:
    """The analyzers and daemons of a measurement, as they told it; none when they told nothing.

    Raises:
        NotFoundError: when there is no record of the session.
        InvalidInputError: when it is damaged.
    """
    server = read_json(folder / "power" / "server.json")
    answers = _identities(server) if isinstance(server, dict) else []
    return tuple(map(Identity.parse, answers))


def _complaints(log: Path, window: Window) -> Iterator[str]:
    """What the daemon complained of while LoadGen measured."""
    try:
        with open_regular(log) as stream:
            lines = stream.read(_MAX_LOG).decode("utf-8", "replace").split("\n")
    except OSError as error:
        raise InvalidInputError(f"cannot read the daemon's log: {error.strerror}", where=log) from error
    loud = [line for line in lines if ("ERROR:" in line or "WARNING:" in line) and _inside(line, window)]
    uncertain = sum(_UNCERTAIN.search(line) is not None for line in loud)
    if uncertain:
        yield f"{uncertain} samples are less certain than 1%"
    errors = [line[_STAMP_LENGTH + 1 :].strip() for line in loud if "ERROR:" in line]
    if errors:
        yield f"{len(errors)} errors of the daemon, the first: {errors[0][:200]}"


def _inside(line: str, window: Window) -> bool:
    try:
        return window.begin < moment_of(line[:_STAMP_LENGTH]) < window.end
    except ValueError:
        return False
