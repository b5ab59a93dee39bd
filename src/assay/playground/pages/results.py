"""A result: every field, both verdicts, its place, what belongs beside it, and how it is made again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import Path as PathParameter
from fastapi.responses import RedirectResponse

from assay.community.challenges import load_challenges
from assay.community.report import load_reports
from assay.playground.here import Here, Looking
from assay.playground.lines import ResultLine, result_lines
from assay.playground.markup import segment
from assay.playground.page import PageModel, Pages
from assay.results.again import again, file_address, safe_address
from assay.results.derived import derived
from assay.results.field_groups import grouped
from assay.results.lines import lines_beside
from assay.results.one import find_result, results_of_uids
from assay.results.ranks import ordinal, ranks
from assay.results.verdicts import known_round, verdicts

pages = Pages("results")
_BESIDE = 12


class FieldLine(PageModel):
    """A field with its unit and meaning."""

    name: str
    value: Any
    unit: str
    meaning: str


class GroupLines(PageModel):
    """Fields that are read together; of those without a value the names."""

    title: str
    known: tuple[FieldLine, ...]
    unknown: tuple[str, ...]


class MetricLine(PageModel):
    """A derived metric; without a value it waits for numbers of the user's."""

    name: str
    title: str
    value: Any
    unit: str
    formula: str
    better: str
    description: str
    caution: str
    needs: tuple[str, ...]


class HeldLine(PageModel):
    """A finding that a verdict looks at."""

    code: str
    level: str | None
    title: str
    explain: str
    fix: str
    source: str


class VerdictLines(PageModel):
    """What one set of rules says."""

    rules: str
    taken: bool | None
    tool: str
    held: tuple[HeldLine, ...]


class RankLine(PageModel):
    """A place among comparable results; `counted` is false where the result itself is none of them."""

    by: str
    category: str
    place: int
    ordinal: str
    of: int
    counted: bool
    best_uid: str
    share: float


class Latency(PageModel):
    """A latency in nanoseconds."""

    name: str
    ns: float


class ReportLine(PageModel):
    """A report about the result."""

    name: str
    title: str
    verdict: str | None
    contributor: str


class ChallengeLine(PageModel):
    """A challenge that the result takes part in."""

    name: str
    title: str


class CommandLine(PageModel):
    """A command with what it does."""

    title: str
    text: str


class LogLine(PageModel):
    """A file that the figures come from."""

    path: str
    sha256: str
    address: str | None


class ResultPage(PageModel):
    """A result with all that is known of it."""

    uid: str
    values: dict[str, Any]
    groups: tuple[GroupLines, ...]
    metrics: tuple[MetricLine, ...]
    verdicts: tuple[VerdictLines, ...]
    ranks: tuple[RankLine, ...]
    latencies: tuple[Latency, ...]
    figure_key: str | None
    power_formula: str
    siblings: tuple[ResultLine, ...]
    other_rounds: tuple[ResultLine, ...]
    same_accelerator: tuple[ResultLine, ...]
    reports: tuple[ReportLine, ...]
    challenges: tuple[ChallengeLine, ...]
    commands: tuple[CommandLine, ...]
    remarks: tuple[str, ...]
    runnable: bool
    address: str | None
    logs: tuple[LogLine, ...]
    run: str | None


