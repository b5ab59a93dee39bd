from __future__ import annotations

import pytest

from assay.errors import InvalidInputError
from assay.playground.accounts.refusals import DeniedError, SignInError
from assay.playground.accounts.service import Accounts, Identity
from assay.playground.accounts.settings import Hashing, SignUp
from assay.playground.accounts.viewer import Role, Scope, Via, Viewer

from .conftest import ADDRESS, GOOD, ROOT, Clock, open_accounts

GRACE = Identity("https://id.example.org", "42", name="grace.hopper@navy", shown="Grace Hopper", email="g@example.org")


# ---- signing in


def test_signing_in(accounts: Accounts) -> None:
    session = accounts.sign_in(" aDa ", GOOD, ADDRESS)
    assert (session.viewer.name, session.viewer.via, session.viewer.role) == ("Ada", Via.SESSION, Role.CONTRIBUTOR)
    assert accounts.session(session.cookie) == session.viewer
    entry = accounts.audit.entries(action="sign-in")[0]
    assert (entry.account, entry.address) == ("Ada", "192.0.2.0/24")


def test_nothing_tells_which_accounts_there_are(accounts: Accounts) -> None:
    accounts.people.disable("Rob", by=ROOT)
    accounts.people.add("Elsewhere", by=ROOT)
    told = set()
    for name, password in (
        ("Ada", "wrong password"),
        ("Nobody1", GOOD),
        ("Rob", GOOD),
        ("Elsewhere", GOOD),
        ("", ""),
        ("' OR 1=1 --", GOOD),
        ("x" * 10_000, "y" * 100_000),
        ("\ud800", "\ud800"),
    ):
        with pytest.raises(SignInError) as caught:
            accounts.sign_in(name, password, ADDRESS)
        told.add(str(caught.value.to_dict()))
    assert len(told) == 1


def test_an_old_hash_is_made_anew(database_url: str, clock: Clock) -> None:
    cheap = open_accounts(database_url, clock)
    cheap.people.add("Ada", password=GOOD, by=ROOT)
    cheap.close()
    dear = open_accounts(database_url, clock, hashing=Hashing(passes=2, memory_kib=16, lanes=1))
    dear.sign_in("Ada", GOOD, ADDRESS)
    with dear.database.reading() as session:
        from sqlalchemy import select

        from assay.playground.accounts.tables import AccountRow

        hashed = session.scalars(select(AccountRow)).one().password
    assert hashed is not None and "m=16,t=2" in hashed
    assert dear.sign_in("Ada", GOOD, ADDRESS).viewer.name == "Ada"
    dear.close()


# ---- signing up


def test_signing_up_where_it_is_open(accounts: Accounts) -> None:
    session = accounts.sign_up("Grace", GOOD, ADDRESS, shown="Grace H.", organisation="Navy", email="g@example.org")
    assert session.viewer.role is Role.CONTRIBUTOR and session.viewer.shown == "Grace H."
    assert accounts.people.get("grace").organisation == "Navy"
    assert accounts.audit.entries(action="sign-up")[0].target == "Grace"


def test_who_signs_up_does_not_choose_the_role(accounts: Accounts) -> None:
    assert accounts.sign_up("Grace", GOOD, ADDRESS).viewer.scopes == frozenset({Scope.READ, Scope.PUSH})


@pytest.mark.parametrize(
    ("name", "password", "email"),
    [
        ("G", GOOD, None),
        ("Grace", "short", None),
        ("Grace", "grace12345", None),
        ("Grace", GOOD, "x"),
        ("ada", GOOD, None),
    ],
)
def test_signing_up_with_what_cannot_be(accounts: Accounts, name: str, password: str, email: str | None) -> None:
    with pytest.raises(InvalidInputError):
        accounts.sign_up(name, password, ADDRESS, email=email)
    assert accounts.people.count() == 3


def test_nobody_signs_up_where_it_is_off(database_url: str, clock: Clock) -> None:
    accounts = open_accounts(database_url, clock, sign_up=SignUp.OFF)
    code = accounts.invitations.create(by=ROOT).code
    with pytest.raises(DeniedError, match="nobody can sign up"):
        accounts.sign_up("Grace", GOOD, ADDRESS, invitation=code)
    with pytest.raises(DeniedError):
        accounts.sign_in_elsewhere(GRACE, ADDRESS)
    assert accounts.people.count() == 0
    accounts.close()


