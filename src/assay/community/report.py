"""Reproducibility reports: somebody ran a result again, or a challenge's, and says what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum

from assay.base.settings import Settings
from assay.cm.meta import JsonValue
from assay.community.challenge import Problem
from assay.results.audience import Audience


class ReportVerdict(StrEnum):
    """What reproducing gave."""

    REPRODUCED = "reproduced"
    DIFFERS = "differs"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Report:
    """A report as its CM entry says it.

    Attributes:
        redirect: address of a page elsewhere that is the report; empty for none.
        results: uids of results that it is about.
        challenges: uids of challenges that it is about.
        contributor: account that wrote it; empty when the entry does not say.
        figures: name to value, as written.
        text: Markdown, never to be shown without being made harmless.
    """

    uid: str
    alias: str
    repository: str
    title: str
    date: date | None = None
    redirect: str = ""
    private: bool = False
    results: tuple[str, ...] = ()
    challenges: tuple[str, ...] = ()
    contributor: str = ""
    verdict: ReportVerdict | None = None
    figures: Mapping[str, JsonValue] = field(default_factory=dict)
    text: str = ""
    tags: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """Its alias, else its uid."""
        return self.alias or self.uid


@dataclass(frozen=True, slots=True)
class Reports:
    """The reports that an audience may see, newest first, and entries that are wrong."""

    items: tuple[Report, ...]
    problems: tuple[Problem, ...] = ()

    def of_result(self, uid: str) -> tuple[Report, ...]:
        """Those about a result."""
        return tuple(each for each in self.items if uid in each.results)

    def of_challenge(self, uid: str) -> tuple[Report, ...]:
        """Those about a challenge."""
        return tuple(each for each in self.items if uid in each.challenges)


def load_reports(settings: Settings, audience: Audience) -> Reports:
    """Every report that an audience may see; a private one is seen by its writer and by who sees everything."""
    raise NotImplementedError


def find_report(settings: Settings, name: str, audience: Audience) -> Report:
    """One report by alias or uid.

    Raises:
        NotFoundError: for none, and in the same words for one that the audience may not see.
    """
    raise NotImplementedError


def add_report(
    settings: Settings,
    *,
    contributor: str,
    title: str,
    text: str,
    now: datetime,
    results: tuple[str, ...] = (),
    challenges: tuple[str, ...] = (),
    verdict: ReportVerdict | None = None,
    figures: Mapping[str, JsonValue] | None = None,
    private: bool = False,
    display_name: str = "",
) -> Report:
    """Write a report into the server's repository, as a commit by its writer.

    Raises:
        UsageError: for a title, text or uid that cannot be one.
        MissingDependencyError: without git.
    """
    raise NotImplementedError
