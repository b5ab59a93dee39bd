"""Templates: Jinja2 with escaping on, undefined names an error, and the words for figures, units and moments."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any
from urllib.parse import quote, urlencode

import jinja2
from starlette.requests import Request

import assay
from assay.base.units import format_count, format_duration, format_size
from assay.playground.accounts.viewer import Via, Viewer
from assay.playground.static_files import StaticFiles
from assay.results.fields import by_name
from assay.results.words import number, short_unit
from assay.rules.words import metric_word

_SELF_EVIDENT = frozenset({"ns", "s", "B", "cores", "nodes", "accelerators", "queries"})
LABELS: Mapping[str, str] = {
    "stand-in-model": "another model than the benchmark's: not comparable",
    "synthetic-weights": "weights that were never trained: speed only",
    "small-dataset": "fewer samples than the benchmark asks for",
    "short-run": "shorter than the rules ask for",
    "custom-model": "a model of the user's own",
    "custom-dataset": "data of the user's own",
}


class Markup:
    """The templates of the playground.

    Args:
        files: give addresses of style sheets and scripts.
    """

    def __init__(self, files: StaticFiles) -> None:
        self.static = files.address
        self._environment = jinja2.Environment(
            loader=jinja2.PackageLoader("assay.playground", "templates"),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
        )
        self._environment.globals |= {
            "static": files.address,
            "version": assay.__version__,
            "query": query,
            "json_twin": json_twin,
            "navigation": navigation,
        }
        self._environment.filters |= {
            "value": value_text,
            "figure": figure,
            "unit": unit_text,
            "count": format_count,
            "duration": format_duration,
            "size": format_size,
            "day": day,
            "moment": moment,
            "segment": segment,
            "label_meaning": label_meaning,
            "meaning": meaning,
            "metric_word": metric_word,
            "ratio": ratio,
            "percent": percent,
            "capitalize_first": capitalize_first,
            "union_of": lambda one, other: frozenset(one) | frozenset(other),
        }

    def render(self, template: str, **names: Any) -> str:
        """A template as text."""
        return self._environment.get_template(template).render(**names)


def value_text(value: Any, unit: str = "") -> str:
    """A value for people: times and sizes in the unit that fits, four significant digits otherwise; a dash for none."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (list, tuple)):
        return ", ".join(value_text(each) for each in value) or "–"
    if isinstance(value, (int, float)):
        return _number_text(value, unit)
    return "–" if value is None else str(value)


def _number_text(value: float, unit: str) -> str:
    if unit in ("ns", "s"):
        return format_duration(value * (1e9 if unit == "s" else 1))
    if unit == "B":
        return format_size(value)
    return f"{value:,}" if isinstance(value, int) else number(value)


def figure(value: Any, unit: str | None = None) -> str:
    """A value with its unit behind it."""
    text, behind = value_text(value, unit or ""), unit_text(unit)
    return text if value is None or not behind or unit in _SELF_EVIDENT else f"{text} {behind}"


def unit_text(unit: str | None) -> str:
    """A unit as it stands behind a number; empty for none."""
    return short_unit(unit)


def json_twin(request: Request) -> str:
    """The address of the JSON of a page, with the page's query."""
    # As it was sent: names may hold slashes and dots that only their escapes keep. One slash, so that it stays here.
    raw = request.scope.get("raw_path") or quote(request.scope["path"]).encode()
    path = "/" + raw.decode("latin-1").partition("?")[0].strip("/")
    path = "/home" if path == "/" else path
    found = path if path.endswith(".json") else f"{path}.json"
    return f"{found}?{request.url.query}" if request.url.query else found


def navigation(viewer: Viewer) -> list[tuple[str, str]]:
    """The pages at the top, for who looks."""
    found = [
        ("/explorer", "Explorer"),
        ("/benchmarks", "Benchmarks"),
        ("/systems", "Systems"),
        ("/rounds", "Rounds"),
        ("/challenges", "Challenges"),
        ("/contributors", "Contributors"),
        ("/reports", "Reports"),
        ("/submit", "Submit"),
    ]
    if viewer.via is Via.LOCAL or viewer.is_maintainer:
        found.insert(1, ("/runs", "Runs"))
    return found


def capitalize_first(text: str) -> str:
    """A sentence that begins with a capital."""
    return text[:1].upper() + text[1:]


def ratio(value: float | None) -> str:
    """A ratio, such as ``1.25×``."""
    return "–" if value is None else f"{number(value)}×"


def percent(share: float | None, *, signed: bool = False) -> str:
    """A share as a percentage."""
    if share is None:
        return "–"
    text = f"{share * 100:+.1f}" if signed else f"{share * 100:.1f}"
    return text.removesuffix(".0") + "%"


def day(value: date | str | None) -> str:
    """A day as 28 Nov 2026; a text that is none as it is."""
    found = _parsed(value)
    return found if isinstance(found, str) else f"{found.day} {found:%b %Y}"


def moment(value: datetime | str | None) -> str:
    """A moment to the minute with its zone; a text that is none as it is."""
    found = _parsed(value)
    if isinstance(found, str):
        return found
    zone = found.tzname() if isinstance(found, datetime) else None
    return f"{found.day} {found:%b %Y, %H:%M} {zone or ''}".rstrip()


def _parsed(value: date | str | None) -> date | str:
    if value is None or isinstance(value, date):
        return "–" if value is None else value
    try:
        return datetime.fromisoformat(value)
    except ValueError:
        return value


def query(**parameters: Any) -> str:
    """Parameters as the end of an address, ``?a=b``; empty ones left out."""
    given = [
        (name, str(each))
        for name, value in parameters.items()
        for each in (value if isinstance(value, (list, tuple)) else [value])
        if each not in (None, "")
    ]
    return f"?{urlencode(given)}" if given else ""


def segment(text: Any) -> str:
    """A text as one segment of a path."""
    return quote(str(text), safe="")


def label_meaning(label: str) -> str:
    """What a label says about a figure."""
    return LABELS.get(label, "a figure that must not be shown without this label")


def meaning(name: str) -> str:
    """What a field is, in one sentence; empty for what is no field."""
    found = by_name().get(name)
    return found.description if found else ""
