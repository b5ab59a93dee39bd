"""The finding catalogue: what each code means, and how grave it is under a round's tool and its written rules.

The catalogue is data (``findings/*.yaml``). A level is one word, or a word for each round since which it holds; a
round that is not named has the level of the latest one before it. A round file may say otherwise
(``submission.severity``).
"""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, RootModel

from assay.base.yamlfile import read_yaml, validate
from assay.errors import InvalidInputError, unknown
from assay.rules.model import Round
from assay.rules.submission import Level

_FOLDER = Path(__file__).with_name("findings")
_Text = Annotated[str, Field(min_length=3, max_length=1000)]
_RoundName = Annotated[str, Field(pattern=r"^v\d+\.\d+$")]
_Code = Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=60)]


@dataclass(frozen=True, slots=True)
class FindingKind:
    """An entry of the catalogue.

    Attributes:
        code: stable name, such as ``seed-wrong``.
        title: one line.
        explain: what it means and why it matters.
        fix: what to do.
        source: where the rule stands.
        official: level under the round's official tool, by the round since which it holds.
        strict: level under the written rules, likewise.
    """

    code: str
    title: str
    explain: str
    fix: str
    source: str
    official: Mapping[str, Level]
    strict: Mapping[str, Level]

    def official_level(self, round_: Round) -> Level:
        """Level that the official tool of a round gives it."""
        own = round_.submission.severity if round_.submission is not None else {}
        return own.get(self.code) or _since(self.official, round_.name)

    def strict_level(self, round_: Round) -> Level:
        """Level under the written rules of a round."""
        return _since(self.strict, round_.name)


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    title: _Text
    explain: _Text
    fix: _Text
    source: _Text
    official: Level | dict[_RoundName, Level] = Level.REJECT
    strict: Level | dict[_RoundName, Level] = Level.REJECT


class _File(RootModel[dict[_Code, _Entry]]):
    pass


@functools.cache
def catalogue() -> Mapping[str, FindingKind]:
    """All kinds of findings by code.

    Raises:
        InvalidInputError: for a malformed catalogue file, with file, line and key.
    """
    found: dict[str, FindingKind] = {}
    for path in sorted(_FOLDER.glob("*.yaml")):
        document = read_yaml(path)
        for code, entry in validate(_File, document).root.items():
            if code in found:
                raise InvalidInputError(f"finding {code!r} is there twice", where=document.where((code,)))
            found[code] = FindingKind(
                code,
                entry.title,
                entry.explain,
                entry.fix,
                entry.source,
                _levels(entry.official),
                _levels(entry.strict),
            )
    return found


def finding_kind(code: str) -> FindingKind:
    """The kind of a code.

    Raises:
        NotFoundError: with the closest codes.
    """
    kinds = catalogue()
    if code not in kinds:
        raise unknown("finding", code, kinds, hint="assay explain --list")
    return kinds[code]


def _levels(value: Level | dict[str, Level]) -> Mapping[str, Level]:
    return {"v0.0": value} if isinstance(value, Level) else value


def _since(levels: Mapping[str, Level], round_name: str) -> Level:
    """The level of the latest round named that is not after this one; of the earliest when all are after it."""
    age = _age(round_name)
    ordered = sorted(levels, key=_age)
    before = [name for name in ordered if _age(name) <= age]
    return levels[before[-1] if before else ordered[0]]


@functools.cache
def _age(name: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", name))
