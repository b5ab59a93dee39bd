"""The functions: for each its arguments, its meaning in one sentence, and what it asks of kinds and units."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol

from assay.expressions.schema import Context, Kind
from assay.expressions.typed import Typed, common, converted, literal, made, of_kind, settled, tidied, written
from assay.expressions.unit import ONE, Unit


class Problem(Protocol):
    """How a function tells what is wrong with one of its arguments, by index; -1 is the call itself."""

    def __call__(self, what: str, argument: int = -1, *, hint: str | None = None) -> Exception:
        """The error to raise."""
        ...


@dataclass(frozen=True, slots=True)
class Arguments:
    """The arguments of one call, and the way to complain about them."""

    values: tuple[Typed, ...]
    problem: Problem

    def number(self, index: int) -> Typed:
        """An argument that has to be a number, null where it is none."""
        return settled(tidied(self.of_kind(index, Kind.NUMBER)))

    def text(self, index: int) -> Typed:
        """An argument that has to be a text."""
        return self.of_kind(index, Kind.TEXT)

    def of_kind(self, index: int, kind: Kind) -> Typed:
        """An argument that has to be of a kind."""
        value = of_kind(self.values[index], kind)
        if value.kind is not kind:
            raise self.problem(f"a {kind.value} is needed here, and this is {described(value)}", index)
        return value

    def pure(self, index: int) -> Typed:
        """An argument that has to be a number without a unit; percent becomes a ratio."""
        value = self.of_kind(index, Kind.NUMBER)
        if value.unit.powers:
            raise self.problem(
                f"a number without a unit is needed here, and this is in {value.unit.name}",
                index,
                hint="divide it by something in the same unit",
            )
        return settled(value if value.free else converted(value, ONE))

    def constant(self, index: int) -> float:
        """An argument that has to be a number written out."""
        value = written(self.values[index])
        if value is None:
            raise self.problem("a number written out is needed here", index)
        return value

    def same(self, start: int = 0) -> list[Typed]:
        """Arguments that have to be of one kind and in one unit, brought to the first one's unit."""
        values = list(self.values[start:])
        kind, unit, free = common(values)
        for index, value in enumerate(values, start):
            if value.kind not in (None, kind):
                assert kind is not None
                raise self.problem(f"a {kind.value} is needed here, and this is {described(value)}", index)
            if value.kind is Kind.NUMBER and not value.free and not value.unit.compatible(unit):
                raise self.problem(f"{value.unit.name} cannot stand beside {unit.name}", index)
        if kind is None:
            raise self.problem("of null alone nobody can tell what it is", start)
        return [self._fitted(value, kind, unit, free=free) for value in values]

    @staticmethod
    def _fitted(value: Typed, kind: Kind, unit: Unit, *, free: bool) -> Typed:
        if value.kind is None:
            return replace(of_kind(value, kind), unit=unit, free=free)
        if kind is not Kind.NUMBER:
            return value
        return settled(value if free else converted(value, unit))


def described(value: Typed) -> str:
    """What a value is, for an error: ``a text``, ``a number in W``."""
    if value.kind is None:
        return "null"
    if value.kind is Kind.NUMBER and value.unit.powers:
        return f"a number in {value.unit.name}"
    return "a list of texts" if value.kind is Kind.TEXTS else f"a {value.kind.value}"


@dataclass(frozen=True, slots=True)
class Function:
    """A function of the language.

    Attributes:
        name: as it is written.
        signature: with its arguments, for people.
        summary: one sentence.
        fewest: arguments needed.
        most: arguments allowed.
        build: the typed call.
        place: ``row``, ``aggregate`` or ``window``: where it is allowed.
    """

    name: str
    signature: str
    summary: str
    fewest: int
    most: int
    build: Callable[[Arguments], Typed]
    place: str = "row"


def refusal(function: Function, context: Context, inside: str) -> tuple[str, str | None] | None:
    """Why a function over many results is not allowed where it stands, and what to do; None when it is.

    Args:
        function: an aggregate or a window.
        context: where the expression stands.
        inside: ``row``, or the place of the function that it is an argument of.
    """
    if function.place == "aggregate" and not context.aggregates:
        what = "looks at a group of results, and this is read result by result"
        return what, "aggregates stand in the columns of a grouped query"
    if function.place == "window" and not context.windows:
        what = "compares a result with others, which is not possible here"
        return what, "use it in a column or a metric of an ungrouped query"
    if inside != "row":
        return "cannot stand inside another function that looks at many results", None
    if function.name == "baseline" and context.baseline is None:
        return "needs a baseline, and none is chosen", "say which results are the baseline"
    return None


