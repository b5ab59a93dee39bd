"""Contributors: who takes part, what they gave, and the points that it earned them."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from assay.base.settings import Settings
from assay.cm.artifact import CONTRIBUTOR, read_artifact
from assay.cm.library import Entry, Library
from assay.cm.meta import is_uid
from assay.community.challenge import Challenge, Status
from assay.community.challenges import entries, hidden_challenges, meta_of
from assay.community.contributor_entry import ensure_contributor
from assay.community.contributor_form import ContributorForm
from assay.community.documents import Stamp, read_texts, stamp_of
from assay.community.forms import fill
from assay.community.leaderboard import leaderboard
from assay.community.points import PointEntry, points_of
from assay.community.report import Report, load_reports
from assay.errors import AssayError, unknown
from assay.results.audience import ANYBODY, Audience
from assay.results.metrics.catalogue import load_metrics
from assay.results.query import EVERYTHING, Query, run_query
from assay.results.store import Store

_COLUMNS = (
    "uid", "round", "benchmark", "scenario", "division", "accepted", "value", "unit", "system", "model", "labels",
    "challenges",
)  # fmt: skip
_MOST = 200_000

__all__ = ["AcceptedEntry", "ContributorStanding", "ensure_contributor", "find_contributor", "load_contributors"]


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

    Points are those that somebody wrote into an entry, and those reckoned from results and reports that the audience
    may see.

    Args:
        settings: say where repositories are.
        store: the index as the audience sees it.
        challenges: those that the audience sees.
        audience: who looks; reports that it may not see count nothing.
    """
    entries_ = _entries(settings)
    hidden = {each.account for each in entries_ if each.form.skip}
    results = _results(store)
    reports = load_reports(settings, audience, store).items
    words = _Words(challenges, hidden_challenges(settings, audience))
    trails = _trails(settings, store, challenges, reports)
    known = {each.account: each for each in entries_}
    accounts = dict.fromkeys([*known, *results, *trails, *(each.contributor for each in reports if each.contributor)])
    found = [
        _standing(
            account,
            known.get(account),
            results.get(account, []),
            trails.get(account, []),
            reports,
            words,
        )
        for account in accounts
        if account not in hidden
    ]
    found.sort(key=lambda each: (-each.points, -len(each.results), each.name.casefold(), each.account))
    placed: list[ContributorStanding] = []
    for number, each in enumerate(found, 1):
        same = placed and placed[-1].points == each.points
        placed.append(replace(each, place=placed[-1].place if same else number))
    return tuple(placed)


def find_contributor(
    settings: Settings, store: Store, challenges: Sequence[Challenge], name: str, *, audience: Audience = ANYBODY
) -> ContributorStanding:
    """One contributor by account.

    Raises:
        NotFoundError: for none, with the closest names.
    """
    return among(load_contributors(settings, store, challenges, audience=audience), name)


def among(contributors: Sequence[ContributorStanding], name: str) -> ContributorStanding:
    """The contributor of an account or a uid.

    Raises:
        NotFoundError: for none, with the closest names.
    """
    wanted = name.strip().casefold()
    for each in contributors:
        if wanted and wanted in (each.account.casefold(), each.uid):
            return each
    raise unknown("contributor", name[:200], [each.account for each in contributors])


@dataclass(frozen=True, slots=True)
class _Entry:
    """A contributor's entry."""

    account: str
    uid: str
    form: ContributorForm
    readme: str


def _entries(settings: Settings) -> list[_Entry]:
    """Entries of all repositories; of two of one alias the first. One that is wrong is passed over."""
    library, listed = entries(settings, CONTRIBUTOR)
    found: dict[str, _Entry] = {}
    for entry in listed:
        account = entry.name.alias or entry.name.uid
        if account in found:
            continue
        try:
            form, readme = _read(library, entry)
        except AssayError:
            continue
        found[account] = _Entry(account, entry.name.uid, form, readme)
    return list(found.values())


def _read(library: Library, entry: Entry) -> tuple[ContributorForm, str]:
    if entry.inherits:
        artifact, meta = meta_of(library, entry)
        return fill(ContributorForm, meta, artifact.path), _readme(artifact.path)
    return _read_once(entry.path, stamp_of(entry.path))


@functools.lru_cache(4096)
def _read_once(path: Path, stamp: Stamp) -> tuple[ContributorForm, str]:
    return fill(ContributorForm, read_artifact(path).meta, path), _readme(path)


