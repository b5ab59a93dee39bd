"""A report as one HTML file that needs nothing else: no script, no request, light and dark.

Everything that came out of the tree is escaped by the template engine, and the page forbids itself every source but
its own style sheet, so that even a hostile name stays text. A page stays readable, and small enough to open, whatever
was found: long lists end with how many more there are and where to find them.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import resources
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from assay import __version__
from assay.base.files import write_atomic
from assay.base.units import format_count, format_size
from assay.rules.submission import Level
from assay.submission.model import CheckReport, Finding, Outcome, ResultReport
from assay.submission.report.words import CodeGroup, Place, by_code, places, plain, result_path

_MAX_PLACES = 100
_MAX_ROWS = 300
_MAX_REFUSED = 100
_OPEN_ROWS = 60
_MAX_CODES = 6
_SHORT_UNITS = {"Latency (ms)": "ms", "Samples/s": "samples/s", "Queries/s": "queries/s", "Watts": "W"}
_SHORT_UNITS |= {"millijoules": "mJ", "Joules": "J"}
_COLUMNS = (("Field", "field"), ("Found", "found"), ("Expected", "expected"), ("Remark", "detail"))
_REFUSES = (Level.FLAG, Level.REJECT)


@dataclass(frozen=True, slots=True)
class Verdict:
    """One of the two verdicts in the header of the page."""

    name: str
    by: str
    ok: bool
    taken: str
    count: str
    refused: tuple[str, ...]
    more: str


@dataclass(frozen=True, slots=True)
class Row:
    """A result."""

    model: str
    benchmark: str
    scenario: str
    figure: str
    accuracy: str
    power: str
    inferred: bool
    official: bool
    strict: bool
    codes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class System:
    """Results of one system."""

    name: str
    full_name: str
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Submitter:
    """Results of a submitter in a division.

    Attributes:
        more: what is said of results that are not listed; empty when all are.
    """

    name: str
    division: str
    anchor: str
    count: int
    systems: tuple[System, ...]
    system_count: int
    official: int
    strict: int
    more: str


@dataclass(frozen=True, slots=True)
class Code:
    """Findings of one code.

    Attributes:
        columns: heading and field of what the listed ones say; no column is empty.
        official: how many have the gravest level, of how many; empty when all have it.
        strict: the same under the written rules.
        more: how many are not listed; empty when all are.
        mixed: their levels differ.
    """

    group: CodeGroup
    anchor: str
    listed: tuple[Finding, ...]
    columns: tuple[tuple[str, str], ...]
    count: str
    official: str
    strict: str
    more: str
    mixed: bool


def write(report: CheckReport, path: Path) -> None:
    """Write a report as an HTML file.

    Raises:
        MachineError: when the file cannot be written.
    """
    write_atomic(path, encoded(report))


def encoded(report: CheckReport) -> bytes:
    """The file's content."""
    return render(report).encode()


