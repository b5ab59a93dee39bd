"""Campaigns as tables and documents."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from assay.base.settings import Settings
from assay.base.units import format_duration
from assay.campaign.flow.again import FAILED, command_again, failures
from assay.campaign.flow.journal import Done, Journal
from assay.campaign.flow.places import find_campaign, folder_of_name, known_campaigns
from assay.campaign.flow.running import owner
from assay.campaign.flow.steps import RULES, Standing, State, Step
from assay.campaign.flow.survey import Flow
from assay.campaign.flow.told import after, clock, document, left, words_of_time
from assay.cli.render import Output
from assay.errors import AssayError

_PLAN = ("Step", "State", "Expected", "All by then", "Needs", "What")
_STATUS = ("Step", "State", "Time", "Done at", "Runs", "Note")


def show_plan(flow: Flow, standings: Mapping[str, Standing], out: Output) -> None:
    """Every step: how it stands, how long it takes, what it needs."""
    if out.as_json:
        out.json(_whole(flow, standings))
        return
    if not standings:
        out.remark("every step is done")
        return
    out.table(_PLAN, list(_plan_rows(standings)), right=("Expected", "All by then"))
    _remark_on_the_rest(standings, out)


def _plan_rows(standings: Mapping[str, Standing]) -> Iterator[tuple[str, ...]]:
    steps = list(standings.values())
    for standing, so_far in zip(steps, after(steps), strict=True):
        step = standing.step
        needs = f"{len(step.needs)} steps" if len(step.needs) > 2 else ", ".join(step.needs)
        by_then = "" if so_far is None else words_of_time(so_far)
        yield (step.name, _word(standing), words_of_time(standing.expected), by_then, needs, step.what)


def _remark_on_the_rest(standings: Mapping[str, Standing], out: Output) -> None:
    steps = [each for each in standings.values() if each.state is not State.DONE]
    if not steps:
        return
    rest = left(standings)
    guessed = "; ~ is guessed until something like it was measured here" if rest.rough else ""
    out.remark(
        f"{len(steps)} steps are left: {words_of_time(rest)}, done {clock(rest.seconds)} if it goes on now{guessed}"
    )


def show_status(flow: Flow, out: Output) -> None:
    """What is done, what is under way or stopped, what is left."""
    standings = flow.standings()
    if out.as_json:
        out.json(_whole(flow, standings))
        return
    process, under_way = owner(flow.journal.folder), flow.journal.under_way()
    out.table(_STATUS, [_status_row(each, process, under_way) for each in standings.values()], right=("Time",))
    done = sum(each.state is State.DONE for each in standings.values())
    out.remark(f"{done} of {len(standings)} steps are done")
    remark_on_failures(flow, standings, out)
    if process is not None:
        out.remark(f"process {process} is at {under_way or 'work'}")
    elif done < len(standings) and under_way:
        why = flow.journal.why_stopped() or "its process is gone"
        out.remark(f"{under_way} was begun and is not done: {why}")
    _remark_on_the_rest(standings, out)


def _status_row(standing: Standing, process: int | None, under_way: str) -> tuple[str, ...]:
    last, state = standing.last, standing.state
    running = process is not None and standing.step.name == under_way
    word = "running" if running else _word(standing)
    if last is None or state is not State.DONE:
        return (standing.step.name, word, words_of_time(standing.expected), "", "", "")
    return (standing.step.name, word, _time(last.seconds), last.when, " ".join(last.runs), last.note)


def _word(standing: Standing) -> str:
    """How a step stands, in a word."""
    return "again" if standing.again else standing.state.value


def show_step(flow: Flow, step: Step, out: Output) -> None:
    """One step: why it is there, what it needs, what it does."""
    standings = flow.standings()
    standing = standings[step.name]
    rule, source = RULES[step.kind]
    failed = failures(flow, {step.name: standing}).get(step.name, "")
    stopped = _stopped(flow, standing)
    outcomes = flow.journal.entries().get(step.name, [])
    if out.as_json:
        history = [_outcome(each) for each in outcomes]
        out.json(
            {
                **document(standing),
                "rule": rule,
                "source": source,
                "failed": failed,
                "stopped": stopped,
                "history": history,
            }
        )
        return
    needs = [f"{name} ({standings[name].state.value})" for name in step.needs]
    pairs: list[tuple[str, object]] = [
        ("step", step.name), ("state", _why(standing, standings)), ("expected", words_of_time(standing.expected)),
        ("why", rule), ("source", source), ("needs", ", ".join(needs) or "nothing"), ("does", step.what),
        ("command", step.command or "none"),
    ]  # fmt: skip
    if stopped:
        pairs += [("stopped", stopped), ("do it again", f"assay campaign run {flow.campaign.form.name}")]
    if failed:
        pairs += [("failed", failed), ("do it again", command_again(flow, step.name))]
    if len(outcomes) > 1 or standing.again:
        pairs += [("history", f"{each.when}: {each.note or 'done'}; {' '.join(each.runs)}") for each in outcomes]
    out.fields(pairs)


def _stopped(flow: Flow, standing: Standing) -> str:
    """Why a step that was begun is not done; empty where nothing stopped it, or it is under way."""
    journal = flow.journal
    if standing.state is State.DONE or journal.under_way() != standing.step.name or owner(journal.folder) is not None:
        return ""
    return journal.why_stopped() or "its process is gone"


def _outcome(done: Done) -> dict[str, object]:
    """One outcome of a step, by itself."""
    return {"done_at": done.when, "runs": list(done.runs), "note": done.note, "took_seconds": done.seconds}


def remark_on_failures(flow: Flow, standings: Mapping[str, Standing], out: Output) -> None:
    """Steps that are done and whose outcome was a failure, and how to do them again."""
    failed = failures(flow, standings)
    for name, why in failed.items():
        out.remark(f"{name}: {why}")
    if failed:
        out.remark(f"to do {'it' if len(failed) == 1 else 'them'} again: {command_again(flow, FAILED)}")


def show_list(settings: Settings, out: Output) -> None:
    """The campaigns that are known by name."""
    rows = [_known(name, settings) for name in known_campaigns(settings)]
    if out.as_json:
        out.json([dict(zip(("name", "running", "under_way", "file"), row, strict=True)) for row in rows])
        return
    out.table(("Name", "Running", "Under way", "File"), rows)


def _known(name: str, settings: Settings) -> tuple[str, str, str, str]:
    folder = folder_of_name(name, settings)
    running = "yes" if owner(folder) is not None else ""
    try:
        return (name, running, Journal(folder).under_way(), str(find_campaign(name, settings).path))
    except AssayError as error:
        return (name, running, "", str(error))


def _whole(flow: Flow, standings: Mapping[str, Standing]) -> dict[str, object]:
    form, rest = flow.campaign.form, left(standings)
    return {
        "format": 1, "campaign": form.name, "file": str(flow.campaign.path), "round": form.round,
        "rehearsal": form.rehearsal, "out": str(flow.campaign.out), "journal": str(flow.journal.path),
        "process": owner(flow.journal.folder), "under_way": flow.journal.under_way(),
        "why_stopped": flow.journal.why_stopped(), "failed": failures(flow, standings),
        "seconds_left": round(rest.seconds, 1), "guessed": rest.rough,
        "steps": [document(each) for each in standings.values()],
    }  # fmt: skip


def _why(standing: Standing, standings: Mapping[str, Standing]) -> str:
    state = standing.state
    if state is not State.STALE:
        return state.value
    if standing.again:
        return "stale: it was asked for again, and not done since"
    waiting = [name for name in standing.step.needs if standings[name].state is not State.DONE]
    if waiting:
        return f"stale: {', '.join(waiting)} comes first, and may change it"
    return "stale: its inputs have changed since it was done, or what it made is gone"


def _time(seconds: float) -> str:
    return format_duration(seconds * 1e9)
