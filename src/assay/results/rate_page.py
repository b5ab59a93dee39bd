"""A search for the Server rate as one HTML file that needs nothing else: no script, no request, pictures inline."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from assay import __version__
from assay.base.files import write_atomic
from assay.base.units import format_duration
from assay.loadgen.attempts import Aim, Tried
from assay.loadgen.search import Found
from assay.results.figures import Figure, drawn
from assay.results.rate_charts import late_by_rate, rate_by_attempt
from assay.results.templating import html_templates, page_style


@dataclass(frozen=True, slots=True)
class RatePage:
    """What the page shows.

    Attributes:
        about: what was searched, as name and value.
        tried: attempts, at least one.
        found: what the search came to; None when it was interrupted.
        command: runs the found rate again; empty when there is none.
    """

    title: str
    about: tuple[tuple[str, str], ...]
    aim: Aim
    tried: tuple[Tried, ...]
    found: Found | None
    command: str


def write_rate_page(page: RatePage, target: Path) -> None:
    """Write the page.

    Raises:
        MachineError: when the file cannot be written.
    """
    write_atomic(target, render(page))


def render(page: RatePage) -> str:
    """The page as text; everything that came out of a run is escaped by the template engine."""
    environment = html_templates()
    style = page_style()
    found = page.found
    return environment.get_template("rate.html.j2").render(
        page=page,
        style=style,
        style_hash=base64.b64encode(hashlib.sha256(style.encode()).digest()).decode(),
        version=__version__,
        written=datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        rate=f"{found.rate:g}" if found and found.rate is not None else "",
        outcome=outcome(page),
        spent=_length(sum(each.attempt.duration_s for each in page.tried)),
        rows=[_cells(number, each) for number, each in enumerate(page.tried, 1)],
        figures=figures(page),
    )


def outcome(page: RatePage) -> str:
    """What the search came to, in a sentence."""
    found = page.found
    if found is None:
        return "The search was interrupted; asked again, it goes on from here."
    if found.rate is None:
        return f"{found.why[:1].upper()}{found.why[1:]}."
    word = "confirmed by a VALID run of full length" if found.confirmed else "not confirmed at full length"
    above = f"; {found.missed:g} missed" if found.missed else ""
    return f"{found.rate:g} queries/s, {word}{above}.{f' Note: {found.why}.' if found.why else ''}"


def figures(page: RatePage) -> list[Figure]:
    """Late queries by rate, and the rates in their order."""
    rate = page.found.rate if page.found else None
    # Early stopping lets fewer be late than the percentile, the fewer queries there are.
    allowed = page.aim.allowed_at(rate or page.tried[-1].attempt.rate)
    slowest, fastest = (pick(each.attempt.rate for each in page.tried) for pick in (min, max))
    text = f"{len(page.tried)} attempts from {slowest:g} to {fastest:g} queries/s."
    return [
        drawn(
            f"Late queries by rate; of a full run {allowed:.2%} may be late",
            f"{text} {outcome(page)}",
            late_by_rate(page.tried, allowed, rate),
            "late",
        ),
        drawn("Rates in the order they were tried", text, rate_by_attempt(page.tried, rate), "order"),
    ]


def _cells(number: int, tried: Tried) -> tuple[str, ...]:
    attempt = tried.attempt
    return (
        str(number),
        tried.step.value,
        f"{attempt.rate:g}",
        _length(attempt.duration_s),
        f"{attempt.queries:,}",
        f"{attempt.late:,}",
        f"{attempt.share:.2%}",
        f"{attempt.completed_rate:.4g}",
        tried.judged.value,
        attempt.run,
    )


def _length(seconds: float) -> str:
    return format_duration(seconds * 1e9)
