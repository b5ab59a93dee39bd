"""Looking for words in the index: names of systems, organisations and the like, and the results that have them.

There are few different names, however many results there are: they are read once for each state of the index, words are
looked for in them, and results are found by whole values. What users write is only ever bound.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from assay.results.store import Store

FIELDS = (
    "organisation", "system", "system_name", "accelerator", "processor", "model", "framework", "benchmark", "task",
    "scenario", "division", "availability", "round", "contributor",
)  # fmt: skip
"""Fields in which words of a search are looked for."""
MOST_WORDS = 8
_LONGEST = 200
_MOST_TERMS = 50_000
_MOST_NOTES = 5_000
_LONGEST_NOTE = 2_000
_SHORTEST_UID, _SHORTEST_PLACE = 4, 5
_HEX = re.compile(r"[0-9a-f]{4,16}")
_STARTS = re.compile(r"[\s_\-./,()@]+")


@dataclass(frozen=True, slots=True)
class Term:
    """A value that results have.

    Attributes:
        value: as results have it.
        count: results that have it.
        owner: organisation of a system; empty otherwise.
        low: the value as it is compared.
    """

    value: str
    count: int
    owner: str = ""
    low: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Terms:
    """The different values of the index, by field; ``notes`` cut to what is worth looking through."""

    by_field: dict[str, tuple[Term, ...]]

    def of(self, name: str) -> tuple[Term, ...]:
        """The values of a field."""
        return self.by_field.get(name, ())


@dataclass(frozen=True, slots=True)
class ResultHit:
    """A result that was found."""

    uid: str
    round: str
    organisation: str | None
    system: str | None
    benchmark: str
    scenario: str
    division: str
    accelerator: str | None
    value: float | None
    unit: str | None
    origin: str
    method: str
    official: bool | None
    labels: tuple[str, ...]
    location: str


@dataclass(frozen=True, slots=True)
class Found:
    """Results that were found.

    Attributes:
        count: of all.
        hits: the first of them.
        filter: the same question in the language of expressions; empty for one that it cannot say.
    """

    count: int = 0
    hits: tuple[ResultHit, ...] = ()
    filter: str = ""


def load_terms(store: Store) -> Terms:
    """The different values of an index."""
    found: dict[str, tuple[Term, ...]] = {}
    for name in FIELDS:
        owner = "organisation" if name in ("system", "system_name") else "NULL"
        rows = store.run(
            f'SELECT "{name}", {owner}, count(*) FROM results WHERE "{name}" IS NOT NULL '
            f"GROUP BY ALL ORDER BY 3 DESC, 1, 2 LIMIT {_MOST_TERMS}"
        ).fetchall()
        found[name] = tuple(Term(str(value), count, whose or "", str(value).casefold()) for value, whose, count in rows)
    notes = store.run(
        "SELECT left(notes, ?), count(*) FROM results WHERE notes IS NOT NULL GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT ?",
        [_LONGEST_NOTE, _MOST_NOTES],
    ).fetchall()
    found["notes"] = tuple(Term(value, count, "", value.casefold()) for value, count in notes)
    return Terms(found)


def words_of(text: str) -> list[str]:
    """The words of a search as they are compared."""
    return list(dict.fromkeys(text[:_LONGEST].casefold().split()))[:MOST_WORDS]


def rank(low: str, words: Sequence[str]) -> int | None:
    """How well a text has words: 0 it is them, 1 it begins with them, 2 each begins a word of it, 3 it has them.

    Args:
        low: the text, casefolded.
        words: casefolded; all have to be there.
    """
    if not words or not all(word in low for word in words):
        return None
    whole = " ".join(words)
    if low == whole:
        return 0
    if low.startswith(whole):
        return 1
    starts = _STARTS.split(low)
    return 2 if all(any(start.startswith(word) for start in starts) for word in words) else 3


def find_terms(terms: Sequence[Term], words: Sequence[str]) -> list[Term]:
    """Values that have all words, best first; of equals those that more results have."""
    ranked = [(place, term) for term in terms if (place := rank(term.low, words)) is not None]
    ranked.sort(key=lambda pair: (pair[0], -pair[1].count, pair[1].value))
    return [term for _, term in ranked]


def find_results(store: Store, terms: Terms, text: str, limit: int) -> Found:
    """Results that a text names: by uid, by place, or by words of which each is in one of its names.

    Args:
        store: the index.
        terms: its values.
        text: what somebody wrote.
        limit: results that are told.
    """
    key = text.strip()[:500]
    if _HEX.fullmatch(key.casefold()):
        found = _selected(
            store, "starts_with(uid, ?) OR starts_with(cm_uid, ?)", [key.casefold(), key.casefold()], limit
        )
        if found.count:
            return found
    if "/" in key and len(key) >= _SHORTEST_PLACE:
        place = key.rstrip("/")
        ends = "ends_with(?, '/' || location) OR url = ?"
        found = _selected(store, f"contains(location, ?) OR {ends}", [place, place, place], limit)
        # Folding a million places takes as long as reading them: only where letters were written otherwise.
        return found if found.count else _selected(store, "contains(lower(location), lower(?))", [place], limit)
    words = words_of(key)
    conditions, parameters, filters = [], [], []
    for word in words:
        values = _values(terms, word)
        if not values:
            return Found()
        conditions.append(" OR ".join(f'"{name}" IN (SELECT unnest(?))' for name in values))
        parameters += list(values.values())
        filters.append(" or ".join(f"{name} contains {_quoted(word)}" for name in values))
    if not conditions:
        return Found()
    found = _selected(store, " AND ".join(f"({each})" for each in conditions), parameters, limit)
    told = " and ".join(f"({each})" for each in filters)
    return Found(found.count, found.hits, told if told.isprintable() else "")


def _values(terms: Terms, word: str) -> dict[str, list[str]]:
    """By field the values that have a word; notes only where no name has it."""
    found = {
        name: sorted({term.value for term in terms.of(name) if word in term.low})
        for name in FIELDS
        if any(word in term.low for term in terms.of(name))
    }
    if found:
        return found
    notes = [term.value for term in terms.of("notes") if word in term.low]
    return {"notes": notes} if notes else {}


def _quoted(word: str) -> str:
    return '"' + word.replace("\\", "\\\\").replace('"', '\\"') + '"'


_SHOWN = (
    "uid", "round", "organisation", "system", "benchmark", "scenario", "division", "accelerator", "value", "unit",
    "origin", "method", "official", "labels", "location",
)  # fmt: skip

_ORDER = (
    "origin = 'local' DESC, method = 'measured' DESC, official IS NOT FALSE DESC, round DESC, "
    "samples_per_second DESC NULLS LAST, uid"
)


def _selected(store: Store, condition: str, parameters: Sequence[object], limit: int) -> Found:
    ((count,),) = store.run(f"SELECT count(*) FROM results WHERE {condition}", parameters).fetchall()
    if not count:
        return Found()
    # Few columns are sorted; all of them are read of those that are told.
    best = store.run(
        f"SELECT uid FROM results WHERE {condition} ORDER BY {_ORDER} LIMIT ?", [*parameters, limit]
    ).fetchall()
    rows = store.run(
        f"SELECT {', '.join(_SHOWN)} FROM results WHERE uid IN (SELECT unnest(?)) ORDER BY {_ORDER}",
        [[uid for (uid,) in best]],
    ).fetchall()
    hits = tuple(
        ResultHit(**{**dict(zip(_SHOWN, row, strict=True)), "labels": tuple(row[_SHOWN.index("labels")] or ())})
        for row in rows
    )
    return Found(count, hits)
