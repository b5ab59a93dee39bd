from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

from sqlalchemy.dialects import sqlite

from assay.playground.accounts.service import Accounts
from assay.playground.accounts.tables import AccountRow, Base, Moment

from .conftest import ROOT, Clock

DIALECT = sqlite.dialect()


def test_moments_are_in_utc_both_ways() -> None:
    berlin = datetime(2026, 12, 1, 13, tzinfo=timezone(timedelta(hours=1)))
    assert Moment().process_bind_param(berlin, DIALECT) == datetime(2026, 12, 1, 12, tzinfo=UTC)
    assert Moment().process_result_value(datetime(2026, 12, 1, 12), DIALECT) == berlin
    assert Moment().process_bind_param(None, DIALECT) is Moment().process_result_value(None, DIALECT) is None


def test_every_secret_has_a_column_for_a_hash_only() -> None:
    names = {column.name for table in Base.metadata.tables.values() for column in table.columns}
    assert {"digest", "password"} <= names
    assert not names & {"secret", "token", "cookie", "code"}


def test_the_database_keeps_what_belongs_together(accounts: Accounts, clock: Clock) -> None:
    """A row that is taken away takes its sessions, tokens and memberships with it; foreign keys hold."""
    accounts.people.add("Grace", by=ROOT)
    accounts.memberships.admit("Grace", "1" * 16, by=ROOT)
    with accounts.database.writing() as session:
        row = session.get_one(AccountRow, 4)
        session.delete(row)
    assert accounts.memberships.members("1" * 16) == []
