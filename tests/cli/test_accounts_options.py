from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from assay.cli.accounts_options import chosen_password, day, opened
from assay.errors import NotFoundError


def test_the_server_that_is_meant(home: Path, tmp_path: Path) -> None:
    with opened(None) as (server, config):
        assert server.people.count() == 0 and config.base_url is None
    assert (home / "playground.sqlite").is_file()
    with pytest.raises(NotFoundError), opened(tmp_path / "nowhere.yaml"):
        raise AssertionError("it was opened")


def test_a_made_password_is_long_and_another_each_time() -> None:
    one, two = (chosen_password(False, True) for _ in range(2))
    assert one != two and len(one) >= 24


def test_days() -> None:
    assert day(None) == "" and day(datetime(2026, 12, 1, 23, tzinfo=UTC)) == "2026-12-01"


def test_help_does_not_wait_for_the_database() -> None:
    code = "import assay.cli.accounts, sys; print({'sqlalchemy', 'fastapi', 'pydantic', 'argon2'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