# ---- passwords


def test_a_changed_password_ends_every_session(accounts: Accounts) -> None:
    old, other = (accounts.sign_in("Ada", GOOD, ADDRESS) for _ in range(2))
    new = accounts.change_password(old.viewer, GOOD, "a new long secret", ADDRESS)
    assert accounts.session(old.cookie) is None and accounts.session(other.cookie) is None
    assert accounts.session(new.cookie) == new.viewer
    with pytest.raises(SignInError):
        accounts.sign_in("Ada", GOOD, ADDRESS)


def test_changing_a_password_needs_the_old_one(accounts: Accounts) -> None:
    session = accounts.sign_in("Ada", GOOD, ADDRESS)
    with pytest.raises(SignInError):
        accounts.change_password(session.viewer, "wrong password", "a new long secret", ADDRESS)
    with pytest.raises(InvalidInputError):
        accounts.change_password(session.viewer, GOOD, "short", ADDRESS)
    with pytest.raises(SignInError):
        accounts.change_password(Viewer(), GOOD, "a new long secret", ADDRESS)
    assert accounts.session(session.cookie) is not None


# ---- elsewhere


def test_the_first_time_from_elsewhere_makes_an_account(accounts: Accounts) -> None:
    session = accounts.sign_in_elsewhere(GRACE, ADDRESS)
    assert (session.viewer.name, session.viewer.shown) == ("grace-hopper-navy", "Grace Hopper")
    again = accounts.sign_in_elsewhere(Identity(GRACE.issuer, GRACE.subject, name="other"), ADDRESS)
    assert again.viewer.account_id == session.viewer.account_id
    found = accounts.people.get("grace-hopper-navy")
    assert (found.has_password, found.issuer, found.email) == (False, GRACE.issuer, "g@example.org")


def test_nobody_is_recognised_by_name_or_email(accounts: Accounts) -> None:
    accounts.people.change("Ada", by=ROOT, shown=None, organisation=None, email="ada@example.org")
    other = accounts.sign_in_elsewhere(
        Identity("https://evil.example", "1", name="ada", email="ada@example.org"), ADDRESS
    )
    assert other.viewer.name == "ada-2"


@pytest.mark.parametrize("wanted", [None, "", "admin", "1234", "Ä", "a" * 90, "abcdefabcdefabcd", "x@y\n"])
def test_names_from_elsewhere_are_made_to_fit(accounts: Accounts, wanted: str | None) -> None:
    viewer = accounts.sign_in_elsewhere(
        Identity("https://id.example", "1", name=wanted, email="no mail"), ADDRESS
    ).viewer
    assert viewer.name is not None
    assert accounts.people.get(viewer.name).email is None


def test_elsewhere_needs_an_invitation_where_one_is_needed(database_url: str, clock: Clock) -> None:
    accounts = open_accounts(database_url, clock, sign_up=SignUp.INVITATION)
    with pytest.raises(DeniedError, match="needed"):
        accounts.sign_in_elsewhere(GRACE, ADDRESS)
    code = accounts.invitations.create(by=ROOT, role=Role.MAINTAINER).code
    assert accounts.sign_in_elsewhere(GRACE, ADDRESS, invitation=code).viewer.is_maintainer
    accounts.close()


def test_who_is_locked_out_cannot_come_from_elsewhere(accounts: Accounts) -> None:
    accounts.sign_in_elsewhere(GRACE, ADDRESS)
    accounts.people.disable("grace-hopper-navy", by=ROOT)
    with pytest.raises(SignInError):
        accounts.sign_in_elsewhere(GRACE, ADDRESS)
    assert accounts.audit.entries()[0].action == "sign-in.failed"


def test_an_account_is_linked_by_who_is_signed_in(accounts: Accounts) -> None:
    ada, rob = (accounts.sign_in(name, GOOD, ADDRESS).viewer for name in ("Ada", "Rob"))
    accounts.link(ada, GRACE, ADDRESS)
    assert accounts.sign_in_elsewhere(GRACE, ADDRESS).viewer.name == "Ada"
    with pytest.raises(InvalidInputError):
        accounts.link(rob, GRACE, ADDRESS)
    with pytest.raises(SignInError):
        accounts.link(Viewer(), GRACE, ADDRESS)
