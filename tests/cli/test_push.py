"""``assay push`` against a real server on a real socket."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from fastapi import FastAPI

from assay.base.settings import Settings
from assay.cli.main import run
from assay.playground.accounts.audit import CONSOLE
from assay.playground.accounts.service import Accounts
from assay.playground.accounts.settings import Hashing
from assay.playground.accounts.viewer import Role, Scope
from assay.playground.app import create_app
from assay.playground.security.config import ServerConfig
from assay.playground.security.requests import Gate, open_gate
from assay.playground.serve import listening

from ..community.conftest import MakeRun, make_run, needs_git  # noqa: F401 - fixtures
from ..playground.sending import checked_here, nothing_published, small_tree, spoilt_tree  # noqa: F401 - fixtures

pytestmark = [needs_git, pytest.mark.usefixtures("checked_here", "home")]
Push = Callable[..., tuple[int, str, str]]


def served(app: FastAPI, config: ServerConfig) -> Iterator[str]:
    """An application behind a socket; its address."""
    sock = listening(config, fixed=True)
    ready = threading.Event()

    class Server(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets=sockets)
            ready.set()

    server = Server(uvicorn.Config(app, log_config=None, lifespan="on"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [sock]}, daemon=True)
    thread.start()
    assert ready.wait(30)
    yield f"http://localhost:{sock.getsockname()[1]}"
    server.should_exit = True
    thread.join(20)
    sock.close()


@pytest.fixture
def there(tmp_path: Path) -> Settings:
    """Where the server's files are: not those of who pushes."""
    return Settings(tmp_path / "server")


@pytest.fixture
def local(there: Settings) -> Iterator[str]:
    """A server of a single user."""
    config = ServerConfig(single_user=True, port=0)
    yield from served(create_app(there, config, Gate(config, None, None, b"s" * 32)), config)


@pytest.fixture
def accounts(there: Settings) -> Accounts:
    config = ServerConfig()
    there.home.mkdir()
    made = Accounts(config.database(there), replace(config.accounts, hashing=Hashing(1, 8, 1)))
    made.people.add("ada", by=CONSOLE)
    made.people.add("rita", role=Role.READER, by=CONSOLE)
    return made


@pytest.fixture
def server(there: Settings, accounts: Accounts) -> Iterator[str]:
    """A server with accounts."""
    config = ServerConfig.model_validate({"port": 0, "upload": {"max_bytes": 100_000}, "limits": {"enabled": False}})
    yield from served(create_app(there, config, open_gate(config, accounts)), config)


def token(accounts: Accounts, name: str = "ada", *scopes: Scope) -> str:
    return accounts.tokens.create(name, "test", scopes or [Scope.READ, Scope.PUSH], by=CONSOLE).text


@pytest.fixture
def push(capfd: pytest.CaptureFixture[str]) -> Push:
    """Run the command; exit code, output and errors."""

    def go(*arguments: str | Path) -> tuple[int, str, str]:
        code = run(["push", *map(str, arguments)])
        out, err = capfd.readouterr()
        return code, out, err

    return go


# ---- taken and refused


def test_a_tree_is_taken(push: Push, local: str, tmp_path: Path) -> None:
    code, out, err = push(small_tree(tmp_path / "tree").root, "--to", local)
    assert code == 0, err
    assert "2 results accepted." in out
    assert "1,234 Samples/s" in out or "1,234 samples/s" in out
    assert f"{local}/uploads/" in out
    code, out, _ = push(tmp_path / "tree", "--to", local)
    assert code == 0
    assert "2 already there, nothing changed" in out


def test_a_refused_result_says_what_and_where(push: Push, local: str, tmp_path: Path) -> None:
    code, out, _ = push(spoilt_tree(tmp_path / "spoilt").root, "--to", local)
    assert code == 1
    for words in (
        "not taken",
        "result-invalid: LoadGen calls the run INVALID",
        "performance/run_1/mlperf_log_detail.txt:",
        "what to do: See the summary log",
        "1 result accepted, 1 refused.",
    ):
        assert words in out, words


def test_a_run_is_pushed_by_its_name_and_ranked(push: Push, local: str, home: Path, make_run: MakeRun) -> None:  # noqa: F811
    make_run(mode="accuracy", number=1, parent=home / "runs")
    make_run(number=2, parent=home / "runs")
    challenge = "reproduce-and-improve-mlperf-inference"
    code, out, err = push("latest", "--to", local, "--challenge", challenge, "--json")
    assert code == 0, err
    page = json.loads(out)
    (result,) = page["accepted"]
    assert result["labels"] == ["stand-in-model", "small-dataset", "short-run"]
    assert [(each["challenge"], each["place"], each["of"]) for each in result["places"]] == [(challenge, 1, 1)]
    assert page["address"] == f"{local}/uploads/{page['id']}"
    # The end of the id names it, too.
    code, out, _ = push("0002", "--to", local, "--challenge", challenge)
    assert code == 0
    assert f"1 of 1 in {challenge}" in out


def test_nobody_waits_who_does_not_want_to(push: Push, local: str, tmp_path: Path) -> None:
    code, out, _ = push(small_tree(tmp_path / "tree").root, "--to", local, "--no-wait", "--json")
    assert code == 0
    assert json.loads(out)["state"] == "received"


def test_an_archive_that_holds_nothing_is_bad_input(push: Push, local: str, tmp_path: Path) -> None:
    (tmp_path / "a.tar.gz").write_bytes(b"nothing")
    code, out, _ = push(tmp_path / "a.tar.gz", "--to", local)
    assert code == 4
    assert "refused: not an archive that can be unpacked" in out


# ---- judged here


