"""What a search finds beside results: names with their pages, challenges, contributors, reports, findings, documentation."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from assay.errors import AssayError, UsageError
from assay.playground.findable import Hit, Known, Section, Thing, findings, sections
from assay.playground.here import Here
from assay.playground.markup import query, segment
from assay.results.query import Query, condition_of
from assay.results.search import Term, Terms, find_terms, rank

SHORTEST = 2
"""Characters that are looked for; fewer are in everything."""
_IN_TEXT = 5
_OPERATORS = ("<", ">", "=", " is ", " like ", " contains ", " in ")


@dataclass(frozen=True, slots=True)
class Group:
    """Hits of one kind, best first."""

    name: str
    title: str
    hits: tuple[Hit, ...]


def groups(there: Known, words: Sequence[str]) -> list[Group]:
    """Everything that has all words, by kind, the kind with the best hit first; empty kinds left out."""
    if sum(map(len, words)) < SHORTEST:
        return []
    terms = there.terms
    found = [
        _named("organisations", "Organisations", _pages(terms, words, "organisation", "/organisations/")),
        _named("benchmarks", "Benchmarks", _pages(terms, words, "benchmark", "/benchmarks/")),
        _named("rounds", "Rounds", _pages(terms, words, "round", "/rounds/")),
        _named("systems", "Systems", _systems(terms, words)),
        _named("accelerators", "Accelerators", _explored(terms, words, "accelerator")),
        _named("processors", "Processors", _explored(terms, words, "processor")),
        _named("models", "Models", _explored(terms, words, "model")),
        _named("frameworks", "Frameworks", _explored(terms, words, "framework")),
        _named("challenges", "Challenges", _ranked(words, there.challenges)),
        _named("contributors", "Contributors", _ranked(words, there.contributors)),
        _named("reports", "Reports", _ranked(words, there.reports)),
        _named("findings", "Findings of a check", _ranked(words, findings())),
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


def _documentation(words: Sequence[str]) -> list[Hit]:
    found: list[Hit] = []
    for page in sections():
        # Findings have a group of their own.
        best = [hit for each in page if (hit := _section_hit(each, words)) is not None]
        if best:
            found.append(min(best, key=lambda hit: hit.place))
    return found


def _section_hit(section: Section, words: Sequence[str]) -> Hit | None:
    place = rank(section.heading.casefold(), words)
    if place is None:
        whole = f"{section.page.casefold()} {section.heading.casefold()} {section.low}"
        place = _IN_TEXT if all(word in whole for word in words) else None
    if place is None:
        return None
    note = "" if section.heading == section.page else section.heading
    return Hit(section.page, section.address, note, place)


def _ranked(words: Sequence[str], things: Iterable[Thing]) -> list[Hit]:
    """Hits of what has the words in its name, and of what has them in its text."""
    found: list[Hit] = []
    for each in things:
        place = rank(each.name, words)
        if place is None and all(word in each.name or word in each.text for word in words):
            place = _IN_TEXT
        if place is not None:
            found.append(replace(each.hit, place=place))
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