_MANY = 100


def _keeps_unit(operation: str) -> Callable[[Arguments], Typed]:
    def build(arguments: Arguments) -> Typed:
        value = arguments.number(0)
        return made(operation, Kind.NUMBER, value, unit=value.unit, free=value.free)

    return build


def _round(arguments: Arguments) -> Typed:
    value = arguments.number(0)
    digits = arguments.constant(1) if len(arguments.values) > 1 else 0.0
    if digits not in range(16):
        raise arguments.problem("digits are a whole number from 0 to 15", 1)
    return made("round", Kind.NUMBER, value, literal(10.0**digits, Kind.NUMBER), unit=value.unit, free=value.free)


def _logarithm(operation: str) -> Callable[[Arguments], Typed]:
    def build(arguments: Arguments) -> Typed:
        value = arguments.pure(0)
        guarded = made("positive", Kind.NUMBER, value, free=value.free)
        return made(operation, Kind.NUMBER, guarded, free=value.free)

    return build


def _exp(arguments: Arguments) -> Typed:
    value = arguments.pure(0)
    return settled(made("exp", Kind.NUMBER, value, free=value.free, finite=False))


def _sqrt(arguments: Arguments) -> Typed:
    value = arguments.number(0)
    unit = value.unit.root()
    if unit is None:
        raise arguments.problem(f"there is no square root of {value.unit.name}", 0)
    whole = value if value.free else settled(converted(value, Unit("", value.unit.powers)))
    guarded = made("not_negative", Kind.NUMBER, whole, unit=whole.unit, free=value.free)
    return made("sqrt", Kind.NUMBER, guarded, unit=unit, free=value.free)


def _of_many(operation: str) -> Callable[[Arguments], Typed]:
    def build(arguments: Arguments) -> Typed:
        arguments.number(0)
        values = arguments.same()
        return made(operation, Kind.NUMBER, *values, unit=values[0].unit, free=all(value.free for value in values))

    return build


def _coalesce(arguments: Arguments) -> Typed:
    values = arguments.same()
    return made("coalesce", values[0].kind, *values, unit=values[0].unit, free=all(value.free for value in values))


def _if(arguments: Arguments) -> Typed:
    condition = arguments.of_kind(0, Kind.BOOLEAN)
    yes, no = arguments.same(1)
    return made("if", yes.kind, condition, yes, no, unit=yes.unit, free=yes.free and no.free)


def _between(arguments: Arguments) -> Typed:
    values = arguments.same()
    if values[0].kind not in (Kind.NUMBER, Kind.TEXT):
        raise arguments.problem("numbers and texts have an order, nothing else", 0)
    return made("between", Kind.BOOLEAN, *values)


def _text_to_text(operation: str) -> Callable[[Arguments], Typed]:
    return lambda arguments: made(operation, Kind.TEXT, arguments.text(0))


def _length(arguments: Arguments) -> Typed:
    value = of_kind(arguments.values[0], Kind.TEXT)
    if value.kind not in (Kind.TEXT, Kind.TEXTS):
        raise arguments.problem(f"a text or a list of texts is needed here, and this is {described(value)}", 0)
    return made("length", Kind.NUMBER, value)


def _two_texts(operation: str) -> Callable[[Arguments], Typed]:
    return lambda arguments: made(operation, Kind.BOOLEAN, arguments.text(0), arguments.text(1))


def _has(arguments: Arguments) -> Typed:
    return made("has", Kind.BOOLEAN, arguments.of_kind(0, Kind.TEXTS), arguments.text(1))


def _contains(arguments: Arguments) -> Typed:
    search = _has if arguments.values[0].kind is Kind.TEXTS else _two_texts("contains")
    return search(arguments)


def _count(arguments: Arguments) -> Typed:
    if not arguments.values:
        return made("count_rows", Kind.NUMBER)
    return made("count", Kind.NUMBER, settled(of_kind(arguments.values[0], Kind.NUMBER)))


def _aggregate(operation: str) -> Callable[[Arguments], Typed]:
    def build(arguments: Arguments) -> Typed:
        value = arguments.number(0)
        return settled(made(operation, Kind.NUMBER, value, unit=value.unit, finite=False))

    return build


def _quantile(arguments: Arguments) -> Typed:
    value, wanted = arguments.number(0), arguments.constant(1)
    unit = arguments.values[1].unit
    if unit.powers:
        raise arguments.problem("a quantile is a number from 0 to 1, or from 0% to 100%", 1)
    share = wanted * float(unit.scale)
    if not (math.isfinite(share) and 0 <= share <= 1):
        raise arguments.problem("a quantile is a number from 0 to 1, or from 0% to 100%", 1)
    made_of = made("quantile", Kind.NUMBER, value, literal(share, Kind.NUMBER), unit=value.unit, finite=False)
    return settled(made_of)


