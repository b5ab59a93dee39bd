"""Contributors: who takes part, what they gave, and the points that it earned them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from assay.base.settings import Settings
from assay.cm.editor import Editor
from assay.community.challenge import Challenge
from assay.community.points import PointEntry
from assay.results.audience import ANYBODY, Audience
from assay.results.store import Store


@dataclass(frozen=True, slots=True)
class AcceptedEntry:
    """An accepted result in somebody's history."""

    uid: str
    round: str
    benchmark: str
    scenario: str
    division: str
    accepted: str
    value: float | None = None
    unit: str | None = None
    system: str | None = None
    model: str | None = None
    labels: tuple[str, ...] = ()
    challenges: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ContributorStanding:
    """A contributor with the points and the history that an audience may see.

    Attributes:
        place: from 1, by points; equal points share a place.
        account: alias of the entry, the account's name.
        name: as shown.
        points: sum of the trail.
        awarded: of them, those that somebody wrote into the entry.
        reckoned: of them, those reckoned from results and reports.
        trail: what each point was given for, newest first.
        trophies: addresses.
        results: accepted results, newest first.
        reports: uids of reports written.
        challenges: uids or tags of challenges taken part in, as the entry and the results say.
        ongoing: those of them that are open.
        last_participation: ``YYYY``, ``YYYY-MM`` or ``YYYY-MM-DD``; empty when not known.
        readme: Markdown, never to be shown without being made harmless.
    """

    place: int
    account: str
    name: str
    organisation: str = ""
    urls: tuple[str, ...] = ()
    points: int = 0
    awarded: int = 0
    reckoned: int = 0
    trail: tuple[PointEntry, ...] = ()
    trophies: tuple[str, ...] = ()
    results: tuple[AcceptedEntry, ...] = ()
    reports: tuple[str, ...] = ()
    challenges: tuple[str, ...] = ()
    ongoing: tuple[str, ...] = ()
    last_participation: str = ""
    readme: str = ""
    uid: str = ""


def load_contributors(
    settings: Settings, store: Store, challenges: Sequence[Challenge], *, audience: Audience = ANYBODY
) -> tuple[ContributorStanding, ...]:
    """Everybody who takes part, most points first.

    Args:
        settings: say where repositories are.
        store: the index as the audience sees it.
        challenges: those that the audience sees.
        audience: who looks; reports that it may not see count nothing.
    """
    raise NotImplementedError


def find_contributor(
    settings: Settings, store: Store, challenges: Sequence[Challenge], name: str, *, audience: Audience = ANYBODY
) -> ContributorStanding:
    """One contributor by account.

    Raises:
        NotFoundError: for none, with the closest names.
    """
    raise NotImplementedError


def ensure_contributor(
    editor: Editor,
    account: str,
    *,
    name: str = "",
    organisation: str = "",
    challenges: Sequence[str] = (),
    day: str = "",
) -> None:
    """Make or complete the entry of a contributor; what stands there already stays.

    Args:
        editor: of the server's repository.
        account: name of the account, which becomes the alias.
        name: as shown.
        organisation: as shown.
        challenges: uids of challenges that results of theirs were accepted for.
        day: of the last participation, YYYYMMDD.
    """
    raise NotImplementedError
