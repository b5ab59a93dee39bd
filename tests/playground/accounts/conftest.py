"""Accounts on SQLite and on a real PostgreSQL, with a clock that tests turn."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest

from assay.playground.accounts.audit import Actor
from assay.playground.accounts.service import Accounts
from assay.playground.accounts.settings import AccountSettings, Hashing, SignUp
from assay.playground.accounts.viewer import Role

CHEAP = Hashing(passes=1, memory_kib=8, lanes=1)
GOOD = "correct horse battery"
ADDRESS = "192.0.2.77"
ROOT = Actor("root-of-tests", ADDRESS)


class Clock:
    """A clock that stands until it is turned."""

    def __init__(self) -> None:
        self.now = datetime(2026, 12, 1, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def turn(self, **time: float) -> None:
        self.now += timedelta(**time)


@pytest.fixture
def clock() -> Clock:
    return Clock()


def postgres_programs() -> Path | None:
    """Where Debian keeps the programs of the newest PostgreSQL that is installed."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    return found[-1].parent if found else None


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """The URL of a PostgreSQL of this test process on a Unix socket, without any care for its disk."""
    programs = postgres_programs()
    if programs is None:
        if os.environ.get("CI"):
            raise AssertionError("PostgreSQL is not installed: apt-get install postgresql")
        pytest.skip("PostgreSQL is not installed: apt-get install postgresql")
    user = "postgres" if os.geteuid() == 0 else None  # it refuses to run as root
    folder = Path(tempfile.mkdtemp(prefix="assay-pg-"))
    if user is not None:
        shutil.chown(folder, user)

    def run(program: str, *arguments: str) -> None:
        command = [str(programs / program), *arguments]
        done = subprocess.run(command, user=user, cwd=folder, capture_output=True, text=True, check=False, timeout=60)
        assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"

    data = str(folder / "data")
    options = f"-k {folder} -c listen_addresses= -c fsync=off -c full_page_writes=off -c shared_buffers=16MB"
    try:
        run("initdb", "-D", data, "-U", "assay", "-A", "trust", "-E", "UTF8", "--no-locale", "--no-sync")
        # Not a pipe of ours: the server would keep it open.
        with (folder / "start").open("wb") as out:
            command = [str(programs / "pg_ctl"), "start", "-w", "-D", data, "-o", options, "-l", str(folder / "log")]
            subprocess.run(command, user=user, cwd=folder, stdout=out, stderr=out, check=True, timeout=60)
        yield f"postgresql+psycopg://assay@/postgres?host={folder}"
    finally:
        if (folder / "data" / "postmaster.pid").exists():
            run("pg_ctl", "stop", "-m", "immediate", "-w", "-D", data)
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'home' / 'playground.sqlite'}"
    url = str(request.getfixturevalue("postgres_server"))
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute("DROP SCHEMA public CASCADE")
        connection.execute("CREATE SCHEMA public")
    return url


def open_accounts(url: str, clock: Clock, **settings: object) -> Accounts:
    """Accounts with cheap passwords."""
    return Accounts(url, AccountSettings(**{"hashing": CHEAP, "sign_up": SignUp.OPEN, **settings}), clock=clock)  # type: ignore[arg-type]


@pytest.fixture
def accounts(database_url: str, clock: Clock) -> Iterator[Accounts]:
    """Accounts that are open, with a maintainer, a contributor and a reader."""
    made = open_accounts(database_url, clock)
    for name, role in (("Maria", Role.MAINTAINER), ("Ada", Role.CONTRIBUTOR), ("Rob", Role.READER)):
        made.people.add(name, role=role, password=GOOD, by=ROOT)
    yield made
    made.close()
