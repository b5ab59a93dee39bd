"""Check of the power daemon's own log, ``ptd_logs.txt``: errors, warnings, and how sure the analyzer was.

Source: ``check_ptd_logs`` of the power working group's checker. It ends at the first line that it only warns of, so
that in most real logs it has seen little more than the start of the ranging run; whatever stands behind that line
gets a code of its own here (``...-unseen``). It also misjudges when LoadGen ran: up to v3.0 it adds the server's time
zone to times that are UTC, and v3.1 takes its margin of 500 ms for 500 seconds.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

from assay.rules.power import LogFacts, PowerFacts
from assay.submission.checks.context import shown
from assay.submission.issue import Issue
from assay.submission.power import spl, stamps
from assay.submission.power.evidence import PTD_LOG, TESTING, Evidence
from assay.submission.power.record import MalformedError, Session
from assay.submission.power.window import LoadWindow

_STAMP = re.compile(r"^\d\d-\d\d-\d\d\d\d \d\d:\d\d:\d\d.\d\d\d")
_ACTIVE = re.compile(r"Uncertainty checking for Yokogawa\S+ is activated")
_ACTIVE_START = "Uncertainty checking for Yokogawa"
_COMPLETED = ": Completed test"
_STAMP_LENGTH, _MINUTE_LENGTH = 23, 17
_UNSEEN = "-unseen"


def check_log(evidence: Evidence, server: Session, facts: PowerFacts) -> Iterator[Issue]:
    """Ranging is in the log and ended, uncertainty was watched, and no error stands outside of ranging."""
    mark = f"{server.at('session_name')}_ranging"
    window = evidence.window(TESTING)
    zone = _zone(server, facts.log.adds_time_zone)
    log = _Log(evidence, evidence.place(PTD_LOG))
    ranging = _ranging(log, f": Go with mark {mark!r}")
    late = _uncertainty_watched(log, ranging)
    if late is not None:
        yield late
    uncertainty = _Uncertainty(facts.log.uncertainty_limit_percent)
    judge = _Judge(log, facts.log, ranging, window, zone, uncertainty)
    judge.read()
    yield from judge.issues()


def _zone(server: Session, used: bool) -> int:
    """The server's time zone in seconds, 0 where it is not used.

    Every round's checker reads it and adds it to a time, even where it does not use the sum: it has to be a number
    that a double can hold.
    """
    value = server.at("timezone")
    try:
        if isinstance(value, int | float | str):
            zone = int(value)
            return int(float(zone)) * used
    except (ValueError, OverflowError):
        pass
    raise server.wrong("timezone", expected="seconds")


class _Log:
    """Lines of the log and their times."""

    def __init__(self, evidence: Evidence, place: str) -> None:
        self.place = place
        try:
            text = spl.text_of(evidence.raw(PTD_LOG))
        except spl.SplError as error:
            raise MalformedError(place, "", error.problem, line=error.line) from None
        self.lines = text.split("\n")
        last = self.lines.pop()
        self.ends_openly = bool(last)
        if last:
            self.lines.append(last)
        self._text = text
        # Seconds since 1970 of each line (NaN: none); not there when the log is not plain.
        self._starts, self.moments = _plain(text)
        self._minutes: dict[str, int] = {}
        self._seconds: dict[str, int] = {}

    def time(self, index: int) -> float | None:
        """Seconds since 1970 of a line, None when it does not begin with a time.

        Raises:
            MalformedError: when it begins with one that is not in the calendar.
        """
        if self.moments is not None:
            moment = float(self.moments[index])
            return None if math.isnan(moment) else moment
        line = self.lines[index]
        minute, seconds = (
            self._minutes.get(line[:_MINUTE_LENGTH]),
            self._seconds.get(line[_MINUTE_LENGTH:_STAMP_LENGTH]),
        )
        if minute is None or seconds is None:
            return self._slow(index)
        return (minute + seconds) / 1_000_000

    def _slow(self, index: int) -> float | None:
        line = self.lines[index]
        stamp = _STAMP.match(line)
        if stamp is None:
            return None
        try:
            moment = datetime.strptime(stamp[0], spl.TIME_FORMAT).replace(tzinfo=UTC)
        except ValueError:
            raise self.wrong(index, "the time is none") from None
        if stamp[0].isascii():
            second = moment.second * 1_000_000 + moment.microsecond
            self._seconds[stamp[0][_MINUTE_LENGTH:]] = second
            start = moment.replace(second=0, microsecond=0) - datetime(1970, 1, 1, tzinfo=UTC)
            self._minutes[stamp[0][:_MINUTE_LENGTH]] = (start.days * 86_400 + start.seconds) * 1_000_000
        return moment.timestamp()

    def holding(self, *texts: str) -> Sequence[int]:
        """Lines that may have one of the texts in them, in order: of a plain log those, else all."""
        if self.moments is None:
            return range(len(self.lines))
        return sorted({line for each in texts for line in self.lines_at(_offsets(self._text, each))})

    def matching(self, pattern: re.Pattern[str]) -> Sequence[int]:
        """Lines of a plain log in which a pattern is found, some perhaps twice."""
        return self.lines_at([match.start() for match in pattern.finditer(self._text)])

    def lines_at(self, offsets: Sequence[int]) -> list[int]:
        """Lines of a plain log at offsets."""
        if not offsets:
            return []
        lines: list[int] = (np.searchsorted(self._starts, offsets, "right") - 1).tolist()
        return lines

    def message(self, index: int) -> str:
        """What stands behind the time, without the blanks around it."""
        return self.lines[index][_STAMP_LENGTH:].strip()

    def wrong(self, index: int, detail: str) -> MalformedError:
        """The error of a line."""
        return MalformedError(self.place, "", detail, shown(self.lines[index]), line=index + 1)


def _offsets(text: str, part: str) -> list[int]:
    found: list[int] = []
    position = text.find(part)
    while position >= 0:
        found.append(position)
        position = text.find(part, position + 1)
    return found


def _plain(text: str) -> tuple[stamps.Integers, NDArray[np.float64] | None]:
    """Starts of all lines and their times; no times when the log is not as the daemon writes it."""
    if not text or not text.isascii():
        return np.empty(0, np.int64), None
    raw = text.encode("ascii")
    stops = np.flatnonzero(np.frombuffer(raw, np.uint8) == ord("\n"))
    starts = np.concatenate(([0], stops + 1))
    # Behind the last line's end there is no line.
    starts = starts[:-1] if raw.endswith(b"\n") else starts
    return starts, stamps.line_moments(raw, starts)


@dataclass(frozen=True, slots=True)
class _Span:
    """When ranges were looked for: seconds since 1970."""

    begin: float
    end: float


def _ranging(log: _Log, start_message: str) -> _Span:
    """The ranging run, from the mark that starts it to the first test that was completed after it."""
    begin: float | None = None
    for index in log.holding(start_message, _COMPLETED):
        line, moment = log.lines[index], log.time(index)
        if moment is None:
            # The official checker compares whole lines with their ends: only a last line without one is alike.
            if line == start_message and not begin and log.ends_openly and index == len(log.lines) - 1:
                raise log.wrong(index, "the line has no time")
            continue
        if not begin and start_message in line and log.message(index) == start_message:
            begin = moment
        elif begin and _COMPLETED in line and log.message(index) == _COMPLETED:
            return _Span(begin, moment)
    found = "its start alone" if begin else "nothing"
    raise MalformedError(
        log.place, "", "the ranging run is not in the log", found, f"{shown(start_message)}, {_COMPLETED}"
    )


def _uncertainty_watched(log: _Log, ranging: _Span) -> Issue | None:
    expected = "'Uncertainty checking for Yokogawa... is activated' before the ranging run"
    for index in log.holding(_ACTIVE_START):
        if _ACTIVE.search(log.lines[index]) is None:
            continue
        moment = log.time(index)
        if moment is None:
            raise log.wrong(index, "the line has no time")
        if moment < ranging.begin:
            return None
        return log.wrong(index, "uncertainty was watched too late").issue("power-uncertainty-unwatched")
    return Issue("power-uncertainty-unwatched", log.place, found="nothing", expected=expected)


@dataclass(slots=True)
class _Lines:
    """Lines with one code: the first of them, and how many there are."""

    first: int
    detail: str
    count: int = 0


@dataclass(slots=True)
class _Judge:
    """Goes through errors and warnings as the official checker does, and on where it stops."""

    log: _Log
    facts: LogFacts
    ranging: _Span
    window: LoadWindow
    zone: int
    _uncertainty: _Uncertainty
    _stopped: bool = False
    _found: dict[str, _Lines] = field(default_factory=dict)

    def read(self) -> None:
        """Look at every line that may matter."""
        for index in self._lines():
            line = self.log.lines[index]
            if "WARNING:" in line and (text := _behind("WARNING:", line)) is not None:
                self._warning(index, text)
            if "ERROR:" in line and (text := _behind("ERROR:", line)) is not None:
                self._error(index, text)

    def _lines(self) -> Sequence[int]:
        """All lines but those which certainly mean nothing, most of a log.

        These are the errors of a log while ranges were looked for that are expected then, and warnings while LoadGen
        did not run.
        """
        moments, facts = self.log.moments, self.facts
        if moments is None or any(each.startswith(facts.errors_ranging) for each in facts.errors_accepted):
            return range(len(self.log.lines))
        margin = min(facts.margin_s, facts.official_margin_s)
        elsewhere = ~((moments > self.ranging.begin) & (moments < self.ranging.end))
        for shift in (0, self.zone):
            moment = moments + shift
            elsewhere |= (moment > self.window.begin + margin) & (moment < self.window.end - margin)
        expected = "|".join(map(re.escape, facts.errors_ranging)) or "(?!)"
        odd = self.log.matching(re.compile(rf"ERROR:(?!\s*(?:{expected}))"))
        return sorted({*np.flatnonzero(elsewhere).tolist(), *odd})

    def issues(self) -> Iterator[Issue]:
        """One issue for each code."""
        for code, lines in self._found.items():
            more = f", and on {lines.count - 1} more lines" if lines.count > 1 else ""
            text = shown(self.log.lines[lines.first])
            yield Issue(code, self.log.place, f"{lines.detail}{more}", found=text, line=lines.first + 1)

    def _say(self, code: str, index: int, detail: str) -> None:
        lines = self._found.setdefault(code, _Lines(index, detail))
        lines.count += 1

    def _fail(self, code: str, index: int, detail: str) -> None:
        """A line that fails the check where the official checker still looks."""
        self._say(code + _UNSEEN if self._stopped else code, index, detail)

    def _time(self, index: int) -> float | None:
        try:
            moment = self.log.time(index)
        except MalformedError:
            moment = None
        if moment is None:
            self._fail("power-daemon-log-untimed", index, "an error or warning without a time")
        return moment

    def _error(self, index: int, text: str) -> None:
        moment = self._time(index)
        if moment is None:
            return
        if text.strip() in self.facts.errors_accepted:
            self._say("power-daemon-error-accepted", index, "an error that is accepted at any time")
            self._stopped = True
        elif not self.ranging.begin < moment < self.ranging.end:
            self._fail("power-daemon-error", index, "an error outside of the ranging run")
        elif not text.strip().startswith(self.facts.errors_ranging):
            self._say("power-daemon-error-ranging", index, "an error in the ranging run")
            self._stopped = True

    def _warning(self, index: int, text: str) -> None:
        moment = self._time(index)
        if moment is None:
            return
        facts = self.facts
        seen = self._in_load(moment + self.zone, facts.official_margin_s)
        truly = self._in_load(moment, facts.margin_s)
        if not (seen or truly):
            return
        if facts.uncertainty_fails and seen and not self._stopped and self._uncertainty.official(text):
            self._say("power-uncertainty-high", index, "the analyzer was not sure enough while LoadGen ran")
            return
        if truly and self._uncertainty.any(text):
            detail = "the analyzer was not sure enough while LoadGen ran"
            self._say(f"power-uncertainty-high{_UNSEEN}", index, detail)
            if not seen or self._stopped:
                return
        unseen = "" if seen and not self._stopped else _UNSEEN
        self._say(f"power-daemon-warning{unseen}", index, "a warning while LoadGen ran")
        if seen:
            self._stopped = True

    def _in_load(self, moment: float, margin: float) -> bool:
        return self.window.begin + margin < moment < self.window.end - margin


def _behind(mark: str, line: str) -> str | None:
    """What stands behind the first mark that has something behind it on its line."""
    position = line.find(mark)
    while position >= 0:
        text = line[position + len(mark) :]
        if text:
            return text
        position = line.find(mark, position + 1)
    return None


class _Uncertainty:
    """Tells whether a warning is about an uncertainty above the limit.

    The official pattern knows the words of PTDaemon 1.10 only; 1.9 used others.
    """

    def __init__(self, limit_percent: float) -> None:
        number = r"Uncertainty (?:\d{3,}+|\d++[^\n]\d++)%"
        self._official = re.compile(rf"{number}, which is above {limit_percent:.2f}% limit for the last sample!")
        self._any = re.compile(rf"{number}(?:, which is)? above {limit_percent:.2f}% limit")

    def official(self, text: str) -> bool:
        """Whether the official checker takes it for one."""
        return self._official.search(text) is not None

    def any(self, text: str) -> bool:
        """Whether it is one."""
        return "Uncertainty " in text and self._any.search(text) is not None
