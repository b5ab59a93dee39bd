"""What has been found out about an index that nobody changes, for those who ask the same again.

Two things are kept for each audience: small answers, and which results a comparison of all with each other leaves over,
which takes most of the time of a question that has one.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Any, TypeVar

import duckdb

T = TypeVar("T")
_MOST_ANSWERS = 256
_MOST_TABLES = 64
_MOST_ROWS = 200_000


@dataclass(slots=True)
class Kept:
    """Answers and lists of results of one open index; used by many threads."""

    _answers: OrderedDict[Hashable, Any] = field(default_factory=OrderedDict, repr=False)
    _tables: dict[Hashable, str | None] = field(default_factory=dict, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)
    _writing: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def answer(self, key: Hashable, make: Callable[[], T]) -> T:
        """The answer to a question, made when it is not there; it must not be changed.

        Args:
            key: everything that the answer hangs on.
            make: gives it; when two ask at once, both make it.
        """
        with self._lock:
            if key in self._answers:
                self._answers.move_to_end(key)
                found: T = self._answers[key]
                return found
        made = make()
        with self._lock:
            self._answers[key] = made
            while len(self._answers) > _MOST_ANSWERS:
                self._answers.popitem(last=False)
        return made

    def uids(self, connection: duckdb.DuckDBPyConnection, sql: str, parameters: tuple[object, ...]) -> str | None:
        """The name of a table with the uids that a statement gives; None when they are too many to be kept.

        Tables go with the index: nobody may take one away that another is about to read.

        Args:
            connection: a cursor of the index; the table is made in its memory, beside the results.
            sql: selects ``uid``.
            parameters: for its ``?``.
        """
        key = (sql, parameters)
        with self._writing:
            if key in self._tables:
                return self._tables[key]
            if len(self._tables) >= _MOST_TABLES:
                return None
            name = f"kept_{len(self._tables)}"
            limited = f"CREATE TABLE memory.main.{name} AS SELECT uid FROM ({sql}) LIMIT {_MOST_ROWS + 1}"
            connection.execute(limited, list(parameters))
            ((count,),) = connection.execute(f"SELECT count(*) FROM memory.main.{name}").fetchall()
            if count > _MOST_ROWS:
                connection.execute(f"DROP TABLE memory.main.{name}")
            self._tables[key] = None if count > _MOST_ROWS else f"memory.main.{name}"
            return self._tables[key]
