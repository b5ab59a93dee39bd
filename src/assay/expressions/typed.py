"""The tree of an expression after its names, kinds and units are known; SQL and values are made from this one tree."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction

from assay.errors import InvalidInputError
from assay.expressions.schema import Field, Kind
from assay.expressions.unit import ONE, Unit

MAX_SIZE = 3000
MAX_LEVELS = 100


@dataclass(frozen=True, slots=True)
class Typed:
    """A part that has a meaning.

    Attributes:
        operation: what is done, a name in ``operations.OPERATIONS``; or ``literal`` or ``field``.
        kind: of its value; None for a bare null, which fits anywhere.
        arguments: what it is done to.
        value: of a literal.
        field: that is read.
        unit: of a number.
        free: a number without a unit, made of literals alone, which takes the unit of what it meets.
        finite: whether a number is known to be neither NaN nor infinite.
        size: parts in it with every use of a shared part counted, since SQL writes each use out.
        levels: depth of parts.
    """

    operation: str
    kind: Kind | None
    arguments: tuple[Typed, ...] = ()
    value: bool | float | str | None = None
    field: Field | None = None
    unit: Unit = ONE
    free: bool = False
    finite: bool = True
    size: int = 1
    levels: int = 1


class TooLargeError(InvalidInputError):
    """An expression that became too large when its metrics were written out. The checker adds the place."""


def made(
    operation: str,
    kind: Kind | None,
    *arguments: Typed,
    unit: Unit = ONE,
    free: bool = False,
    finite: bool = True,
) -> Typed:
    """A part made of others.

    Raises:
        TooLargeError: when it is more than SQL should be asked to do.
    """
    size = 1 + sum(argument.size for argument in arguments)
    levels = 1 + max((argument.levels for argument in arguments), default=0)
    if size > MAX_SIZE or levels > MAX_LEVELS:
        raise TooLargeError("this is too large once the metrics in it are written out")
    return Typed(
        operation, kind, arguments, unit=unit, free=free and bool(arguments), finite=finite, size=size, levels=levels
    )


def literal(value: bool | float | str | None, kind: Kind | None, *, unit: Unit = ONE, free: bool = False) -> Typed:
    """A value that is written in the text, or a parameter's."""
    return Typed("literal", kind, value=value, unit=unit, free=free)


def settled(node: Typed) -> Typed:
    """The number where it is used: null when arithmetic left the numbers (NaN, infinity)."""
    if node.finite or node.kind is not Kind.NUMBER:
        return node
    return made("finite", Kind.NUMBER, node, unit=node.unit, free=node.free)


def converted(node: Typed, unit: Unit) -> Typed:
    """A number in another, compatible unit; a number without a unit is taken to be in it already."""
    if node.free or node.unit.powers != unit.powers:
        return replace(node, unit=unit, free=False)
    factor = node.unit.factor_to(unit)
    if factor == 1:
        return replace(node, unit=unit)
    if node.operation == "literal" and isinstance(node.value, float):
        return replace(node, value=_exact(node.value, factor), unit=unit)
    # Dividing by a whole number is exact where multiplying by its inverse is not.
    operation, scale = ("divide", 1 / factor) if factor.numerator == 1 else ("multiply", factor)
    return made(operation, Kind.NUMBER, node, literal(float(scale), Kind.NUMBER), unit=unit, finite=False)


def tidied(node: Typed) -> Typed:
    """The number in a unit that has a name, so that a number beside it, and a person, know what it is in."""
    return node if node.kind is not Kind.NUMBER or node.free else converted(node, node.unit.tidy)


def _exact(value: float, factor: Fraction) -> float | None:
    try:
        # The shortest decimal that is the number is what was written: 0.1 ms is 100,000 ns.
        return float(Fraction(repr(value)) * factor)
    except OverflowError:
        return None


def written(node: Typed) -> float | None:
    """The number that is written out in the text, with its sign; None for anything that has to be reckoned."""
    sign = 1.0
    if node.operation == "negate":
        sign, node = -1.0, node.arguments[0]
    return sign * node.value if node.operation == "literal" and isinstance(node.value, float) else None


def of_kind(node: Typed, kind: Kind) -> Typed:
    """A bare null as a value of a kind, in whatever unit; anything else as it is."""
    return replace(node, kind=kind, free=kind is Kind.NUMBER) if node.kind is None else node


def common(nodes: list[Typed]) -> tuple[Kind | None, Unit, bool]:
    """Kind, unit and freedom of values that stand in one place.

    The first unit counts, and that of a field more than that of a number written out, since the latter converts exactly.
    """
    kind = next((node.kind for node in nodes if node.kind is not None), None)
    bound = [node for node in nodes if node.kind is Kind.NUMBER and not node.free]
    first = next((node for node in bound if node.operation != "literal"), bound[0] if bound else None)
    return kind, first.unit.tidy if first is not None else ONE, first is None
