"""Figures and words as submitters write them, made one kind: numbers, bytes, and None for what is missing."""

from __future__ import annotations

import functools
import math
import re

_MISSING = frozenset({"", "-", "--", "n/a", "na", "none", "null", "nan", "tbd", "unknown"})
_WHOLE = re.compile(r"\s*(\d{1,9})(?:\.0*)?\s*")
_CORES = re.compile(r"(\d{1,4})(?: *\([^()]*\))?")
_MEMORY = re.compile(r"(?:(\d{1,4}) *x *)?(\d{1,9}(?:\.\d{1,9})?) *([KMGT])i?B?(?:ytes?)?", re.IGNORECASE)
_POWERS = {"K": 10, "M": 20, "G": 30, "T": 40}
_LONGEST = 4_000
_LONGEST_FIGURE = 200
_MOST_BYTES = 1 << 60


def text(value: object) -> str | None:
    """A text without the blanks around it; None for what says that there is none (``N/A``, ``-``, nothing)."""
    if value is None or isinstance(value, dict | list):
        return None
    try:
        words = value if isinstance(value, str) else str(value)
    except ValueError:  # a number of more digits than Python writes
        return None
    return _text(words) if len(words) <= _LONGEST else _text(words[: 2 * _LONGEST])


@functools.lru_cache(16_384)
def _text(words: str) -> str | None:
    words = encodable(words).replace("\0", "").strip()[:_LONGEST].rstrip()
    return None if words.casefold() in _MISSING else words


def encodable(words: str) -> str:
    """A text without lone halves of surrogate pairs: names on a disk may have them, JSON and databases never."""
    return words if words.isascii() else words.encode("utf-8", "replace").decode("utf-8")


def number(value: object) -> float | None:
    """A finite number, also one that is written as text."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    if isinstance(value, str) and "_" in value:  # Python takes 1_000 for a number, nobody else does
        return None
    try:
        found = float(value)
    except (ValueError, OverflowError):
        return None
    return found if math.isfinite(found) else None


def whole(value: object) -> int | None:
    """A count, also one that is written as text; None for anything else, such as ``(8,4)``."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value if 0 <= value < 10**9 else None
    if isinstance(value, float):
        return int(value) if value.is_integer() and 0 <= value < 10**9 else None
    match = _WHOLE.fullmatch(value) if isinstance(value, str) else None
    return int(match[1]) if match else None


@functools.lru_cache(4096)
def _cores(words: str) -> int | None:
    parts = words.strip().split(";")
    found = [_CORES.fullmatch(part.strip()) for part in parts]
    total = sum(int(match[1]) for match in found if match)
    return total if total and all(found) else None


def _short(words: str) -> bool:
    return len(words) <= _LONGEST_FIGURE


def cores(value: object) -> int | None:
    """Cores of one processor: a count, or ``4 (big); 4 (LITTLE)``, which is eight."""
    if isinstance(value, str):
        return _cores(value) if _short(value) else None
    return whole(value)


@functools.lru_cache(4096)
def _memory(words: str) -> int | None:
    match = _MEMORY.fullmatch(words.strip())
    if match is None:
        return None
    count, amount, unit = match.groups()
    found = round(int(count or 1) * float(amount) * (1 << _POWERS[unit.upper()]))
    return found if found < _MOST_BYTES else None


def memory(value: object) -> int | None:
    """Bytes of ``512 GB``, ``16x 64 GB`` or ``1T``; memory is counted in powers of two whatever the unit is called."""
    return _memory(value) if isinstance(value, str) and _short(value) else None


def categories(value: object) -> tuple[str, ...]:
    """Categories of a system type such as ``datacenter,edge``, in the order of their names."""
    words = text(value)
    return tuple(sorted({part.strip().lower() for part in words.split(",") if part.strip()})) if words else ()
