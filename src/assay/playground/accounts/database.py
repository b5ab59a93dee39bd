"""The database: connections, transactions, and errors that users can act on."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, IntegrityError, NoSuchModuleError, OperationalError, SQLAlchemyError
from sqlalchemy.orm import Session
from sqlalchemy.pool import ConnectionPoolEntry

from assay.base.files import locked, machine_errors
from assay.errors import InvalidInputError, MachineError, MissingDependencyError
from assay.playground.accounts.migrations import MIGRATIONS, Migration, migrate

BUSY_MS = 5_000
_OPEN_S = 30
_WRITE = "assay_write"
# Any number that nobody else takes: two servers that start at once migrate one after the other.
_LOCK = 0x61737361


class TakenError(InvalidInputError):
    """Something that may be there once is there already."""


class Database:
    """A database of accounts, brought to the newest form when it is opened.

    Args:
        url: ``sqlite:///PATH`` or ``postgresql+psycopg://USER:PASSWORD@HOST/NAME``.
        migrations: the forms it can have.

    Raises:
        InvalidInputError: when the URL is none, or of another kind of database.
        MissingDependencyError: when the driver is not installed.
        MachineError: when the database cannot be reached, or is of a newer assay.
    """

    def __init__(self, url: str, *, migrations: tuple[Migration, ...] = MIGRATIONS) -> None:
        parsed = _parse(url)
        self.where = parsed.render_as_string(hide_password=True)
        self.engine = _engine(parsed)
        self._reading = self.engine.execution_options(**{_WRITE: False})
        self._writing = self.engine.execution_options(**{_WRITE: True})
        try:
            with _alone(parsed), self._errors(), self._writing.begin() as connection:
                if not self.is_sqlite:
                    connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
                migrate(connection, self.where, migrations)
        except BaseException:
            self.engine.dispose()
            raise

    @property
    def is_sqlite(self) -> bool:
        """Whether it is one file."""
        return self.engine.dialect.name == "sqlite"

    @contextlib.contextmanager
    def reading(self) -> Iterator[Session]:
        """A transaction that only reads.

        Raises:
            MachineError: when the database fails.
        """
        with self._errors(), Session(self._reading, expire_on_commit=False) as session, session.begin():
            yield session

    @contextlib.contextmanager
    def writing(self) -> Iterator[Session]:
        """A transaction that may write; on SQLite it is the only one that does so.

        Raises:
            TakenError: when something may be there only once.
            MachineError: when the database fails.
        """
        with self._errors(), Session(self._writing, expire_on_commit=False) as session, session.begin():
            yield session

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()

    @contextlib.contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except IntegrityError as error:
            raise TakenError("it is there already") from error
        except OperationalError as error:
            busy = "locked" in str(error.orig) or "busy" in str(error.orig)
            raise MachineError(
                "the database is busy" if busy else "the database cannot be used",
                where=self.where,
                found=None if busy else _reason(error),
                hint="try again" if busy else "look at database_url, and whether the database is running",
            ) from error
        except SQLAlchemyError as error:
            raise MachineError("the database failed", where=self.where, found=type(error).__name__) from error


def _reason(error: OperationalError) -> str:
    """The first line of the driver's words, which hold no password."""
    return re.sub(r"\s+", " ", str(error.orig).strip().partition("\n")[0])[:200]


def _parse(url: str) -> URL:
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError) as error:
        raise InvalidInputError(
            "not the URL of a database", expected="sqlite:///PATH or postgresql+psycopg://..."
        ) from error
    if parsed.drivername in ("postgresql", "postgres"):
        parsed = parsed.set(drivername="postgresql+psycopg")
    if parsed.drivername not in ("sqlite", "postgresql+psycopg"):
        raise InvalidInputError(
            "accounts cannot be kept in this kind of database",
            expected="sqlite:///PATH or postgresql+psycopg://...",
            found=parsed.drivername,
        )
    if parsed.drivername == "sqlite" and parsed.database in (None, "", ":memory:"):
        raise InvalidInputError("a database in memory forgets its accounts", expected="sqlite:///PATH")
    return parsed


@contextlib.contextmanager
def _alone(url: URL) -> Iterator[None]:
    """Hold what no other process does at the same time: SQLite gives up at once when two turn its log on."""
    if url.drivername != "sqlite":
        yield
        return
    path = Path(str(url.database))
    with locked(path.with_name(f"{path.name}.lock"), timeout_s=_OPEN_S):
        yield


def _engine(url: URL) -> Engine:
    if url.drivername == "sqlite":
        path = Path(str(url.database))
        with machine_errors(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            # Nobody but the owner reads the hashes; SQLite gives its other files the mode of this one.
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0), 0o600))
        engine = create_engine(url, connect_args={"timeout": BUSY_MS / 1000})
        event.listen(engine, "connect", _set_up_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        return engine
    try:
        return create_engine(
            url, pool_pre_ping=True, pool_size=5, max_overflow=10, connect_args={"connect_timeout": 10}
        )
    except (ImportError, NoSuchModuleError) as error:
        raise MissingDependencyError(
            "the driver of PostgreSQL is not installed", hint="pip install 'assay[postgres]'"
        ) from error


def _set_up_sqlite(connection: Any, record: ConnectionPoolEntry) -> None:
    del record
    # The driver begins no transactions of its own: see _begin_sqlite.
    connection.isolation_level = None
    for setting in (
        f"busy_timeout = {BUSY_MS}",
        "journal_mode = WAL",
        "synchronous = NORMAL",
        "foreign_keys = ON",
        "trusted_schema = OFF",
    ):
        connection.execute(f"PRAGMA {setting}")


def _begin_sqlite(connection: Connection) -> None:
    # A reader that turns writer cannot wait for another writer; whoever will write says so at once, and waits.
    write = connection.get_execution_options().get(_WRITE, True)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")
