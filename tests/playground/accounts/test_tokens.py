from __future__ import annotations

import re

import pytest
from sqlalchemy import select

from assay.errors import InvalidInputError, NotFoundError
from assay.playground.accounts.service import Accounts
from assay.playground.accounts.tables import TokenRow
from assay.playground.accounts.viewer import Role, Scope, Via
from assay.results.audience import ANYBODY, Audience

from .conftest import ROOT, Clock, open_accounts


def test_a_token_is_shown_once_and_kept_as_a_hash(accounts: Accounts) -> None:
    made = accounts.tokens.create("Ada", "laptop", [Scope.READ, Scope.PUSH], by=ROOT)
    match = re.fullmatch(r"assay_([0-9a-f]{16})_([0-9a-f]{48})", made.text)
    assert match is not None and match[1] == made.token.id
    assert len(match[2]) * 4 >= 160, "bits"
    with accounts.database.reading() as session:
        row = session.scalars(select(TokenRow)).one()
        assert match[2] not in str(vars(row))
    assert match[2] not in repr(made) and match[2] not in str(accounts.audit.entries())
    assert accounts.tokens.list("ada") == [made.token]


def test_a_token_is_its_account_within_its_scopes(accounts: Accounts) -> None:
    accounts.memberships.admit("Ada", "1" * 16, by=ROOT)
    text = accounts.tokens.create("Ada", "laptop", [Scope.READ], by=ROOT).text
    viewer = accounts.token(text)
    assert viewer is not None
    assert (viewer.name, viewer.via, viewer.scopes) == ("Ada", Via.TOKEN, frozenset({Scope.READ}))
    assert viewer.audience == Audience(frozenset({"account:Ada", f"challenge:{'1' * 16}"}))
    assert viewer.csrf == ""


def test_a_token_that_may_only_push_sees_nothing_private(accounts: Accounts) -> None:
    viewer = accounts.token(accounts.tokens.create("Ada", "robot", [Scope.PUSH], by=ROOT).text)
    assert viewer is not None and viewer.audience == ANYBODY and not viewer.may(Scope.READ)


def test_a_maintainers_token_without_admin_does_not_see_everything(accounts: Accounts) -> None:
    reading = accounts.token(accounts.tokens.create("Maria", "r", [Scope.READ], by=ROOT).text)
    whole = accounts.token(accounts.tokens.create("Maria", "a", list(Scope), by=ROOT).text)
    assert reading is not None and not reading.audience.everything and not reading.is_maintainer
    assert whole is not None and whole.audience.everything and whole.is_maintainer


def test_no_more_than_the_account_may(accounts: Accounts) -> None:
    for name, scopes in (("Rob", [Scope.PUSH]), ("Ada", [Scope.READ, Scope.ADMIN]), ("Ada", [])):
        with pytest.raises(InvalidInputError):
            accounts.tokens.create(name, "too much", scopes, by=ROOT)


def test_a_token_loses_what_its_account_loses(accounts: Accounts) -> None:
    text = accounts.tokens.create("Ada", "laptop", [Scope.READ, Scope.PUSH], by=ROOT).text
    accounts.people.set_role("Ada", Role.READER, by=ROOT)
    viewer = accounts.token(text)
    assert viewer is not None and viewer.scopes == frozenset({Scope.READ})


def test_a_token_ends(accounts: Accounts, clock: Clock) -> None:
    text = accounts.tokens.create("Ada", "short", [Scope.READ], days=2, by=ROOT).text
    clock.turn(days=2, seconds=-1)
    assert accounts.token(text) is not None
    clock.turn(seconds=1)
    assert accounts.token(text) is None
    assert not accounts.tokens.list("Ada")[0].holds(clock())


@pytest.mark.parametrize("days", [0, -1, 366])
def test_how_long_a_token_may_hold(accounts: Accounts, days: int) -> None:
    with pytest.raises(InvalidInputError, match="so long"):
        accounts.tokens.create("Ada", "long", [Scope.READ], days=days, by=ROOT)


def test_a_revoked_token(accounts: Accounts) -> None:
    made = accounts.tokens.create("Ada", "lost", [Scope.READ], by=ROOT)
    with pytest.raises(NotFoundError):
        accounts.tokens.revoke(made.token.id, name="Rob", by=ROOT)
    assert accounts.token(made.text) is not None
    assert accounts.tokens.revoke(made.token.id, name="ada", by=ROOT).revoked is not None
    assert accounts.token(made.text) is None
    accounts.tokens.revoke(made.token.id, by=ROOT)
    actions = [entry.action for entry in accounts.audit.entries(target=made.token.id)]
    assert actions == ["token.revoke", "token.create"]
    with pytest.raises(NotFoundError):
        accounts.tokens.revoke("0" * 16, by=ROOT)


def test_what_is_no_token(accounts: Accounts) -> None:
    text = accounts.tokens.create("Ada", "laptop", [Scope.READ], by=ROOT).text
    last = "0" if text[-1] != "0" else "1"
    wrong = ["", "assay_", text[:-1], text + "0", text.upper(), text[:-1] + last, f" {text}", "assay_x_y", "%" * 5000]
    other = accounts.tokens.create("Rob", "other", [Scope.READ], by=ROOT).text
    wrong.append(f"{other[:23]}{text[23:]}")
    assert [accounts.token(each) for each in wrong] == [None] * len(wrong)


def test_when_a_token_was_used(accounts: Accounts, clock: Clock) -> None:
    text = accounts.tokens.create("Ada", "laptop", [Scope.READ], by=ROOT).text
    assert accounts.tokens.list("Ada")[0].last_used is None
    accounts.token(text)
    first = clock()
    clock.turn(minutes=5)
    accounts.token(text)
    assert accounts.tokens.list("Ada")[0].last_used == first, "written at most every ten minutes"
    clock.turn(minutes=5)
    accounts.token(text)
    assert accounts.tokens.list("Ada")[0].last_used == clock()


def test_not_too_many_tokens(database_url: str, clock: Clock) -> None:
    accounts = open_accounts(database_url, clock, tokens_each=2)
    accounts.people.add("Ada", by=ROOT)
    for label in "ab":
        first = accounts.tokens.create("Ada", label, [Scope.READ], by=ROOT)
    with pytest.raises(InvalidInputError, match="too many tokens"):
        accounts.tokens.create("Ada", "c", [Scope.READ], by=ROOT)
    accounts.tokens.revoke(first.token.id, by=ROOT)
    accounts.tokens.create("Ada", "c", [Scope.READ], by=ROOT)
    accounts.close()
