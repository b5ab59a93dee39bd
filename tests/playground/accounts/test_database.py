from __future__ import annotations

import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from sqlalchemy import text

from assay.errors import InvalidInputError, MachineError
from assay.playground.accounts.database import Database, TakenError
from assay.playground.accounts.tables import AccountRow

from .conftest import Clock


def account(name: str, clock: Clock) -> AccountRow:
    return AccountRow(name=name, key=name.casefold(), shown=name, role="reader", created=clock())


def test_what_was_written_is_there_when_it_is_opened_again(database_url: str, clock: Clock) -> None:
    first = Database(database_url)
    with first.writing() as session:
        session.add(account("Ada", clock))
    first.close()
    second = Database(database_url)
    with second.reading() as session:
        row = session.get_one(AccountRow, 1)
        assert (row.name, row.created) == ("Ada", clock())
        assert row.created.tzinfo is not None
    second.close()


def test_an_error_takes_everything_back(database_url: str, clock: Clock) -> None:
    database = Database(database_url)
    with pytest.raises(ZeroDivisionError), database.writing() as session:
        session.add(account("Ada", clock))
        session.flush()
        raise ZeroDivisionError
    with database.reading() as session:
        assert session.get(AccountRow, 1) is None
    database.close()


def test_what_may_be_there_once(database_url: str, clock: Clock) -> None:
    database = Database(database_url)
    for _ in range(2):
        try:
            with database.writing() as session:
                session.add(account("Ada", clock))
        except TakenError as error:
            assert error.__cause__ is not None
            break
    else:
        raise AssertionError("both were taken")
    database.close()


def test_errors_of_the_library_are_machine_errors(database_url: str) -> None:
    database = Database(database_url)
    with pytest.raises(MachineError, match="database"), database.reading() as session:
        session.execute(text("SELECT * FROM nowhere"))
    database.close()


def test_two_servers_that_start_at_once(database_url: str) -> None:
    gate, opened, failed = threading.Barrier(6), [], []

    def start() -> None:
        gate.wait()
        try:
            opened.append(Database(database_url))
        except MachineError as error:
            failed.append(error)

    threads = [threading.Thread(target=start) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for database in opened:
        database.close()
    assert (len(opened), failed) == (6, [])


def test_writers_wait_for_each_other(database_url: str, clock: Clock) -> None:
    """Reading a count and writing one more is never lost, also when eight do it at once."""
    database = Database(database_url)
    with database.writing() as session:
        session.add(account("Ada", clock))

    def count() -> None:
        for _ in range(5):
            with database.writing() as session:
                row = session.get_one(AccountRow, 1, with_for_update=True)
                row.shown = f"{row.shown}+"

    threads = [threading.Thread(target=count) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with database.reading() as session:
        assert session.get_one(AccountRow, 1).shown == "Ada" + "+" * 40
    database.close()


# ---- SQLite


def test_sqlite_is_set_up_for_a_server_and_private(tmp_path: Path) -> None:
    path = tmp_path / "made" / "accounts.sqlite"
    database = Database(f"sqlite:///{path}")
    assert database.is_sqlite
    with database.writing() as session:
        told = [session.execute(text(f"PRAGMA {name}")).scalar() for name in ("journal_mode", "foreign_keys")]
        assert told == ["wal", 1]
        assert session.execute(text("PRAGMA busy_timeout")).scalar() == 5000
        assert all(
            stat.S_IMODE(each.stat().st_mode) == 0o600 for each in path.parent.iterdir() if each.suffix != ".lock"
        )
    database.close()


def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    (tmp_path / "notes").write_text("these are my notes, and no database at all" * 100)
    with pytest.raises(MachineError) as caught:
        Database(f"sqlite:///{tmp_path / 'notes'}")
    assert "notes" in str(caught.value)


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(MachineError):
        Database(f"sqlite:///{tmp_path / 'file' / 'accounts.sqlite'}")


# ---- addresses


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("", "not the URL"),
        ("::::", "not the URL"),
        ("mysql://host/name", "this kind"),
        ("sqlite://", "in memory"),
        ("sqlite:///:memory:", "in memory"),
    ],
)
def test_what_is_no_database_of_ours(url: str, words: str) -> None:
    with pytest.raises(InvalidInputError, match=words):
        Database(url)


def test_a_database_that_is_not_there_and_its_password_in_no_error(tmp_path: Path) -> None:
    with pytest.raises(MachineError) as caught:
        Database(f"postgresql://ada:hunter2secret@/assay?host={tmp_path}")
    assert "hunter2secret" not in f"{caught.value}{caught.value.to_dict()}"
    assert "database_url" in str(caught.value.hint)


def test_only_accounts_cost_the_import_of_sqlalchemy() -> None:
    """A single user's playground has no accounts, and starts without them."""
    code = "import assay.playground.security.stack, sys; print('sqlalchemy' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
