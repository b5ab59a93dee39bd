"""The form of a report: what it is about, what is measured again, and how it becomes a commit."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from assay.base.units import parse_duration
from assay.cm.meta import JsonValue
from assay.community.challenges import find_challenge
from assay.community.report import Report, ReportVerdict, add_report
from assay.errors import UsageError
from assay.playground.forms import FormPage
from assay.playground.here import Here
from assay.playground.lines import ResultLine, result_lines
from assay.playground.page import PageModel
from assay.results.fields import by_name
from assay.results.lines import of_uids
from assay.results.one import find_result

LONGEST_TEXT = 200_000
"""Characters of a report that is written in the browser: what pages show of a text."""
LONGEST_TITLE = 200
FIGURES = ("value", "samples_per_second", "accuracy", "watts", "joules_per_sample")


@dataclass(frozen=True, slots=True)
class Sent:
    """What a form was sent with, as it was typed."""

    result: str = ""
    challenge: str = ""
    title: str = ""
    text: str = ""
    verdict: str = ""
    private: bool = False
    figures: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class About:
    """What a report is about, found among what the viewer may see."""

    results: tuple[str, ...]
    challenges: tuple[str, ...]
    values: Mapping[str, Any] | None


class FigureField(PageModel):
    """A figure that can be told: what was published, and what was typed."""

    name: str
    meaning: str
    unit: str
    published: float
    typed: str


class ReportFormPage(FormPage):
    """The form of a report; ``preview`` is the text as it will be shown, made harmless."""

    result: str = ""
    challenge: str = ""
    challenge_title: str = ""
    line: ResultLine | None = None
    title: str = ""
    text: str = ""
    verdict: str = ""
    private: bool = False
    verdicts: tuple[str, ...] = tuple(each.value for each in ReportVerdict)
    figures: tuple[FigureField, ...] = ()
    preview: str = ""
    longest_text: int = LONGEST_TEXT


def about(here: Here, sent: Sent) -> About:
    """What a report is about.

    Raises:
        NotFoundError: for a result or a challenge that is not there, in the same words for one that may not be seen.
        UsageError: when it is about nothing.
    """
    values = find_result(here.store, sent.result).values if sent.result else None
    challenge = (
        find_challenge(here.settings, sent.challenge, here.viewer.audience, here.now) if sent.challenge else None
    )
    if values is None and challenge is None:
        raise UsageError("a report is about a result or a challenge", hint="open the page of one, and begin there")
    return About((values["uid"],) if values else (), (challenge.uid,) if challenge else (), values)


def form_page(here: Here, sent: Sent, **more: Any) -> ReportFormPage:
    """The form, with what was typed already.

    Raises:
        NotFoundError, UsageError: as :func:`about`.
    """
    found = about(here, sent)
    challenge = (
        find_challenge(here.settings, sent.challenge, here.viewer.audience, here.now) if sent.challenge else None
    )
    return ReportFormPage(
        result=found.results[0] if found.results else "",
        challenge=challenge.name if challenge else "",
        challenge_title=challenge.title if challenge else "",
        line=next(iter(result_lines(of_uids(here.store, found.results))), None),
        title=sent.title,
        text=sent.text,
        verdict=sent.verdict,
        private=sent.private,
        figures=_fields(found.values or {}, sent.figures or {}),
        **more,
    )


def write(here: Here, sent: Sent) -> Report:
    """Write a report, as a commit by who is signed in.

    Raises:
        UsageError: for a title, text, verdict or figure that cannot be one.
        NotFoundError: for a result or challenge that the viewer does not see.
        MissingDependencyError: without git.
    """
    who = here.viewer
    assert who.name is not None
    check(sent)
    found = about(here, sent)
    return add_report(
        here.settings,
        contributor=who.name,
        title=sent.title,
        text=sent.text.replace("\r\n", "\n"),
        now=here.now,
        results=found.results,
        challenges=found.challenges,
        verdict=ReportVerdict(sent.verdict) if sent.verdict else None,
        figures=numbers(sent.figures or {}),
        private=sent.private,
        display_name=who.shown or "",
    )


def check(sent: Sent) -> None:
    """Refuse what cannot be a report.

    Raises:
        UsageError: for a title, text, verdict or figure that cannot be one.
    """
    if not sent.title.strip() or len(sent.title) > LONGEST_TITLE:
        raise UsageError("the title is no line of text", expected=f"1 to {LONGEST_TITLE} characters")
    if not sent.text.strip():
        raise UsageError("the report says nothing", expected="what was run, on what, and what came of it")
    if len(sent.text) > LONGEST_TEXT:
        raise UsageError("the report is too long", expected=f"at most {LONGEST_TEXT:,} characters")
    if sent.verdict and sent.verdict not in set(ReportVerdict):
        raise UsageError("the verdict is none", expected=" or ".join(ReportVerdict), found=sent.verdict[:40])
    numbers(sent.figures or {})


def numbers(typed: Mapping[str, str]) -> dict[str, JsonValue]:
    """Figures that were typed; empty ones are left out.

    Raises:
        UsageError: for what is no number.
    """
    found: dict[str, JsonValue] = {}
    for name, text in typed.items():
        if not text.strip():
            continue
        number = _number(text.strip()) if len(text) < 60 else None
        if number is None or not math.isfinite(number):
            raise UsageError(f"{name} is no number", expected="a number, such as 210.5, or 1.5 ms", found=text[:40])
        found[name] = number
    return found


def _number(text: str) -> float | None:
    """A number, or a time such as ``1.5 ms`` in nanoseconds; None for neither."""
    try:
        return float(text.replace(",", ""))
    except ValueError:
        pass
    try:
        return float(parse_duration(text.replace(" ", "")))
    except UsageError:
        return None


def unit_of(name: str, values: Mapping[str, Any]) -> str:
    """The unit of a figure of a result; empty for none."""
    if name in ("value", "accuracy"):
        return str(values.get("unit" if name == "value" else "accuracy_unit") or "")
    field = by_name().get(name)
    return field.unit if field else ""


def _fields(values: Mapping[str, Any], typed: Mapping[str, str]) -> tuple[FigureField, ...]:
    """Figures that were published and can be compared."""
    same = values.get("value") == values.get("samples_per_second")
    return tuple(
        FigureField(
            name=name,
            meaning=by_name()[name].description,
            unit=unit_of(name, values),
            published=values[name],
            typed=typed.get(name, ""),
        )
        for name in FIGURES
        if isinstance(values.get(name), (int, float)) and not (same and name == "samples_per_second")
    )
