from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import Connection, inspect, text

from assay.errors import MachineError
from assay.playground.accounts.database import Database
from assay.playground.accounts.migrations import MIGRATIONS, Migration
from assay.playground.accounts.tables import Base


def versions(database: Database) -> list[int]:
    with database.reading() as session:
        return list(session.scalars(text("SELECT version FROM schema_version ORDER BY version")))


def add_colour(connection: Connection) -> None:
    connection.execute(text("ALTER TABLE accounts ADD COLUMN colour TEXT"))


def break_down(connection: Connection) -> None:
    add_colour(connection)
    connection.execute(text("ALTER TABLE nowhere ADD COLUMN colour TEXT"))


def columns(database: Database) -> set[str]:
    return {column["name"] for column in inspect(database.engine).get_columns("accounts")}


def test_steps_are_numbered_without_a_gap() -> None:
    assert [step.version for step in MIGRATIONS] == list(range(1, len(MIGRATIONS) + 1))


def test_the_first_start_makes_every_table(database_url: str) -> None:
    database = Database(database_url)
    assert versions(database) == [1]
    assert set(inspect(database.engine).get_table_names()) == {*Base.metadata.tables, "schema_version"}
    database.close()


def test_a_new_step_is_applied_once(database_url: str) -> None:
    newer = (*MIGRATIONS, Migration(2, "a colour", add_colour))
    for migrations, expected in ((MIGRATIONS, [1]), (newer, [1, 2]), (newer, [1, 2])):
        database = Database(database_url, migrations=migrations)
        assert versions(database) == expected
        assert ("colour" in columns(database)) == (len(expected) == 2)
        database.close()


def test_a_newer_form_is_refused(database_url: str) -> None:
    Database(database_url, migrations=(*MIGRATIONS, Migration(2, "a colour", add_colour))).close()
    with pytest.raises(MachineError, match="newer assay") as caught:
        Database(database_url)
    assert (caught.value.expected, caught.value.found) == ("form 1 or older", "form 2")
    assert caught.value.hint


def test_a_step_that_fails_leaves_nothing(database_url: str) -> None:
    Database(database_url).close()
    with pytest.raises(MachineError):
        Database(database_url, migrations=(*MIGRATIONS, Migration(2, "broken", break_down)))
    database = Database(database_url)
    assert (versions(database), "colour" in columns(database)) == ([1], False)
    database.close()


def test_tables_of_somebody_else_are_not_touched(tmp_path: Path) -> None:
    import sqlite3

    with sqlite3.connect(tmp_path / "theirs.sqlite") as theirs:
        theirs.execute("CREATE TABLE accounts (id INTEGER)")
    theirs.close()
    with pytest.raises(MachineError, match="somebody else"):
        Database(f"sqlite:///{tmp_path / 'theirs.sqlite'}")
    with sqlite3.connect(tmp_path / "theirs.sqlite") as theirs:
        assert theirs.execute("SELECT name FROM sqlite_master").fetchall() == [("accounts",)]
    theirs.close()


@pytest.mark.parametrize("statement", ["UPDATE audit SET action = 'x'", "DELETE FROM audit"])
def test_the_audit_log_is_append_only(database_url: str, statement: str) -> None:
    database = Database(database_url)
    with database.writing() as session:
        session.execute(
            text("INSERT INTO audit (id, moment, action, target, detail) VALUES (1, CURRENT_TIMESTAMP, 'a', 't', '{}')")
        )
    with pytest.raises(Exception, match=r"database|there already"), database.writing() as session:
        session.execute(text(statement))
    with database.reading() as session:
        assert session.execute(text("SELECT action FROM audit")).scalars().all() == ["a"]
    database.close()
