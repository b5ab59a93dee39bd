from __future__ import annotations

import pytest

from assay.errors import InvalidInputError, NotFoundError
from assay.playground.accounts.audit import Actor
from assay.playground.accounts.service import Accounts

from .conftest import ADDRESS, GOOD, ROOT

UID = "1f2e3d4c5b6a7980"


def test_who_takes_part_sees_what_is_private(accounts: Accounts) -> None:
    cookie = accounts.sign_in("Ada", GOOD, ADDRESS).cookie
    accounts.memberships.admit("ada", UID.upper(), by=Actor("Maria"))
    viewer = accounts.session(cookie)
    assert viewer is not None
    assert viewer.audience.sees(f"challenge:{UID}", None, "2026-01-01T00:00:00Z")
    assert not viewer.audience.sees(f"challenge:{'0' * 16}", None, "2026-01-01T00:00:00Z")
    accounts.memberships.leave("Ada", UID, by=ROOT)
    left = accounts.session(cookie)
    assert left is not None and not left.audience.sees(f"challenge:{UID}", None, "2026-01-01T00:00:00Z")


def test_joining_is_told_from_being_admitted(accounts: Accounts) -> None:
    accounts.memberships.admit("Ada", UID, by=Actor("ada", ADDRESS))
    accounts.memberships.admit("Rob", UID, by=Actor("Maria", ADDRESS))
    again = accounts.memberships.admit("Rob", UID, by=Actor("Ada"))
    assert [(each.account, each.admitted_by) for each in accounts.memberships.members(UID)] == [
        ("Ada", None),
        ("Rob", "Maria"),
    ]
    assert again.admitted_by == "Maria"
    assert [each.challenge for each in accounts.memberships.of("ROB")] == [UID]
    assert len(accounts.audit.entries(action="membership.admit")) == 2
    accounts.memberships.leave("Rob", UID, by=ROOT)
    accounts.memberships.leave("Rob", UID, by=ROOT)
    assert len(accounts.audit.entries(action="membership.leave")) == 1


def test_what_cannot_be(accounts: Accounts) -> None:
    with pytest.raises(InvalidInputError, match="not a challenge"):
        accounts.memberships.admit("Ada", "x' OR 1=1", by=ROOT)
    with pytest.raises(NotFoundError):
        accounts.memberships.admit("Nobody1", UID, by=ROOT)
