"""The power part of an entry: files, and the figure that spl.txt gives within LoadGen's window.

Source: ``check_power_dir`` of submission_checker.py (``get_power_metric`` and ``get_performance_metric`` at v3.1).
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from dataclasses import dataclass, field
from datetime import datetime
from operator import itemgetter

from assay.loadgen.names import DETAIL
from assay.rules.model import Scenario
from assay.submission.checks.context import EntryContext, read_text, shown
from assay.submission.checks.files import file_list
from assay.submission.checks.run import JudgedRun, judge_run
from assay.submission.issue import Issue
from assay.submission.power.spl import SAMPLE, mean
from assay.submission.tree import Folder

SPL = "spl.txt"
_FORMAT = "%m-%d-%Y %H:%M:%S.%f"
_STREAM_SAMPLES = 8


@dataclass(slots=True)
class JudgedPower:
    """What the power logs gave.

    Attributes:
        figure: the official power metric: W for Offline and Server, energy per query for the streams.
        efficiency: samples per joule, None where the round's tool has none.
        watts: average power while LoadGen ran.
    """

    issues: list[Issue] = field(default_factory=list)
    figure: float | None = None
    efficiency: float | None = None
    watts: float | None = None


class WattsReader:
    """Reads the samples of a run; those of a copy of the last one (an inferred result holds one) are not parsed again."""

    def __init__(self) -> None:
        self._last: tuple[str, datetime, datetime] | None = None
        self._watts: list[float] = []

    def read(
        self, text: str, begin: datetime, end: datetime, place: str, *, passes_other_lines: bool = False
    ) -> list[float]:
        """As :func:`watts_inside`; do not change what it gives."""
        if (text, begin, end) != self._last:
            self._last = None
            self._watts = watts_inside(text, begin, end, place, passes_other_lines=passes_other_lines)
            self._last = (text, begin, end)
        return self._watts


def judge_power(context: EntryContext, performance: Folder, run: JudgedRun, reader: WattsReader) -> JudgedPower:
    """Judge ``performance/`` of a measured entry."""
    found = JudgedPower()
    path = f"{context.result_path}/performance"
    files = context.rules.files
    asked = files.performance + files.power_run
    for name in ("run_1", "ranging"):
        folder = performance.at(name)
        if folder is None:
            found.issues.append(Issue("power-files", f"{path}/{name}", found="no folder"))
        else:
            found.issues += file_list("power-files", f"{path}/{name}", folder, asked, files.performance_optional, files)
    power = performance.at("power")
    if power is None:
        found.issues.append(Issue("power-files", f"{path}/power", found="no folder"))
    else:
        found.issues += file_list("power-files", f"{path}/power", power, files.power, (), files)
    if context.rules.power.reads_ranging:
        ranging = judge_run(context, performance.at("ranging") or Folder(), f"{path}/ranging")
        if not ranging.judged and ranging.issues:
            issue = ranging.issues[-1]
            found.issues.append(Issue("ranging-unreadable", issue.path, issue.detail, issue.field, issue.found))
    try:
        _measure(context, path, run, found, reader)
    except UnreadablePowerError as problem:
        found.issues.append(problem.issue)
    return found


class UnreadablePowerError(Exception):
    """The official tool would raise here; the issue says why."""

    def __init__(self, issue: Issue) -> None:
        super().__init__(issue.code)
        self.issue = issue


def _measure(context: EntryContext, path: str, run: JudgedRun, found: JudgedPower, reader: WattsReader) -> None:
    begin, end = (
        _moment(run, f"{path}/run_1/{DETAIL}", "power_begin"),
        _moment(run, f"{path}/run_1/{DETAIL}", "power_end"),
    )
    place = f"{path}/run_1/{SPL}"
    watts = _watts(context, place, begin, end, reader)
    if not watts:
        found.issues.append(Issue("power-no-sample", place, expected=f"samples between {begin} and {end}"))
        return
    average = found.watts = mean(watts)
    seconds = (end - begin).total_seconds()
    power = context.rules.power
    if context.scenario in (Scenario.OFFLINE, Scenario.SERVER):
        found.figure = average
        if power.reads_ranging and isinstance(run.value, int | float):
            found.efficiency = run.value / average
        return
    queries = _queries(run, f"{path}/run_1/{DETAIL}")
    from_single = context.scenario == Scenario.MULTI_STREAM and run.measured is Scenario.SINGLE_STREAM
    energy = average * seconds
    if from_single:
        energy = energy * _STREAM_SAMPLES
    found.figure = (energy * 1000 if power.energy_scale == 1000 else energy) / queries
    if power.reads_ranging and found.figure:
        samples = _STREAM_SAMPLES if context.scenario == Scenario.MULTI_STREAM else 1
        found.efficiency = samples * 1000 / found.figure


def _moment(run: JudgedRun, place: str, key: str) -> datetime:
    value = run.log.get(key) if run.log is not None else None
    try:
        return datetime.strptime(str(value), _FORMAT)
    except ValueError:
        raise UnreadablePowerError(
            Issue("power-log-unreadable", place, field=key, found=shown(value), expected="MM-DD-YYYY HH:MM:SS.mmm")
        ) from None


def _queries(run: JudgedRun, place: str) -> int:
    value = run.log.get("result_query_count") if run.log is not None else None
    try:
        count = int(value) if isinstance(value, int | float | str) else 0
        float(count)
    except (ValueError, OverflowError):
        count = 0
    if count == 0:
        raise UnreadablePowerError(
            Issue("power-log-unreadable", place, field="result_query_count", found=shown(value), expected="a count")
        )
    return count


def _watts(context: EntryContext, place: str, begin: datetime, end: datetime, reader: WattsReader) -> list[float]:
    text, problem = read_text(context.full(place))
    if text is None:
        raise UnreadablePowerError(Issue("power-log-unreadable", place, detail=problem))
    power = context.rules.power
    found = reader.read(text, begin, end, place, passes_other_lines=power.passes_other_lines)
    return [watts for watts in found if watts > 0] if power.positive_only else found


def watts_inside(
    text: str, begin: datetime, end: datetime, place: str, *, passes_other_lines: bool = False
) -> list[float]:
    """Watts of the samples strictly between two moments, in their order.

    Args:
        text: content of ``spl.txt``.
        place: its path, for the issue.
        passes_other_lines: lines that do not begin with ``Time`` are passed over.

    Raises:
        UnreadablePowerError: for a line that the official tool could not read.
    """
    plain = _plain_watts(text, begin, end)
    if plain is not None:
        return plain
    found: list[float] = []
    clock = _Clock(begin, end)
    # The tool splits lines with their ends: where the time is the last field it cannot be read, in the window or not.
    lines = [f"{line}\n" for line in text.split("\n")]
    lines[-1] = lines[-1][:-1]
    if not lines[-1]:
        lines.pop()
    for number, line in enumerate(lines, 1):
        if passes_other_lines and not line.startswith(SAMPLE):
            continue
        fields = line.split(",", 4)
        try:
            if clock.inside(fields[1]):
                found.append(float(fields[3]))
        except (IndexError, ValueError):
            expected = "Time,<time>,Watts,<watts>"
            raise UnreadablePowerError(
                Issue("power-log-unreadable", place, found=shown(line.rstrip("\n")), expected=expected, line=number)
            ) from None
    return found


_PLAIN = re.compile(
    r"^Time,\d\d-\d\d-\d{4} (?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d\.\d{3},Watts,(-?\d+\.\d+),.*$", re.ASCII | re.MULTILINE
)
_TIME, _DATE = slice(5, 28), slice(5, 15)


def _plain_watts(text: str, begin: datetime, end: datetime) -> list[float] | None:
    """Watts inside the window when all is as PTDaemon writes it, in order and of one day; None otherwise.

    Times of one form and one day stand in the order of their text, so the window is found by bisection.
    """
    day = f"{begin:%m-%d-%Y}"
    lines = text.split("\n")
    if lines.pop() or not lines or f"{end:%m-%d-%Y}" != day:
        return None
    if lines[0][_DATE] != day or lines[-1][_DATE] != day or lines != sorted(lines):
        return None
    watts = _PLAIN.findall(text)
    if len(watts) != len(lines):
        return None
    first = bisect_right(lines, _stamp(begin), key=itemgetter(_TIME))
    last = bisect_left(lines, _stamp(end), key=itemgetter(_TIME))
    return [float(each) for each in watts[first:last]]


def _stamp(moment: datetime) -> str:
    """A moment as samples write it, with microseconds where it has some."""
    text = f"{moment:{_FORMAT}}"
    return text.removesuffix("000")


class _Clock:
    """Tells whether a sample's time lies in a window.

    PTDaemon writes ``MM-DD-YYYY HH:MM:SS.mmm`` once a second or faster: minutes are parsed once, seconds compared as
    text. Anything else goes through ``strptime``, as in the official tool.
    """

    __slots__ = ("_begin", "_end", "_minutes", "_seconds")

    def __init__(self, begin: datetime, end: datetime) -> None:
        self._begin, self._end = begin, end
        self._minutes: dict[str, tuple[str, str]] = {}
        self._seconds: set[str] = set()

    def inside(self, text: str) -> bool:
        """Whether a time lies strictly in the window.

        Raises:
            ValueError: when it is none.
        """
        bounds, seconds = self._minutes.get(text[:17]), text[17:]
        if bounds is None or not (seconds in self._seconds or self._plain(seconds)):
            return self._slow(text)
        return bounds[0] < seconds < bounds[1]

    def _plain(self, seconds: str) -> bool:
        """Whether it is ``SS.mmm``."""
        plain = (
            len(seconds) == 6
            and seconds[2] == "."
            and seconds.isascii()
            and seconds[:2].isdigit()
            and seconds[3:].isdigit()
            and seconds[:2] < "60"
        )
        if plain:
            self._seconds.add(seconds)
        return plain

    def _slow(self, text: str) -> bool:
        moment = datetime.strptime(text, _FORMAT)
        if self._plain(text[17:]):
            minute = moment.replace(second=0, microsecond=0)
            self._minutes[text[:17]] = (_seconds_into(minute, self._begin), _seconds_into(minute, self._end))
        return self._begin < moment < self._end


def _seconds_into(minute: datetime, moment: datetime) -> str:
    """Where a moment lies in a minute, comparable with ``SS.mmm``: before all of them, after all, or as such a text."""
    seconds = (moment - minute).total_seconds()
    if seconds < 0:
        return ""
    if seconds >= 60:
        return "~"
    text = f"{seconds:09.6f}"
    return text[:6] if text.endswith("000") else text
