"""The official fields of a system description: since which round, and what may stand in them."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from enum import StrEnum
from importlib.resources import as_file, files
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict

from assay.base.yamlfile import read_yaml, validate
from assay.errors import unknown


class Kind(StrEnum):
    """What a field holds."""

    TEXT = "text"
    COUNT = "count"
    CHOICE = "choice"
    FLAG = "flag"


class Needed(StrEnum):
    """Which descriptions need a field."""

    ALWAYS = "always"
    NETWORK = "network"
    POWER = "power"


class NotApplicable(StrEnum):
    """Where ``N/A`` is an answer."""

    NEVER = "never"
    ALWAYS = "always"
    WITHOUT_ACCELERATOR = "without-accelerator"


@dataclass(frozen=True, slots=True)
class Field:
    """One official field.

    Attributes:
        name: key in the JSON file.
        title: what to answer.
        choices: the values allowed, for ``Kind.CHOICE``.
        since: first round whose checker asks for the key; None for all.
        filled_since: first round whose checker refuses an empty value; None for none.
    """

    name: str
    title: str
    kind: Kind
    choices: tuple[str, ...]
    needed: Needed
    since: str | None
    filled_since: str | None
    na: NotApplicable


@dataclass(frozen=True, slots=True)
class FieldList:
    """All fields, in the order people are asked for them, and the words that are no answers."""

    rounds: tuple[str, ...]
    fields: tuple[Field, ...]
    placeholders: frozenset[str]
    not_applicable: frozenset[str]

    def get(self, name: str) -> Field | None:
        """The field of a name."""
        return next((field for field in self.fields if field.name == name), None)

    def asked_in(self, field: Field, round_name: str) -> bool:
        """Whether a round's checker asks for the key.

        Raises:
            NotFoundError: for a round this list does not know.
        """
        return self._position(round_name) >= self._position(field.since or self.rounds[0])

    def filled_in(self, field: Field, round_name: str) -> bool:
        """Whether a round's checker refuses an empty value.

        Raises:
            NotFoundError: for a round this list does not know.
        """
        return field.filled_since is not None and self._position(round_name) >= self._position(field.filled_since)

    def _position(self, round_name: str) -> int:
        if round_name not in self.rounds:
            raise unknown("round", round_name, self.rounds)
        return self.rounds.index(round_name)


class _Form(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=False)


class _FieldForm(_Form):
    title: str
    kind: Kind = Kind.TEXT
    choices: tuple[str, ...] = ()
    needed: Needed = Needed.ALWAYS
    since: str | None = None
    filled_since: str | None = None
    na: NotApplicable = NotApplicable.NEVER


class _FileForm(_Form):
    format: Literal[1]
    rounds: tuple[str, ...]
    placeholders: tuple[str | None, ...]
    not_applicable: tuple[str | None, ...]
    fields: dict[str, _FieldForm]


@functools.cache
def field_list() -> FieldList:
    """The list that comes with assay."""
    with as_file(files("assay.system") / "fields.yaml") as path:
        return read_fields(path)


def read_fields(path: Path) -> FieldList:
    """Read a field list.

    Raises:
        InvalidInputError: with file, line and key.
    """
    form = validate(_FileForm, read_yaml(path))
    fields = tuple(
        Field(
            name=name, title=entry.title, kind=entry.kind, choices=entry.choices, needed=entry.needed,
            since=entry.since, filled_since=entry.filled_since, na=entry.na,
        )
        for name, entry in form.fields.items()
    )  # fmt: skip
    return FieldList(form.rounds, fields, _words(form.placeholders), _words(form.not_applicable))


def _words(words: tuple[str | None, ...]) -> frozenset[str]:
    # YAML reads a bare null as None; people write the word into JSON all the same.
    return frozenset("null" if word is None else word.casefold() for word in words)
