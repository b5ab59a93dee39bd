"""The results that came last: own runs and what a playground took in."""

from __future__ import annotations

from dataclasses import dataclass, fields

from assay.results.store import Store


@dataclass(frozen=True, slots=True)
class Latest:
    """A result with the moment it came.

    Attributes:
        uid: of the result.
        when: taken in, else made; UTC.
    """

    uid: str
    when: str
    organisation: str | None
    contributor: str | None
    system: str | None
    benchmark: str
    scenario: str
    value: float | None
    unit: str | None
    origin: str
    method: str
    official: bool | None
    labels: tuple[str, ...]


_NAMES = tuple(field.name for field in fields(Latest))
_LATEST = """
SELECT uid, coalesce(accepted, created), organisation, contributor, system, benchmark, scenario, value, unit, origin,
    method, official, labels
FROM results WHERE origin = 'local' AND coalesce(accepted, created) IS NOT NULL
ORDER BY coalesce(accepted, created) DESC, uid LIMIT ?
"""


def latest(store: Store, count: int) -> list[Latest]:
    """The results that came last, newest first; published rounds are not among them.

    Args:
        count: how many at most.
    """
    found = store.run(_LATEST, [count]).fetchall()
    return [Latest(**{**dict(zip(_NAMES, row, strict=True)), "labels": tuple(row[-1] or ())}) for row in found]
