from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from assay.base.settings import load_settings
from assay.cli.accounts import accounts
from assay.errors import InvalidInputError, NotFoundError, UsageError
from assay.playground.accounts.service import Accounts
from assay.playground.accounts.settings import AccountSettings, SignUp

Call = Callable[..., Any]
UID = "1f2e3d4c5b6a7980"


@pytest.fixture(autouse=True)
def _fresh(home: Path) -> None:
    del home


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str]) -> Call:
    """Runs ``assay accounts`` and gives what it printed; with ``--json`` what that means."""

    def run(*arguments: str) -> Any:
        accounts.main(args=list(arguments), prog_name="assay accounts", standalone_mode=False)
        out = capsys.readouterr().out
        return json.loads(out) if "--json" in arguments else out

    return run


def service() -> Accounts:
    home = load_settings().home
    return Accounts(f"sqlite:///{home / 'playground.sqlite'}", AccountSettings(sign_up=SignUp.INVITATION))


def test_from_nothing_to_a_server_with_people(call: Call) -> None:
    assert "no account yet" in call()
    made = call("add", "Ada", "--role", "maintainer", "--shown", "Ada L.", "--generate", "--json")
    assert (made["name"], made["role"], made["has_password"]) == ("Ada", "maintainer", True)
    opened = service()
    assert opened.sign_in("ada", made["password"], "192.0.2.1").viewer.is_maintainer
    opened.close()
    assert "added robot, contributor" in call("add", "robot", "--no-password")
    assert [each["name"] for each in call("list", "--json")["accounts"]] == ["Ada", "robot"]
    table = call("list")
    assert "Ada L." in table and "tokens only" in table
    assert made["password"] not in call("audit")


def test_a_password_from_the_standard_input(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("correct horse battery\n"))
    call("add", "Ada", "--password-stdin")
    opened = service()
    assert opened.sign_in("Ada", "correct horse battery", "192.0.2.1").viewer.name == "Ada"
    opened.close()
    changed = call("password", "Ada", "--generate", "--json")
    opened = service()
    assert opened.sign_in("Ada", changed["password"], "192.0.2.1").viewer.name == "Ada"
    opened.close()


def test_what_cannot_be_is_refused(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("short\n"))
    with pytest.raises(InvalidInputError, match="too short"):
        call("add", "Ada", "--password-stdin")
    with pytest.raises(UsageError, match="nobody to ask"):
        call("add", "Ada")
    with pytest.raises(UsageError, match="enough"):
        call("add", "Ada", "--generate", "--no-password")
    with pytest.raises(NotFoundError):
        call("role", "Ada", "reader")
    assert call("list", "--json") == {"accounts": []}


def test_roles_and_locking_out(call: Call) -> None:
    call("add", "Ada", "--role", "maintainer", "--no-password")
    call("add", "Rob", "--no-password")
    with pytest.raises(InvalidInputError, match="last maintainer"):
        call("disable", "Ada")
    assert "Rob is maintainer now" in call("role", "rob", "maintainer")
    assert "Ada is locked out" in call("disable", "Ada")
    assert call("list", "--json")["accounts"][0]["disabled"]
    assert "can sign in again" in call("disable", "Ada", "--undo")
    actions = [each["action"] for each in call("audit", "--account", "console", "--json")["entries"]]
    assert actions == ["account.enable", "account.disable", "account.role", "account.add", "account.add"]
    assert "account.disable" in call("audit", "--action", "account.disable")


def test_an_invitation_is_a_link_where_the_address_is_known(call: Call, tmp_path: Path) -> None:
    made = call("invite", "--role", "reader", "--days", "3", "--note", "for Grace", "--json")
    opened = service()
    session = opened.sign_up("Grace", "correct horse battery", "192.0.2.1", invitation=made["code"])
    assert session.viewer.role == "reader"
    opened.close()
    config = tmp_path / "server.yaml"
    config.write_text(f"base_url: https://results.example.org\ndatabase_url: sqlite:///{tmp_path / 'other.sqlite'}\n")
    assert call("invite", "--config", str(config)).startswith("https://results.example.org/sign-up?invitation=")
    assert call("list", "--config", str(config), "--json") == {"accounts": []}, "another server's accounts"


def test_admitting_to_a_challenge(call: Call) -> None:
    call("add", "Ada", "--no-password")
    assert call("admit", "ada", UID.upper(), "--json") == {"account": "Ada", "challenge": UID, "member": True}
    opened = service()
    assert [each.account for each in opened.memberships.members(UID)] == ["Ada"]
    opened.close()
    assert "takes no part" in call("admit", "ada", UID, "--undo")
    with pytest.raises(NotFoundError):
        call("admit", "ada", "no-challenge-of-this-name")
    with pytest.raises(NotFoundError):
        call("admit", "nobody1", UID)
