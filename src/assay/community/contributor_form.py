"""The fields of a CM ``contributor`` entry."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import BeforeValidator, Field

from assay.community.forms import Form, Line, Lines, Paragraph, Web, Webs

_DAY = re.compile(r"(\d{4})-?(\d{2})?-?(\d{2})?")


def _participation(value: object) -> str:
    """``YYYY``, ``YYYYMM`` or ``YYYYMMDD`` with dashes; empty for none."""
    text = "" if value is None else str(value).strip()
    if not text:
        return ""
    match = _DAY.fullmatch(text)
    if match is None:
        raise ValueError("not a date such as 2026, 202612 or 20261231")
    return "-".join(part for part in match.groups() if part)


class PointForm(Form):
    """Points that somebody wrote into the entry."""

    point: Annotated[int, Field(ge=-1_000_000, le=1_000_000)]
    desc: Paragraph = ""


class TrophyForm(Form):
    """A trophy: an address."""

    url: Web = ""


class ContributorForm(Form):
    """A contributor as the metadata says it."""

    name: Line = ""
    organization: Line = ""
    url: Webs = ()
    urls: Webs = ()
    challenges: Lines = ()
    ongoing: Lines = ()
    points: Annotated[tuple[PointForm, ...], Field(max_length=1000)] = ()
    trophies: Annotated[tuple[TrophyForm, ...], Field(max_length=200)] = ()
    last_participation_date: Annotated[str, BeforeValidator(_participation)] = ""
    skip: bool = False
