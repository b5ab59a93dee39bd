"""The fields of a CM ``challenge`` entry, and those that assay adds, as :class:`~assay.community.challenge.Challenge`."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any
from zoneinfo import ZoneInfoNotFoundError

from pydantic import AfterValidator, BeforeValidator, Field

from assay.cm.artifact import META, Artifact
from assay.cm.meta import is_uid
from assay.community.challenge import (
    Challenge,
    Document,
    ExperimentLink,
    HowTo,
    Moment,
    Problem,
    Ranking,
    Scoring,
    Status,
    zone_of,
)
from assay.community.documents import read_texts, title_of
from assay.community.forms import Day, Form, Line, Lines, Paragraph, StrictForm, Tags, Web, Webs, fill, others
from assay.errors import InvalidInputError
from assay.expressions import ExpressionError, Kind, parse
from assay.results.fields import by_name

_MOST_POINTS = 1_000_000
_LONGEST_EXPRESSION = 2000
Points = Annotated[int, Field(ge=0, le=_MOST_POINTS)]


def _expression(text: str) -> str:
    text = text.strip()
    if len(text) > _LONGEST_EXPRESSION:
        raise ValueError(f"an expression has at most {_LONGEST_EXPRESSION} characters")
    if text:
        try:
            parse(text)
        except ExpressionError as error:
            raise ValueError(str(error)) from None
    return text


def _zone(name: str) -> str:
    try:
        zone_of(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError("not a time zone such as Europe/Paris") from None
    return name


def _per(value: object) -> object:
    return tuple(value) if isinstance(value, list) else value


def _comparable(names: tuple[str, ...]) -> tuple[str, ...]:
    for name in names:
        field = by_name().get(name)
        if field is None or field.kind not in (Kind.TEXT, Kind.TEXTS):
            raise ValueError(f"{name!r} is no field of words that results can have in common")
    if len(names) > 8:
        raise ValueError("at most 8 fields are expected")
    return names


def _flag(value: object) -> object:
    """CM's entries write true, 1, yes, or nothing."""
    return False if value in (None, "") else value


Expression = Annotated[str, AfterValidator(_expression)]
Flag = Annotated[bool, BeforeValidator(_flag)]


class RankingForm(StrictForm):
    """How results are ranked."""

    metric: Expression = "samples_per_second"
    lowest: bool = False
    per: Annotated[tuple[str, ...], AfterValidator(_comparable), BeforeValidator(_per)] = Ranking().per


class ScoringForm(StrictForm):
    """How points are counted."""

    accepted: Points = 1
    first: Points = 0
    second: Points = 0
    third: Points = 0
    report: Points = 1


class ExperimentForm(Form):
    """Experiments by tags or by name."""

    tags: Tags = ""
    name: Line = ""


class MomentForm(StrictForm):
    """A line of the timeline."""

    date: Day
    what: Line


class HowToForm(StrictForm):
    """A step of taking part."""

    title: Line
    command: Paragraph


class ChallengeForm(Form):
    """A challenge as its metadata says it."""

    title: Line = ""
    date_open: Day = None
    date_close: Day = None
    date_close_extension: bool | Day = None
    points: Points | None = None
    trophies: Flag = False
    prize: Paragraph = ""
    prize_short: Line = ""
    url: Webs = ()
    urls: Webs = ()
    experiments: Annotated[tuple[ExperimentForm, ...], Field(max_length=200)] = ()
    reproduced_papers_tags: Tags = ""
    under_preparation: Flag = False
    hot: Flag = False
    sort: int = 0
    skip: Flag = False
    notes: Paragraph = ""
    digital_library_url: Web = ""
    use_self_url: Flag = False
    report_url: Web = ""
    dashboard_url: Web = ""
    dashboard_note: Paragraph = ""

    timezone: Annotated[str, AfterValidator(_zone)] = "UTC"
    rounds: Lines = ()
    tasks: Lines = ()
    benchmarks: Lines = ()
    categories: Lines = ()
    divisions: Lines = ()
    scenarios: Lines = ()
    filter: Expression = ""
    ranking: RankingForm = RankingForm()
    scoring: ScoringForm | None = None
    private: bool = False
    timeline: Annotated[tuple[MomentForm, ...], Field(max_length=200)] = ()
    rules: Annotated[tuple[Paragraph, ...], Field(max_length=200)] = ()
    how_to: Annotated[tuple[HowToForm, ...], Field(max_length=100)] = ()

    @property
    def until_done(self) -> bool:
        """It was extended without a day."""
        return self.date_close_extension is True

    @property
    def last_extended(self) -> date | None:
        """The last day after it was extended."""
        return None if isinstance(self.date_close_extension, bool) else self.date_close_extension

    @property
    def out_of_order(self) -> bool:
        """It closes before it opens."""
        last = self.last_extended or self.date_close
        return bool(self.date_open and last and last < self.date_open)


def challenge_of(
    artifact: Artifact, meta: Any, repository: str, now: datetime
) -> tuple[Challenge, tuple[Problem, ...]]:
    """The challenge of an entry, and what of it is wrong and left out.

    Args:
        artifact: the entry.
        meta: its fields with those it inherits.
        repository: alias of its repository.
        now: the moment its status is told for.

    Raises:
        InvalidInputError: for an entry that is no challenge, with file and key.
    """
    if not is_uid(artifact.uid):
        raise InvalidInputError("a challenge needs a uid", where=artifact.path, expected="16 lower-case hex digits")
    form = fill(ChallengeForm, meta, _file(artifact))
    texts, wrong = read_texts(artifact.path)
    if form.out_of_order:
        wrong.append(f"{_file(artifact)}: it closes before it opens")
    scoring = form.scoring or ScoringForm(accepted=form.points if form.points is not None else Scoring().accepted)
    same = {name: getattr(form, name) for name in _SAME}
    found = Challenge(
        uid=artifact.uid,
        alias=artifact.alias,
        repository=repository,
        path=artifact.path,
        title=form.title or artifact.alias or artifact.uid,
        status=Status.OPEN,
        tags=artifact.tags,
        date_close_extension=form.last_extended,
        until_done=form.until_done,
        urls=tuple(dict.fromkeys((*form.url, *form.urls))),
        experiments=tuple(ExperimentLink(each.tags, each.name) for each in form.experiments),
        ranking=Ranking(**form.ranking.model_dump()),
        scoring=Scoring(**scoring.model_dump()),
        timeline=tuple(Moment(each.date, each.what) for each in form.timeline if each.date is not None),
        how_to=tuple(HowTo(each.title, each.command) for each in form.how_to),
        documents=tuple(
            Document(each.name, title_of(each.content, each.name), each.content, each.name.endswith(".html"))
            for each in texts
        ),
        other=others(form),
        **same,
    )
    return found.seen_at(now), tuple(Problem(artifact.path, reason, listed=True) for reason in wrong)


_SAME = (
    "date_open", "date_close", "points", "trophies", "prize", "prize_short",
    "reproduced_papers_tags", "under_preparation", "hot", "sort", "skip", "notes", "digital_library_url",
    "use_self_url", "report_url", "dashboard_url", "dashboard_note", "timezone", "rounds", "tasks", "benchmarks",
    "categories", "divisions", "scenarios", "filter", "private", "rules",
)  # fmt: skip


def _file(artifact: Artifact) -> Any:
    """The file of an entry's metadata."""
    names = [artifact.path / f"{META}.{ending}" for ending in ("json", "yaml")]
    return next((path for path in names if path.is_file()), artifact.path)
