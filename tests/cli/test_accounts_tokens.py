from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from assay.base.settings import load_settings
from assay.cli.accounts import accounts
from assay.errors import InvalidInputError, NotFoundError
from assay.playground.accounts.service import Accounts
from assay.playground.accounts.viewer import Scope


@pytest.fixture(autouse=True)
def _ada(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    del home
    run("add", "Ada", "--no-password")
    capsys.readouterr()


def run(*arguments: str) -> None:
    accounts.main(args=list(arguments), prog_name="assay accounts", standalone_mode=False)


def read(capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    run(*arguments, "--json")
    return json.loads(capsys.readouterr().out)


def test_a_token_works_until_it_is_revoked(capsys: pytest.CaptureFixture[str]) -> None:
    made = read(
        capsys, "token", "create", "ada", "--scope", "read", "--scope", "push", "--days", "3", "--label", "laptop"
    )
    assert made["token"].startswith(f"assay_{made['id']}_") and made["scopes"] == ["push", "read"]
    server = Accounts(f"sqlite:///{load_settings().home / 'playground.sqlite'}")
    viewer = server.token(made["token"])
    assert viewer is not None and viewer.may(Scope.PUSH)
    listed = read(capsys, "token", "list", "Ada")["tokens"]
    assert [(each["id"], each["label"], each["revoked"]) for each in listed] == [(made["id"], "laptop", None)]
    assert listed[0]["last_used"] is not None and "token" not in listed[0]
    run("token", "revoke", made["id"])
    assert "of Ada holds no longer" in capsys.readouterr().out
    assert server.token(made["token"]) is None
    server.close()
    run("token", "list", "Ada")
    assert "laptop" in capsys.readouterr().out


def test_only_the_token_goes_to_the_standard_output(capsys: pytest.CaptureFixture[str]) -> None:
    run("token", "create", "ada")
    out, err = capsys.readouterr()
    assert len(out.split()) == 1 and "shown this once" in err


def test_what_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(InvalidInputError):
        run("token", "create", "ada", "--scope", "admin")
    with pytest.raises(NotFoundError):
        run("token", "create", "nobody1")
    with pytest.raises(NotFoundError):
        run("token", "revoke", "../x")
    capsys.readouterr()
