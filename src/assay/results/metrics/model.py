"""What a derived metric is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from assay.expressions import Definition, Kind, Unit

Value = bool | int | float | str | list[str] | None
"""A value in an example; of a number also a text with a unit, such as ``15 ms``."""


class Better(StrEnum):
    """Which figures of a metric are the better ones."""

    HIGHER = "higher"
    LOWER = "lower"
    NEITHER = "neither"


class Scope(StrEnum):
    """What a metric looks at: one result, comparable results beside it, or a group of results."""

    RESULT = "result"
    COMPARABLE = "comparable"
    GROUP = "group"


class OriginKind(StrEnum):
    """Whose file it is."""

    SHIPPED = "shipped"
    OWN = "own"
    REPOSITORY = "repository"


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a metric's file comes from.

    Attributes:
        kind: whose it is.
        repository: alias of the repository; empty for others.
    """

    kind: OriginKind
    repository: str = ""

    def __str__(self) -> str:
        return self.repository or {OriginKind.SHIPPED: "assay", OriginKind.OWN: "yours"}.get(self.kind, "a repository")


@dataclass(frozen=True, slots=True)
class ParameterInfo:
    """A number that a metric needs from the user.

    Attributes:
        name: what its expression writes.
        unit: of the value.
        description: one sentence.
        default: value without the user's; None when there is none, and the metric is then null.
    """

    name: str
    unit: Unit
    description: str
    default: float | None = None


@dataclass(frozen=True, slots=True)
class Example:
    """Results with known figures.

    Attributes:
        given: fields of each result.
        expect: figure of each result; of a metric of groups one figure.
        parameters: values of parameters, as the user writes them.
        baseline: condition that the baseline fulfils; empty for none.
        where: file, line and key, for errors.
    """

    given: tuple[Mapping[str, Value], ...]
    expect: tuple[Value, ...]
    parameters: Mapping[str, str] = field(default_factory=dict)
    baseline: str = ""
    where: str = ""


@dataclass(frozen=True, slots=True)
class Metric:
    """A formula with a name.

    Attributes:
        name: what queries write.
        title: a few words.
        expression: the formula.
        unit: of its figures; None takes the one that comes out.
        better: which figures are the better ones.
        description: what it means.
        caution: when it misleads, and when it is null.
        source: the convention that it follows.
        parameters: numbers that it needs from the user, by name.
        examples: results with known figures.
        origin: whose file it is.
        path: of the file.
        where: file and line of the expression.
        kind: of its values.
        scope: what it looks at.
        fields: names of the fields it uses, those of its metrics included.
        metrics: names of the metrics it uses.
        needs: names of the parameters it uses, those of its metrics included.
    """

    name: str
    title: str
    expression: str
    unit: Unit | None
    better: Better
    description: str
    caution: str
    source: str
    parameters: Mapping[str, ParameterInfo]
    examples: tuple[Example, ...]
    origin: Origin
    path: Path
    where: str
    kind: Kind = Kind.NUMBER
    scope: Scope = Scope.RESULT
    fields: tuple[str, ...] = ()
    metrics: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()

    @property
    def definition(self) -> Definition:
        """The metric as expressions know it."""
        return Definition(self.name, self.expression, self.unit, self.where, self.title)
