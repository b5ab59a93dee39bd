"""Text into tokens: one pass, no backtracking, every token with its place."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from assay.expressions.error import ExpressionError

MAX_TEXT = 4000
KEYWORDS = frozenset({"and", "or", "not", "in", "is", "like", "contains", "true", "false", "null"})
_SAME = {"&&": "and", "||": "or", "!": "not", "=": "==", "<>": "!=", "**": "^"}
_SPACE = re.compile(r"[ \t\r\n]+")
_NUMBER = re.compile(r"(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z0-9_]+)*")
_UNIT = re.compile(r"[ \t]*(%|[A-Za-zµ][A-Za-z0-9µ]*(?:[/*][A-Za-zµ][A-Za-z0-9µ]*)*)(?![A-Za-z0-9µ_.]|[ \t]*\()")

_OPERATOR = re.compile(r"&&|\|\||\*\*|==|!=|<>|<=|>=|[-+*/^<>=!(),]")
_MAX_NUMBER = 60
_FOREIGN = {
    "%": "there is no remainder operator; % is a unit behind a number",
    ";": "an expression is one expression",
    "[": "write lists in parentheses, as in x in (1, 2)",
    "{": "lists are written in parentheses, as in x in (1, 2)",
    "~": "text patterns are written with like",
    "&": 'write "and" or &&',
    "|": 'write "or" or ||',
}


class Type(StrEnum):
    """What a token is."""

    NUMBER = "number"
    TEXT = "text"
    NAME = "name"
    KEYWORD = "keyword"
    OPERATOR = "operator"
    END = "end"


@dataclass(frozen=True, slots=True)
class Token:
    """One word of the language.

    Attributes:
        value: the number as written, the text without its quotes, the name, the keyword or operator in its one spelling.
        start: offset of its first character.
        end: offset behind its last one.
        unit: the unit behind a number, as written.
        unit_at: offset of the unit.
        quoted: a name in backticks, which is never a keyword or a function.
    """

    type: Type
    value: str
    start: int
    end: int
    unit: str | None = None
    unit_at: int = 0
    quoted: bool = False


def tokens_of(text: str) -> list[Token]:
    """The tokens of a text, with one of type ``END`` at its end.

    Raises:
        ExpressionError: for a character that means nothing, an open quote, or a text that is too long.
    """
    if len(text) > MAX_TEXT:
        raise ExpressionError(
            f"an expression is at most {MAX_TEXT:,} characters long; this has {len(text):,}",
            text=text,
            position=MAX_TEXT,
        )
    found: list[Token] = []
    position = 0
    while True:
        space = _SPACE.match(text, position)
        position = space.end() if space else position
        if position == len(text):
            return [*found, Token(Type.END, "", position, position)]
        token = _token(text, position)
        found.append(token)
        position = token.end


def _token(text: str, start: int) -> Token:
    character = text[start]
    if character in "\"'`":
        return _quoted(text, start)
    if match := _NUMBER.match(text, start):
        return _number(text, match)
    if match := _WORD.match(text, start):
        word = match[0]
        if word.lower() in KEYWORDS:
            return Token(Type.KEYWORD, word.lower(), start, match.end())
        return Token(Type.NAME, word, start, match.end())
    if match := _OPERATOR.match(text, start):
        value = _SAME.get(match[0], match[0])
        return Token(Type.KEYWORD if value in KEYWORDS else Type.OPERATOR, value, start, match.end())
    shown = repr(character) if character.isprintable() else f"U+{ord(character):04X}"
    raise ExpressionError(f"{shown} means nothing here", text=text, position=start, hint=_FOREIGN.get(character))


def _number(text: str, match: re.Match[str]) -> Token:
    start, end = match.span()
    if end - start > _MAX_NUMBER:
        raise ExpressionError(
            f"a number has at most {_MAX_NUMBER} characters", text=text, position=start, length=end - start
        )
    unit = _UNIT.match(text, end)
    if unit is None or _is_keyword(unit[1]):
        return Token(Type.NUMBER, match[0], start, end)
    return Token(Type.NUMBER, match[0], start, unit.end(), unit[1], unit.start(1))


def _is_keyword(unit: str) -> bool:
    return unit.lower() in KEYWORDS


def _quoted(text: str, start: int) -> Token:
    """A text or a name in quotes; a quote inside is written twice or behind a backslash."""
    quote = text[start]
    parts: list[str] = []
    position = start + 1
    while position < len(text):
        character = text[position]
        following = text[position + 1 : position + 2]
        if character == quote and following == quote:
            parts.append(quote)
            position += 2
        elif character == "\\" and following in (quote, "\\") and following:
            parts.append(following)
            position += 2
        elif character == quote:
            value = "".join(parts)
            kind = Type.NAME if quote == "`" else Type.TEXT
            return Token(kind, value, start, position + 1, quoted=kind is Type.NAME)
        elif character == "\0" or "\ud800" <= character <= "\udfff":
            raise ExpressionError(f"U+{ord(character):04X} cannot stand in a text", text=text, position=position)
        else:
            parts.append(character)
            position += 1
    raise ExpressionError(f"the quote {quote} is never closed", text=text, position=start, length=len(text) - start)