@pages.get("/results/{name:path}", template="result.html", kept=True)
def result(here: Looking, name: Annotated[str, PathParameter(max_length=500)]) -> ResultPage:
    """One result by its uid, the beginning of one, or the uid that CM gave it."""
    found = results_of_uids(here.store, [name]).get(name) or find_result(here.store, name)
    values = found.values
    if name != values["uid"]:
        ending = ".json" if here.request.scope["path"].endswith(".json") else ""
        return RedirectResponse(f"/results/{segment(values['uid'])}{ending}", status_code=307)  # type: ignore[return-value]
    beside = lines_beside(here.store, values, most=_BESIDE)
    return ResultPage(
        uid=values["uid"],
        values={**values, **{name: _seed(values[name]) for name in values if name.endswith("_seed")}},
        groups=tuple(GroupLines.model_validate(each, from_attributes=True) for each in grouped(values)),
        metrics=tuple(
            MetricLine.model_validate(each, from_attributes=True) for each in derived(values, here.metrics, here.names)
        ),
        verdicts=tuple(VerdictLines.model_validate(each, from_attributes=True) for each in verdicts(values)),
        ranks=_ranks(here, values),
        latencies=tuple(
            Latency(name=name.removeprefix("latency_"), ns=values[name])
            for name in values
            if name.startswith("latency_") and name != "latency_bound" and values[name] is not None
        ),
        figure_key=_figure_key(values),
        power_formula=_power_formula(values),
        siblings=result_lines(beside.scenarios),
        other_rounds=result_lines(beside.rounds),
        same_accelerator=result_lines(beside.chips),
        **_community(here, values),
        **_again(values),
        address=safe_address(values["url"]),
        logs=tuple(
            LogLine(path=path, sha256=digest, address=file_address(values["url"], path))
            for path, digest in sorted((values["logs"] or {}).items())
        ),
        run=_run(values),
    )


def _seed(value: int | None) -> str | None:
    """A seed as text: JavaScript's numbers have no 64 bits."""
    return None if value is None else str(value)


def _ranks(here: Here, values: Mapping[str, Any]) -> tuple[RankLine, ...]:
    return tuple(
        RankLine(
            by=each.by.value,
            category=each.category,
            place=each.place,
            ordinal=ordinal(each.place),
            of=each.of,
            counted=each.counted,
            best_uid=each.best_uid,
            share=each.share,
        )
        for each in ranks(here.store, values)
    )


def _figure_key(values: Mapping[str, Any]) -> str | None:
    """The key in LoadGen's detail log whose line holds the official figure."""
    round_ = known_round(values["round"])
    if round_ is None:
        return None
    facts = {each.value: facts for each, facts in round_.scenarios.items()}.get(values["scenario"])
    benchmark = round_.benchmarks.get(values["benchmark"])
    own = {each.value: figure for each, figure in benchmark.figures.items()} if benchmark else {}
    figure = own.get(values["scenario"])
    return figure.result_field if figure else facts.result_field if facts else None


def _power_formula(values: Mapping[str, Any]) -> str:
    """How the energy of a sample follows from what was measured."""
    if values["joules_per_sample"] is None:
        return ""
    if values["scenario"] in ("Offline", "Server"):
        return "joules per sample are average watts over samples per second"
    if values["scenario"] == "MultiStream":
        return "joules per sample are the energy of a query over its eight samples"
    return "joules per sample are the energy of a query, which has one sample"


def _community(here: Here, values: Mapping[str, Any]) -> dict[str, Any]:
    reports = load_reports(here.settings, here.viewer.audience, here.store).of_result(values["uid"])
    wanted = set(values["challenges"] or [])
    found = load_challenges(here.settings, here.viewer.audience, here.now).items if wanted else ()
    return {
        "reports": tuple(
            ReportLine(
                name=each.name,
                title=each.title,
                verdict=each.verdict.value if each.verdict else None,
                contributor=each.contributor,
            )
            for each in reports
        ),
        "challenges": tuple(ChallengeLine(name=each.name, title=each.title) for each in found if each.uid in wanted),
    }


def _again(values: Mapping[str, Any]) -> dict[str, Any]:
    found = again(values)
    return {
        "commands": tuple(CommandLine(title=each.title, text=each.text) for each in found.commands),
        "remarks": found.remarks,
        "runnable": found.runnable,
    }


def _run(values: Mapping[str, Any]) -> str | None:
    """The run of this machine that a result comes from."""
    return str(values["location"]).rsplit("/", 1)[-1] if values["source_kind"] == "run" else None
