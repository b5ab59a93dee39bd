"""A challenge in words: where it stands, how long it goes on, and how points are counted."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from assay.community.challenge import Challenge, Scoring, Status
from assay.playground.page import PageModel

_WORD = {
    Status.OPEN: "open",
    Status.UPCOMING: "upcoming",
    Status.PREPARING: "under preparation",
    Status.CLOSED: "closed",
}


class State(PageModel):
    """Where a challenge stands at a moment.

    ``text`` comes before the day, as "open until the end of"; ``moment`` is the day's border in the challenge's zone, and
    ``left`` says how far away it is; all three are empty where there is nothing to say.
    """

    status: str
    text: str
    day: str
    moment: str
    zone: str
    left: str


class MomentLine(PageModel):
    """A line of the timeline."""

    date: str
    what: str
    past: bool


def state_of(challenge: Challenge, now: datetime) -> State:
    """Where a challenge stands."""
    status = challenge.status_at(now)
    text, day, moment, left = "", None, None, ""
    if status is Status.UPCOMING:
        text, day, moment = "Opens on", challenge.date_open, challenge.opens
        left = f"in {span(moment - now)}" if moment else ""
    elif status is Status.CLOSED:
        text, day, moment = "Closed at the end of", challenge.last_day, challenge.closes
    elif status is Status.OPEN and challenge.closes is not None:
        text, day, moment = "Open until the end of", challenge.last_day, challenge.closes
        left = f"{span(challenge.closes - now)} left"
    elif status is Status.OPEN:
        text = "Open until it is done" if challenge.until_done else "Open without an end"
    else:
        text = "Under preparation: it takes no results yet"
    return State(
        status=_WORD[status],
        text=text,
        day=day.isoformat() if day else "",
        moment=moment.isoformat() if moment else "",
        zone=challenge.timezone,
        left=left,
    )


def status_word(status: Status) -> str:
    """A status as pages call it."""
    return _WORD[status]


def span(time: timedelta) -> str:
    """A time to come, in the largest unit that fits."""
    seconds = max(0, int(time.total_seconds()))
    for name, length in (("day", 86400), ("hour", 3600), ("minute", 60)):
        if count := seconds // length:
            return f"{count} {name}{'' if count == 1 else 's'}"
    return "less than a minute"


def scoring_in_words(scoring: Scoring) -> tuple[str, ...]:
    """How points are counted, a sentence each."""
    found = []
    if scoring.accepted:
        found.append(
            f"{_points(scoring.accepted)} for each group of comparable results with an accepted result of yours"
        )
    places = [scoring.first, scoring.second, scoring.third]
    while places and not places[-1]:
        places.pop()
    if places:
        names = ("first", "second", "third")[: len(places)]
        found.append(
            f"{_listed([str(each) for each in places])} more for the {_listed(names)} place of a group, where somebody "
            "else takes part in it; a place may change until the challenge closes"
        )
    if scoring.report:
        found.append(f"{_points(scoring.report)} for each report that runs somebody else's result again")
    return tuple(found) or ("No points are given.",)


def timeline_of(challenge: Challenge, now: datetime) -> tuple[MomentLine, ...]:
    """What happens when: the lines of its entry, and its first and last days where no line is about them."""
    lines = [(each.date, 1, each.what) for each in challenge.timeline]
    told = {each.date for each in challenge.timeline}
    own: list[tuple[date | None, str]] = [
        (challenge.date_open, "It opens."),
        (challenge.date_close, "It closes at the end of the day."),
        (challenge.date_close_extension, "It closes at the end of the day, after it was extended."),
    ]
    lines += [(day, 0, what) for day, what in own if day is not None and day not in told]
    today = now.astimezone(challenge.opens.tzinfo if challenge.opens else now.tzinfo).date()
    return tuple(MomentLine(date=day.isoformat(), what=what, past=day < today) for day, _, what in sorted(lines))


def _points(count: int) -> str:
    return f"{count:,} {'point' if count == 1 else 'points'}"


def _listed(words: list[str] | tuple[str, ...]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
