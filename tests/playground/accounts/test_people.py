from __future__ import annotations

import threading

import pytest

from assay.errors import InvalidInputError, NotFoundError
from assay.playground.accounts.people import check_email, check_name, check_text
from assay.playground.accounts.service import Accounts
from assay.playground.accounts.viewer import Role, Scope

from .conftest import ADDRESS, GOOD, ROOT, Clock


def test_an_account_is_found_whatever_the_case(accounts: Accounts) -> None:
    found = accounts.people.get("aDA")
    assert (found.name, found.role, found.has_password) == ("Ada", Role.CONTRIBUTOR, True)
    assert [each.name for each in accounts.people.list()] == ["Ada", "Maria", "Rob"]
    assert [each.name for each in accounts.people.list(after="ada", limit=1)] == ["Maria"]
    assert accounts.people.count() == 3


def test_a_name_is_taken_whatever_the_case(accounts: Accounts) -> None:
    with pytest.raises(InvalidInputError, match="taken"):
        accounts.people.add("ADA", by=ROOT)
    assert accounts.people.count() == 3


def test_one_of_many_gets_the_name(accounts: Accounts) -> None:
    gate, made, refused = threading.Barrier(6), [], []

    def add() -> None:
        gate.wait()
        try:
            made.append(accounts.people.add("Grace", by=ROOT))
        except InvalidInputError as error:
            refused.append(error.what)

    threads = [threading.Thread(target=add) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 1
    assert refused == ["the name is taken"] * 5


@pytest.mark.parametrize(
    "name",
    [
        "",
        "a",
        "1a",
        "a b",
        "a.json",
        "a/b",
        "ä",
        "a" * 40,
        "abcdefabcdefabcd",
        "Admin",
        "console",
        "me",
        "a\n",
        "\u0430" * 4,
    ],
)
def test_names_that_cannot_be(name: str) -> None:
    with pytest.raises(InvalidInputError):
        check_name(name)


@pytest.mark.parametrize("text", ["a\u202eb", "a\nb", "a\x00", "\ud800", "x" * 81])
def test_texts_that_confuse(text: str) -> None:
    with pytest.raises(InvalidInputError):
        check_text("shown name", text, 80)


def test_texts_for_people() -> None:
    assert check_text("x", "  Ada Lovelace, Ärztin 你好 ", 80) == "Ada Lovelace, Ärztin 你好"
    assert check_text("x", "  ", 80) is None
    assert check_email("ada@example.org") == "ada@example.org"
    for wrong in ("ada", "ada@", "@example.org", "a b@example.org", "ada@example.org\nbcc: x"):
        with pytest.raises(InvalidInputError):
            check_email(wrong)


def test_an_account_says_something_of_itself(accounts: Accounts) -> None:
    changed = accounts.people.change("Ada", by=ROOT, shown="Ada L.", organisation="Engines", email="ada@example.org")
    assert (changed.shown, changed.organisation, changed.email) == ("Ada L.", "Engines", "ada@example.org")
    emptied = accounts.people.change("Ada", by=ROOT, shown="", organisation=None, email="")
    assert (emptied.shown, emptied.organisation, emptied.email) == ("Ada", None, None)


def test_a_role_holds_from_the_next_request_on(accounts: Accounts) -> None:
    cookie = accounts.sign_in("Rob", GOOD, ADDRESS).cookie
    before = accounts.session(cookie)
    assert before is not None and not before.may(Scope.PUSH)
    accounts.people.set_role("rob", Role.CONTRIBUTOR, by=ROOT)
    after = accounts.session(cookie)
    assert after is not None and after.may(Scope.PUSH)


def test_a_maintainer_is_left(accounts: Accounts) -> None:
    for lose in (
        lambda: accounts.people.set_role("Maria", Role.READER, by=ROOT),
        lambda: accounts.people.disable("Maria", by=ROOT),
        lambda: accounts.people.delete("Maria", by=ROOT),
    ):
        with pytest.raises(InvalidInputError, match="last maintainer"):
            lose()
    accounts.people.set_role("Ada", Role.MAINTAINER, by=ROOT)
    accounts.people.delete("Maria", by=ROOT)
    with pytest.raises(InvalidInputError, match="last maintainer"):
        accounts.people.disable("Ada", by=ROOT)


def test_two_maintainers_cannot_leave_at_the_same_moment(accounts: Accounts) -> None:
    accounts.people.set_role("Ada", Role.MAINTAINER, by=ROOT)
    gate, refused = threading.Barrier(2), []

    def leave(name: str) -> None:
        gate.wait()
        try:
            accounts.people.set_role(name, Role.READER, by=ROOT)
        except InvalidInputError as error:
            refused.append(error.what)

    threads = [threading.Thread(target=leave, args=(name,)) for name in ("Ada", "Maria")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert refused == ["this is the last maintainer"]
    assert [each.role for each in accounts.people.list()].count(Role.MAINTAINER) == 1


def test_who_is_locked_out_has_no_way_in(accounts: Accounts) -> None:
    session = accounts.sign_in("Ada", GOOD, ADDRESS)
    token = accounts.tokens.create("Ada", "mine", [Scope.READ], by=ROOT).text
    assert accounts.people.disable("Ada", by=ROOT).disabled is not None
    assert accounts.session(session.cookie) is None
    assert accounts.token(token) is None
    accounts.people.disable("Ada", by=ROOT, disabled=False)
    assert accounts.session(session.cookie) is None, "the session has come back"
    assert accounts.token(token) is not None


def test_a_deleted_account_keeps_its_name_and_nothing_else(accounts: Accounts, clock: Clock) -> None:
    accounts.people.change("Ada", by=ROOT, shown="Ada L.", organisation="Engines", email="ada@example.org")
    upload = accounts.uploads.receive("Ada", "tree.zip", size=3, sha256="0" * 64, by=ROOT)
    accounts.memberships.admit("Ada", "1" * 16, by=ROOT)
    session = accounts.sign_in("Ada", GOOD, ADDRESS)
    token = accounts.tokens.create("Ada", "mine", [Scope.READ], by=ROOT).text
    accounts.delete(session.viewer, ADDRESS)
    assert accounts.session(session.cookie) is None and accounts.token(token) is None
    with pytest.raises(NotFoundError):
        accounts.people.get("Ada")
    with pytest.raises(InvalidInputError, match="taken"):
        accounts.people.add("ada", by=ROOT)
    assert accounts.memberships.members("1" * 16) == []
    maria = accounts.sign_in("Maria", GOOD, ADDRESS).viewer
    assert accounts.uploads.get(upload.id, maria).account == "Ada"
    told = str(accounts.audit.entries())
    assert "ada@example.org" not in told and "Engines" not in told


def test_a_password_that_is_set_ends_every_session(accounts: Accounts) -> None:
    cookie = accounts.sign_in("Ada", GOOD, ADDRESS).cookie
    accounts.people.set_password("Ada", "another long secret", by=ROOT)
    assert accounts.session(cookie) is None
    assert accounts.sign_in("Ada", "another long secret", ADDRESS).viewer.name == "Ada"
