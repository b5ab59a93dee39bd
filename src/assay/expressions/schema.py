"""What an expression may speak of: fields, metrics, parameters, and what is allowed where it stands."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from assay.errors import InvalidInputError, UsageError
from assay.expressions.unit import Unit

_NAME = re.compile(r"[^`\x00-\x1f]{1,100}")


class Kind(StrEnum):
    """What kind of value it is; ``TEXTS`` is a list of texts."""

    NUMBER = "number"
    TEXT = "text"
    BOOLEAN = "boolean"
    TEXTS = "texts"


@dataclass(frozen=True, slots=True)
class Field:
    """One column that expressions may name.

    Attributes:
        name: what users write, and the key in a row that is evaluated in Python.
        kind: of its values. A column of numbers holds finite numbers or null, never NaN or infinity.
        column: SQL expression that gives it, such as ``"watts"``. Trusted: it is put into SQL as it is.
        unit: of a number; None for a pure number.
        description: one sentence for people who choose.
    """

    name: str
    kind: Kind
    column: str
    unit: Unit | None = None
    description: str = ""


@dataclass(frozen=True, slots=True)
class Definition:
    """A metric: an expression with a name, which other expressions may use.

    Attributes:
        name: what users write.
        text: the expression.
        unit: what its figures are shown in; the computed unit must be compatible. None takes the computed one.
        where: file and line it is written at, for errors.
        description: one sentence for people who choose.
    """

    name: str
    text: str
    unit: Unit | None = None
    where: str = ""
    description: str = ""

    @property
    def place(self) -> str:
        """Where an error in its text is."""
        return f"{self.where}: {self.name}" if self.where else f"metric {self.name}"


@dataclass(frozen=True, slots=True)
class Parameter:
    """A number that the user may give, such as the carbon per kilowatt-hour of the grid.

    Attributes:
        name: what expressions write.
        unit: of the value; None for a pure number.
        value: None as long as nobody gave it; whatever needs it is then null.
        description: one sentence for people who choose.
    """

    name: str
    unit: Unit | None = None
    value: float | None = None
    description: str = ""


@dataclass(frozen=True, slots=True)
class Schema:
    """The names an expression may use; each stands for one thing.

    Attributes:
        fields: columns by name.
        definitions: metrics by name.
        parameters: numbers of the user by name.
        unit_words: words that are units of their own here, such as a currency that is not built in.

    Raises:
        InvalidInputError: for a name that stands for two things, or that cannot be written.
    """

    fields: Mapping[str, Field] = field(default_factory=dict)
    definitions: Mapping[str, Definition] = field(default_factory=dict)
    parameters: Mapping[str, Parameter] = field(default_factory=dict)
    unit_words: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        seen: set[str] = set()
        for kind, key, name, where in self._entries():
            if key != name:
                raise InvalidInputError(f"the {kind} {name!r} is filed under {key!r}", where=where or None)
            if not _NAME.fullmatch(name):
                raise InvalidInputError(f"{name!r} is no name of a {kind}", where=where or None)
            if name in seen:
                raise InvalidInputError(f"the name {name!r} stands for two things", where=where or None)
            seen.add(name)

    def _entries(self) -> Iterator[tuple[str, str, str, str]]:
        yield from (("field", key, each.name, "") for key, each in self.fields.items())
        yield from (("parameter", key, each.name, "") for key, each in self.parameters.items())
        yield from (("metric", key, each.name, each.where) for key, each in self.definitions.items())

    def names(self) -> list[str]:
        """Every name, fields first."""
        return [*self.fields, *self.definitions, *self.parameters]

    def resolved(self, name: str) -> str | None:
        """The name as it is spelt here; case counts only where two names differ by nothing else. None for no name."""
        if name in self.fields or name in self.definitions or name in self.parameters:
            return name
        folded = name.casefold()
        close = [known for known in self.names() if known.casefold() == folded]
        return close[0] if len(close) == 1 else None


@dataclass(frozen=True, slots=True)
class Sql:
    """SQL of an expression, to be put into a statement.

    Attributes:
        text: with ``?`` for each literal.
        parameters: the literals, in the order of the ``?``.
    """

    text: str
    parameters: tuple[object, ...] = ()


@dataclass(frozen=True, slots=True)
class Context:
    """What an expression may do where it stands.

    Attributes:
        aggregates: whether ``mean(x)`` and its like are allowed.
        groups: names of the fields that have one value in a group; outside of aggregates no other may be used.
        windows: whether ``rank(x)``, ``best(x)`` and ``baseline(x)`` are allowed.
        partition: SQL expressions, trusted, of the columns that comparable results have in common.
        baseline: SQL condition, trusted, that the baseline results fulfil; None when no baseline is chosen.
    """

    aggregates: bool = False
    groups: frozenset[str] = frozenset()
    windows: bool = False
    partition: tuple[str, ...] = ()
    baseline: Sql | None = None

    def __post_init__(self) -> None:
        if self.aggregates and self.windows:
            raise UsageError("a context allows aggregates or windows, not both")


ROWS = Context()
"""Row by row: no aggregates and no windows. What a filter of rows is read in."""
