"""A challenge: what is asked, of whom, until when, and how results of it are ranked and counted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, tzinfo
from enum import StrEnum
from pathlib import Path
from zoneinfo import ZoneInfo

from assay.cm.meta import JsonValue


class Status(StrEnum):
    """Where a challenge stands at a moment."""

    OPEN = "open"
    UPCOMING = "not yet open"
    PREPARING = "under preparation"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Document:
    """A text of a challenge, as its authors wrote it: never to be shown without being made harmless.

    Attributes:
        name: of the file, such as ``README.md`` or ``resnet50.md``.
        title: its first heading, else its name.
        text: the content.
        html: it is HTML; Markdown otherwise.
    """

    name: str
    title: str
    text: str
    html: bool = False


@dataclass(frozen=True, slots=True)
class ExperimentLink:
    """Experiments of CM that a challenge points to: by tags or by name."""

    tags: str = ""
    name: str = ""


@dataclass(frozen=True, slots=True)
class Moment:
    """A line of the timeline: a day and what happens on it."""

    date: date
    what: str


@dataclass(frozen=True, slots=True)
class HowTo:
    """A step of taking part: what it is for, and the command."""

    title: str
    command: str


@dataclass(frozen=True, slots=True)
class Ranking:
    """How results are ranked.

    Attributes:
        metric: expression that is compared.
        lowest: less is better.
        per: fields that results of one group have in common.
    """

    metric: str = "samples_per_second"
    lowest: bool = False
    per: tuple[str, ...] = ("benchmark", "scenario", "category")


@dataclass(frozen=True, slots=True)
class Scoring:
    """Points: for having an accepted result in a group, for its place there, and for a report that reproduces.

    Attributes:
        accepted: for each group that one has an accepted result in, however many results they are.
        first, second, third: for the place in a group, besides; only where others take part.
        report: for each report on somebody else's result of the challenge.
    """

    accepted: int = 1
    first: int = 0
    second: int = 0
    third: int = 0
    report: int = 1

    def of_place(self, place: int) -> int:
        """Points of a place; 0 below the third."""
        return {1: self.first, 2: self.second, 3: self.third}.get(place, 0)


@dataclass(frozen=True, slots=True)
class Challenge:
    """A challenge as its CM entry says it.

    Attributes:
        uid: 16 hex digits.
        alias: name of the entry; empty for none.
        repository: alias of the repository that it lies in.
        path: its folder.
        status: where it stood when it was loaded; :meth:`status_at` for another moment.
        date_open: first day, in ``timezone``.
        date_close: last day, in ``timezone``; None for no end.
        date_close_extension: last day after it was extended.
        until_done: it was extended without a day; the entry's own word, which changes no date.
        timezone: IANA name of the zone that dates are of.
        points: what the CM entry promises; the score is reckoned by ``scoring``.
        filter: condition that its results fulfil; empty for all.
        private: only those who hold ``challenge:UID`` may see it and its results.
        rules: Markdown, one rule each.
        documents: README.md or info.html first, then docs/*.md.
        other: fields that are not known here, as they were written.
    """

    uid: str
    alias: str
    repository: str
    path: Path
    title: str
    status: Status
    tags: tuple[str, ...] = ()
    date_open: date | None = None
    date_close: date | None = None
    date_close_extension: date | None = None
    until_done: bool = False
    timezone: str = "UTC"
    points: int | None = None
    trophies: bool = False
    prize: str = ""
    prize_short: str = ""
    urls: tuple[str, ...] = ()
    experiments: tuple[ExperimentLink, ...] = ()
    reproduced_papers_tags: str = ""
    under_preparation: bool = False
    hot: bool = False
    sort: int = 0
    skip: bool = False
    notes: str = ""
    digital_library_url: str = ""
    use_self_url: bool = False
    report_url: str = ""
    dashboard_url: str = ""
    dashboard_note: str = ""
    rounds: tuple[str, ...] = ()
    tasks: tuple[str, ...] = ()
    benchmarks: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    divisions: tuple[str, ...] = ()
    scenarios: tuple[str, ...] = ()
    filter: str = ""
    ranking: Ranking = field(default_factory=Ranking)
    scoring: Scoring = field(default_factory=Scoring)
    private: bool = False
    timeline: tuple[Moment, ...] = ()
    rules: tuple[str, ...] = ()
    how_to: tuple[HowTo, ...] = ()
    documents: tuple[Document, ...] = ()
    other: Mapping[str, JsonValue] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """What it is called in addresses and commands: its alias, else its uid."""
        return self.alias or self.uid

    @property
    def last_day(self) -> date | None:
        """The day it closes on, with its extension; None for no end."""
        return self.date_close_extension or self.date_close

    @property
    def opens(self) -> datetime | None:
        """The moment it opens, with its zone; None when no day is given."""
        return None if self.date_open is None else _midnight(self.date_open, self.timezone)

    @property
    def closes(self) -> datetime | None:
        """The first moment after its last day, with its zone; None for no end."""
        return (
            None if self.last_day is None else _midnight(date.fromordinal(self.last_day.toordinal() + 1), self.timezone)
        )

    @property
    def readme(self) -> Document | None:
        """Its main text."""
        return next((each for each in self.documents if each.name in ("README.md", "info.html")), None)

    @property
    def access(self) -> str | None:
        """Who alone may see it and its results; None for everybody."""
        return f"challenge:{self.uid}" if self.private else None

    def status_at(self, now: datetime) -> Status:
        """Where it stands at a moment, which has a zone."""
        if self.under_preparation:
            return Status.PREPARING
        if self.opens is not None and now < self.opens:
            return Status.UPCOMING
        if self.closes is not None and now >= self.closes:
            return Status.CLOSED
        return Status.OPEN

    def seen_at(self, now: datetime) -> Challenge:
        """The challenge with its status at a moment."""
        return replace(self, status=self.status_at(now))


@dataclass(frozen=True, slots=True)
class Problem:
    """Something wrong with an entry of a repository.

    Attributes:
        path: its folder.
        reason: what is wrong, with file and key.
        listed: the entry is shown all the same, without what is wrong.
    """

    path: Path
    reason: str
    listed: bool = False


@dataclass(frozen=True, slots=True)
class Challenges:
    """The challenges that an audience may see.

    Attributes:
        items: hot ones first, then open, upcoming, under preparation, closed; those marked ``skip`` left out.
        problems: entries that are wrong; told to who sees everything.
    """

    items: tuple[Challenge, ...]
    problems: tuple[Problem, ...] = ()

    def of(self, status: Status) -> tuple[Challenge, ...]:
        """Those of a status."""
        return tuple(each for each in self.items if each.status is status)


def zone_of(name: str) -> tzinfo:
    """A time zone by its IANA name; UTC needs no table of zones.

    Raises:
        ZoneInfoNotFoundError, ValueError, OSError: for a name that is none.
    """
    return UTC if name == "UTC" else ZoneInfo(name)


def _midnight(day: date, zone: str) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=zone_of(zone))
