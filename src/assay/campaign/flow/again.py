"""Steps that are asked for again: by their names, by patterns, or because a run of theirs is not what was wanted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatchcase

from assay.campaign.flow.steps import Standing, State, Step
from assay.campaign.flow.survey import Flow
from assay.errors import AssayError, NotFoundError, UsageError, nearest
from assay.loadgen.compliance import passed
from assay.loadgen.record import RunRecord
from assay.loadgen.runs import RunCatalogue

FAILED = "failed"
"""Stands for every step whose outcome was a failure."""
_PATTERN = frozenset("*?[")


def steps_again(flow: Flow, asked: Iterable[str]) -> tuple[str, ...]:
    """The names of the steps that are asked for, in the order in which they are done.

    Args:
        flow: the campaign.
        asked: names as a plan prints them, ends of them (``Offline/TEST01``), patterns of whole names (``*TEST04``), or
            :data:`FAILED`; several may be one text, with commas between them.

    Raises:
        NotFoundError: for what no step is named, with the names that are close.
        UsageError: for the end of several names, and for no name at all.
    """
    wanted = [part.strip() for text in asked for part in text.split(",")]
    found: set[str] = set()
    for each in wanted:
        if not each:
            raise UsageError("no step is named", expected="--again STEP, a pattern such as '*TEST04', or failed")
        found |= set(failures(flow, flow.standings()) if each == FAILED else _named(flow, each))
    return tuple(step.name for step in flow.steps if step.name in found)


def failures(flow: Flow, standings: Mapping[str, Standing]) -> dict[str, str]:
    """Steps that are done and whose outcome was a test that was not passed, or an INVALID run; and which.

    A rehearsal goes on after a failed test, so that it is done all the same.
    """
    catalogue = RunCatalogue(flow.settings.runs_dir)
    found: dict[str, str] = {}
    for name, standing in standings.items():
        if standing.state is State.DONE and standing.last is not None:
            wrong = [why for run in standing.last.runs if (why := _wrong(catalogue, run))]
            if wrong:
                found[name] = "; ".join(wrong)
    return found


def command_again(flow: Flow, name: str) -> str:
    """The command that does a step again."""
    return f"assay campaign run {flow.campaign.form.name} --again {name}"


def _wrong(catalogue: RunCatalogue, run: str) -> str:
    try:
        record = catalogue.read(run)
    except AssayError:
        return ""  # a rate that was found is known, whatever became of its run
    return _said(record)


def _said(record: RunRecord) -> str:
    """What is wrong with a run; empty when nothing is."""
    if record.verdict is None:
        return ""
    if record.compliance:
        return "" if passed(record.verdict) else f"{record.compliance} was not passed"
    return "" if record.verdict.valid else f"{record.id} is INVALID"


def _named(flow: Flow, asked: str) -> list[str]:
    """The steps of a name, of the end of one, or of a pattern."""
    low = asked.casefold()
    names = {step.name.casefold(): step.name for step in flow.steps}
    if low in names:
        return [names[low]]
    if _PATTERN & set(low):
        found = [name for each, name in names.items() if fnmatchcase(each, low)]
    else:
        found = [name for each, name in names.items() if each.endswith(f"/{low}")]
        if len(found) > 1:
            raise UsageError(
                f"several steps are {asked!r}", expected=f"one of {', '.join(found)}", hint=f"all of them: '*/{asked}'"
            )
    if not found:
        raise NotFoundError(
            f"no step is {asked!r}",
            expected=_close(flow.steps, asked),
            hint=f"assay campaign status {flow.campaign.form.name} lists them",
        )
    return found


def _close(steps: Sequence[Step], asked: str) -> str:
    """Names that are close: whole ones, or the ends of them, which people write more often."""
    by_end: dict[str, list[str]] = {}
    for step in steps:
        parts = step.name.split("/")
        for place in range(len(parts)):
            by_end.setdefault("/".join(parts[place:]), []).append(step.name)
    plain = "".join(letter for letter in asked if letter not in _PATTERN | {"]"}).strip("/")
    close = nearest(plain, by_end)
    if not close:
        return f"one of {', '.join(step.name for step in steps)}"
    # A name may be close by more than one of its ends.
    return " or ".join(dict.fromkeys(by_end[end][0] if len(by_end[end]) == 1 else f"'*/{end}'" for end in close))