def render(report: CheckReport, *, written: datetime | None = None) -> str:
    """The page as text.

    Args:
        report: the report.
        written: time that the page shows; now unless given.
    """
    environment = Environment(
        loader=PackageLoader("assay.submission.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=lambda value: plain(value) if type(value) is str else value,
    )
    environment.filters["path"] = _breakable
    folder = resources.files("assay.submission.report").joinpath("templates")
    style = folder.joinpath("check.css").read_text(encoding="utf-8")
    codes = [_code(group) for group in by_code(report.findings)]
    found = places(report)
    return environment.get_template("check.html.j2").render(
        style=style,
        style_hash=base64.b64encode(hashlib.sha256(style.encode()).digest()).decode(),
        version=__version__,
        written=(written or datetime.now(UTC)).strftime("%Y-%m-%d %H:%M UTC"),
        name=_name(report.root),
        round=report.round,
        facts=_facts(report),
        verdicts=_verdicts(report),
        codes=codes,
        total=format_count(len(report.findings)),
        submitters=_submitters(
            [place for place in found if place.result is not None], {each.group.code for each in codes}
        ),
        result_count=len(report.results),
        open_rows=_OPEN_ROWS,
    )


def _breakable(path: str) -> Markup:
    """A path that may be broken behind each of its slashes."""
    return Markup("/<wbr>").join(plain(path).split("/"))


def _name(root: str) -> str:
    """What to call the tree: the folder's own name."""
    return Path(root).name or Path(root).resolve().name or root


def _count(number: int, noun: str) -> str:
    return f"{format_count(number)} {noun}{'' if number == 1 else 's'}"


def _facts(report: CheckReport) -> list[tuple[str, str]]:
    looked_at = f"{_count(report.systems, 'system')}, {_count(len(report.results), 'result')}"
    return [
        ("Tree", report.root),
        ("Round", report.round),
        ("Looked at", looked_at),
        ("Files", f"{format_count(report.files)}, {format_size(report.bytes)} of logs"),
    ]


def _verdicts(report: CheckReport) -> list[Verdict]:
    return [
        _verdict("Official", report.tool, report.official),
        _verdict("Strict", f"the written rules of {report.round}", report.strict),
    ]


def _verdict(name: str, by: str, outcome: Outcome) -> Verdict:
    rest = len(outcome.refused) - _MAX_REFUSED
    return Verdict(
        name=name,
        by=by,
        ok=outcome.ok,
        taken=f"{_count(outcome.accepted, 'result')} taken",
        count=f"{_count(len(outcome.refused), 'place')} refused",
        refused=outcome.refused[:_MAX_REFUSED],
        more=f"{_count(rest, 'more place')}; assay check --json lists all of them" if rest > 0 else "",
    )


# ---- findings


def _code(group: CodeGroup) -> Code:
    ordered = sorted(group.findings, key=lambda each: (-each.official.rank, -each.strict.rank))
    rest = len(ordered) - _MAX_PLACES
    return Code(
        group=group,
        anchor=f"code-{group.code}",
        listed=tuple(ordered[:_MAX_PLACES]),
        columns=tuple(each for each in _COLUMNS if any(getattr(finding, each[1]) for finding in ordered[:_MAX_PLACES])),
        count=_count(len(ordered), "place"),
        official=_share(sum(each.official is group.official for each in ordered), len(ordered)),
        strict=_share(sum(each.strict is group.strict for each in ordered), len(ordered)),
        more=f"{_count(rest, 'more place')} not listed here; assay check --all lists every one" if rest > 0 else "",
        mixed=len({(each.official, each.strict) for each in ordered}) > 1,
    )


def _share(count: int, total: int) -> str:
    return "" if count == total else f"{format_count(count)} of {format_count(total)}"


# ---- results


def _submitters(found: Iterable[Place], codes: set[str]) -> list[Submitter]:
    groups: dict[tuple[str, str], list[Place]] = {}
    for place in found:
        assert place.result is not None
        groups.setdefault((place.result.division, place.result.submitter), []).append(place)
    return [_submitter(key, own, number, codes) for number, (key, own) in enumerate(sorted(groups.items()), start=1)]


def _submitter(key: tuple[str, str], own: Sequence[Place], number: int, codes: set[str]) -> Submitter:
    division, name = key
    # Refused results come first when not all can be listed; the list itself keeps the order of the paths.
    gravest = sorted(own, key=lambda place: (place.official, place.strict))
    listed = {place.path for place in gravest[:_MAX_ROWS]}
    systems: dict[str, list[Place]] = {}
    for place in own:
        if place.path in listed:
            systems.setdefault(_of(place).system, []).append(place)
    return Submitter(
        name=name,
        division=division,
        anchor=f"submitter-{number}",
        count=len(own),
        systems=tuple(
            System(system, _of(rows[0]).system_name, tuple(_row(place, codes) for place in rows))
            for system, rows in systems.items()
        ),
        system_count=len({_of(place).system for place in own}),
        official=sum(place.official for place in own),
        strict=sum(place.strict for place in own),
        more=_more_rows(gravest[_MAX_ROWS:]),
    )


def _of(place: Place) -> ResultReport:
    assert place.result is not None
    return place.result


def _more_rows(rest: Sequence[Place]) -> str:
    if not rest:
        return ""
    refused = {name: sum(not getattr(place, name) for place in rest) for name in ("official", "strict")}
    verdicts = ", ".join(f"{format_count(count)} refused by the {name} verdict" for name, count in refused.items())
    return f"{_count(len(rest), 'more result')} not listed here ({verdicts}); assay check --json has them all"


def _row(place: Place, codes: set[str]) -> Row:
    result, at = _of(place), result_path(place.path)
    blamed = [
        each.code
        for each in place.findings
        if (each.official is Level.REJECT or each.strict is Level.REJECT)
        or (each.result == at and (each.official in _REFUSES or each.strict in _REFUSES))
    ]
    return Row(
        model=result.model,
        benchmark="" if result.benchmark == result.model else result.benchmark,
        scenario=result.scenario,
        figure=_figure(result.value, result.unit),
        accuracy=_accuracy(result.accuracy),
        power=_figure(result.power, result.power_unit),
        inferred=result.inferred,
        official=place.official,
        strict=place.strict,
        codes=tuple(code for code in dict.fromkeys(blamed) if code in codes),
    )


def _accuracy(text: str | None) -> str:
    """The figure of accuracy.txt with as many digits as a target has; whatever is no number stays as it is."""
    try:
        return f"{float(text or ''):.5f}".rstrip("0").rstrip(".")
    except ValueError:
        return text or ""


def _figure(value: float | None, unit: str) -> str:
    if value is None:
        return ""
    number = f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"
    return f"{number} {_SHORT_UNITS.get(unit, unit)}".rstrip()
