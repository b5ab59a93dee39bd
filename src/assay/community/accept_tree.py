"""A submission tree that was uploaded: checked by the real checker, its results as rows with both verdicts."""

from __future__ import annotations

from pathlib import Path

from assay.base.progress import Progress
from assay.community.candidate import Candidate, Examined, gravest, told
from assay.community.evidence import of_entry
from assay.community.outcome import Refusal
from assay.errors import InvalidInputError
from assay.loadgen.names import DETAIL
from assay.results.clean import encodable
from assay.results.importers.source import Source
from assay.results.importers.submission import rows_of
from assay.results.row import Row
from assay.rules.load import load_round
from assay.rules.submission import Level
from assay.submission.check import check
from assay.submission.guess import guess_round
from assay.submission.model import CheckReport, Finding, ResultReport
from assay.submission.read import Options

_LOG = f"performance/run_1/{DETAIL}"
_GRAVE = (Level.REJECT, Level.FLAG)
_MOST_CODES = 20
_MOST_WORDS = 3
_MOST_PLACES = 200


def examine_tree(root: Path, round_: str | None, *, source: str, jobs: int, progress: Progress) -> Examined:
    """Check a tree and tell which of its results can be taken.

    A result of the closed or network division has to pass the official checker and the written rules, one of the open
    division the official checker.

    Args:
        root: of the tree.
        round_: name of the round; told from the seeds in its logs when None.
        source: what rows say they come from.
        jobs: processes that check.
        progress: of the check.

    Raises:
        NotFoundError: for an unknown round.
        InvalidInputError: when the round cannot be told, or the tree cannot be checked.
    """
    name = round_ or guess_round(root)
    if name is None:
        raise InvalidInputError("no log shows the seeds of a round that is known here", hint="say which round it is of")
    report = check(root, load_round(name), options=Options(provenance=True), jobs=jobs, progress=progress)
    rows = {row.location: row for row in rows_of(report, Source(source))}
    above = _above(report)
    candidates: list[Candidate] = []
    refused: list[Refusal] = []
    for result in report.results:
        row = rows.get(encodable(result.path))
        why = _why_not(result, row, above)
        if why is not None or row is None:
            refused.append(_refusal(result, why or "no figure can be read from its logs", above))
            continue
        candidates.append(Candidate(row, row.location, result.hashes[_LOG], of_entry(root, result.path)))
    refused += _places(report, refused)
    findings = gravest(told(each) for each in report.findings)
    return Examined(tuple(candidates), tuple(refused), findings, len(report.findings), report.round)


def _why_not(result: ResultReport, row: Row | None, above: dict[str, list[Finding]]) -> str | None:
    """Why a result cannot be taken; None when it can."""
    closed = result.division != "open"
    against = [name for name, ok in (("official checker", result.official), ("written rules", result.strict)) if not ok]
    if not closed and result.official:
        against = []
    if against:
        said = _serious(result, above, official=not result.official)
        what = _in_words(said)
        return f"refused by the {' and by the '.join(against)}{': ' + what if what else ''}"
    if row is None or row.value is None:
        return "no figure can be read from its logs"
    if _LOG not in result.hashes:
        return f"its performance log is not there: {_LOG}"
    return None


def _refusal(result: ResultReport, why: str, above: dict[str, list[Finding]]) -> Refusal:
    codes = dict.fromkeys(each.code for each in _serious(result, above, official=not result.official))
    return Refusal(encodable(result.path), why, result.benchmark, result.scenario, tuple(codes)[:_MOST_CODES])


def _serious(result: ResultReport, above: dict[str, list[Finding]], *, official: bool) -> list[Finding]:
    """What a verdict holds against a result: its own findings first, then those of the folders above it."""
    parts = result.path.split("/")
    places = ["/".join(parts[:length]) for length in range(len(parts), 0, -1)] + [""]
    found = [each for place in places for each in above.get(place, ())]
    return [each for each in found if (each.official if official else each.strict) in _GRAVE]


def _in_words(findings: list[Finding]) -> str:
    """The first kinds of findings with their titles, and what they are about."""
    kinds: dict[str, list[Finding]] = {}
    for each in findings:
        kinds.setdefault(each.code, []).append(each)
    words = []
    for code, those in list(kinds.items())[:_MOST_WORDS]:
        about = list(dict.fromkeys(each.field or each.found for each in those if each.field or each.found))
        more = ", ..." if len(about) > _MOST_WORDS else ""
        names = ", ".join(about[:_MOST_WORDS])
        words.append(f"{code}: {those[0].title}" + (f" ({names}{more})" if about else ""))
    return "; ".join(words)


def _above(report: CheckReport) -> dict[str, list[Finding]]:
    """Grave findings by the folder whose results they are about."""
    found: dict[str, list[Finding]] = {}
    for each in report.findings:
        if each.official in _GRAVE or each.strict in _GRAVE:
            found.setdefault(each.result, []).append(each)
    return found


def _places(report: CheckReport, refused: list[Refusal]) -> list[Refusal]:
    """Places that a verdict refuses without a result of theirs being refused: a scenario or a whole folder."""
    shown = {each.path for each in refused}
    found: list[Refusal] = []
    for place in dict.fromkeys((*report.official.refused, *report.strict.refused)):
        name = encodable(place)
        if any(path == name or path.startswith(f"{name}/") for path in shown):
            continue
        about = [each for each in report.findings if each.result == place]
        grave = [each for each in about if each.official in _GRAVE or each.strict in _GRAVE]
        open_only = name.startswith("open/") and place not in report.official.refused
        if not grave or open_only:
            continue
        codes = tuple(dict.fromkeys(each.code for each in grave))[:_MOST_CODES]
        found.append(Refusal(name, f"the round refuses the place as it is: {_in_words(grave)}", codes=codes))
    return found[:_MOST_PLACES]