def test_a_dry_run_lists_and_judges_and_sends_nothing(push: Push, tmp_path: Path) -> None:
    code, out, err = push(small_tree(tmp_path / "tree").root, "--dry-run")
    assert code == 0
    assert "open/Acme/systems/box.json" in out
    assert "22 files" in out
    assert "Judged here: 2 results would be accepted." in out
    assert "Nothing was sent." in err
    code, out, _ = push(spoilt_tree(tmp_path / "spoilt").root, "--dry-run", "--json")
    assert code == 1
    said = json.loads(out)
    assert (said["kind"], len(said["files"]), len(said["outcome"]["refused"])) == ("submission tree", 46, 1)


# ---- who may


def test_the_token_comes_from_where_it_is(
    push: Push, server: str, accounts: Accounts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, home: Path
) -> None:
    tree = small_tree(tmp_path / "tree").root
    code, _, err = push(tree, "--to", server)
    assert code == 4
    assert "the server asks for a token" in err
    file = tmp_path / "token"
    file.write_text(token(accounts))
    assert push(tree, "--to", server, "--token-file", file)[0] == 0
    monkeypatch.setenv("ASSAY_TOKEN", token(accounts))
    assert push(tree, "--to", server)[0] == 0
    monkeypatch.delenv("ASSAY_TOKEN")
    monkeypatch.setattr("click.prompt", lambda *_, **more: token(accounts) if more["hide_input"] else "")
    code, out, _ = push("--login", server)
    assert code == 0
    assert "The token is of ada" in out
    assert (home / "tokens.yaml").stat().st_mode & 0o777 == 0o600
    assert push(tree, "--to", server)[0] == 0
    assert {each.account for each in accounts.uploads.list(_boss(), limit=9)} == {"ada"}


def _boss() -> Any:
    from assay.playground.upload_store import EVERYTHING

    return EVERYTHING


@pytest.mark.parametrize(
    ("name", "scopes", "words"),
    [("ada", [Scope.READ], "the token may not push"), ("rita", [Scope.READ], "the account may look, and push nothing")],
)
def test_who_may_not_push_is_told_before_anything_is_packed(
    push: Push,
    server: str,
    accounts: Accounts,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    scopes: list[Scope],
    words: str,
) -> None:
    monkeypatch.setenv("ASSAY_TOKEN", token(accounts, name, *scopes))
    code, _, err = push(small_tree(tmp_path / "tree").root, "--to", server)
    assert (code, words in err) == (4, True), err
    assert "packing" not in err


def test_a_wrong_token_is_no_secret_of_the_error(
    push: Push, server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong = f"assay_{'1' * 16}_{'2' * 48}"
    monkeypatch.setenv("ASSAY_TOKEN", wrong)
    code, out, err = push(small_tree(tmp_path / "tree").root, "--to", server)
    assert code == 4
    assert "the token does not hold" in err
    assert wrong not in out + err


def test_limits_and_challenges_are_known_before_anything_is_sent(
    push: Push, server: str, accounts: Accounts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ASSAY_TOKEN", token(accounts))
    tree = small_tree(tmp_path / "tree")
    code, _, err = push(tree.root, "--to", server, "--challenge", "reproduce-and-improve-mlperf-inferense")
    assert code == 4
    assert "expected reproduce-and-improve-mlperf-inference" in err
    import random

    (tree.submitter / "code" / "large.bin").write_bytes(random.Random(1).randbytes(200_000))
    code, _, err = push(tree.root, "--to", server)
    assert code == 4
    assert "larger than the server takes" in err
    assert "sending" not in err


def test_a_private_result_with_an_embargo(
    push: Push, server: str, accounts: Accounts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ASSAY_TOKEN", token(accounts))
    code, out, _ = push(
        small_tree(tmp_path / "tree").root, "--to", server, "--private", "--embargo", "2099-12-31T00:00Z", "--json"
    )
    assert code == 0
    page = json.loads(out)
    assert (page["private"], page["embargo"]) == (True, "2099-12-31T00:00:00Z")


# ---- what goes wrong


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        ((), 2, "nothing to push"),
        (("no/such/folder", "--to", "http://localhost:9"), 3, "no such folder"),
        (("latest", "--to", "http://localhost:9"), 3, "there are no runs yet"),
        ((".", "--to", "http://localhost:9"), 4, "nothing in it can be taken"),
        (("TREE",), 2, "no server is named"),
        (("TREE", "--to", "ftp://a"), 2, "not the address of a server"),
        (("TREE", "--to", "http://localhost:9"), 5, "cannot be reached"),
        (("TREE", "--to", "http://localhost:9", "--embargo", "soon"), 2, "no moment"),
        (("TREE", "--to", "http://localhost:9", "--embargo", "2099-01-01"), 2, "no time zone"),
        (("TREE", "--to", "http://localhost:9", "--token-file", "none"), 3, "the file with the token is not there"),
        (("TREE", "TREE", "--to", "http://localhost:9"), 2, "one folder is sent at a time"),
    ],
)
def test_every_mistake_has_its_exit_code(
    push: Push, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], code: int, words: str
) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    monkeypatch.chdir(empty)
    tree = str(small_tree(tmp_path / "tree").root)
    told, _, err = push(*(tree if each == "TREE" else each for each in arguments))
    assert (told, words in err) == (code, True), err


def test_ctrl_c_says_what_was_sent(push: Push, local: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from assay.community import remote

    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    tree = small_tree(tmp_path / "tree").root
    monkeypatch.setattr(remote.Remote, "outcome", interrupted)
    code, _, err = push(tree, "--to", local)
    assert code == 130
    assert f"It was sent, and is checked without you: {local}/uploads/" in err
    monkeypatch.setattr(remote.Remote, "send", interrupted)
    assert "Nothing was sent." in push(tree, "--to", local)[2]
