from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import event, select

from assay.playground.accounts.service import Accounts
from assay.playground.accounts.sessions import MOST_EACH
from assay.playground.accounts.tables import SessionRow
from assay.playground.accounts.viewer import Scope, Via
from assay.results.audience import Audience

from .conftest import ADDRESS, GOOD, ROOT, Clock


@contextmanager
def statements(accounts: Accounts) -> Iterator[list[str]]:
    """What is asked of the database meanwhile, without what begins and ends transactions."""
    seen: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if not statement.startswith("BEGIN"):
            seen.append(statement)

    event.listen(accounts.database.engine, "before_cursor_execute", note)
    yield seen
    event.remove(accounts.database.engine, "before_cursor_execute", note)


def test_a_session_is_one_query_by_an_index(accounts: Accounts) -> None:
    for uid in ("1" * 16, "2" * 16):
        accounts.memberships.admit("Ada", uid, by=ROOT)
    cookie = accounts.sign_in("Ada", GOOD, ADDRESS).cookie
    with statements(accounts) as seen:
        viewer = accounts.session(cookie)
    assert len(seen) == 1 and "sessions.digest = " in seen[0]
    assert viewer is not None
    assert viewer.audience == Audience(frozenset({"account:Ada", f"challenge:{'1' * 16}", f"challenge:{'2' * 16}"}))
    assert (viewer.name, viewer.via, viewer.scopes) == ("Ada", Via.SESSION, frozenset({Scope.READ, Scope.PUSH}))


def test_the_cookie_is_not_kept(accounts: Accounts) -> None:
    session = accounts.sign_in("Ada", GOOD, ADDRESS)
    with accounts.database.reading() as transaction:
        row = transaction.scalars(select(SessionRow)).one()
        assert session.cookie not in str(vars(row))
    assert session.cookie not in repr(session)


def test_every_session_has_a_token_of_its_own_for_forms(accounts: Accounts) -> None:
    one, two = (accounts.sign_in("Ada", GOOD, ADDRESS) for _ in range(2))
    assert len({one.viewer.csrf, two.viewer.csrf, one.cookie, two.cookie}) == 4
    again = accounts.session(one.cookie)
    assert again is not None and again.csrf == one.viewer.csrf


def test_a_session_ends(accounts: Accounts, clock: Clock) -> None:
    session = accounts.sign_in("Ada", GOOD, ADDRESS)
    clock.now = session.expires
    assert accounts.session(session.cookie) is None
    accounts.sign_in("Rob", GOOD, ADDRESS)
    with accounts.database.reading() as transaction:
        assert len(transaction.scalars(select(SessionRow)).all()) == 1, "what has ended is forgotten"


def test_signing_out_ends_one_session(accounts: Accounts) -> None:
    one, two = (accounts.sign_in("Ada", GOOD, ADDRESS).cookie for _ in range(2))
    accounts.sign_out(one)
    assert accounts.session(one) is None and accounts.session(two) is not None
    accounts.sign_out(one)
    accounts.sign_out("nobody's")
    assert accounts.sessions.count("ada") == 1


def test_the_oldest_of_too_many_sessions_ends(accounts: Accounts, clock: Clock) -> None:
    cookies = []
    for _ in range(MOST_EACH + 3):
        clock.turn(seconds=1)
        cookies.append(accounts.sign_in("Ada", GOOD, ADDRESS).cookie)
    alive = [accounts.session(cookie) is not None for cookie in cookies]
    assert alive == [False] * 3 + [True] * MOST_EACH


def test_when_somebody_was_seen_is_written_now_and_then(accounts: Accounts, clock: Clock) -> None:
    cookie = accounts.sign_in("Ada", GOOD, ADDRESS).cookie
    for minutes, count in ((9, 1), (1, 2), (1, 1)):
        clock.turn(minutes=minutes)
        with statements(accounts) as seen:
            accounts.session(cookie)
        assert len(seen) == count


def test_what_is_no_session(accounts: Accounts) -> None:
    for text in ("", "x", "\ud800", "0" * 48, "0" * 100_000):
        assert accounts.session(text) is None


def test_the_browsers_of_an_account_and_how_they_are_ended(accounts: Accounts, clock: Clock) -> None:
    cookies = []
    for _ in range(3):
        cookies.append(accounts.sign_in("Ada", GOOD, ADDRESS).cookie)
        clock.turn(minutes=1)
    other = accounts.sign_in("Rob", GOOD, ADDRESS).cookie
    listed = accounts.sessions.browsers("ada", cookie=cookies[1])
    assert [each.current for each in listed] == [False, True, False]
    assert all(secret not in repr(listed) for secret in cookies)
    assert accounts.sessions.end_others("Ada", cookies[1], only=listed[1].id) == 0, "never the own"
    assert accounts.sessions.end_others("Rob", other, only=listed[0].id) == 0, "never another's"
    assert accounts.sessions.end_others("Ada", cookies[1], only="%") == 0
    assert accounts.sessions.end_others("Ada", cookies[1], only=listed[0].id) == 1
    assert [accounts.session(each) is not None for each in cookies] == [True, True, False]
    assert accounts.sessions.end_others("Ada", cookies[1]) == 1
    assert [accounts.session(each) is not None for each in (*cookies, other)] == [False, True, False, True]
