"""What entries of CM may hold, checked: texts of strangers, bounded and typed, with errors that name file and key."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Annotated, Any, TypeVar
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, StringConstraints, ValidationError

from assay.cm.meta import JsonObject, JsonValue
from assay.errors import InvalidInputError

_IDENTITY = frozenset({"alias", "uid", "automation_alias", "automation_uid", "tags"})
_SECRET = re.compile(r"_*password", re.IGNORECASE)
_DAY = re.compile(r"(\d{4})-?(\d{2})-?(\d{2})")
_YEARS = range(1970, 3000)
_MOST_OTHER = 100
_LONGEST_OTHER = 10_000

F = TypeVar("F", bound=BaseModel)


def read_day(value: object) -> object:
    """A day from ``YYYYMMDD`` or ``YYYY-MM-DD``; an empty text is none."""
    if value is None or value == "":
        return None
    match = _DAY.fullmatch(str(value).strip()) if isinstance(value, str | int) and not isinstance(value, bool) else None
    if match is None:
        raise ValueError("not a date such as 20261231")
    found = date(int(match[1]), int(match[2]), int(match[3]))
    if found.year not in _YEARS:
        raise ValueError(f"a year from {_YEARS[0]} to {_YEARS[-1]} is expected")
    return found


def web_address(text: str) -> str:
    """An address that a browser opens: nothing but http and https is let through."""
    text = text.strip()
    if not text:
        return ""
    if not text.isprintable() or any(each in text for each in " <>\"'\\`"):
        raise ValueError("not an address of the web")
    parts = urlsplit(text)
    if parts.scheme not in ("https", "http") or not parts.hostname:
        raise ValueError("not an address that begins with https:// or http://")
    return text


def _texts(value: object) -> object:
    """A list from a list, from ``a, b``, or from nothing."""
    if value is None or value == "":
        return ()
    if isinstance(value, str):
        return tuple(part.strip() for part in value.split(",") if part.strip())
    return value


def _addresses(value: object) -> object:
    """Addresses from texts and from ``{name, url}``."""
    items = [value] if isinstance(value, str | dict) else value
    if items is None or not isinstance(items, list | tuple):
        return items or ()
    found = [each.get("url", "") if isinstance(each, dict) else each for each in items]
    return tuple(each for each in found if each != "")


def _word(value: object) -> object:
    """A text; a number stands for its digits, and nothing for the empty text."""
    if value is None:
        return ""
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


def _tags(value: object) -> object:
    return ",".join(map(str, value)) if isinstance(value, list | tuple) else _word(value)


def _most(limit: int) -> Any:
    def check(value: tuple[object, ...]) -> tuple[object, ...]:
        if len(value) > limit:
            raise ValueError(f"at most {limit} are expected")
        return value

    return AfterValidator(check)


Day = Annotated[date | None, BeforeValidator(read_day)]
Line = Annotated[str, StringConstraints(max_length=500, strip_whitespace=True), BeforeValidator(_word)]
Paragraph = Annotated[str, StringConstraints(max_length=20_000, strip_whitespace=True), BeforeValidator(_word)]
Tags = Annotated[str, StringConstraints(max_length=2000), BeforeValidator(_tags)]
Web = Annotated[str, StringConstraints(max_length=2000), AfterValidator(web_address), BeforeValidator(_word)]
Lines = Annotated[tuple[Line, ...], _most(200), BeforeValidator(_texts)]
Webs = Annotated[tuple[Web, ...], _most(50), BeforeValidator(_addresses)]


class Form(BaseModel):
    """The base of forms: unknown keys are kept."""

    model_config = ConfigDict(extra="allow", frozen=True)


class StrictForm(BaseModel):
    """The base of forms of our own: unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def fill(form: type[F], meta: JsonObject, where: Path) -> F:
    """Fill a form from metadata.

    Raises:
        InvalidInputError: for the first error, with its file and key.
    """
    given = {key: value for key, value in meta.items() if key not in _IDENTITY and not _SECRET.match(key)}
    try:
        return form.model_validate(given)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False)[0]
        key = ".".join(str(part) for part in first["loc"])
        message = first["msg"].removeprefix("Value error, ")
        raise InvalidInputError(message, where=f"{where}: {key}", found=repr(first["input"])[:80]) from error


def others(form: BaseModel) -> Mapping[str, JsonValue]:
    """Keys that a form does not know, as they were written; what is very long is left out."""
    extra = form.__pydantic_extra__ or {}
    kept = [(key, value) for key, value in extra.items() if len(repr(value)) <= _LONGEST_OTHER]
    return dict(kept[:_MOST_OTHER])
