"""What pages of challenges and reports ask the index: how much was taken in, and what a viewer may not see."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from assay.results.store import Store


@dataclass(frozen=True, slots=True)
class TakenIn:
    """How many results were accepted for a challenge, and of how many contributors."""

    results: int = 0
    contributors: int = 0


def taken_in(store: Store) -> dict[str, TakenIn]:
    """What was accepted for each challenge, by its uid, as far as the audience of the index sees it."""
    found = store.run(
        "SELECT challenge, count(*), count(DISTINCT contributor) FROM "
        "(SELECT unnest(challenges) AS challenge, contributor FROM results WHERE contributor IS NOT NULL) "
        "GROUP BY challenge"
    )
    return {uid: TakenIn(results, contributors) for uid, results, contributors in found.fetchall()}


def unseen(store: Store, uids: Iterable[str]) -> frozenset[str]:
    """Those of some uids that are results which the audience of the index may not see.

    What is no result at all is not among them.
    """
    wanted = list(dict.fromkeys(uids))
    if not wanted:
        return frozenset()
    found = store.run(
        "SELECT uid FROM stored.main.results WHERE uid IN (SELECT unnest(?)) EXCEPT "
        "SELECT uid FROM results WHERE uid IN (SELECT unnest(?))",
        (wanted, wanted),
    )
    return frozenset(uid for (uid,) in found.fetchall())


def benchmarks_with_results(store: Store) -> frozenset[str]:
    """Benchmarks that there are results of."""
    return frozenset(name for (name,) in store.run("SELECT DISTINCT benchmark FROM results").fetchall())
