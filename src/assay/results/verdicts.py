"""Both verdicts on a result with what each holds against it, as the catalogue of findings tells it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from assay.errors import NotFoundError
from assay.rules.findings import catalogue
from assay.rules.load import load_round
from assay.rules.model import Round
from assay.rules.submission import Level


@dataclass(frozen=True, slots=True)
class Held:
    """A finding under one set of rules.

    Attributes:
        code: of the catalogue; one that it does not know has no more than that.
        level: how grave it is; None where the round or the code is not known.
        title: one line.
        explain: what it means.
        fix: what to do.
        source: where the rule stands.
    """

    code: str
    level: Level | None
    title: str = ""
    explain: str = ""
    fix: str = ""
    source: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one set of rules says of a result.

    Attributes:
        rules: ``official`` or ``strict``.
        taken: None when nobody judged.
        tool: what judged.
        held: the gravest first.
    """

    rules: str
    taken: bool | None
    tool: str
    held: tuple[Held, ...]


def verdicts(values: Mapping[str, Any]) -> tuple[Verdict, Verdict]:
    """The official and the strict verdict.

    Args:
        values: fields of the result, by name.
    """
    round_ = known_round(values["round"])
    codes = values["findings"] or []
    tool = round_.submission.tool if round_ and round_.submission else "the round's submission checker"
    return (
        Verdict("official", values["official"], tool, _held(codes, round_, official=True)),
        Verdict("strict", values["strict"], "the written rules of the round", _held(codes, round_, official=False)),
    )


def known_round(name: str) -> Round | None:
    """The rules of a round; None for one that has none here."""
    try:
        return load_round(name)
    except NotFoundError:
        return None


def _held(codes: list[str], round_: Round | None, *, official: bool) -> tuple[Held, ...]:
    found: list[Held] = []
    for code in codes:
        kind = catalogue().get(code)
        if kind is None:
            found.append(Held(code, None))
            continue
        level = None
        if round_ is not None:
            level = kind.official_level(round_) if official else kind.strict_level(round_)
        if level is not Level.IGNORE:
            found.append(Held(code, level, kind.title, kind.explain, kind.fix, kind.source))
    return tuple(sorted(found, key=lambda each: (-(each.level.rank if each.level else -1), each.code)))
