from __future__ import annotations

import threading

import pytest
from sqlalchemy import select

from assay.playground.accounts.refusals import SignInError, ThrottledError
from assay.playground.accounts.service import Accounts
from assay.playground.accounts.tables import FailureRow

from .conftest import ADDRESS, GOOD, Clock


def fail(accounts: Accounts, name: str, address: str = ADDRESS) -> float:
    """Try a wrong password; returns the seconds to wait, 0 when it was looked at."""
    try:
        accounts.sign_in(name, "wrong password", address)
    except ThrottledError as error:
        return error.retry_after_s
    except SignInError:
        return 0
    raise AssertionError("it was right")


@pytest.mark.parametrize("name", ["Ada", "nobody-of-that-name"])
def test_failures_slow_down_names_that_exist_and_others_alike(accounts: Accounts, clock: Clock, name: str) -> None:
    waits = []
    for _ in range(20):
        wait = fail(accounts, name)
        if wait:
            waits.append(wait)
            clock.turn(seconds=wait)
    assert waits[:5] == [1, 2, 4, 8, 16]


def test_the_right_password_has_to_wait_too_and_then_clears(accounts: Accounts, clock: Clock) -> None:
    for _ in range(5):
        fail(accounts, "Ada")
    with pytest.raises(ThrottledError) as caught:
        accounts.sign_in("Ada", GOOD, ADDRESS)
    clock.turn(seconds=caught.value.retry_after_s)
    accounts.sign_in("Ada", GOOD, ADDRESS)
    assert [fail(accounts, "Ada") for _ in range(5)] == [0] * 5


def test_a_name_that_is_attacked_can_still_be_used_from_elsewhere(accounts: Accounts) -> None:
    for _ in range(8):
        fail(accounts, "Ada", "198.51.100.9")
    assert accounts.sign_in("Ada", GOOD, ADDRESS).viewer.name == "Ada"


def test_one_address_cannot_try_many_names(accounts: Accounts) -> None:
    waits = [fail(accounts, f"name-{number}") for number in range(25)]
    assert waits[:20] == [0] * 20 and all(waits[20:])
    assert fail(accounts, "Rob", "198.51.100.9") == 0


def test_many_addresses_cannot_try_one_name(accounts: Accounts) -> None:
    waits = [fail(accounts, "Ada", f"10.{number}.0.1") for number in range(60)]
    assert waits[:50] == [0] * 50 and all(waits[50:])


def test_attempts_at_the_same_moment_count_each(accounts: Accounts) -> None:
    gate, looked_at = threading.Barrier(12), []

    def attempt() -> None:
        gate.wait()
        if fail(accounts, "Ada") == 0:
            looked_at.append(1)

    threads = [threading.Thread(target=attempt) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(looked_at) == 5, "those that are free, and no more"


def test_failures_are_forgotten_after_a_day(accounts: Accounts, clock: Clock) -> None:
    for _ in range(5):
        fail(accounts, "Ada")
    clock.turn(days=1, seconds=1)
    fail(accounts, "Rob")
    with accounts.database.reading() as session:
        assert len(session.scalars(select(FailureRow)).all()) == 3, "what is older does not fill the database"


def test_names_are_kept_as_hashes(accounts: Accounts) -> None:
    """Somebody types the password into the field of the name."""
    fail(accounts, "my secret password")
    with accounts.database.reading() as session:
        assert "secret" not in str([vars(row) for row in session.scalars(select(FailureRow))])
    assert "secret" not in str(accounts.audit.entries())
