"""The official power figure of a measured run: average power, or energy per query, and the samples per joule.

Source: ``check_power_dir`` of submission-checker.py v2.0 and v2.1 and submission_checker.py v3.0, ``get_power_metric``
of v3.1. The floating-point operations are theirs, in their order: the figures are compared as text with those of the
official ``summary.csv``.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from assay.loadgen.logs import DETAIL
from assay.rules.model import Scenario
from assay.rules.submission import PowerUnits
from assay.submission.checks.context import shown
from assay.submission.issue import Issue
from assay.submission.power import files, spl

MULTISTREAM_SAMPLES = 8
_FEW_SAMPLES = 0.9


@dataclass(frozen=True, slots=True)
class Window:
    """What the detail log of a run says of it, as it stands there.

    Attributes:
        begin: value of ``power_begin``.
        end: value of ``power_end``.
        queries: value of ``result_query_count``.
        measured: the scenario that was run (``effective_scenario``).
    """

    begin: object
    end: object
    queries: object
    measured: object


@dataclass(frozen=True, slots=True)
class PowerFigure:
    """The power figure of a run.

    Attributes:
        figure: the official metric: W for Offline and Server, energy per query (of eight samples for MultiStream) in
            the round's unit for the streams. Can be 0 or not a number; the official tools do not mind.
        efficiency: samples per joule, None in rounds whose tool does not compute it.
        watts: average power, W.
        seconds: length of the window, s.
        samples: samples that count.
        issues: what is odd about the samples and makes no official tool refuse them.
    """

    figure: float
    efficiency: float | None
    watts: float
    seconds: float
    samples: int
    issues: tuple[Issue, ...] = ()


class _UnreadableError(Exception):
    """The official tool would raise here."""

    def __init__(self, issue: Issue) -> None:
        super().__init__(issue.code)
        self.issue = issue


def measure(
    path: Path, place: str, window: Window, scenario: str, units: PowerUnits, *, value: object = None, root: Path
) -> PowerFigure | Issue:
    """Compute the power figure of the testing run. Reads at most 16 MiB of ``spl.txt``.

    Args:
        path: ``spl.txt`` of the testing run.
        place: the same, relative to the root of the tree.
        window: what the run's detail log says.
        scenario: the scenario that the result is for; another one than the measured one when it is inferred.
        units: how the round writes it.
        value: the performance figure, for the efficiency of Offline and Server.
        root: root of the tree; links out of it are not followed.

    Returns:
        The figure, or the issue for which the official tool refuses the result.
    """
    log = f"{place.rpartition('/')[0]}/{DETAIL}"
    try:
        begin, end = _moment(window.begin, log, "power_begin"), _moment(window.end, log, "power_end")
        samples = _samples(path, place, begin, end, root)
        watts = samples.watts
        if units.positive_only:
            watts = [each for each in watts if each > 0]
        if not watts:
            return Issue("power-no-sample", place, expected=f"samples between {window.begin} and {window.end}")
        seconds = (end - begin).total_seconds()
        return _figure(watts, seconds, window, scenario, units, value, log, tuple(_odd(samples, seconds, place)))
    except _UnreadableError as stop:
        return stop.issue


def _figure(
    watts: list[float],
    seconds: float,
    window: Window,
    scenario: str,
    units: PowerUnits,
    value: object,
    log: str,
    issues: tuple[Issue, ...],
) -> PowerFigure:
    average = spl.mean(watts)
    efficiency: float | None = None
    try:
        if scenario in (Scenario.OFFLINE, Scenario.SERVER):
            figure = average
            if units.reads_ranging:
                efficiency = _number(value) / average
        else:
            figure = _energy(average, seconds, window, scenario, units, log)
            if units.reads_ranging:
                samples = MULTISTREAM_SAMPLES if scenario == Scenario.MULTI_STREAM else 1
                efficiency = (samples * 1000) / figure
    except (ZeroDivisionError, OverflowError, TypeError) as error:
        detail = f"the figure cannot be computed: {error}"
        raise _UnreadableError(
            Issue("power-log-unreadable", log, detail, found=f"{average} W in {seconds} s")
        ) from None
    return PowerFigure(figure, efficiency, average, seconds, len(watts), issues)


def _energy(average: float, seconds: float, window: Window, scenario: str, units: PowerUnits, log: str) -> float:
    """Energy per query, the factors one after the other as in the official tools."""
    queries = _queries(window.queries, log)
    energy = average * seconds
    if scenario == Scenario.MULTI_STREAM and window.measured == Scenario.SINGLE_STREAM:
        energy *= MULTISTREAM_SAMPLES
    if units.energy_scale != 1:
        energy *= units.energy_scale
    return energy / queries


def _moment(value: object, place: str, key: str) -> datetime:
    expected = "MM-DD-YYYY HH:MM:SS.mmm"
    if isinstance(value, str):
        try:
            return datetime.strptime(value, spl.TIME_FORMAT)
        except ValueError:
            pass
    raise _UnreadableError(Issue("power-log-unreadable", place, field=key, found=shown(value), expected=expected))


def _queries(value: object, place: str) -> int:
    """What Python's ``int`` makes of the logged count."""
    try:
        if isinstance(value, int | float | str) and (count := int(value)):
            return count
    except (ValueError, OverflowError):
        pass
    raise _UnreadableError(
        Issue("power-log-unreadable", place, field="result_query_count", found=shown(value), expected="a count above 0")
    )


def _number(value: object) -> int | float:
    if isinstance(value, int | float):
        return value
    raise TypeError("there is no performance figure")


def _samples(path: Path, place: str, begin: datetime, end: datetime, root: Path) -> spl.Samples:
    try:
        return spl.samples(files.read(str(path), str(root)), begin, end)
    except OSError as error:
        raise _UnreadableError(Issue("power-log-unreadable", place, files.problem(error))) from None
    except spl.SplError as error:
        raise _UnreadableError(
            Issue(
                "power-log-unreadable",
                place,
                error.problem,
                found=shown(error.found.rstrip("\n")),
                expected="Time,MM-DD-YYYY HH:MM:SS.mmm,Watts,<watts>,...",
                line=error.line,
            )
        ) from None


def _odd(samples: spl.Samples, seconds: float, place: str) -> list[Issue]:
    """What speaks against the samples, though every official tool counts (or leaves out) them in silence."""
    found: list[Issue] = []
    strange = [watts for watts in samples.watts if not 0 < watts < float("inf")]
    if strange:
        detail = f"{len(strange)} of {len(samples.watts)} samples in the window"
        found.append(Issue("power-sample-strange", place, detail, "Watts", f"{strange[0]:g}", "above 0"))
    if len(samples.watts) < _FEW_SAMPLES * seconds - 1:
        expected = f"one each second, {int(seconds)} in all"
        found.append(Issue("power-samples-few", place, found=str(len(samples.watts)), expected=expected))
    return found
