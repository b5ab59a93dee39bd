"""Samples of a power analyzer, and the lines in which the daemon and ``spl.txt`` write them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from assay.base.files import open_regular
from assay.errors import InvalidInputError, NotFoundError

TIME_FORMAT = "%m-%d-%Y %H:%M:%S.%f"
_MAX_BYTES = 64 << 20
_KEYS = ("Time", "Watts", "Volts", "Amps", "PF")
_WORDS, _MOST_CHANNELS = 9, 16
_ANALYZER, MOST_ANALYZERS = "Analyzer", 16


@dataclass(frozen=True, slots=True)
class Channel:
    """What an analyzer of several channels read on one of them."""

    name: str
    watts: float
    volts: float
    amps: float
    power_factor: float

    def text(self) -> str:
        """The channel as it stands behind a sample's mark."""
        return (
            f",{self.name},Watts,{self.watts:.6f},Volts,{self.volts:.6f},"
            f"Amps,{self.amps:.6f},PF,{self.power_factor:.6f}"
        )


@dataclass(frozen=True, slots=True)
class Sample:
    """What an analyzer read at a moment.

    Attributes:
        time: seconds since 1970.
        mark: of the measurement it belongs to; empty where the line has none.
        channels: of an analyzer that has several; the other values are then those of all together.
        analyzers: what each of several analyzers read; the watts are then their sum, and the other values unknown.
    """

    time: float
    watts: float
    volts: float = -1.0
    amps: float = -1.0
    power_factor: float = -1.0
    mark: str = ""
    channels: tuple[Channel, ...] = ()
    analyzers: tuple[Sample, ...] = ()

    def line(self) -> str:
        """The sample as the daemon writes it; with its mark where it has one, then its channels or its analyzers."""
        text = (
            f"Time,{stamp(self.time)},Watts,{self.watts:.6f},Volts,{self.volts:.6f},"
            f"Amps,{self.amps:.6f},PF,{self.power_factor:.6f}"
        )
        marked = f"{text},Mark,{self.mark}" if self.mark else text
        parts = [channel.text() for channel in self.channels]
        parts += [f",{_ANALYZER}{number},{each.line()}" for number, each in enumerate(self.analyzers, 1)]
        return marked + "".join(parts)


def stamp(moment: float) -> str:
    """A time as the daemon writes it: ``MM-DD-YYYY HH:MM:SS.mmm``, UTC."""
    return datetime.fromtimestamp(moment, UTC).strftime(TIME_FORMAT)[:-3]


def moment_of(text: str) -> float:
    """Seconds since 1970 of a time as LoadGen and the daemon write it.

    Raises:
        ValueError: when it is none.
    """
    return datetime.strptime(text, TIME_FORMAT).replace(tzinfo=UTC).timestamp()


def parse_sample(line: str) -> Sample | None:
    """Read a line; None when it is no sample."""
    words = line.strip().split(",")
    if len(words) < 10 or tuple(words[:10:2]) != _KEYS:
        return None
    try:
        moment = moment_of(words[1])
        watts, volts, amps, factor = (float(word) for word in words[3:10:2])
    except ValueError:
        return None
    marked = len(words) > 11 and words[10] == "Mark"
    rest = words[12:] if marked else words[10:]
    channels, analyzers = tuple(_channels(rest)), tuple(_analyzers(rest))
    return Sample(moment, watts, volts, amps, factor, words[11] if marked else "", channels, analyzers)


def _analyzers(words: list[str]) -> Iterator[Sample]:
    """The samples of analyzers that were put together; nothing where one of them is none."""
    starts = [place for place, word in enumerate(words) if word.startswith(_ANALYZER)]
    if not starts or starts[0] != 0 or len(starts) > MOST_ANALYZERS:
        return
    parts = [words[start + 1 : end] for start, end in zip(starts, [*starts[1:], len(words)], strict=True)]
    # A part has no analyzers of its own, so that this ends.
    samples = [parse_sample(",".join(part)) for part in parts]
    yield from (sample for sample in samples if sample is not None) if None not in samples else ()


def _channels(words: list[str]) -> Iterator[Channel]:
    """Channels, until something else comes."""
    for start in range(0, min(len(words), _MOST_CHANNELS * _WORDS), _WORDS):
        part = words[start : start + _WORDS]
        if len(part) < _WORDS or not part[0].startswith("Ch") or tuple(part[1::2]) != _KEYS[1:]:
            return
        try:
            yield Channel(part[0], *(float(word) for word in part[2::2]))
        except ValueError:
            return


def parse_samples(lines: Iterable[str], mark: str | None = None) -> Iterator[Sample]:
    """The samples among lines, those of one mark where it is given."""
    for line in lines:
        sample = parse_sample(line)
        if sample is not None and mark in (None, sample.mark):
            yield sample


def read_samples(path: Path, mark: str | None = None) -> list[Sample]:
    """Samples of a log, at most 64 MiB of it.

    Raises:
        NotFoundError: when there is no such file.
        InvalidInputError: when it holds no sample.
    """
    try:
        with open_regular(path) as stream:
            text = stream.read(_MAX_BYTES).decode("utf-8", "replace")
    except OSError as error:
        raise NotFoundError("there is no log of power samples", where=path) from error
    found = list(parse_samples(text.split("\n"), mark))
    if not found:
        expected = "Time,MM-DD-YYYY HH:MM:SS.mmm,Watts,..." + (f" with the mark {mark}" if mark else "")
        raise InvalidInputError("the log holds no power sample", where=path, expected=expected)
    return found


def good(sample: Sample) -> bool:
    """Whether it is a reading at all: the daemon writes -1 or nan where the analyzer gave none."""
    return math.isfinite(sample.watts) and sample.watts > 0
