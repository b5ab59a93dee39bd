"""Two to six results or systems beside each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from fastapi import Query
from fastapi.responses import Response

from assay.errors import AssayError, NotFoundError, UsageError
from assay.playground.here import Here, Looking
from assay.playground.lines import ChartForm, ResultLine, chart_answer, csv_answer, result_lines
from assay.playground.page import PageModel, Pages
from assay.playground.security.answers import status_of
from assay.results.beside import FIGURES, Compared, Wanted, beside, of_systems
from assay.results.lines import line_of, lines_beside, of_uids
from assay.results.one import Found, cautions, find_result, results_of_uids
from assay.results.page_charts import Ratio, ratios
from assay.results.ranks import ranks
from assay.results.systems import system_names

pages = Pages("compare")
_MOST = 6
_LONGEST = 300
_SUGGESTIONS = 6
_TITLES = {
    "samples_per_second": "throughput",
    "samples_per_second_per_accelerator": "per accelerator",
    "samples_per_joule": "samples per joule",
    "latency_p99": "latency p99",
}
_Names = Annotated[list[str], Query(max_length=20)]
_Word = Annotated[str, Query(max_length=200)]
_Round = Annotated[str, Query(alias="round", max_length=200)]


class ComparedLine(PageModel):
    """A field or metric of every result; ratios and changes are against the first."""

    name: str
    unit: str
    meaning: str
    values: tuple[Any, ...]
    ratios: tuple[float | None, ...]
    changes: tuple[str | None, ...]
    differs: bool
    better: str


class ComparedGroup(PageModel):
    """Fields that are read together."""

    title: str
    lines: tuple[ComparedLine, ...]


class Trouble(PageModel):
    """Why something that was asked for is not there."""

    asked: str
    what: str
    expected: str | None


class Suggestion(PageModel):
    """A result that would be a good one to compare with."""

    why: str
    uid: str
    round: str
    organisation: str | None
    system: str | None


class ComparePage(PageModel):
    """Results beside each other."""

    results: tuple[ResultLine, ...]
    groups: tuple[ComparedGroup, ...]
    differences_only: bool
    cautions: tuple[str, ...]
    figures: tuple[str, ...]
    troubles: tuple[Trouble, ...]
    suggestions: tuple[Suggestion, ...]
    benchmark: str
    scenario: str
    round: str
    full: bool
    status: int

    @property
    def http_status(self) -> int:
        """That of the first thing that is wrong."""
        return self.status


@dataclass(frozen=True, slots=True)
class _Chosen:
    found: list[Found]
    troubles: list[tuple[str, AssayError]]


def _chosen(here: Here, result: Sequence[str], system: Sequence[str], wanted: Wanted) -> _Chosen:
    """The results that were asked for, each once, and what could not be found."""
    troubles: list[tuple[str, AssayError]] = []
    uids: list[str] = []
    names = [name.strip()[:_LONGEST] for name in result if name.strip()]
    known = results_of_uids(here.store, names)
    for name in names:
        try:
            one = known.get(name) or find_result(here.store, name)
        except AssayError as error:
            troubles.append((name, error))
        else:
            known[one.values["uid"]] = one
            uids.append(one.values["uid"])
    for name, uid in _of_systems(here, [name for name in system if name.strip()], wanted, troubles):
        if uid is None:
            none = NotFoundError(f"{name} has no result of this benchmark, scenario and round")
            troubles.append((name, none))
        else:
            uids.append(uid)
    known |= results_of_uids(here.store, [uid for uid in uids if uid not in known])
    found = {uid: known[uid] for uid in uids if uid in known}
    kept = list(found.values())
    if len(kept) > _MOST:
        troubles.append(("", UsageError(f"{len(kept)} results are too many", expected="two to six")))
    return _Chosen(kept[:_MOST], troubles)


def _of_systems(
    here: Here, names: Sequence[str], wanted: Wanted, troubles: list[tuple[str, AssayError]]
) -> list[tuple[str, str | None]]:
    systems = []
    for name in names[:_MOST]:
        organisation, _, rest = name[:_LONGEST].partition("/")
        try:
            found = system_names(here.store, organisation, rest)
        except AssayError as error:
            troubles.append((name[:_LONGEST], error))
        else:
            systems.append(found)
    lines = of_systems(here.store, systems, wanted)
    return [
        (f"{organisation}/{system}", line.uid if line else None)
        for (organisation, system), line in zip(systems, lines, strict=True)
    ]


def _wanted(benchmark: str, scenario: str, round_: str) -> Wanted:
    return Wanted(benchmark or None, scenario or None, round_ or None)


@pages.router.get("/compare/ratios.{form}", summary="Ratios of figures, as a chart")
def compare_ratios(
    here: Looking,
    form: ChartForm,
    result: _Names = [],  # noqa: B006
    system: _Names = [],  # noqa: B006
    benchmark: _Word = "",
    scenario: _Word = "",
    round_: _Round = "",
) -> Response:
    """Figures of the results over those of the first."""
    chosen = _chosen(here, result, system, _wanted(benchmark, scenario, round_))
    order = labels(chosen.found)
    found: list[Ratio] = []
    for line in _figures(_groups(here, chosen.found)):
        name = _TITLES.get(line.name, line.name) + {"higher": " ↑", "lower": " ↓"}.get(line.better, "")
        found += [
            Ratio(name, label, ratio) for label, ratio in zip(order, line.ratios, strict=True) if ratio is not None
        ]
    return chart_answer(here, ratios(found, order=order), form)


@pages.router.get("/compare.csv", summary="A comparison as CSV", response_class=Response)
def compare_csv(
    here: Looking,
    result: _Names = [],  # noqa: B006
    system: _Names = [],  # noqa: B006
    benchmark: _Word = "",
    scenario: _Word = "",
    round_: _Round = "",
) -> Response:
    """The table as a file: a row for each field, a column for each result."""
    chosen = _chosen(here, result, system, _wanted(benchmark, scenario, round_))
    rows = [[each.name, each.unit, *each.values] for _, lines in _groups(here, chosen.found) for each in lines]
    heading = ("field", "unit", *(one.values["uid"] for one in chosen.found))
    return csv_answer(here, "compare", heading, rows)


@pages.get("/compare", template="compare.html", kept=True)
def compare(
    here: Looking,
    result: _Names = [],  # noqa: B006
    system: _Names = [],  # noqa: B006
    benchmark: _Word = "",
    scenario: _Word = "",
    round_: _Round = "",
    only: Literal["", "differences"] = "",
) -> ComparePage:
    """Two to six results beside each other: what differs, and every figure over the first one's."""
    chosen = _chosen(here, result, system, _wanted(benchmark, scenario, round_))
    groups = _groups(here, chosen.found)
    uids = [each.values["uid"] for each in chosen.found]
    return ComparePage(
        results=result_lines(line_of(each.values) for each in chosen.found),
        groups=tuple(
            ComparedGroup(
                title=title,
                lines=tuple(
                    ComparedLine.model_validate(each, from_attributes=True)
                    for each in lines
                    if each.differs or not only
                ),
            )
            for title, lines in groups
        ),
        differences_only=bool(only),
        cautions=tuple(cautions(chosen.found)),
        figures=tuple(each.name for each in _figures(groups)),
        troubles=tuple(
            Trouble(asked=name, what=error.what, expected=error.expected) for name, error in chosen.troubles
        ),
        suggestions=_suggestions(here, chosen.found) if len(uids) < _MOST else (),
        benchmark=benchmark,
        scenario=scenario,
        round=round_,
        full=len(uids) >= _MOST,
        status=status_of(chosen.troubles[0][1]) if chosen.troubles else 200,
    )


