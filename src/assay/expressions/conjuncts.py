"""A condition taken apart at its outermost ``and``."""

from __future__ import annotations

from assay.expressions.parse import parse
from assay.expressions.tokens import Token, Type, tokens_of


def conjuncts(text: str) -> list[str]:
    """The parts of a condition that all have to hold, each of which means the same alone; itself when it has one part.

    Raises:
        ExpressionError: when it is no expression.
    """
    parse(text)
    found: list[str] = []
    left = [text]
    while left:
        part = left.pop()
        split = _split(part)
        if len(split) == 1:
            found.append(split[0])
        else:
            left += reversed(split)
    return found


def _split(text: str) -> list[str]:
    """One step: without parentheses around the whole, cut at each ``and`` outside of others."""
    tokens = [token for token in tokens_of(text) if token.type is not Type.END]
    while _wrapped(tokens):
        tokens = tokens[1:-1]
    ends: list[int] = []
    for place, depth in enumerate(_depths(tokens)):
        token = tokens[place]
        if depth or token.type is not Type.KEYWORD:
            continue
        if token.value == "or":
            ends.clear()
            break
        if token.value == "and":
            ends.append(place)
    starts = [0, *(place + 1 for place in ends)]
    return [
        text[tokens[start].start : tokens[end - 1].end] for start, end in zip(starts, [*ends, len(tokens)], strict=True)
    ]


def _depths(tokens: list[Token]) -> list[int]:
    """How many parentheses are open at each token."""
    found, depth = [], 0
    for token in tokens:
        if token.type is Type.OPERATOR and token.value == ")":
            depth -= 1
        found.append(depth)
        if token.type is Type.OPERATOR and token.value == "(":
            depth += 1
    return found


def _wrapped(tokens: list[Token]) -> bool:
    """Whether one pair of parentheses holds everything."""
    if len(tokens) < 2 or tokens[0].type is not Type.OPERATOR or tokens[0].value != "(":
        return False
    return all(depth > 0 for depth in _depths(tokens)[1:-1]) and tokens[-1].value == ")"
