"""What a search may find beside results: read once for each state of the index and each audience, and kept a while."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import dataclass

from assay.community.challenge import Challenge
from assay.community.challenges import load_challenges
from assay.community.contributor import ContributorStanding, load_contributors
from assay.community.report import Report, load_reports
from assay.playground.documents import documents
from assay.playground.here import Here
from assay.playground.markdown import rendered, slug_of
from assay.playground.markup import segment
from assay.results.search import Terms, load_terms
from assay.rules.findings import catalogue

_FOR_S = 30


@dataclass(frozen=True, slots=True)
class Hit:
    """Something that was found.

    Attributes:
        text: what it is called.
        address: its page.
        note: a few words more.
        place: how well it fits: 0 best.
    """

    text: str
    address: str
    note: str = ""
    place: int = 0


@dataclass(frozen=True, slots=True)
class Thing:
    """Something with a page: its hit, and the name and the text that words are looked for in, casefolded."""

    hit: Hit
    name: str
    text: str


@dataclass(frozen=True, slots=True)
class Known:
    """What an audience may find beside results.

    Attributes:
        terms: names that results have.
        challenges, contributors, reports: those that it may see.
    """

    terms: Terms
    challenges: tuple[Thing, ...]
    contributors: tuple[Thing, ...]
    reports: tuple[Thing, ...]


def known(here: Here) -> Known:
    """What the viewer may find, read once for each state of the index and for half a minute."""
    moment = int(here.now.timestamp() // _FOR_S)
    key = (str(here.settings.home), here.playground.index.version, here.viewer.audience.key, moment)
    return _known(_Reading(here, key))


class _Reading:
    """A request as a key: what it may find hangs on the index, the audience and the moment, not on the request."""

    def __init__(self, here: Here, key: tuple[object, ...]) -> None:
        self._here: Here | None = here
        self._key = key

    def read(self) -> Known:
        """What may be found; the request is let go of, for it ends before what is kept does."""
        here, self._here = self._here, None
        assert here is not None
        challenges = load_challenges(here.settings, here.viewer.audience, here.now).items
        return Known(
            load_terms(here.store),
            tuple(_challenge(each) for each in challenges),
            tuple(
                _contributor(each)
                for each in load_contributors(here.settings, here.store, challenges, audience=here.viewer.audience)
            ),
            tuple(_report(each) for each in load_reports(here.settings, here.viewer.audience, here.store).items),
        )

    def __hash__(self) -> int:
        return hash(self._key)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Reading) and self._key == other._key


@functools.lru_cache(16)
def _known(reading: _Reading) -> Known:
    return reading.read()


def _challenge(challenge: Challenge) -> Thing:
    hit = Hit(challenge.title, f"/challenges/{segment(challenge.name)}", str(challenge.status))
    return _thing(hit, f"{challenge.title} {challenge.name}", "")


def _contributor(who: ContributorStanding) -> Thing:
    hit = Hit(who.name, f"/contributors/{segment(who.account)}", who.organisation)
    return _thing(hit, f"{who.name} {who.account}", who.organisation)


def _report(report: Report) -> Thing:
    hit = Hit(report.title, f"/reports/{segment(report.name)}", report.contributor)
    return _thing(hit, f"{report.title} {report.name}", report.text[:20_000])


def _thing(hit: Hit, name: str, text: str) -> Thing:
    return Thing(hit, name.casefold(), text.casefold())


@functools.cache
def findings() -> tuple[Thing, ...]:
    """Every kind of finding, with its place in the reference."""
    return tuple(
        _thing(
            Hit(each.code, f"/docs/reference/findings#md-{slug_of(each.code)}", each.title),
            f"{each.code} {each.title}",
            f"{each.explain} {each.fix}",
        )
        for each in catalogue().values()
    )


@dataclass(frozen=True, slots=True)
class Section:
    """A part of a page of the documentation, and its text as it is compared."""

    page: str
    heading: str
    address: str
    low: str


@functools.cache
def sections() -> tuple[tuple[Section, ...], ...]:
    """Every page of the documentation in its parts."""
    return tuple(
        tuple(_parts(each.title, each.address, each.text))
        for each in documents().pages
        if each.path != "reference/findings"
    )


def _parts(title: str, address: str, text: str) -> Iterator[Section]:
    headings = iter(rendered(text, lower=0).headings)
    heading, anchor, lines = title, "", list[str]()
    fenced = False
    for line in text.splitlines():
        fenced ^= line.startswith("```")
        if line.startswith("#") and not fenced:
            yield Section(title, heading, f"{address}{anchor}", "\n".join(lines).casefold())
            found = next(headings, None)
            heading, lines = (found.text if found else heading), []
            anchor = f"#{found.id}" if found and found.level > 1 else ""
        lines.append(line)
    yield Section(title, heading, f"{address}{anchor}", "\n".join(lines).casefold())
