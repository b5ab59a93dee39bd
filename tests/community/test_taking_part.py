from __future__ import annotations

import pytest

from assay.base.settings import Settings
from assay.cm.artifact import CONTRIBUTOR
from assay.community.challenge import Challenge
from assay.community.challenges import find_challenge
from assay.community.server_repository import server_path, server_repository
from assay.community.taking_part import join, leave
from assay.errors import UsageError
from assay.results.audience import EVERYBODY

from ..cm.test_git import run_git
from .conftest import NOW, UID, MakeEntry, needs_git

pytestmark = needs_git


def challenge(settings: Settings, name: str = "go") -> Challenge:
    return find_challenge(settings, name, EVERYBODY, NOW)


def listed(settings: Settings, account: str = "ada") -> object:
    with server_repository(settings).editing(home=settings.home) as editor:
        found = editor.get(CONTRIBUTOR, account)
    return found.meta.get("challenges") if found else None


def test_joining_and_leaving_are_commits_of_who_does_it(settings: Settings, make_challenge: MakeEntry) -> None:
    make_challenge()
    join(settings, challenge(settings), "ada", display_name="Ada L.", organisation="Acme")
    join(settings, challenge(settings), "ada")
    assert listed(settings) == [UID]
    root = server_repository(settings).path
    assert run_git(root, "log", "-1", "--format=%an %s") == "Ada L ada joins go"
    leave(settings, challenge(settings), "ada")
    leave(settings, challenge(settings), "ada")
    assert listed(settings) == []
    assert run_git(root, "log", "-1", "--format=%s") == "ada leaves go"
    assert run_git(root, "status", "--porcelain") == ""


def test_leaving_without_an_entry_changes_nothing(settings: Settings, make_challenge: MakeEntry) -> None:
    make_challenge()
    leave(settings, challenge(settings), "nobody")
    assert listed(settings, "nobody") is None


def test_joining_a_private_challenge_leaves_no_trace(settings: Settings, make_challenge: MakeEntry) -> None:
    make_challenge(private=True)
    join(settings, challenge(settings), "ada")
    assert not server_path(settings).exists()


def test_what_cannot_be_joined(settings: Settings, make_challenge: MakeEntry) -> None:
    make_challenge(date_close="20200101")
    with pytest.raises(UsageError, match="the challenge go is closed"):
        join(settings, challenge(settings), "ada")
    make_challenge(date_close="")
    for account in ("../ada", "", "a b", "-x"):
        with pytest.raises(UsageError, match="cannot be an account"):
            join(settings, challenge(settings), account)
