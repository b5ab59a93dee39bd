"""``spl.txt``: the analyzer's samples, one a second, and those of them inside a window of time.

A line is ``Time,<MM-DD-YYYY HH:MM:SS.mmm>,Watts,<W>,Volts,<V>,Amps,<A>,PF,<power factor>,Mark,<session>_<mode>`` (and
the same for each channel). The official tools read every line with ``strptime`` and refuse a file in which one line
cannot be read; so does this module, with the same result: a file that is as the daemon writes it is read with numpy,
about twenty times faster, and any other the official way, line by line.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from assay.submission.power import stamps

TIME_FORMAT = "%m-%d-%Y %H:%M:%S.%f"
SAMPLE = "Time"
"""What the line of a sample begins with."""
_TIME, _WATTS, _POWER_FACTOR = 1, 3, 9
_HEAD = np.frombuffer(b"Time,00-00-0000 00:00:00.000,Watts,", np.uint8)
_HEAD_REST = np.where(ord("0") == _HEAD, 9, 0).astype(np.uint8)
_NUMBER = np.frombuffer(b"00000000.000000", np.uint8)
_NUMBER_REST = np.where(ord("0") == _NUMBER, 9, 0).astype(np.uint8)
_NUMBER_WEIGHTS = np.array([10.0**power for power in (*range(13, 5, -1), 0, *range(5, -1, -1))])
_WHOLE = 8
_STAMP = len("Time,")
_DAY_US = 86_400_000_000


class SplError(Exception):
    """A line that the official tools cannot read either.

    Attributes:
        line: of the file, from 1; None when it is the file as a whole.
    """

    def __init__(self, problem: str, line: int | None = None, found: str = "") -> None:
        super().__init__(problem)
        self.problem = problem
        self.line = line
        self.found = found


@dataclass(frozen=True, slots=True)
class Samples:
    """Samples strictly inside a window, in the order of the file.

    Attributes:
        watts: of each sample.
        power_factors: of each sample; empty when they were not asked for.
        lines: of the whole file.
        first: line of the first sample inside, from 1; 0 when there is none.
    """

    watts: list[float]
    power_factors: list[float]
    lines: int
    first: int


def samples(
    raw: bytes, begin: datetime, end: datetime, *, power_factors: bool = False, passes_other_lines: bool = False
) -> Samples:
    """Samples between two moments, both left out.

    Args:
        raw: content of the file.
        begin: start of the window, UTC without a time zone, as the log has it.
        end: its end.
        power_factors: read them too (the power working group's checker since v3.1).
        passes_other_lines: lines that do not begin with ``Time`` are passed over (the official tools since v4.0).

    Raises:
        SplError: when a line is not as it should be, wherever it stands.
    """
    found = _fast(raw, begin, end, power_factors)
    return _slow(raw, begin, end, power_factors, passes_other_lines) if found is None else found


def _fast(raw: bytes, begin: datetime, end: datetime, power_factors: bool) -> Samples | None:
    """Samples of a file that is as the daemon writes it, None when it is not."""
    if b"\r" in raw:
        raw = raw.replace(b"\r\n", b"\n")
    # Lines that are too short are not worth arrays that are larger than the file.
    if not raw or not raw.isascii() or b"\r" in raw or raw.count(b"\n") * len(_HEAD) > len(raw):
        return None
    text = np.frombuffer(raw, np.uint8)
    stops = np.flatnonzero(text == ord("\n"))
    if not raw.endswith(b"\n"):
        stops = np.append(stops, len(raw))
    starts = np.empty_like(stops)
    starts[0] = 0
    starts[1:] = stops[:-1] + 1
    moments = _moments(text, starts, stops)
    if moments is None:
        return None
    within = np.flatnonzero((moments > _microseconds(begin)) & (moments < _microseconds(end)))
    if not len(within):
        return Samples([], [], len(stops), 0)
    try:
        watts, factors = _fields(raw, starts[within], stops[within], power_factors)
    except (ValueError, IndexError):
        return None
    return Samples(watts, factors, len(stops), int(within[0]) + 1)


def _moments(text: stamps.Bytes, starts: stamps.Integers, stops: stamps.Integers) -> stamps.Integers | None:
    """Time of each line in microseconds since 1970, None when one line is not plain."""
    width = len(_HEAD)
    if int((stops - starts).min()) < width:
        return None
    # Against its pattern, a digit leaves 0 to 9 and any other character 0.
    rest = np.lib.stride_tricks.sliding_window_view(text, width)[starts] ^ _HEAD
    if not (rest <= _HEAD_REST).all():
        return None
    return stamps.moments(rest[:, _STAMP : _STAMP + stamps.WIDTH])


def _microseconds(moment: datetime) -> int:
    since = moment.replace(tzinfo=None) - datetime(1970, 1, 1)
    return since.days * _DAY_US + since.seconds * 1_000_000 + since.microseconds


def _fields(
    raw: bytes, starts: stamps.Integers, stops: stamps.Integers, power_factors: bool
) -> tuple[list[float], list[float]]:
    plain = None if power_factors else _decimals(raw, starts + len(_HEAD), stops)
    if plain is not None:
        return plain, []
    text = raw.decode("ascii")
    rows = [text[start:stop].split(",", _POWER_FACTOR + 1) for start, stop in _pairs(starts, stops)]
    watts = [float(row[_WATTS]) for row in rows]
    return watts, [float(row[_POWER_FACTOR]) for row in rows] if power_factors else []


def _decimals(raw: bytes, starts: stamps.Integers, stops: stamps.Integers) -> list[float] | None:
    """Numbers such as ``123.456000`` that begin at ``starts``, None when one is written in another way.

    The quotient of two integers that a double holds exactly is the double nearest to the number: what ``float`` gives.
    """
    text = np.frombuffer(raw, np.uint8)
    commas = np.flatnonzero(text == ord(","))
    after = np.searchsorted(commas, starts)
    if int(after[-1]) >= len(commas):
        return None
    ends = commas[after]
    lengths, width = ends - starts, len(_NUMBER)
    # A number ends behind the head of its line, so that there are always enough characters before it.
    if bool((ends > stops).any()) or int(lengths.min()) < width - _WHOLE + 1 or int(lengths.max()) > width:
        return None
    rest = np.lib.stride_tricks.sliding_window_view(text, width)[ends - width] ^ _NUMBER
    rest[np.arange(width) < (width - lengths)[:, None]] = 0
    if not (rest <= _NUMBER_REST).all():
        return None
    numbers: list[float] = ((rest.astype(np.float64) @ _NUMBER_WEIGHTS) / 1e6).tolist()
    return numbers


def _pairs(starts: stamps.Integers, stops: stamps.Integers) -> Iterator[tuple[int, int]]:
    return zip(starts.tolist(), stops.tolist(), strict=True)


def _slow(raw: bytes, begin: datetime, end: datetime, power_factors: bool, passes_other_lines: bool) -> Samples:
    """Samples as the official tools read them, line by line."""
    watts: list[float] = []
    factors: list[float] = []
    number, first = 0, 0
    for number, line in enumerate(lines_of(raw), 1):
        if passes_other_lines and not line.startswith(SAMPLE):
            continue
        row = line.split(",")
        try:
            moment = datetime.strptime(row[_TIME], TIME_FORMAT)
            if not begin < moment < end:
                continue
            watts.append(float(row[_WATTS]))
            if power_factors:
                factors.append(float(row[_POWER_FACTOR]))
        except IndexError:
            raise SplError("the line has too few fields", number, line) from None
        except ValueError:
            raise SplError("a field of the line cannot be read", number, line) from None
        first = first or number
    return Samples(watts, factors, number, first)


def lines_of(raw: bytes) -> Iterator[str]:
    """Lines of a text as Python reads them from a file, with their ends.

    Raises:
        SplError: when it is not UTF-8.
    """
    text, start = text_of(raw), 0
    while (stop := text.find("\n", start)) >= 0:
        yield text[start : stop + 1]
        start = stop + 1
    if start < len(text):
        yield text[start:]


def text_of(raw: bytes) -> str:
    """A text as Python reads it from a file: all line ends become ``\\n``.

    Raises:
        SplError: when it is not UTF-8.
    """
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise SplError(f"not UTF-8 text at byte {error.start}", line) from None
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text


def total(values: list[float]) -> float:
    """Sum from left to right, each step rounded: what ``sum`` gave until Python 3.11.

    Later versions compensate, and their last digit is another one than in the official summaries.
    """
    return float(np.cumsum(np.array(values, np.float64))[-1]) if values else 0.0


def mean(values: list[float]) -> float:
    """Sum from left to right, divided by the count; the caller knows that there are some."""
    return total(values) / len(values)
