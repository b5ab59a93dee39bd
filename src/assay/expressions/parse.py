"""Tokens into a tree, by the binding strength of operators.

From loose to tight: ``or``, ``and``, ``not``, comparisons, ``+ -``, ``* /``, the minus sign, ``^`` (from the right).
"""

from __future__ import annotations

from typing import TypeVar

from assay.expressions import tree
from assay.expressions.error import ExpressionError
from assay.expressions.tokens import Token, Type, tokens_of

MAX_DEPTH = 50
_MAX_NESTED = 80
MAX_ITEMS = 500
N = TypeVar("N", bound=tree.Node)

_OR, _AND, _NOT, _COMPARE, _SUM, _PRODUCT, _SIGN, _POWER = range(1, 9)
_COMPARISONS = frozenset({"==", "!=", "<", "<=", ">", ">="})
_BINDING = {
    "or": _OR,
    "and": _AND,
    **dict.fromkeys([*_COMPARISONS, "in", "not", "is", "like", "contains"], _COMPARE),
    "+": _SUM,
    "-": _SUM,
    "*": _PRODUCT,
    "/": _PRODUCT,
    "^": _POWER,
}
_CONSTANTS = {"true": True, "false": False, "null": None}


def parse(text: str) -> tree.Node:
    """The tree of an expression.

    Raises:
        ExpressionError: when it is none, with the character.
    """
    parser = _Parser(text)
    node = parser.expression(0)
    parser.finish()
    return node


