from __future__ import annotations

import threading

import pytest

from assay.errors import AssayError, InvalidInputError, NotFoundError
from assay.playground.accounts.refusals import DeniedError
from assay.playground.accounts.service import Accounts
from assay.playground.accounts.settings import SignUp
from assay.playground.accounts.viewer import Role

from .conftest import ADDRESS, GOOD, ROOT, Clock, open_accounts


@pytest.fixture
def closed(database_url: str, clock: Clock) -> Accounts:
    """Accounts that need an invitation."""
    return open_accounts(database_url, clock, sign_up=SignUp.INVITATION)


def test_an_invitation_is_good_once(closed: Accounts) -> None:
    made = closed.invitations.create(by=ROOT, role=Role.READER, note="for Grace")
    assert made.code not in repr(made)
    assert closed.sign_up("Grace", GOOD, ADDRESS, invitation=f" {made.code} ").viewer.role is Role.READER
    with pytest.raises(DeniedError, match="does not hold"):
        closed.sign_up("Linus", GOOD, ADDRESS, invitation=made.code)
    (listed,) = closed.invitations.list()
    assert (listed.used_by, listed.note, listed.made_by) == ("Grace", "for Grace", "root-of-tests")
    closed.close()


def test_one_of_many_uses_it(closed: Accounts) -> None:
    code = closed.invitations.create(by=ROOT).code
    gate, made, refused = threading.Barrier(5), [], []

    def sign_up(number: int) -> None:
        gate.wait()
        try:
            made.append(closed.sign_up(f"Grace{number}", GOOD, ADDRESS, invitation=code))
        except AssayError as error:
            refused.append(error.what)

    threads = [threading.Thread(target=sign_up, args=(number,)) for number in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 1 and refused == ["this invitation does not hold"] * 4
    assert closed.people.count() == 1
    closed.close()


def test_a_sign_up_that_fails_does_not_use_it_up(closed: Accounts) -> None:
    code = closed.invitations.create(by=ROOT).code
    closed.people.add("Grace", by=ROOT)
    with pytest.raises(InvalidInputError, match="taken"):
        closed.sign_up("grace", GOOD, ADDRESS, invitation=code)
    assert closed.sign_up("Linus", GOOD, ADDRESS, invitation=code).viewer.name == "Linus"
    closed.close()


def test_invitations_that_do_not_hold(closed: Accounts, clock: Clock) -> None:
    late, revoked = (closed.invitations.create(by=ROOT, days=1) for _ in range(2))
    closed.invitations.revoke(revoked.invitation.id, by=ROOT)
    for code, words in ((revoked.code, "hold"), ("0" * 48, "hold"), ("", "needed"), (None, "needed")):
        with pytest.raises(DeniedError, match=words):
            closed.sign_up("Grace", GOOD, ADDRESS, invitation=code)
    clock.turn(days=1)
    with pytest.raises(DeniedError, match="hold"):
        closed.sign_up("Grace", GOOD, ADDRESS, invitation=late.code)
    with pytest.raises(NotFoundError):
        closed.invitations.revoke("0" * 16, by=ROOT)
    with pytest.raises(InvalidInputError):
        closed.invitations.create(by=ROOT, days=1000)
    closed.close()
