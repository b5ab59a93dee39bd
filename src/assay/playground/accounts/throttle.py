"""Failed sign-ins slow down whoever tries: by name and network, by name, and by address.

An attempt is counted before the password is looked at and taken back when it was right, so that a thousand attempts at
the same moment count as a thousand. Names that do not exist are counted alike.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from assay.playground.accounts.hashes import digest
from assay.playground.accounts.network import limit_key, truncated
from assay.playground.accounts.refusals import ThrottledError
from assay.playground.accounts.tables import FailureRow

_FORGET = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Pace:
    """How failures slow down.

    Attributes:
        free: failures without a wait; after them 1, 2, 4 ... seconds.
        longest_s: longest wait. That of a name is short, because anybody can bring it about.
    """

    free: int
    longest_s: int


NAME_AND_NETWORK, NAME, ADDRESS = Pace(5, 900), Pace(50, 60), Pace(20, 3600)


def count_attempt(session: Session, name: str, address: str, now: datetime) -> None:
    """Count an attempt to sign in, in a transaction that writes.

    Raises:
        ThrottledError: when it comes too early; it is not counted then.
    """
    old = select(FailureRow.key).where(FailureRow.last < now - _FORGET).with_for_update(skip_locked=True)
    session.execute(delete(FailureRow).where(FailureRow.key.in_(old)))
    keys = dict(_keys(name, address))
    # In one order, so that two transactions never wait for each other; who comes second finds the row of the first.
    insert = sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert
    for key in sorted(keys):
        values = {"key": key, "count": 0, "blocked_until": now, "last": now}
        session.execute(insert(FailureRow).values(values).on_conflict_do_nothing())
    query = select(FailureRow).where(FailureRow.key.in_(sorted(keys))).order_by(FailureRow.key).with_for_update()
    rows = {row.key: row for row in session.scalars(query)}
    wait = max((row.blocked_until - now for row in rows.values()), default=timedelta())
    if wait > timedelta():
        raise ThrottledError("too many failed attempts to sign in", retry_after_s=wait.total_seconds())
    for key, pace in sorted(keys.items()):
        row = rows[key]
        row.count += 1
        row.last = now
        over = row.count - pace.free
        if over >= 0:
            row.blocked_until = now + timedelta(seconds=min(pace.longest_s, math.pow(2, min(over, 30))))


def take_back(session: Session, name: str, address: str) -> None:
    """Forget a name's failures after the right password, and this attempt of the address."""
    for key, pace in _keys(name, address):
        row = session.get(FailureRow, key)
        if row is None:
            continue
        if pace is ADDRESS:
            row.count = max(0, row.count - 1)
            row.blocked_until = row.last
        else:
            session.delete(row)


def _keys(name: str, address: str) -> Iterator[tuple[str, Pace]]:
    folded = name.casefold()
    yield digest(f"name and network\n{folded}\n{truncated(address)}"), NAME_AND_NETWORK
    yield digest(f"name\n{folded}"), NAME
    yield digest(f"address\n{limit_key(address)}"), ADDRESS
