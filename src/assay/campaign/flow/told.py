"""How a campaign stands, in words and as values: for the terminal, for programs, and for the one that is notified."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from assay.base.units import format_duration
from assay.campaign.flow.estimate import total
from assay.campaign.flow.steps import Expected, Standing, State
from assay.campaign.flow.survey import Flow


def left(standings: Mapping[str, Standing]) -> Expected:
    """The time of all that is not done."""
    return total([each.expected for each in standings.values() if each.state is not State.DONE])


def left_of(standings: Mapping[str, Standing]) -> str:
    """That time in words, and when it is over if it goes on now."""
    expected = left(standings)
    return f"{words_of_time(expected)} left, done {clock(expected.seconds)}"


def words_of_time(expected: Expected) -> str:
    """A time as people read it; a tilde where it was guessed."""
    return f"{'~' if expected.rough else ''}{format_duration(expected.seconds * 1e9)}"


def clock(seconds: float, now: datetime | None = None) -> str:
    """The time of day in so many seconds, with its day where that is another."""
    begin = now or datetime.now().astimezone()
    end = begin + timedelta(seconds=seconds)
    return f"{end:%H:%M}" if end.date() == begin.date() else f"{end:%a %d %b %H:%M}"


def after(standings: Iterable[Standing]) -> list[Expected | None]:
    """For each step the time until it is done, if everything goes on now; None where it is done."""
    found: list[Expected | None] = []
    sofar: list[Expected] = []
    for each in standings:
        if each.state is State.DONE:
            found.append(None)
            continue
        sofar.append(each.expected)
        found.append(total(sofar))
    return found


def values_of(flow: Flow) -> dict[str, Any]:
    """The whole campaign as values for the program that is notified."""
    form, standings = flow.campaign.form, flow.standings()
    done = sum(each.state is State.DONE for each in standings.values())
    return {
        "campaign": form.name, "file": str(flow.campaign.path), "rehearsal": form.rehearsal,
        "out": str(flow.campaign.out), "steps": len(standings), "steps_done": done,
        "seconds_left": round(left(standings).seconds, 1),
    }  # fmt: skip


def document(standing: Standing) -> dict[str, object]:
    """A step and how it stands as one JSON object."""
    step, last = standing.step, standing.last
    return {
        "name": step.name, "kind": step.kind.value, "state": standing.state.value, "needs": list(step.needs),
        "expected_seconds": round(standing.expected.seconds, 1), "expected_is_guessed": standing.expected.rough,
        "what": step.what, "command": step.command, "inputs": standing.inputs, "asked_again": standing.again,
        "runs": list(last.runs) if last else [], "note": last.note if last else "", "done_at": last.when if last else None,
        "took_seconds": last.seconds if last else None,
    }  # fmt: skip
