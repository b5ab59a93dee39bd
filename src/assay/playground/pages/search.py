"""Search over everything that the viewer may see: results, names, challenges, people, reports, documentation."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query
from fastapi.responses import Response

from assay.playground import searching
from assay.playground.findable import known
from assay.playground.here import Here, Looking
from assay.playground.page import PageModel, Pages, answer_json
from assay.results.search import find_results, words_of

pages = Pages("search")

_RESULTS, _HITS, _SUGGESTIONS, _OF_A_KIND = 12, 8, 10, 3
Text = Annotated[str, Query(max_length=200)]


class ResultLine(PageModel):
    """A result that was found."""

    uid: str
    round: str
    organisation: str | None
    system: str | None
    benchmark: str
    scenario: str
    division: str
    accelerator: str | None
    value: float | None
    unit: str | None
    origin: str
    method: str
    official: bool | None
    labels: tuple[str, ...]


class HitLine(PageModel):
    """Something that was found."""

    text: str
    address: str
    note: str


class GroupLine(PageModel):
    """What was found of one kind: how many, and the best of them."""

    name: str
    title: str
    total: int
    hits: tuple[HitLine, ...]


class SearchPage(PageModel):
    """What was found, by kind.

    ``explorer`` is all results like this; ``expression`` the explorer with the search as a filter; ``mistake`` says why a
    search that looks like a filter is none.
    """

    q: str
    short: bool
    results: tuple[ResultLine, ...]
    result_count: int
    explorer: str
    expression: str
    mistake: str
    groups: tuple[GroupLine, ...]

    @property
    def count(self) -> int:
        """All that was found."""
        return self.result_count + sum(each.total for each in self.groups)


class Suggestion(PageModel):
    """Something to go to while somebody types."""

    text: str
    kind: str
    address: str
    note: str


class Suggestions(PageModel):
    """What may be meant, best first."""

    q: str
    suggestions: tuple[Suggestion, ...]


@pages.router.get("/search/suggest.json", summary="What may be meant, while somebody types")
def suggest(here: Looking, q: Text = "") -> Suggestions:
    """The best few hits of every kind."""
    words = words_of(q)
    found: list[tuple[int, int, Suggestion]] = []
    for number, group in enumerate(searching.groups(known(here), words) if words else ()):
        found += (
            (hit.place, number, Suggestion(text=hit.text, kind=group.title, address=hit.address, note=hit.note))
            for hit in group.hits[:_OF_A_KIND]
        )
    found.sort(key=lambda each: each[:2])
    return _kept(here, Suggestions(q=q, suggestions=tuple(each for _, _, each in found[:_SUGGESTIONS])))


@pages.get("/search", template="search.html", kept=True)
def search(here: Looking, q: Text = "") -> SearchPage:
    """Everything that has all words of ``q``, by kind, the best first."""
    text = q.strip()
    words = words_of(text)
    short = bool(words) and sum(map(len, words)) < searching.SHORTEST
    if not words or short:
        return SearchPage(
            q=q, short=short, results=(), result_count=0, explorer="", expression="", mistake="", groups=()
        )
    there = known(here)
    found = find_results(here.store, there.terms, text, _RESULTS)
    address, mistake = searching.expression(here, text)
    return SearchPage(
        q=q,
        short=False,
        results=tuple(
            ResultLine(**{name: getattr(hit, name) for name in ResultLine.model_fields}) for hit in found.hits
        ),
        result_count=found.count,
        explorer=searching.filtered(found.filter),
        expression=address,
        mistake=mistake,
        groups=tuple(
            GroupLine(
                name=each.name,
                title=each.title,
                total=len(each.hits),
                hits=tuple(HitLine(text=hit.text, address=hit.address, note=hit.note) for hit in each.hits[:_HITS]),
            )
            for each in searching.groups(there, words)
        ),
    )


def _kept(here: Here, model: Suggestions) -> Suggestions:
    answer: Response = answer_json(model)
    answer.headers["Cache-Control"] = "private, max-age=60" if here.viewer.known else "public, no-cache"
    return answer  # type: ignore[return-value]  # an answer with the model in it
