"""Units of measurement: what may be added and compared, what a product or a quotient is counted in.

A unit is a product of powers of base units and a scale: ``kWh`` is joule with the scale 3,600,000, ``W`` is joule per
second. Scales are exact fractions, so that ``15 ms`` is 15,000,000 ns and not nearly so.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

from assay.errors import InvalidInputError, nearest

Powers = tuple[tuple[str, int], ...]
_MAX_POWER = 12
_MAX_SCALE = Fraction(10**60)
_MAX_TEXT = 100
_TIMES = " x "
_NO_WORDS: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit of measurement.

    Attributes:
        name: how it is written.
        powers: base units and their powers, by name; empty for a pure number.
        scale: how many of the base units one of it is.
    """

    name: str
    powers: Powers
    scale: Fraction = Fraction(1)

    def __str__(self) -> str:
        return self.name

    def compatible(self, other: Unit) -> bool:
        """Whether both measure the same thing, so that they can be added and compared."""
        return self.powers == other.powers

    def factor_to(self, other: Unit) -> Fraction:
        """What a figure in this unit is multiplied by to be one in a compatible unit."""
        return self.scale / other.scale

    def __mul__(self, other: Unit) -> Unit:
        if not other.powers and other.scale == 1:
            return self
        if not self.powers and self.scale == 1:
            return other
        return _made(_joined(self.powers, other.powers, 1), self.scale * other.scale)

    def __truediv__(self, other: Unit) -> Unit:
        if not other.powers and other.scale == 1:
            return self
        return _made(_joined(self.powers, other.powers, -1), self.scale / other.scale)

    @property
    def tidy(self) -> Unit:
        """The unit that people are shown figures in: this one, or that of its base units when it has no name."""
        return Unit(_named(self.powers), self.powers) if _TIMES in self.name else self

    def power(self, exponent: int) -> Unit:
        """The unit of a figure raised to a whole power.

        Raises:
            InvalidInputError: when the powers grow beyond all use.
        """
        if exponent == 1:
            return self
        if abs(exponent) > _MAX_POWER:
            raise InvalidInputError(f"{self.name} to the power of {exponent} is out of bounds")
        return _made(tuple((base, power * exponent) for base, power in self.powers if exponent), self.scale**exponent)

    def root(self) -> Unit | None:
        """The unit of a square root; None when there is none, as for one joule."""
        if any(power % 2 for _, power in self.powers):
            return None
        # A root of a scale is a fraction for none but squares, so the figure is brought to scale 1 first.
        return _made(tuple((base, power // 2) for base, power in self.powers), Fraction(1))


def _joined(left: Powers, right: Powers, sign: int) -> Powers:
    powers = dict(left)
    for base, power in right:
        powers[base] = powers.get(base, 0) + sign * power
    return tuple(sorted((base, power) for base, power in powers.items() if power))


def _made(powers: Powers, scale: Fraction) -> Unit:
    """A unit that came out of arithmetic, named by what it is."""
    if any(abs(power) > _MAX_POWER for _, power in powers) or not 1 / _MAX_SCALE <= scale <= _MAX_SCALE:
        raise InvalidInputError("the unit of this product is out of bounds")
    known = _NAMES.get((powers, scale))
    if known is not None:
        return Unit(known, powers, scale)
    whole = _named(powers)
    return Unit(whole if scale == 1 else f"{_figure(scale)}{_TIMES}{whole}", powers, scale)


def _named(powers: Powers) -> str:
    return _NAMES.get((powers, Fraction(1))) or _composed(powers)


def _composed(powers: Powers) -> str:
    above = [_power(_PLURAL.get(base, base), power) for base, power in powers if power > 0]
    below = [_power(base, -power) for base, power in powers if power < 0]
    return "/".join(["*".join(above) or "1", *below])


def _power(name: str, power: int) -> str:
    return name if power == 1 else f"{name}^{power}"


def _figure(scale: Fraction) -> str:
    return str(scale.numerator) if scale.denominator == 1 else f"{float(scale):.6g}"


# --- the words ---

_PLURAL = {
    "sample": "samples",
    "query": "queries",
    "token": "tokens",
    "core": "cores",
    "accelerator": "accelerators",
    "node": "nodes",
}
_UP = {"": Fraction(1), "k": Fraction(10**3), "M": Fraction(10**6), "G": Fraction(10**9), "T": Fraction(10**12)}
_DOWN = {"m": Fraction(1, 10**3), "u": Fraction(1, 10**6), "µ": Fraction(1, 10**6), "n": Fraction(1, 10**9)}
_ALL = {**_UP, **_DOWN}
_WATT: Powers = (("J", 1), ("s", -1))
CURRENCIES = ("USD", "EUR", "GBP", "JPY", "CNY", "INR", "KRW", "CHF")


def _vocabulary() -> dict[str, tuple[Powers, Fraction]]:
    words: dict[str, tuple[Powers, Fraction]] = {}

    def add(
        names: Iterable[str], powers: Powers, scale: Fraction = Fraction(1), prefixes: Iterable[str] = ("",)
    ) -> None:
        for name in names:
            for prefix in prefixes:
                words[prefix + name] = (powers, scale * _ALL[prefix])

    for one, many in _PLURAL.items():
        add((many, one), ((one, 1),), prefixes=_UP if one in ("sample", "query", "token") else ("",))
    add(("s",), (("s", 1),), prefixes=("", *_DOWN))
    add(("second", "seconds", "sec"), (("s", 1),))
    add(("min", "minute", "minutes"), (("s", 1),), Fraction(60))
    add(("h", "hour", "hours"), (("s", 1),), Fraction(3600))
    add(("day", "days"), (("s", 1),), Fraction(86400))
    add(("Hz",), (("s", -1),), prefixes=_UP)
    add(("J",), (("J", 1),), prefixes=_ALL)
    add(("joule", "joules"), (("J", 1),))
    add(("Wh",), (("J", 1),), Fraction(3600), prefixes=_UP)
    add(("W",), _WATT, prefixes=_ALL)
    add(("watt", "watts"), _WATT)
    add(("B",), (("B", 1),), prefixes=_UP)
    add(("byte", "bytes"), (("B", 1),))
    for prefix, power in (("Ki", 10), ("Mi", 20), ("Gi", 30), ("Ti", 40)):
        add((prefix + "B",), (("B", 1),), Fraction(2**power))
    add(("kgCO2", "kgCO2e"), (("kgCO2", 1),))
    add(("gCO2", "gCO2e"), (("kgCO2", 1),), Fraction(1, 1000))
    add(("tCO2", "tCO2e"), (("kgCO2", 1),), Fraction(1000))
    add(("one", "ratio", "fraction"), ())
    add(("percent", "%"), (), Fraction(1, 100))
    for currency in CURRENCIES:
        add((currency,), ((currency, 1),))
    return words


_WORDS = _vocabulary()
# The first word of a meaning is the one that is shown.
_NAMES: dict[tuple[Powers, Fraction], str] = {}
for _word, _meaning in _WORDS.items():
    _NAMES.setdefault(_meaning, _word)
UNIT_WORDS: tuple[str, ...] = tuple(_WORDS)
ONE = Unit("one", ())

_TERM = re.compile(r"\s*(?:(\d{1,15}(?:\.\d{1,15})?(?:e-?\d{1,2})?)|([A-Za-zµ%][A-Za-z0-9µ]*)(?:\^(-?\d{1,2}))?)\s*")


@lru_cache(maxsize=512)
def parse_unit(text: str, words: frozenset[str] = _NO_WORDS) -> Unit:
    """The unit that a text such as ``samples/s``, ``USD/Msample`` or ``ms`` names.

    Args:
        text: words joined by ``*`` and ``/``, each with an optional power (``s^2``).
        words: further words that stand for themselves, such as a currency.

    Raises:
        InvalidInputError: when it names none, with the closest words.
    """
    if len(text) > _MAX_TEXT:
        raise InvalidInputError("a unit is at most 100 characters long")
    unit, position, sign = ONE, 0, 1
    while True:
        match = _TERM.match(text, position)
        if match is None:
            raise InvalidInputError(f"{text!r} is no unit", expected="words such as samples/s, W, J/sample or ms")
        unit = _times(unit, _term(match, words), sign)
        position = match.end()
        if position == len(text):
            return Unit(text.strip(), unit.powers, unit.scale)
        if text[position] not in "*/":
            raise InvalidInputError(f"{text!r} is no unit", expected="words joined by * and /")
        sign = 1 if text[position] == "*" else -1
        position += 1


def _times(left: Unit, right: Unit, sign: int) -> Unit:
    return left * right if sign > 0 else left / right


def _term(match: re.Match[str], words: frozenset[str]) -> Unit:
    figure, word, power = match.groups()
    if figure is not None:
        if not (scale := Fraction(figure)):
            raise InvalidInputError("a unit cannot be zero")
        return _made((), scale)
    return _word_unit(word, words).power(int(power or 1))


def _word_unit(word: str, words: frozenset[str]) -> Unit:
    if word in words:
        return Unit(word, ((word, 1),))
    found = _WORDS.get(word)
    if found is None and len(word) > 3:
        # Samples/s and Watts are written so in official files; short words differ by case alone (mW, MW).
        found = _WORDS.get(word.lower())
    if found is None:
        close = nearest(word, [*_WORDS, *sorted(words)])
        raise InvalidInputError(f"unknown unit {word!r}", expected=" or ".join(close) or None)
    return Unit(word, *found)
