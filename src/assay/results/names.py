"""One spelling for each organisation, accelerator, processor and framework; what was given is kept beside it.

The table is ``names.yaml``: an alias is compared without case, blanks, hyphens, underscores and trade-mark signs, and
a pattern finds a family in a longer text. A name that is not in the table is its own spelling.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from assay.base.yamlfile import read_yaml, validate
from assay.results.clean import text

_TABLE = Path(__file__).parent / "names.yaml"
_NOISE = re.compile(r"\((?:r|tm|c)\)|[®™©]|[\s_\-]+", re.IGNORECASE)
_BLANKS = re.compile(r"\s+")


class _Kind(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)
    aliases: dict[str, list[str]] = {}
    patterns: dict[str, str] = {}
    remove: list[str] = []


class _Document(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)
    organisations: _Kind
    accelerators: _Kind
    accelerator_vendors: _Kind
    processors: _Kind
    frameworks: _Kind
    tasks: dict[str, str]


@dataclass(frozen=True, slots=True)
class Names:
    """Spellings of one kind of thing.

    Attributes:
        aliases: key of a spelling to the name.
        patterns: what is looked for in a text, first match wins, and the name.
        remove: what is taken out of a name that is in neither.
    """

    aliases: Mapping[str, str]
    patterns: tuple[tuple[re.Pattern[str], str], ...]
    remove: tuple[re.Pattern[str], ...]

    def name(self, given: object) -> str | None:
        """The one spelling of a name; None when none is given."""
        words = text(given)
        if words is None:
            return None
        known = self.aliases.get(key_of(words))
        if known is not None:
            return known
        for pattern, name in self.patterns:
            if match := pattern.search(words):
                return _BLANKS.sub(" ", match.expand(name)).strip()
        for pattern in self.remove:
            words = pattern.sub(" ", words)
        return _BLANKS.sub(" ", words).strip() or None

    def found(self, given: object) -> str | None:
        """The name of the first pattern that is in a text; None when there is none."""
        words = text(given)
        return None if words is None else next((name for pattern, name in self.patterns if pattern.search(words)), None)


@dataclass(frozen=True, slots=True)
class NameTables:
    """All tables, each with its answers kept, because rounds repeat a few hundred names ten thousand times."""

    organisations: Names
    accelerators: Names
    accelerator_vendors: Names
    processors: Names
    frameworks: Names
    tasks: Mapping[str, str]


def key_of(name: str) -> str:
    """What two spellings of one name have in common."""
    return _NOISE.sub("", name).casefold()


@functools.cache
def name_tables() -> NameTables:
    """The shipped tables."""
    document = validate(_Document, read_yaml(_TABLE))
    return NameTables(
        _names(document.organisations),
        _names(document.accelerators),
        _names(document.accelerator_vendors),
        _names(document.processors),
        _names(document.frameworks),
        document.tasks,
    )


def _names(kind: _Kind) -> Names:
    aliases = {key_of(name): name for name in kind.aliases}
    for name, others in kind.aliases.items():
        aliases |= {key_of(other): name for other in others}
    patterns = tuple((re.compile(pattern, re.IGNORECASE), name) for pattern, name in kind.patterns.items())
    for spelling, name in [(each, name) for name, others in kind.aliases.items() for each in others]:
        # A spelling with the vendor stands for the one without, too.
        for match, form in ((pattern.search(spelling), form) for pattern, form in patterns):
            if match is not None:
                aliases.setdefault(key_of(match.expand(form)), name)
    return Names(aliases, patterns, tuple(re.compile(pattern, re.IGNORECASE) for pattern in kind.remove))
