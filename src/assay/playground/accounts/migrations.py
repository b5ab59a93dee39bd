"""Versions of the database's form, applied in order, each in one transaction."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import Connection, inspect, text

from assay.errors import MachineError
from assay.playground.accounts.tables import Base

Apply = Callable[[Connection], None]


@dataclass(frozen=True, slots=True)
class Migration:
    """One step of the database's form.

    Attributes:
        version: the form after it; steps are numbered from 1 without a gap.
        name: what it does.
        apply: does it.
    """

    version: int
    name: str
    apply: Apply


# The audit log is append only, whoever holds the connection.
_SQLITE_APPEND_ONLY = (
    "CREATE TRIGGER audit_no_update BEFORE UPDATE ON audit "
    "BEGIN SELECT RAISE(ABORT, 'the audit log is append only'); END",
    "CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit "
    "BEGIN SELECT RAISE(ABORT, 'the audit log is append only'); END",
)
_POSTGRES_APPEND_ONLY = (
    "CREATE FUNCTION audit_is_append_only() RETURNS trigger LANGUAGE plpgsql AS "
    "$$ BEGIN RAISE EXCEPTION 'the audit log is append only'; END $$",
    "CREATE TRIGGER audit_append_only BEFORE UPDATE OR DELETE ON audit "
    "FOR EACH ROW EXECUTE FUNCTION audit_is_append_only()",
    "CREATE TRIGGER audit_no_truncate BEFORE TRUNCATE ON audit "
    "FOR EACH STATEMENT EXECUTE FUNCTION audit_is_append_only()",
)


def _first(connection: Connection) -> None:
    Base.metadata.create_all(connection)
    sqlite = connection.dialect.name == "sqlite"
    for statement in _SQLITE_APPEND_ONLY if sqlite else _POSTGRES_APPEND_ONLY:
        connection.execute(text(statement))


MIGRATIONS: tuple[Migration, ...] = (Migration(1, "accounts, uploads and the audit log", _first),)


def migrate(connection: Connection, where: str, migrations: tuple[Migration, ...] = MIGRATIONS) -> int:
    """Bring the database to the newest form; returns the version it had.

    Args:
        connection: in a transaction that nobody else can write beside.
        where: the database, for an error.
        migrations: all steps.

    Raises:
        MachineError: when the database is of a newer assay, or not of assay.
    """
    newest = migrations[-1].version
    tables = inspect(connection).get_table_names()
    if "schema_version" not in tables:
        ours = sorted(set(tables) & set(Base.metadata.tables))
        if ours:
            raise MachineError(
                "the database holds tables of somebody else",
                where=where,
                found=", ".join(ours),
                hint="name a database of its own in database_url",
            )
        connection.execute(
            text("CREATE TABLE schema_version (version INTEGER PRIMARY KEY, name TEXT NOT NULL, applied TEXT NOT NULL)")
        )
    had = connection.execute(text("SELECT max(version) FROM schema_version")).scalar() or 0
    if had > newest:
        raise MachineError(
            "the database was made by a newer assay",
            where=where,
            expected=f"form {newest} or older",
            found=f"form {had}",
            hint="update assay, or restore the backup that was made before the update",
        )
    for step in migrations:
        if step.version > had:
            step.apply(connection)
            connection.execute(
                text("INSERT INTO schema_version VALUES (:version, :name, CAST(CURRENT_TIMESTAMP AS TEXT))"),
                {"version": step.version, "name": step.name},
            )
    return int(had)
