"""Fields inside metadata by dotted keys: ``limits.latency`` is ``{"limits": {"latency": ...}}``; ``\\.`` is a dot."""

from __future__ import annotations

import json
import operator
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from assay.cm.meta import JsonObject, JsonValue
from assay.errors import UsageError

Key = tuple[str, ...]
_MAX_DEPTH = 32
_CONDITION = re.compile(r"(?P<key>(?:\\.|[^=!<>\\])+?)\s*(?P<sign>!=|<=|>=|=|<|>)(?P<value>.*)", re.DOTALL)


def parse_key(text: str) -> Key:
    """Read a dotted key.

    Raises:
        UsageError: for an empty part, or one nested absurdly deep.
    """
    parts = tuple(re.sub(r"\\(.)", r"\1", part) for part in re.split(r"(?<!\\)\.", text.strip()))
    if not all(parts) or len(parts) > _MAX_DEPTH:
        raise UsageError(f"{text[:80]!r} is no field", expected="names joined by dots, such as limits.latency")
    return parts


def parse_value(text: str) -> JsonValue:
    """Read a value: JSON where it is JSON, else the text as it is."""
    try:
        value: JsonValue = json.loads(text)
    except (ValueError, RecursionError):
        return text
    return value


def parse_assignment(text: str) -> tuple[Key, JsonValue]:
    """Read ``key=JSON``; a value that is no JSON is text.

    Raises:
        UsageError: without ``=`` or with an empty key.
    """
    key, equals, value = text.partition("=")
    if not equals:
        raise UsageError(f"{text[:80]!r} is no assignment", expected="key=value, such as limits.latency=15")
    return parse_key(key), parse_value(value)


def value_at(meta: JsonObject, key: Key) -> JsonValue:
    """The value of a field; None when it is not there."""
    value: JsonValue = dict(meta)
    for part in key:
        if not isinstance(value, dict) or part not in value:
            return None
        value = value[part]
    return value


def with_value(meta: JsonObject, key: Key, value: JsonValue) -> dict[str, JsonValue]:
    """The metadata with a field set, mappings on the way made.

    Raises:
        UsageError: when something on the way is there and is no mapping.
    """
    name, *rest = key
    if not rest:
        return {**meta, name: value}
    inner = meta.get(name)
    if inner is not None and not isinstance(inner, dict):
        raise UsageError(
            f"{name!r} is no mapping", found=json.dumps(inner)[:80], expected="a field that can hold others"
        )
    return {**meta, name: with_value(inner or {}, tuple(rest), value)}


def without(meta: JsonObject, key: Key) -> dict[str, JsonValue]:
    """The metadata without a field; as it is when there is none."""
    name, *rest = key
    inner = meta.get(name)
    if not rest:
        return {each: value for each, value in meta.items() if each != name}
    return {**meta, name: without(inner, tuple(rest))} if isinstance(inner, dict) else dict(meta)


@dataclass(frozen=True, slots=True)
class Condition:
    """One test of a field.

    Attributes:
        key: which field.
        sign: ``=``, ``!=``, ``<``, ``<=``, ``>`` or ``>=``.
        value: what it is compared with.
    """

    key: Key
    sign: str
    value: JsonValue

    @classmethod
    def parse(cls, text: str) -> Condition:
        """Read ``key=value``, ``key!=value``, ``key<value`` and so on.

        Raises:
            UsageError: when it is none.
        """
        match = _CONDITION.fullmatch(text.strip())
        if match is None:
            raise UsageError(
                f"{text[:80]!r} is no condition", expected="key=value, such as division=closed or power>100"
            )
        return cls(parse_key(match["key"]), match["sign"], parse_value(match["value"].strip()))

    def holds(self, meta: JsonObject) -> bool:
        """Whether metadata answer it; a field that is missing equals nothing but ``null``."""
        found = value_at(meta, self.key)
        if self.sign in ("=", "!="):
            return self._equals(found) == (self.sign == "=")
        return _numbers(found, self.value) and _ORDER[self.sign](found, self.value)

    def _equals(self, found: JsonValue) -> bool:
        """Equal, or one of the items of a list; ``"3"`` and ``3`` are the same, as metadata hold numbers in both forms."""
        if isinstance(found, list) and not isinstance(self.value, list):
            return any(self._equals(item) for item in found)
        if isinstance(found, str) and not isinstance(self.value, str):
            return not isinstance(self.value, bool) and parse_value(found) == self.value
        if _numbers(found, self.value):
            return found == self.value
        return type(found) is type(self.value) and found == self.value


def _numbers(*values: JsonValue) -> bool:
    return all(isinstance(value, (int, float)) and not isinstance(value, bool) for value in values)


_ORDER: dict[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def conditions(texts: tuple[str, ...]) -> Callable[[JsonObject], bool] | None:
    """All conditions together as one test of metadata; None for no conditions.

    Raises:
        UsageError: for a text that is no condition.
    """
    parsed = [Condition.parse(text) for text in texts]
    return (lambda meta: all(each.holds(meta) for each in parsed)) if parsed else None
