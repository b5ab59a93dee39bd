"""From the tree of words to the typed tree: names are looked up, kinds and units are checked, metrics are written out."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from assay.errors import InvalidInputError, nearest
from assay.expressions import tree
from assay.expressions.error import ExpressionError
from assay.expressions.functions import FUNCTIONS, Arguments, Function, described, refusal
from assay.expressions.parse import parse
from assay.expressions.schema import Context, Definition, Kind, Parameter, Schema
from assay.expressions.typed import (
    MAX_LEVELS,
    TooLargeError,
    Typed,
    common,
    converted,
    literal,
    made,
    of_kind,
    settled,
    tidied,
    written,
)
from assay.expressions.unit import ONE, parse_unit

_SUMS = {"+": "add", "-": "subtract"}
_MAX_SHOWN = 60
_SPLIT = "give a part of it a name of its own, as a metric"


@dataclass(frozen=True, slots=True)
class Source:
    """A text that is being read: the user's, or that of a metric in it."""

    text: str
    where: str | None = None


class Checker:
    """Gives one expression its meaning, and keeps account of what it uses.

    Attributes:
        fields: names of the fields used, by metrics too.
        definitions: names of the metrics used, by metrics too.
        parameters: names of the parameters used.
        places: ``aggregate`` and ``window`` when such functions are used.
    """

    def __init__(self, text: str, schema: Schema, context: Context) -> None:
        self.schema = schema
        self.context = context
        self.source = Source(text)
        self.fields: set[str] = set()
        self.definitions: set[str] = set()
        self.parameters: set[str] = set()
        self.places: set[str] = set()
        self._known: dict[tuple[str, str], Typed] = {}
        self._open: list[str] = []
        self._level = 0
        self._inside = "row"

    def root(self, node: tree.Node, want: Kind | None) -> Typed:
        """The whole expression.

        Raises:
            ExpressionError: when it means nothing, or is not of the wanted kind.
        """
        found = self.visit(node)
        if found.kind is None:
            if want is None:
                raise self.error("of null alone nobody can tell what it is", node.span)
            found = of_kind(found, want)
        if want is not None and found.kind is not want:
            hint = "compare it with something, as in watts < 500" if want is Kind.BOOLEAN else None
            raise self.error(f"a {want.value} is needed, and this is {described(found)}", node.span, hint=hint)
        with self._placed(node.span):
            return settled(tidied(found))

    def visit(self, node: tree.Node) -> Typed:
        """The meaning of a part."""
        with self._placed(node.span):
            return self._meaning(node)

    # --- errors ---

    def error(
        self, what: str, span: tree.Span, *, expected: str | None = None, hint: str | None = None
    ) -> ExpressionError:
        """An error at a place of the text that is being read."""
        return ExpressionError(
            what,
            text=self.source.text,
            position=span[0],
            length=span[1] - span[0],
            where=self.source.where,
            expected=expected,
            hint=hint,
        )

    @contextmanager
    def _placed(self, span: tree.Span) -> Iterator[None]:
        """What is told without a place gets this one."""
        self._level += 1
        try:
            if self._level > MAX_LEVELS:
                raise TooLargeError("this is too large once the metrics in it are written out")
            yield
        except ExpressionError:
            raise
        except InvalidInputError as error:
            hint = _SPLIT if isinstance(error, TooLargeError) else error.hint
            raise self.error(error.what, span, expected=error.expected, hint=hint) from error
        finally:
            self._level -= 1

    # --- parts ---

    def _meaning(self, node: tree.Node) -> Typed:  # noqa: PLR0911 - one line per kind of part
        match node:
            case tree.Number():
                return self._number(node)
            case tree.Text():
                return literal(node.value, Kind.TEXT)
            case tree.Constant():
                return literal(node.value, None if node.value is None else Kind.BOOLEAN)
            case tree.Name():
                return self._name(node)
            case tree.Unary():
                return self._unary(node)
            case tree.Binary():
                return self._binary(node)
            case tree.Comparison():
                return self._comparison(node)
            case tree.Logic():
                return made(node.operator, Kind.BOOLEAN, *[self._condition(each) for each in node.operands])
            case tree.Membership():
                return self._membership(node)
            case tree.NullTest():
                value = self.visit(node.operand)
                return made("is_null", Kind.BOOLEAN, settled(of_kind(value, Kind.NUMBER)))
            case tree.Call():
                return self._call(node)
        raise AssertionError(node)

    def _number(self, node: tree.Number) -> Typed:
        value = float(node.text)
        if value in (float("inf"), float("-inf")):
            raise self.error("this number is too large", node.span)
        if node.unit is None:
            return literal(value, Kind.NUMBER, free=True)
        try:
            unit = parse_unit(node.unit, self.schema.unit_words)
        except InvalidInputError as error:
            hint = error.hint or "an operator is missing if this is no unit"
            span = (node.unit_at, node.unit_at + len(node.unit))
            raise self.error(error.what, span, expected=error.expected, hint=hint) from error
        return literal(value, Kind.NUMBER, unit=unit)

    def _condition(self, node: tree.Node) -> Typed:
        return self._of_kind(node, Kind.BOOLEAN)

    def _of_kind(self, node: tree.Node, kind: Kind) -> Typed:
        return self._fitting(node, self.visit(node), kind)

    def _fitting(self, node: tree.Node, found: Typed, kind: Kind) -> Typed:
        value = of_kind(found, kind)
        if value.kind is not kind:
            needed = "a condition" if kind is Kind.BOOLEAN else f"a {kind.value}"
            hint = 'write has(list, "text")' if value.kind is Kind.TEXTS and kind is Kind.TEXT else None
            raise self.error(f"{needed} is needed here, and this is {described(value)}", node.span, hint=hint)
        return value

    def _figure(self, node: tree.Node) -> Typed:
        return self._of_kind(node, Kind.NUMBER)

    def _unary(self, node: tree.Unary) -> Typed:
        if node.operator == "not":
            return made("not", Kind.BOOLEAN, self._condition(node.operand))
        value = self._figure(node.operand)
        if node.operator == "+":
            return value
        return made("negate", Kind.NUMBER, value, unit=value.unit, free=value.free, finite=value.finite)

    # --- arithmetic ---

    def _binary(self, node: tree.Binary) -> Typed:
        if node.operator == "in":
            return self._in_list(node)
        if node.operator in ("like", "contains"):
            return self._matched(node)
        left, right = self._figure(node.left), self._figure(node.right)
        if node.operator in _SUMS:
            return self._sum(node, left, right)
        free = left.free and right.free
        if node.operator == "*":
            return made("multiply", Kind.NUMBER, left, right, unit=left.unit * right.unit, free=free, finite=False)
        if node.operator == "/":
            divisor = right if written(right) else made("nonzero", Kind.NUMBER, right, unit=right.unit, finite=False)
            return made("divide", Kind.NUMBER, left, divisor, unit=left.unit / right.unit, free=free, finite=False)
        return self._power(node, left, right)

    def _sum(self, node: tree.Binary, left: Typed, right: Typed) -> Typed:
        _, unit, free = common([left, right])
        self._same_unit(left, right, node.operator_span, "added" if node.operator == "+" else "subtracted")
        if not free:
            left, right = converted(left, unit), converted(right, unit)
        return made(_SUMS[node.operator], Kind.NUMBER, left, right, unit=unit, free=free, finite=False)

    def _same_unit(self, left: Typed, right: Typed, span: tree.Span, done: str) -> None:
        if not (left.free or right.free or left.unit.compatible(right.unit)):
            raise self.error(f"{left.unit.name} and {right.unit.name} cannot be {done}", span)

    def _power(self, node: tree.Binary, left: Typed, right: Typed) -> Typed:
        if right.unit.powers:
            raise self.error(f"an exponent has no unit, and this is in {right.unit.name}", node.right.span)
        exponent = settled(right if right.free else converted(right, ONE))
        if not left.unit.powers:
            base = settled(left if left.free else converted(left, ONE))
            return settled(made("power", Kind.NUMBER, base, exponent, free=left.free and right.free, finite=False))
        whole = written(exponent)
        if whole is None or not whole.is_integer():
            what = f"a number in {left.unit.name} is raised to a whole number that is written out, and to nothing else"
            raise self.error(what, node.right.span)
        unit = left.unit.power(int(whole))
        return settled(made("power", Kind.NUMBER, settled(left), exponent, unit=unit, finite=False))

    # --- comparison ---

    def _comparison(self, node: tree.Comparison) -> Typed:
        values = [self.visit(operand) for operand in node.operands]
        pairs = [
            self._compared(
                operator, node.operator_spans[index], node.operands[index : index + 2], *values[index : index + 2]
            )
            for index, operator in enumerate(node.operators)
        ]
        return pairs[0] if len(pairs) == 1 else made("and", Kind.BOOLEAN, *pairs)

    def _compared(
        self, operator: str, span: tree.Span, nodes: tuple[tree.Node, ...], left: Typed, right: Typed
    ) -> Typed:
        for node, value in zip(nodes, (left, right), strict=True):
            if value.kind is None:
                raise self.error("comparing with null is never true", node.span, hint="write is null or is not null")
        if Kind.TEXTS in (left.kind, right.kind):
            return self._holds(operator, span, nodes, left, right)
        if left.kind is not right.kind:
            raise self.error(f"{described(left)} and {described(right)} cannot be compared", span)
        if left.kind is Kind.BOOLEAN and operator not in ("==", "!="):
            raise self.error("conditions have no order", span)
        self._same_unit(left, right, span, "compared")
        return made(operator, Kind.BOOLEAN, *self._alike([left, right]))

    def _holds(self, operator: str, span: tree.Span, nodes: tuple[tree.Node, ...], left: Typed, right: Typed) -> Typed:
        """``labels == "text"``: a field of several words is a word when one of them is it."""
        if right.kind is Kind.TEXTS:
            left, right, nodes = right, left, nodes[::-1]
        if right.kind is not Kind.TEXT:
            what = f"a list is compared with a text, and this is {described(right)}"
            raise self.error(what, nodes[1].span, hint='write has(list, "text")')
        if operator not in ("==", "!="):
            raise self.error("a list has no order", span, hint='write has(list, "text")')
        found = made("has", Kind.BOOLEAN, left, right)
        return found if operator == "==" else made("not", Kind.BOOLEAN, found)

    @staticmethod
    def _alike(values: list[Typed]) -> list[Typed]:
        _, unit, free = common(values)
        return [settled(value if free or value.kind is not Kind.NUMBER else converted(value, unit)) for value in values]

    def _membership(self, node: tree.Membership) -> Typed:
        wanted = self.visit(node.operand)
        items = [self.visit(item) for item in node.items]
        if wanted.kind not in (Kind.NUMBER, Kind.TEXT, Kind.TEXTS):
            what = f"numbers and texts are looked for in a list, and this is {described(wanted)}"
            raise self.error(what, node.operand.span)
        for item, value in zip(node.items, items, strict=True):
            kind = Kind.TEXT if wanted.kind is Kind.TEXTS else wanted.kind
            if value.kind is not kind:
                what = f"a {kind.value} is needed here, and this is {described(value)}"
                raise self.error(what, item.span, hint="write or x is null" if value.kind is None else None)
            self._same_unit(wanted, value, item.span, "compared")
        if wanted.kind is Kind.TEXTS:
            each = [made("has", Kind.BOOLEAN, wanted, item) for item in items]
            return each[0] if len(each) == 1 else made("or", Kind.BOOLEAN, *each)
        return made("in", Kind.BOOLEAN, *self._alike([wanted, *items]))

    def _in_list(self, node: tree.Binary) -> Typed:
        """``"text" in labels``, the same as ``has(labels, "text")``."""
        wanted, values = of_kind(self.visit(node.left), Kind.TEXT), self.visit(node.right)
        if values.kind is not Kind.TEXTS:
            what = f"a list is needed behind in, and this is {described(values)}"
            raise self.error(what, node.right.span, hint="write the list in parentheses, as in x in (1, 2)")
        if wanted.kind is not Kind.TEXT:
            raise self.error(f"a text is looked for in this list, and this is {described(wanted)}", node.left.span)
        return made("has", Kind.BOOLEAN, values, wanted)

    def _matched(self, node: tree.Binary) -> Typed:
        left = self.visit(node.left)
        if node.operator == "contains" and left.kind is Kind.TEXTS:
            return made("has", Kind.BOOLEAN, left, self._of_kind(node.right, Kind.TEXT))
        left = self._fitting(node.left, left, Kind.TEXT)
        return made(node.operator, Kind.BOOLEAN, left, self._of_kind(node.right, Kind.TEXT))

    # --- functions ---

    def _call(self, node: tree.Call) -> Typed:
        function = FUNCTIONS.get(node.name.lower())
        if function is None:
            close = nearest(node.name, FUNCTIONS)
            hint = "lists stand behind in, and fields take no arguments" if self.schema.resolved(node.name) else None
            expected = " or ".join(close) or None
            raise self.error(f"unknown function {_short(node.name)}", node.name_span, expected=expected, hint=hint)
        self._counted(node, function)
        with self._function_place(node, function):
            values = tuple(self.visit(argument) for argument in node.arguments)

        def problem(what: str, argument: int = -1, *, hint: str | None = None) -> ExpressionError:
            span = node.arguments[argument].span if argument >= 0 else node.name_span
            return self.error(f"{function.name}(): {what}", span, hint=hint)

        return function.build(Arguments(values, problem))

    def _counted(self, node: tree.Call, function: Function) -> None:
        count = len(node.arguments)
        if count > function.most:
            what = f"{function.name}() takes no more than {function.most} arguments"
            raise self.error(what, node.arguments[function.most].span, expected=function.signature)
        if count < function.fewest:
            what = f"{function.name}() needs {'an argument' if not count else 'another argument'}"
            raise self.error(what, node.name_span, expected=function.signature)

    @contextmanager
    def _function_place(self, node: tree.Call, function: Function) -> Iterator[None]:
        if function.place == "row":
            yield
            return
        refused = refusal(function, self.context, self._inside)
        if refused is not None:
            raise self.error(f"{function.name}() {refused[0]}", node.name_span, hint=refused[1])
        self.places.add(function.place)
        before, self._inside = self._inside, function.place
        yield
        self._inside = before

    # --- names ---

    def _name(self, node: tree.Name) -> Typed:
        name = self.schema.resolved(node.name)
        if name is None:
            raise self._unknown(node)
        if name in self.schema.fields:
            return self._field(name, node)
        if name in self.schema.parameters:
            return self._parameter(self.schema.parameters[name], node)
        return self._definition(self.schema.definitions[name], node)

    def _unknown(self, node: tree.Name) -> ExpressionError:
        close = nearest(node.name, self.schema.names())
        function = FUNCTIONS.get(node.name.lower())
        hint = f"a function is called: {function.signature}" if function else "a text is written in quotes"
        return self.error(
            f"unknown name {_short(node.name)}", node.span, expected=" or ".join(close) or None, hint=hint
        )

    def _field(self, name: str, node: tree.Name) -> Typed:
        if self.context.aggregates and self._inside == "row" and name not in self.context.groups:
            what = f"{name} has many values in a group"
            raise self.error(
                what, node.span, hint=f"say which is meant, as in mean({name}) or largest({name}), or group by it"
            )
        self.fields.add(name)
        field = self.schema.fields[name]
        return Typed("field", field.kind, field=field, unit=field.unit or ONE)

    def _parameter(self, parameter: Parameter, node: tree.Name) -> Typed:
        self.parameters.add(parameter.name)
        value = None if parameter.value is None else float(parameter.value)
        if value is not None and not -1e300 < value < 1e300:
            raise self.error(f"the value of {parameter.name} is no number to reckon with", node.span)
        return literal(value, Kind.NUMBER, unit=parameter.unit or ONE)

    def _definition(self, definition: Definition, node: tree.Name) -> Typed:
        self.definitions.add(definition.name)
        if definition.name in self._open:
            chain = " -> ".join([*self._open[self._open.index(definition.name) :], definition.name])
            raise self.error(f"the metric {definition.name} is made of itself: {chain}", node.span)
        key = (definition.name, self._inside)
        if key not in self._known:
            before, self.source = self.source, Source(definition.text, definition.place)
            self._open.append(definition.name)
            self._known[key] = self._written_out(definition)
            self._open.pop()
            self.source = before
        return self._known[key]

    def _written_out(self, definition: Definition) -> Typed:
        try:
            node = parse(definition.text)
        except ExpressionError as error:
            error.where = self.source.where
            raise
        found = self.visit(node)
        if definition.unit is None:
            return found
        found = of_kind(found, Kind.NUMBER)
        if found.kind is not Kind.NUMBER:
            raise self.error(
                f"the metric is said to be in {definition.unit.name}, and is {described(found)}", node.span
            )
        if not found.free and not found.unit.compatible(definition.unit):
            what = f"the metric is said to be in {definition.unit.name}, and comes out in {found.unit.name}"
            raise self.error(what, node.span)
        with self._placed(node.span):
            return converted(found, definition.unit)


def _short(name: str) -> str:
    """A name in an error, which is to stay one line."""
    return repr(name if len(name) <= _MAX_SHOWN else f"{name[:_MAX_SHOWN]}...")
