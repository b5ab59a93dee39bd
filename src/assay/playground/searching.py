"""What a search finds beside results: names with their pages, challenges, contributors, reports, findings, documentation."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from assay.community.challenges import load_challenges
from assay.community.contributor import load_contributors
from assay.community.report import load_reports
from assay.errors import AssayError, UsageError
from assay.playground.documents import documents
from assay.playground.here import Here
from assay.playground.markdown import rendered, slug_of
from assay.playground.markup import query, segment
from assay.results.query import Query, condition_of
from assay.results.search import Term, Terms, find_terms, load_terms, rank
from assay.results.store import Store
from assay.rules.findings import catalogue

_T = TypeVar("_T")
SHORTEST = 2
"""Characters that are looked for; fewer are in everything."""
_FOR_S = 30
_OPERATORS = ("<", ">", "=", " is ", " like ", " contains ", " in ")


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
class Group:
    """Hits of one kind, best first."""

    name: str
    title: str
    hits: tuple[Hit, ...]


def terms_of(here: Here) -> Terms:
    """The names that the viewer may see, read once for each state of the index and for half a minute."""
    moment = int(here.now.timestamp() // _FOR_S)
    key = (str(here.store.path), here.playground.index.version, here.viewer.audience.key, moment)
    return _terms(_Reading(here.store, key))


class _Reading:
    """A store as a key: what it shows hangs on the index, the audience and the moment."""

    def __init__(self, store: Store, key: tuple[object, ...]) -> None:
        self.store = store
        self._key = key

    def read(self) -> Terms:
        """The names; the store is let go of, for it ends with its request."""
        found = load_terms(self.store)
        del self.store
        return found

    def __hash__(self) -> int:
        return hash(self._key)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Reading) and self._key == other._key


@functools.lru_cache(16)
def _terms(reading: _Reading) -> Terms:
    return reading.read()


def groups(here: Here, terms: Terms, words: Sequence[str]) -> list[Group]:
    """Everything that has all words, by kind, the kind with the best hit first; empty kinds left out."""
    if sum(map(len, words)) < SHORTEST:
        return []
    found = [
        _named("organisations", "Organisations", _pages(terms, words, "organisation", "/organisations/")),
        _named("benchmarks", "Benchmarks", _pages(terms, words, "benchmark", "/benchmarks/")),
        _named("rounds", "Rounds", _pages(terms, words, "round", "/rounds/")),
        _named("systems", "Systems", _systems(terms, words)),
        _named("accelerators", "Accelerators", _explored(terms, words, "accelerator")),
        _named("processors", "Processors", _explored(terms, words, "processor")),
        _named("models", "Models", _explored(terms, words, "model")),
        _named("frameworks", "Frameworks", _explored(terms, words, "framework")),
        _named("challenges", "Challenges", _challenges(here, words)),
        _named("contributors", "Contributors", _contributors(here, words)),
        _named("reports", "Reports", _reports(here, words)),
        _named("findings", "Findings of a check", _findings(words)),
        _named("documentation", "Documentation", _documentation(words)),
    ]
    return sorted((each for each in found if each.hits), key=lambda each: each.hits[0].place)


def _named(name: str, title: str, hits: Iterable[Hit]) -> Group:
    return Group(name, title, tuple(sorted(hits, key=lambda hit: hit.place)))


def _counted(term: Term) -> str:
    return f"{term.count:,} result{'' if term.count == 1 else 's'}"


def _systems(terms: Terms, words: Sequence[str]) -> list[Hit]:
    return [
        Hit(
            term.value,
            f"/systems/{segment(term.owner)}/{segment(term.value)}" if term.owner else _explorer(system=term.value),
            f"{term.owner} · {_counted(term)}" if term.owner else _counted(term),
            _place(term.low, words),
        )
        for term in find_terms(terms.of("system"), words)
    ]


def _pages(terms: Terms, words: Sequence[str], name: str, path: str) -> list[Hit]:
    return [
        Hit(term.value, f"{path}{segment(term.value)}", _counted(term), _place(term.low, words))
        for term in find_terms(terms.of(name), words)
    ]


def _explored(terms: Terms, words: Sequence[str], name: str) -> list[Hit]:
    return [
        Hit(term.value, _explorer(**{name: term.value}), _counted(term), _place(term.low, words))
        for term in find_terms(terms.of(name), words)
    ]


def _place(low: str, words: Sequence[str]) -> int:
    place = rank(low, words)
    return 9 if place is None else place


def _explorer(**given: str) -> str:
    return f"/explorer{query(include=['inferred', 'refused', 'local'], **given)}"


def filtered(text: str) -> str:
    """The explorer with a filter over everything that there is."""
    return _explorer(filter=text) if text else ""


def _challenges(here: Here, words: Sequence[str]) -> list[Hit]:
    found = load_challenges(here.settings, here.viewer.audience, here.now).items
    return _ranked(
        words,
        found,
        lambda each: (f"{each.title} {each.name}", ""),
        lambda each: Hit(each.title, f"/challenges/{segment(each.name)}", str(each.status)),
    )


def _contributors(here: Here, words: Sequence[str]) -> list[Hit]:
    challenges = load_challenges(here.settings, here.viewer.audience, here.now).items
    found = load_contributors(here.settings, here.store, challenges, audience=here.viewer.audience)
    return _ranked(
        words,
        found,
        lambda each: (f"{each.name} {each.account}", each.organisation),
        lambda each: Hit(each.name, f"/contributors/{segment(each.account)}", each.organisation),
    )


def _reports(here: Here, words: Sequence[str]) -> list[Hit]:
    return _ranked(
        words,
        load_reports(here.settings, here.viewer.audience, here.store).items,
        lambda each: (f"{each.title} {each.name}", each.text[:20_000]),
        lambda each: Hit(each.title, f"/reports/{segment(each.name)}", each.contributor),
    )


def _findings(words: Sequence[str]) -> list[Hit]:
    return _ranked(
        words,
        catalogue().values(),
        lambda each: (f"{each.code} {each.title}", f"{each.explain} {each.fix}"),
        lambda each: Hit(each.code, f"/docs/reference/findings#md-{slug_of(each.code)}", each.title),
    )


def _documentation(words: Sequence[str]) -> list[Hit]:
    found: list[Hit] = []
    for page in _paragraphs():
        # Findings have a group of their own.
        best = [hit for each in page if (hit := _section_hit(each, words)) is not None]
        if best:
            found.append(min(best, key=lambda hit: hit.place))
    return found


@dataclass(frozen=True, slots=True)
class _Section:
    """A part of a page of the documentation, and its text as it is compared."""

    page: str
    heading: str
    address: str
    low: str


def _section_hit(section: _Section, words: Sequence[str]) -> Hit | None:
    place = rank(section.heading.casefold(), words)
    if place is None:
        whole = f"{section.page.casefold()} {section.heading.casefold()} {section.low}"
        place = None if not all(word in whole for word in words) else 5
    if place is None:
        return None
    note = "" if section.heading == section.page else section.heading
    return Hit(section.page, section.address, note, place)


@functools.cache
def _paragraphs() -> tuple[tuple[_Section, ...], ...]:
    """Every page of the documentation in its parts."""
    return tuple(
        tuple(_parts(each.title, each.address, each.text))
        for each in documents().pages
        if each.path != "reference/findings"
    )


def _parts(title: str, address: str, text: str) -> Iterable[_Section]:
    headings = iter(rendered(text, lower=0).headings)
    heading, anchor, lines = title, "", list[str]()
    fenced = False
    for line in text.splitlines():
        fenced ^= line.startswith("```")
        if line.startswith("#") and not fenced:
            yield _Section(title, heading, f"{address}{anchor}", "\n".join(lines).casefold())
            found = next(headings, None)
            heading, lines = (found.text if found else heading), []
            anchor = f"#{found.id}" if found and found.level > 1 else ""
        lines.append(line)
    yield _Section(title, heading, f"{address}{anchor}", "\n".join(lines).casefold())


def _ranked(
    words: Sequence[str], items: Iterable[_T], texts: Callable[[_T], tuple[str, str]], hit: Callable[[_T], Hit]
) -> list[Hit]:
    """Hits of what has the words in its name, then of what has them in its text."""
    found: list[Hit] = []
    for each in items:
        name, text = texts(each)
        place = rank(name.casefold(), words)
        if place is None:
            place = 5 if all(word in f"{name} {text}".casefold() for word in words) else None
        if place is not None:
            made = hit(each)
            found.append(Hit(made.text, made.address, made.note, place))
    return found


def expression(here: Here, text: str) -> tuple[str, str]:
    """A search that is a filter: its address in the explorer; or why it is none, where it looks like one."""
    looks = any(operator in f" {text} " for operator in _OPERATORS)
    try:
        condition_of(Query(filter=text), here.names)
    except UsageError as error:
        return "", error.what if looks else ""
    except AssayError as error:
        return "", str(error) if looks else ""
    return f"/explorer{query(filter=text)}", ""