def _rank(arguments: Arguments) -> Typed:
    return made("rank", Kind.NUMBER, arguments.number(0))


def _window(operation: str) -> Callable[[Arguments], Typed]:
    def build(arguments: Arguments) -> Typed:
        value = arguments.number(0)
        return made(operation, Kind.NUMBER, value, unit=value.unit)

    return build


_ALL = (
    Function("abs", "abs(x)", "The size of x, without its sign.", 1, 1, _keeps_unit("abs")),
    Function("between", "between(x, low, high)", "Whether low <= x <= high.", 3, 3, _between),
    Function("ceil", "ceil(x)", "x rounded up, in its own unit.", 1, 1, _keeps_unit("ceil")),
    Function("coalesce", "coalesce(a, b, ...)", "The first value that is not null.", 1, _MANY, _coalesce),
    Function("contains", "contains(text, part)", "Whether the part is in the text, ignoring case; of a list, as has().", 2, 2, _contains),
    Function("endswith", "endswith(text, end)", "Whether the text ends so, ignoring case.", 2, 2, _two_texts("endswith")),
    Function("exp", "exp(x)", "e to the power of x; x has no unit.", 1, 1, _exp),
    Function("floor", "floor(x)", "x rounded down, in its own unit.", 1, 1, _keeps_unit("floor")),
    Function("has", "has(list, text)", "Whether the list holds exactly this text.", 2, 2, _has),
    Function("if", "if(condition, a, b)", "a when the condition is true, else b (also when it is null).", 3, 3, _if),
    Function("length", "length(text)", "Characters of a text, or items of a list.", 1, 1, _length),
    Function("ln", "ln(x)", "Natural logarithm; null unless x > 0; x has no unit.", 1, 1, _logarithm("ln")),
    Function("log10", "log10(x)", "Decimal logarithm; null unless x > 0; x has no unit.", 1, 1, _logarithm("log10")),
    Function("log2", "log2(x)", "Binary logarithm; null unless x > 0; x has no unit.", 1, 1, _logarithm("log2")),
    Function("lower", "lower(text)", "The text in small letters.", 1, 1, _text_to_text("lower")),
    Function("max", "max(a, b, ...)", "The largest of the values that are there.", 1, _MANY, _of_many("max")),
    Function("min", "min(a, b, ...)", "The smallest of the values that are there.", 1, _MANY, _of_many("min")),
    Function("round", "round(x, digits)", "x rounded, halves away from zero; digits from 0 (the default) to 15.", 1, 2, _round),
    Function("sqrt", "sqrt(x)", "Square root; null unless x >= 0; every power in its unit is even.", 1, 1, _sqrt),
    Function("startswith", "startswith(text, start)", "Whether the text begins so, ignoring case.", 2, 2, _two_texts("startswith")),
    Function("upper", "upper(text)", "The text in capital letters.", 1, 1, _text_to_text("upper")),
    Function("count", "count() or count(x)", "Rows of the group, or those in which x is not null.", 0, 1, _count, "aggregate"),
    Function("largest", "largest(x)", "The largest x of the group.", 1, 1, _aggregate("largest"), "aggregate"),
    Function("mean", "mean(x)", "Arithmetic mean.", 1, 1, _aggregate("mean"), "aggregate"),
    Function("median", "median(x)", "The middle value; the mean of the middle two.", 1, 1, _aggregate("median"), "aggregate"),
    Function("quantile", "quantile(x, q)", "The value below which the share q lies, interpolated.", 2, 2, _quantile, "aggregate"),
    Function("smallest", "smallest(x)", "The smallest x of the group.", 1, 1, _aggregate("smallest"), "aggregate"),
    Function("stddev", "stddev(x)", "Standard deviation of the sample; null for fewer than two.", 1, 1, _aggregate("stddev"), "aggregate"),
    Function("sum", "sum(x)", "The sum; null when no value is there.", 1, 1, _aggregate("sum"), "aggregate"),
    Function("baseline", "baseline(x)", "x of the chosen baseline of the group; of several the largest.", 1, 1, _window("baseline"), "window"),
    Function("best", "best(x)", "The largest x in the comparable group.", 1, 1, _window("best"), "window"),
    Function("rank", "rank(x)", "Place of x in the comparable group: 1 for the largest, equal for equals.", 1, 1, _rank, "window"),
)  # fmt: skip
FUNCTIONS: dict[str, Function] = {function.name: function for function in _ALL}
"""Every function by name."""