def _readme(path: Path) -> str:
    return next((each.content for each in read_texts(path)[0] if each.name == "README.md"), "")


def _results(store: Store) -> dict[str, list[AcceptedEntry]]:
    """Accepted results by account, newest first."""
    query = Query(
        filter="contributor is not null",
        columns=("contributor", *_COLUMNS),
        sort=["uid"],
        limit=_MOST,
        scope=EVERYTHING,
    )
    found: dict[str, list[AcceptedEntry]] = {}
    for account, *values in run_query(store, query).rows:
        given = dict(zip(_COLUMNS, values, strict=True))
        given |= {name: tuple(given[name] or ()) for name in ("labels", "challenges")}
        given["accepted"] = given["accepted"] or ""
        found.setdefault(account, []).append(AcceptedEntry(**given))
    for each in found.values():
        each.sort(key=lambda entry: entry.accepted, reverse=True)
    return found


def _trails(
    settings: Settings, store: Store, challenges: Sequence[Challenge], reports: Sequence[Report]
) -> dict[str, list[PointEntry]]:
    """Reckoned points by account."""
    names = load_metrics(settings).schema()
    listed = store.run("SELECT DISTINCT unnest(challenges) FROM results WHERE contributor IS NOT NULL").fetchall()
    taken = {uid for (uid,) in listed}
    found: dict[str, list[PointEntry]] = {}
    for challenge in challenges:
        if challenge.uid in taken:
            for each in points_of(leaderboard(store, challenge, names), reports):
                found.setdefault(each.contributor, []).append(each)
    return found


def _standing(
    account: str,
    entry: _Entry | None,
    results: list[AcceptedEntry],
    reckoned: list[PointEntry],
    reports: Sequence[Report],
    words: _Words,
) -> ContributorStanding:
    form = entry.form if entry is not None else ContributorForm()
    awarded = [PointEntry(account, each.point, each.desc or "awarded", by_hand=True) for each in form.points]
    trail = [*sorted(reckoned, key=lambda each: each.when, reverse=True), *awarded]
    joined = _joined(form.challenges, results, words)
    still = {each.uid for each in words.challenges if each.status is Status.OPEN}
    marked = _joined(form.ongoing, [], words)
    everything = tuple(dict.fromkeys((*joined, *marked)))
    last = max([form.last_participation_date, *(each.accepted[:10] for each in results)])
    return ContributorStanding(
        place=0,
        account=account,
        name=form.name or account,
        organisation=form.organization,
        urls=tuple(dict.fromkeys((*form.url, *form.urls))),
        points=sum(each.points for each in trail),
        awarded=sum(each.points for each in awarded),
        reckoned=sum(each.points for each in reckoned),
        trail=tuple(trail),
        trophies=tuple(each.url for each in form.trophies if each.url),
        results=tuple(results),
        reports=tuple(each.uid for each in reports if each.contributor == account),
        challenges=everything,
        ongoing=tuple(uid for uid in everything if uid in still),
        last_participation=last,
        readme=entry.readme if entry is not None else "",
        uid=entry.uid if entry is not None else "",
    )


@dataclass(frozen=True, slots=True)
class _Words:
    """What words of entries mean: uids of challenges, or themselves.

    Attributes:
        challenges: those that the audience sees.
        unspoken: those that it does not; words for them mean nothing.
    """

    challenges: Sequence[Challenge]
    unspoken: Sequence[Challenge]
    _known: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def meaning(self, word: str) -> tuple[str, ...]:
        """Uids of the challenges that a word names; a word that names none stays as it is."""
        found = self._known.get(word)
        if found is None:
            tags = {part.strip() for part in word.split(",") if part.strip()}
            found = tuple(each.uid for each in self.challenges if _named(each, word, tags))
            if not (found or is_uid(word) or any(_named(each, word, tags) for each in self.unspoken)):
                found = (word,)
            self._known[word] = found
        return found


def _named(challenge: Challenge, word: str, tags: set[str]) -> bool:
    """Whether a challenge has a uid or an alias, or all of some tags."""
    return word in (challenge.uid, challenge.alias) or bool(tags and tags <= set(challenge.tags))


def _joined(written: Sequence[str], results: Sequence[AcceptedEntry], words: _Words) -> tuple[str, ...]:
    """Uids of challenges taken part in, and words of an entry that fit none."""
    by_uid = {each.uid for each in words.challenges}
    found = [each for word in written for each in words.meaning(word)]
    found += [uid for each in results for uid in each.challenges if uid in by_uid]
    return tuple(dict.fromkeys(found))
