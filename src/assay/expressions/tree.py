"""The tree of an expression as it was written, before names mean anything."""

from __future__ import annotations

from dataclasses import dataclass, field

Span = tuple[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A part of an expression.

    Attributes:
        span: offsets of its first character and of the one after its last.
        depth: levels of parts in it, itself included.
    """

    span: Span
    depth: int = field(default=1, compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Number(Node):
    """A number as it was written, and the unit behind it."""

    text: str
    unit: str | None = None
    unit_at: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Text(Node):
    """A text in quotes."""

    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Constant(Node):
    """``true``, ``false`` or ``null``."""

    value: bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Name(Node):
    """A field, a metric or a parameter."""

    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Unary(Node):
    """``-x`` or ``not x``."""

    operator: str
    operand: Node


@dataclass(frozen=True, slots=True, kw_only=True)
class Binary(Node):
    """Arithmetic, ``like``, ``contains``, or ``in`` a list that is a field."""

    operator: str
    left: Node
    right: Node
    operator_span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison(Node):
    """``a < b``, or a chain such as ``a < b <= c``."""

    operators: tuple[str, ...]
    operands: tuple[Node, ...]
    operator_spans: tuple[Span, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Logic(Node):
    """Two or more conditions joined by ``and`` or by ``or``."""

    operator: str
    operands: tuple[Node, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Membership(Node):
    """``x in (a, b)``."""

    operand: Node
    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class NullTest(Node):
    """``x is null``."""

    operand: Node


@dataclass(frozen=True, slots=True, kw_only=True)
class Call(Node):
    """``name(a, b)``."""

    name: str
    name_span: Span
    arguments: tuple[Node, ...]
