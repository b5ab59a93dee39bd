"""Reproducibility reports: somebody ran a result again, or a challenge's, and says what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Any

from pydantic import Field

from assay.base.files import write_atomic
from assay.base.settings import Settings
from assay.cm.artifact import REPORT, Artifact
from assay.cm.git import Author
from assay.cm.meta import JsonObject, JsonValue, is_uid, new_uid
from assay.community.challenge import Problem
from assay.community.challenges import entries, hidden_challenges, meta_of, unreadable
from assay.community.documents import read_texts
from assay.community.forms import Day, Form, Line, Web, fill
from assay.community.server_repository import transaction
from assay.errors import AssayError, UsageError, unknown
from assay.results.audience import Audience
from assay.results.store import Store
from assay.results.taking_part import unseen

_LONGEST_TITLE = 200
_LONGEST_TEXT = 1 << 20
_MOST_LINKS = 100


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


def load_reports(settings: Settings, audience: Audience, store: Store) -> Reports:
    """Every report that an audience may see.

    A private one is seen by its writer and by who sees everything; one about a challenge or a result that the audience
    may not see is not seen either.

    Args:
        settings: say where repositories are.
        audience: who looks.
        store: the index as the audience sees it.
    """
    library, listed = entries(settings, REPORT)
    found: list[Report] = []
    problems = list(unreadable(library, REPORT))
    for entry in listed:
        try:
            artifact, meta = meta_of(library, entry)
            report = _report(artifact, meta, entry.repository.alias)
        except AssayError as error:
            problems.append(Problem(entry.path, str(error)))
            continue
        if _visible(report, audience):
            found.append(report)
    found = _speakable(settings, audience, store, found)
    found.sort(key=lambda each: (each.date or date.min, each.uid), reverse=True)
    return Reports(tuple(found), tuple(problems) if audience.everything else ())


def find_report(settings: Settings, name: str, audience: Audience, store: Store) -> Report:
    """One report by alias or uid.

    Raises:
        NotFoundError: for none, and in the same words for one that the audience may not see.
    """
    found = load_reports(settings, audience, store).items
    wanted = name.strip().casefold()
    for each in found:
        if wanted and wanted in (each.uid, each.alias.casefold()):
            return each
    raise unknown("report", name[:200], [each.name for each in found])


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

    Whether the results and challenges are there, and may be seen by the writer, has to be known before.

    Args:
        settings: say where the repository is.
        contributor: account name.
        title: in one line.
        text: Markdown.
        now: the moment, with a zone.
        results: uids of results that it is about.
        challenges: uids of challenges that it is about.
        verdict: what came of it.
        figures: name to value, such as ``samples_per_second: 210.5``.
        private: only the writer and maintainers may see it.
        display_name: name in the commit.

    Raises:
        UsageError: for a title, text or uid that cannot be one.
        MissingDependencyError: without git.
    """
    author = Author.of(contributor, display_name)
    line = " ".join(title.split())
    if not line or len(line) > _LONGEST_TITLE or not line.isprintable():
        raise UsageError("the title is no line of text", expected=f"1 to {_LONGEST_TITLE} characters")
    if len(text.encode("utf-8", "replace")) > _LONGEST_TEXT:
        raise UsageError("the report is too long", expected=f"at most {_LONGEST_TEXT:,} bytes")
    for uid in (*results, *challenges):
        if not is_uid(uid):
            raise UsageError(f"{uid[:80]!r} is no uid", expected="16 lower-case hex digits")
    if len(results) + len(challenges) > _MOST_LINKS or len(figures or {}) > _MOST_LINKS:
        raise UsageError(
            "the report is about too much", expected=f"at most {_MOST_LINKS} results, challenges or figures"
        )
    moment = now.astimezone(UTC)
    uid = new_uid()
    alias = f"report-{moment.strftime('%Y%m%d')}-{contributor}-{uid[:6]}"
    meta: dict[str, JsonValue] = {
        "title": line,
        "date": moment.strftime("%Y%m%d"),
        "contributor": contributor,
        "figures": dict(figures or {}),
    }
    meta |= {"verdict": verdict.value} if verdict else {}
    meta |= {"private": True} if private else {}
    tags = ("report", *(f"result-{each}" for each in results), *(f"challenge-{each}" for each in challenges))
    with transaction(settings, author, f"Report by {contributor}: {line}") as work:
        folder = work.editor.repository.root / REPORT.alias / alias
        work.will_write(folder)
        artifact = work.editor.add(REPORT, alias, tags=tags, meta=meta, uid=uid)
        write_atomic(artifact.path / "README.md", text.encode("utf-8", "replace"))
    return _report(artifact, artifact.meta, work.editor.repository.alias)


class ReportForm(Form):
    """A report as its metadata says it."""

    title: Line = ""
    date: Day = None
    redirect: Web = ""
    private: bool = False
    contributor: Line = ""
    verdict: ReportVerdict | None = None
    figures: dict[str, Any] = Field(default_factory=dict, max_length=_MOST_LINKS)


def _report(artifact: Artifact, meta: JsonObject, repository: str) -> Report:
    """The report of an entry.

    Raises:
        InvalidInputError: for an entry that is none, with file and key.
    """
    form = fill(ReportForm, meta, artifact.path)
    texts, _ = read_texts(artifact.path)
    main = next((each.content for each in texts if each.name == "README.md"), "")
    raw = meta.get("tags")
    tags = tuple(map(str, raw)) if isinstance(raw, list) else artifact.tags
    return Report(
        uid=artifact.uid,
        alias=artifact.alias,
        repository=repository,
        title=form.title or artifact.alias or artifact.uid,
        date=form.date,
        redirect=form.redirect,
        private=form.private,
        results=_about(tags, "result-"),
        challenges=_about(tags, "challenge-"),
        contributor=form.contributor,
        verdict=form.verdict,
        figures=form.figures,
        text=main,
        tags=tags,
    )


def _about(tags: tuple[str, ...], prefix: str) -> tuple[str, ...]:
    uids = (tag.removeprefix(prefix) for tag in tags if tag.startswith(prefix))
    return tuple(dict.fromkeys(uid for uid in uids if is_uid(uid)))


def _speakable(settings: Settings, audience: Audience, store: Store, reports: list[Report]) -> list[Report]:
    """Reports without those that would tell of what the audience may not see."""
    if audience.everything:
        return reports
    hidden = {each.uid for each in hidden_challenges(settings, audience)}
    hidden |= unseen(store, (uid for each in reports for uid in each.results))
    return [each for each in reports if hidden.isdisjoint((*each.results, *each.challenges))]


def _visible(report: Report, audience: Audience) -> bool:
    if not report.private or audience.everything:
        return True
    return bool(report.contributor) and f"account:{report.contributor}" in audience.names