class _Parser:
    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = tokens_of(text)
        self.at = 0
        self.nested = 0

    # --- small steps ---

    @property
    def token(self) -> Token:
        return self.tokens[self.at]

    def take(self) -> Token:
        token = self.tokens[self.at]
        self.at += 1
        return token

    def sees(self, *values: str) -> bool:
        token = self.token
        return token.type in (Type.OPERATOR, Type.KEYWORD) and token.value in values

    def expect(self, value: str, why: str) -> Token:
        if not self.sees(value):
            raise self.error(why, self.token)
        return self.take()

    def error(self, what: str, token: Token, *, hint: str | None = None) -> ExpressionError:
        return ExpressionError(
            what, text=self.text, position=token.start, length=max(token.end - token.start, 1), hint=hint
        )

    def made(self, node: N, *children: tree.Node) -> N:
        """The node with its depth, which bounds every later walk over the tree."""
        depth = 1 + max((child.depth for child in children), default=0)
        if depth > MAX_DEPTH:
            raise self.too_deep(node.span)
        object.__setattr__(node, "depth", depth)
        return node

    def too_deep(self, span: tree.Span) -> ExpressionError:
        return ExpressionError(
            f"more than {MAX_DEPTH} levels in one expression",
            text=self.text,
            position=span[0],
            length=span[1] - span[0],
            hint="give a part of it a name of its own, as a metric",
        )

    # --- grammar ---

    def finish(self) -> None:
        token = self.token
        if token.type is Type.END:
            return
        if token.value == ")":
            raise self.error("this parenthesis was never opened", token)
        if token.value == ",":
            raise self.error("a comma stands between the arguments of a function only", token)
        raise self.error("an operator is missing before this", token)

    def expression(self, binding: int) -> tree.Node:
        self.nested += 1
        if self.nested > _MAX_NESTED:
            raise self.too_deep((self.token.start, max(self.token.end, self.token.start + 1)))
        left = self.operand()
        while (strength := self.strength()) > binding:
            left = self.joined(left, strength)
        self.nested -= 1
        return left

    def strength(self) -> int:
        token = self.token
        return _BINDING.get(token.value, 0) if token.type in (Type.OPERATOR, Type.KEYWORD) else 0

    def operand(self) -> tree.Node:
        token = self.take()
        span = (token.start, token.end)
        if token.type is Type.NUMBER:
            return tree.Number(span=span, text=token.value, unit=token.unit, unit_at=token.unit_at)
        if token.type is Type.TEXT:
            return tree.Text(span=span, value=token.value)
        if token.type is Type.NAME:
            return self.call(token) if self.sees("(") and not token.quoted else tree.Name(span=span, name=token.value)
        if token.type is Type.KEYWORD:
            return self.keyword(token)
        if token.value in ("-", "+"):
            operand = self.expression(_SIGN)
            whole = (token.start, operand.span[1])
            return self.made(tree.Unary(span=whole, operator=token.value, operand=operand), operand)
        if token.value == "(":
            return self.parenthesis(token)
        if token.type is Type.END:
            what = "there is no expression" if self.at == 1 else "something is missing at the end"
            raise self.error(what, token)
        raise self.error("a value is missing before this", token)

    def keyword(self, token: Token) -> tree.Node:
        if token.value in _CONSTANTS:
            return tree.Constant(span=(token.start, token.end), value=_CONSTANTS[token.value])
        if token.value == "not":
            operand = self.expression(_NOT)
            return self.negated(operand, (token.start, operand.span[1]))
        if token.value == "contains" and self.sees("("):
            return self.call(token)
        raise self.error("a value is missing before this", token)

    def parenthesis(self, opening: Token) -> tree.Node:
        inner = self.expression(0)
        if self.sees(","):
            raise self.error("a list stands behind in only, as in x in (1, 2)", self.token)
        if not self.sees(")"):
            if self.token.type is not Type.END:
                raise self.error("an operator or a closing parenthesis is missing before this", self.token)
            raise self.error("this parenthesis is never closed", opening)
        self.take()
        return inner

    def call(self, name: Token) -> tree.Node:
        opening = self.take()
        arguments = () if self.sees(")") else self.items()
        closing = self.closed(opening)
        node = tree.Call(
            span=(name.start, closing.end),
            name=name.value,
            name_span=(name.start, name.end),
            arguments=arguments,
        )
        return self.made(node, *arguments)

    def items(self) -> tuple[tree.Node, ...]:
        found = [self.expression(0)]
        while self.sees(","):
            comma = self.take()
            if len(found) == MAX_ITEMS:
                raise self.error(f"a list has at most {MAX_ITEMS} items", comma)
            found.append(self.expression(0))
        return tuple(found)

    def closed(self, opening: Token) -> Token:
        if self.token.type is Type.END:
            raise self.error("this parenthesis is never closed", opening)
        return self.expect(")", "a comma or a closing parenthesis is missing before this")

    # --- what stands between two values ---

    def joined(self, left: tree.Node, strength: int) -> tree.Node:
        token = self.token
        if strength in (_OR, _AND):
            return self.logic(left, strength)
        if token.value in _COMPARISONS:
            return self.comparison(left)
        if strength == _COMPARE:
            return self.test(left)
        self.take()
        # Powers are read from the right, and may have a sign in front: 2 ^ -3 ^ 2.
        right = self.expression(_SIGN - 1 if token.value == "^" else strength)
        return self.binary(token.value, left, right, (token.start, token.end))

    def binary(self, operator: str, left: tree.Node, right: tree.Node, at: tree.Span) -> tree.Node:
        span = (left.span[0], right.span[1])
        node = tree.Binary(span=span, operator=operator, left=left, right=right, operator_span=at)
        return self.made(node, left, right)

    def logic(self, left: tree.Node, strength: int) -> tree.Node:
        operator, operands = self.token.value, [left]
        while self.sees(operator):
            self.take()
            operands.append(self.expression(strength))
        span = (left.span[0], operands[-1].span[1])
        return self.made(tree.Logic(span=span, operator=operator, operands=tuple(operands)), *operands)

    def comparison(self, left: tree.Node) -> tree.Node:
        operators: list[str] = []
        operands, spans = [left], []
        while self.token.type is Type.OPERATOR and self.token.value in _COMPARISONS:
            token = self.take()
            operators.append(token.value)
            spans.append((token.start, token.end))
            operands.append(self.expression(_COMPARE))
        node = tree.Comparison(
            span=(left.span[0], operands[-1].span[1]),
            operators=tuple(operators),
            operands=tuple(operands),
            operator_spans=tuple(spans),
        )
        return self.made(node, *operands)

    def test(self, left: tree.Node) -> tree.Node:
        """``is null``, ``in``, ``like`` and ``contains``, each with its ``not``."""
        token = self.take()
        if token.value == "is":
            negative = self.sees("not") and bool(self.take())
            end = self.expect("null", "is null and is not null are what can be asked").end
            node: tree.Node = self.made(tree.NullTest(span=(left.span[0], end), operand=left), left)
            return self.negated(node, node.span) if negative else node
        negative = token.value == "not"
        if negative:
            if not self.sees("in", "like", "contains"):
                raise self.error("an operator is missing before this", token)
            token = self.take()
        node = self.membership(left) if token.value == "in" and self.sees("(") else self.matched(token, left)
        return self.negated(node, node.span) if negative else node

    def membership(self, left: tree.Node) -> tree.Node:
        opening = self.take()
        if self.sees(")"):
            raise self.error("a list needs an item", self.token)
        items = self.items()
        end = self.closed(opening).end
        return self.made(tree.Membership(span=(left.span[0], end), operand=left, items=items), left, *items)

    def matched(self, token: Token, left: tree.Node) -> tree.Node:
        return self.binary(token.value, left, self.expression(_COMPARE), (token.start, token.end))

    def negated(self, node: tree.Node, span: tree.Span) -> tree.Node:
        return self.made(tree.Unary(span=span, operator="not", operand=node), node)
