"""What a round's power working group asks of a power measurement, and how its checker looks at one.

The facts are data (``power/<round>.yaml``), one file for each round; a round without a file of its own is held to
that of the latest round before it. Oddities of the official checker are facts too (``official_margin_s``): a check
asks for the fact, never for the round's name.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from assay.base.yamlfile import Located, merge, read_yaml, validate
from assay.errors import InvalidInputError, unknown

_PACKAGED = Path(__file__).with_name("power")
_FORBID = {"extra": "forbid"}
_Text = Annotated[str, Field(min_length=1, max_length=500)]
_Sha1 = Annotated[str, Field(pattern=r"^[0-9a-f]{40}$")]
_Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
_NotNegative = Annotated[float, Field(ge=0, allow_inf_nan=False)]


@dataclass(frozen=True, slots=True)
class ReplyFacts:
    """What the daemon (SPEC PTDaemon) has to answer.

    Attributes:
        commands: start of a command to the reply that every such command gets.
        stop: the command that ends a measurement.
        stopped: reply to it.
        stops: how many times it is answered so; later ones get ``nothing_to_stop``.
    """

    __pydantic_config__ = _FORBID
    commands: Mapping[str, str]
    stop: str
    stopped: str
    nothing_to_stop: str
    stops: Annotated[int, Field(ge=1)]


@dataclass(frozen=True, slots=True)
class DaemonFacts:
    """The daemon and the power analyzers that a round takes.

    Attributes:
        versions: versions of the daemon.
        analyzers: name of an analyzer to the daemon's number of its kind.
        two_channels: kinds that have to be set up with two channels.
        replies: what it answers.
        ranges_message: which of its messages (from 0) tells the ranges that were set before.
        restoring_command: which command (from 1) of each kind sets them again.
    """

    __pydantic_config__ = _FORBID
    versions: Annotated[tuple[_Text, ...], Field(min_length=1)]
    analyzers: Annotated[Mapping[str, int], Field(min_length=1)]
    two_channels: tuple[int, ...]
    replies: ReplyFacts
    ranges_message: Annotated[int, Field(ge=0)] = 2
    restoring_command: Annotated[int, Field(ge=1)] = 3


@dataclass(frozen=True, slots=True)
class TimingFacts:
    """How times are compared.

    Attributes:
        clock_difference_ms: how far the clocks of client and server may be apart.
        clock_difference_inclusive: that very difference is allowed.
        shift_s: LoadGen's window may be off by this much (summer time).
        duration_limit: by what share the durations of both runs may differ.
        duration_of: share of what: of the ``larger`` one, or of ``ranging`` and only when testing is shorter.
        duration_fails: a larger difference fails; else it is marked for an audit.
        average_drop_percent: the average power while testing must not be lower than while ranging by this much; None
            where it is not looked at.
    """

    __pydantic_config__ = _FORBID
    clock_difference_ms: _Positive
    clock_difference_inclusive: bool
    shift_s: _NotNegative
    duration_limit: _Positive
    duration_of: Literal["larger", "ranging"]
    duration_fails: bool
    average_drop_percent: _Positive | None = None


@dataclass(frozen=True, slots=True)
class LogFacts:
    """How the daemon's log is read.

    Attributes:
        errors_ranging: starts of errors that are ordinary while the ranges are looked for.
        errors_accepted: errors that are accepted at any time.
        uncertainty_limit_percent: largest uncertainty of a sample.
        uncertainty_fails: a larger one in the load window fails; else it is marked for an audit.
        adds_time_zone: the official checker adds the server's time zone to times that are UTC already.
        margin_s: how far warnings may reach into the load window from both ends.
        official_margin_s: the same as the official checker computes it.
        passes_other_lines: lines of ``spl.txt`` that do not begin with ``Time`` are passed over.
    """

    __pydantic_config__ = _FORBID
    errors_ranging: tuple[_Text, ...]
    errors_accepted: tuple[_Text, ...]
    uncertainty_limit_percent: _Positive
    uncertainty_fails: bool
    adds_time_zone: bool
    margin_s: _NotNegative
    official_margin_s: _NotNegative
    passes_other_lines: bool = False


@dataclass(frozen=True, slots=True)
class SourceFacts:
    """Hashes of the client's and server's own sources, as they report them.

    Attributes:
        shared: path to SHA-1, the same in all sets.
        accepted: what the sets have besides, one mapping for each.
    """

    __pydantic_config__ = _FORBID
    shared: Mapping[str, _Sha1]
    accepted: Annotated[tuple[Mapping[str, _Sha1], ...], Field(min_length=1)]

    def sets(self) -> tuple[dict[str, str], ...]:
        """All accepted sets, whole."""
        return tuple({**self.shared, **each} for each in self.accepted)


@dataclass(frozen=True, slots=True)
class PowerFacts:
    """A round's facts of power measurements.

    Attributes:
        name: of the round.
        tool: the official checker: repository, revision, file.
        session_fields: keys of ``client.json`` and ``server.json``.
        hashed: files whose SHA-1 the client or the server records, relative to ``performance/``.
        sources: accepted sources of client and server.
    """

    name: str
    tool: str
    session_fields: tuple[str, ...]
    hashed: tuple[str, ...]
    daemon: DaemonFacts
    timing: TimingFacts
    log: LogFacts
    sources: SourceFacts


class _PowerFile(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    format: Literal[1]
    name: Annotated[str, Field(pattern=r"^v\d+\.\d+$")]
    tool: _Text
    session_fields: Annotated[tuple[_Text, ...], Field(min_length=1)]
    hashed: Annotated[tuple[_Text, ...], Field(min_length=1)]
    daemon: DaemonFacts
    timing: TimingFacts
    log: LogFacts
    sources: SourceFacts


def power_rounds() -> list[str]:
    """Rounds that have power facts of their own, oldest first."""
    return sorted((path.stem for path in _PACKAGED.glob("v*.yaml")), key=_age)


@functools.cache
def load_power(round_name: str) -> PowerFacts:
    """Power facts of a round (``v3.1``); those of the latest round before it when it has none of its own.

    Raises:
        NotFoundError: for a name that is no round, or a round older than all that are known.
        InvalidInputError: for a malformed file.
    """
    known = power_rounds()
    if not re.fullmatch(r"v\d+\.\d+", round_name):
        raise unknown("round", round_name, known, hint="assay rounds")
    before = [name for name in known if _age(name) <= _age(round_name)]
    if not before:
        raise unknown("round", round_name, known, hint="assay rounds")
    return read_power(_PACKAGED / f"{before[-1]}.yaml")


def read_power(path: Path) -> PowerFacts:
    """Read a file of power facts; with ``extends: v3.0`` it says only what has changed since that round.

    Raises:
        NotFoundError: when it, or the round it extends, is not there.
        InvalidInputError: when it is malformed; ``where`` says file, line and key.
    """
    file = validate(_PowerFile, _resolve(path))
    return PowerFacts(
        file.name, file.tool, file.session_fields, file.hashed, file.daemon, file.timing, file.log, file.sources
    )


def _resolve(path: Path, seen: tuple[str, ...] = ()) -> Located:
    document = read_yaml(path)
    if "extends" not in document.value:
        return document
    base = document.value.pop("extends")
    where = document.where(("extends",))
    if base not in power_rounds():
        expected = " or ".join(power_rounds())
        raise InvalidInputError(
            "extends names no round with power facts", where=where, expected=expected, found=repr(base)
        )
    if base in seen:
        raise InvalidInputError("a round extends itself", where=where, found=" -> ".join((*seen, base)))
    return merge(_resolve(_PACKAGED / f"{base}.yaml", (*seen, base)), document)


def _age(name: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", name))
