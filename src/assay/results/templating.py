"""The template engine of pages that stand alone, and their style; one place sees that everything is escaped."""

from __future__ import annotations

from importlib import resources

from jinja2 import Environment, PackageLoader, StrictUndefined


def html_templates() -> Environment:
    """Templates of this room: what came out of a run is escaped, and a name that is not there is an error."""
    return Environment(
        loader=PackageLoader("assay.results"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def page_style() -> str:
    """The style sheet that a page carries in itself."""
    return resources.files("assay.results").joinpath("templates", "report.css").read_text(encoding="utf-8")