def _groups(here: Here, found: Sequence[Found]) -> list[tuple[str, list[Compared]]]:
    return beside(found, here.metrics, here.names) if len(found) > 1 else []


def _figures(groups: Sequence[tuple[str, Sequence[Compared]]]) -> list[Compared]:
    """The figures of the picture: those that at least one other result has, too."""
    lines = {each.name: each for _, group in groups for each in group}
    return [
        lines[name] for name in FIGURES if name in lines and any(ratio is not None for ratio in lines[name].ratios[1:])
    ]


def labels(found: Sequence[Found]) -> list[str]:
    """A short name of each result, different ones for all."""
    return [
        f"{letter}: {one.values['system'] or one.values['model'] or one.values['uid'][:8]}, {one.values['round']}"[:70]
        for letter, one in zip("ABCDEF", found, strict=False)
    ]


def _suggestions(here: Here, found: Sequence[Found]) -> tuple[Suggestion, ...]:
    """What goes well with the first result: the best of its kind, its own past, others with the same chip."""
    if not found:
        return ()
    values = found[0].values
    there = {each.values["uid"] for each in found}
    leaders = [(f"best by {each.by.value.replace('_', ' ')}", each.best_uid) for each in ranks(here.store, values)]
    lines = {each.uid: each for each in of_uids(here.store, [uid for _, uid in leaders])}
    offered = [(why, lines[uid]) for why, uid in leaders if uid in lines]
    near = lines_beside(here.store, values, most=3)
    offered += [("same system", each) for each in near.rounds]
    offered += [("same accelerators", each) for each in near.chips]
    suggestions: dict[str, Suggestion] = {}
    for why, line in offered:
        if line.uid not in there and line.uid not in suggestions:
            suggestions[line.uid] = Suggestion(
                why=why, uid=line.uid, round=line.round, organisation=line.organisation, system=line.system
            )
    return tuple(suggestions.values())[:_SUGGESTIONS]
