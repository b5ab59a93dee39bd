"""How grave an issue is: the catalogue's level for the round, with what the open division is forgiven."""

from __future__ import annotations

from dataclasses import dataclass, field

from assay.rules.findings import FindingKind, catalogue, finding_kind
from assay.rules.model import Round
from assay.rules.submission import Level


@dataclass(slots=True)
class LevelTable:
    """Levels of one round.

    Attributes:
        round: the round.
        ignored: codes that the user asked not to look at under the official verdict.
    """

    round: Round
    ignored: frozenset[str] = frozenset()
    _official: dict[str, Level] = field(default_factory=dict)
    _strict: dict[str, Level] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for code, kind in catalogue().items():
            self._official[code] = Level.IGNORE if code in self.ignored else kind.official_level(self.round)
            self._strict[code] = kind.strict_level(self.round)

    def kind(self, code: str) -> FindingKind:
        """Meaning of a code."""
        return finding_kind(code)

    def official(self, code: str, *, closed: bool = True) -> Level:
        """Level under the round's tool."""
        rules = self.round.submission
        level = self._official[code]
        if not closed and rules is not None and code in rules.open_forgives and level is not Level.IGNORE:
            return Level.NOTE
        return level

    def strict(self, code: str, *, closed: bool = True) -> Level:
        """Level under the written rules."""
        rules = self.round.submission
        if not closed and rules is not None and code in rules.open_free:
            return min(self._strict[code], Level.NOTE, key=lambda level: level.rank)
        return self._strict[code]

    def refuses(self, code: str, *, closed: bool = True) -> bool:
        """Whether the round's tool drops a result for it."""
        return self.official(code, closed=closed) is Level.REJECT
