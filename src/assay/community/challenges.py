"""Challenges of all repositories, the user's first and those that come with assay last."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from assay.base.settings import Settings
from assay.cm.artifact import CHALLENGE, Artifact, Automation, read_artifact
from assay.cm.library import Entry, Library, open_library
from assay.cm.meta import JsonObject
from assay.cm.repository import open_repository
from assay.community.challenge import Challenge, Challenges, Problem, Status
from assay.community.challenge_form import challenge_of
from assay.community.documents import Stamp, stamp_of
from assay.errors import AssayError, unknown
from assay.results.audience import Audience

SHIPPED = Path(__file__).with_name("repository")
_ORDER = (Status.OPEN, Status.UPCOMING, Status.PREPARING, Status.CLOSED)
_SOME_MOMENT = datetime(2000, 1, 1, tzinfo=UTC)


def load_challenges(settings: Settings, audience: Audience, now: datetime) -> Challenges:
    """Every challenge that an audience may see.

    Args:
        settings: say where repositories are.
        audience: who looks.
        now: the moment that their status is told for, with a zone.
    """
    found, problems = _all(settings)
    items = [each.seen_at(now) for each in found if not each.skip and _visible(each, audience)]
    items.sort(key=_rank)
    return Challenges(tuple(items), tuple(problems) if audience.everything else ())


def find_challenge(settings: Settings, name: str, audience: Audience, now: datetime) -> Challenge:
    """One challenge by alias or uid.

    Raises:
        NotFoundError: for none, and in the same words for one that the audience may not see.
    """
    visible = [each for each in _all(settings)[0] if _visible(each, audience)]
    wanted = name.strip().casefold()
    for each in visible:
        if wanted and wanted in (each.uid, each.alias.casefold()):
            return each.seen_at(now)
    raise unknown("challenge", name[:200], [each.name for each in visible if not each.skip])


def hidden_challenges(settings: Settings, audience: Audience) -> tuple[Challenge, ...]:
    """Those that an audience may not see: for keeping silent about them, and nothing else."""
    if audience.everything:
        return ()
    return tuple(each for each in _all(settings)[0] if not _visible(each, audience))


def whole_library(settings: Settings) -> Library:
    """Every repository that is registered, and the one that comes with assay."""
    library = open_library(settings)
    return Library((*library.repositories, open_repository(SHIPPED)), library.broken, settings.home)


def entries(settings: Settings, kind: Automation) -> tuple[Library, list[Entry]]:
    """Every entry of a kind; of two with one uid that of the first repository."""
    library = whole_library(settings)
    found: dict[str, Entry] = {}
    for each in library.find(kind.name):
        found.setdefault(each.name.uid or str(each.path), each)
    return library, list(found.values())


def meta_of(library: Library, entry: Entry) -> tuple[Artifact, JsonObject]:
    """An entry and its fields with those it inherits.

    Raises:
        AssayError: when it cannot be read.
    """
    artifact = entry.read()
    return artifact, library.effective(entry) if entry.inherits else artifact.meta


def unreadable(library: Library, kind: Automation) -> Iterator[Problem]:
    """Entries in folders of a kind whose metadata cannot be read."""
    for broken in library.unreadable():
        if broken.path.parent.name == kind.alias:
            yield Problem(broken.path, broken.reason)


def _all(settings: Settings) -> tuple[list[Challenge], list[Problem]]:
    library, listed = entries(settings, CHALLENGE)
    found: list[Challenge] = []
    problems = list(unreadable(library, CHALLENGE))
    for entry in listed:
        try:
            challenge, wrong = _read(library, entry)
        except AssayError as error:
            problems.append(Problem(entry.path, str(error)))
            continue
        found.append(challenge)
        problems += wrong
    return found, problems


def _read(library: Library, entry: Entry) -> tuple[Challenge, tuple[Problem, ...]]:
    if entry.inherits:
        # What a base says may change without a trace here.
        return challenge_of(*meta_of(library, entry), entry.repository.alias, _SOME_MOMENT)
    return _read_once(entry.path, entry.repository.alias, stamp_of(entry.path))


@functools.lru_cache(1024)
def _read_once(path: Path, repository: str, stamp: Stamp) -> tuple[Challenge, tuple[Problem, ...]]:
    artifact = read_artifact(path)
    return challenge_of(artifact, artifact.meta, repository, _SOME_MOMENT)


def _visible(challenge: Challenge, audience: Audience) -> bool:
    return audience.everything or challenge.access is None or challenge.access in audience.names


def _rank(challenge: Challenge) -> tuple[bool, int, int, int, str]:
    """Hot ones first, then by status, the author's order, and the day: those that close soon, or closed last, first."""
    day = challenge.last_day.toordinal() if challenge.last_day else 10**7
    soon = -day if challenge.status is Status.CLOSED else day
    return not challenge.hot, _ORDER.index(challenge.status), challenge.sort, soon, challenge.name
