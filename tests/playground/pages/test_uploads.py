"""Uploads from the form to the board: received, checked, shown to whom they concern."""

from __future__ import annotations

import base64
import hashlib
import tarfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from assay.base.settings import Settings
from assay.community.server_repository import server_path
from assay.playground.accounts.viewer import Role

from ...community.conftest import (  # noqa: F401 - fixtures
    UID,
    MakeEntry,
    MakeRun,
    make_challenge,
    make_entry,
    make_run,
    needs_git,
)
from ..conftest import HTML, accounts_of, local_app, newcomer, server_app, signed_in, token_of
from ..sending import (  # noqa: F401 - fixtures
    PROGRAM,
    checked_here,
    nothing_published,
    packed,
    queue_of,
    send,
    small_tree,
    spoilt_tree,
    tar_of,
    verdict,
)

pytestmark = [needs_git, pytest.mark.usefixtures("checked_here")]
BOARD = "/challenges/go"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(tmp_path / "home")


@pytest.fixture
def local(settings: Settings) -> Iterator[TestClient]:
    """The playground of a single user."""
    with local_app(settings) as client:
        yield client


@pytest.fixture
def server(settings: Settings) -> Iterator[TestClient]:
    """A server with accounts."""
    with server_app(settings, upload={"max_bytes": 1 << 20}) as client:
        yield client


@pytest.fixture
def tree(tmp_path: Path) -> bytes:
    return packed(small_tree(tmp_path / "tree").root)


# ---- accepted


def test_a_tree_is_sent_checked_taken_and_ranked(
    server: TestClient,
    tree: bytes,
    make_challenge: MakeEntry,  # noqa: F811
) -> None:
    make_challenge("go", ranking={"metric": "samples_per_second", "per": ["scenario"]})
    ada = token_of(server, "ada")
    digest = base64.b64encode(hashlib.sha256(tree).digest()).decode()
    answer = send(server, tree, {**ada, "digest": f"sha-256={digest}"}, challenge="go", note="the first")
    assert answer.status_code == 202, answer.text
    said = answer.json()
    assert (said["state"], said["sha256"]) == ("received", hashlib.sha256(tree).hexdigest())
    assert answer.headers["location"] == said["address"] == f"/uploads/{said['id']}"
    page = verdict(server, said["id"], ada)
    assert (page["state"], page["message"], page["note"]) == ("accepted", "2 results accepted", "the first")
    (offline,) = [each for each in page["accepted"] if each["scenario"] == "Offline"]
    assert offline["places"] == [{"challenge": "go", "title": "Go", "group": "Offline", "place": 1, "of": 1, "why": ""}]
    shown = newcomer(server).get(f"{BOARD}", headers=HTML).text
    assert f"/results/{offline['uid']}" in shown
    assert "ada" in shown
    log = [each.action for each in accounts_of(server).audit.entries(target=said["id"])]
    assert log == ["upload.accepted", "upload.receive"]
    assert 'assay_uploads_total{outcome="accepted"} 1.0' in server.app.state.playground.counters.render().decode()  # type: ignore[attr-defined]


def test_the_commit_is_by_the_contributor(server: TestClient, settings: Settings, tree: bytes) -> None:
    from assay.cm import git

    page = verdict(server, send(server, tree, token_of(server, "ada")).json()["id"], token_of(server, "ada"))
    assert git.head(server_path(settings)) == page["commit"]


def test_the_same_again_changes_nothing(local: TestClient, tree: bytes) -> None:
    verdict(local, send(local, tree).json()["id"])
    page = verdict(local, send(local, tree).json()["id"])
    assert (page["state"], page["commit"]) == ("accepted", None)
    assert all(each["known"] for each in page["accepted"])
    shown = local.get(f"/uploads/{page['id']}", headers=HTML).text
    assert "was there already" in shown
    assert "nothing changed" in shown


def test_two_at_once_are_both_taken(server: TestClient, tmp_path: Path, tree: bytes, make_run: MakeRun) -> None:  # noqa: F811
    ada, bob = token_of(server, "ada"), token_of(server, "bob")
    run = packed(make_run())
    one, two = send(server, tree, ada).json()["id"], send(server, run, bob).json()["id"]
    assert verdict(server, one, ada)["message"] == "2 results accepted"
    assert verdict(server, two, bob)["message"] == "1 result accepted"


# ---- refused, in place


def test_findings_are_shown_where_they_are(local: TestClient, tmp_path: Path) -> None:
    data = packed(spoilt_tree(tmp_path / "spoilt").root)
    page = verdict(local, send(local, data).json()["id"])
    assert (page["state"], page["word"]) == ("partly", "partly accepted")
    shown = local.get(f"/uploads/{page['id']}", headers=HTML).text
    for words in (
        "closed/Acme/results/box/resnet50/Offline/performance/run_1/mlperf_log_detail.txt:",
        "/docs/reference/findings#md-result-invalid",
        "LoadGen calls the run INVALID",
        "change the settings and run again",
        f"/results/{page['accepted'][0]['uid']}",
        "refused by the official checker and by the written rules",
        "assay check",
    ):
        assert words in shown, words


def test_names_in_an_upload_are_shown_and_never_run(local: TestClient) -> None:
    evil = "<script>alert(1)</script>"
    data = tar_of((f"closed/{evil}/systems/a.json", b"{}"), (f"closed/{evil}/results/x/y/Offline/z.txt", b""))
    page = verdict(local, send(local, data, name=f"{evil}.tar.gz", note=evil).json()["id"])
    assert page["state"] == "refused"
    shown = local.get(f"/uploads/{page['id']}", headers=HTML).text
    assert evil not in shown
    assert "&lt;script&gt;" in shown
    assert evil not in local.get("/uploads", headers=HTML).text


def link() -> tarfile.TarInfo:
    member = tarfile.TarInfo("closed/secrets")
    member.type, member.linkname = tarfile.SYMTYPE, "/etc/passwd"
    return member


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (tar_of(("../../../escaped", b"x")), "outside its folder"),
        (tar_of(("/etc/escaped", b"x")), "outside its folder"),
        (tar_of((link(), b"")), "no plain file"),
        (tar_of(("closed/a", bytes(200 << 20)))[: 1 << 20], "grows too much"),
        (b"PK\x03\x04 no zip", "damaged"),
        (b"", "ot an archive that"),
    ],
    ids=["traversal", "absolute", "link", "bomb", "damage", "empty"],
)
def test_attacks_are_refused_and_leave_nothing(
    local: TestClient, settings: Settings, tmp_path: Path, data: bytes, words: str
) -> None:
    page = verdict(local, send(local, data).json()["id"])
    assert page["state"] == "refused"
    assert words in page["error"]["what"]
    assert words in local.get(f"/uploads/{page['id']}", headers=HTML).text
    assert [each.name for each in (settings.home / "uploads" / page["id"]).iterdir()] == ["upload.json"]
    assert not list(tmp_path.rglob("*escaped*"))


# ---- what does not even come in


def kept(client: TestClient) -> list[str]:
    folder = queue_of(client).folder
    return [each.name for each in folder.iterdir() if each.name != ".checking.lock"] if folder.is_dir() else []


def test_who_may_not_push_is_told_before_anything_is_read(server: TestClient, tree: bytes) -> None:
    accounts_of(server).people.add("rita", role=Role.READER, by=_console())
    wrong = {"authorization": f"Bearer assay_{'0' * 16}_{'0' * 48}"}
    reader = token_of(server, "rita", "read")
    for headers, status, words in (
        (wrong, 401, "the token does not hold"),
        (reader, 403, "the role reader does not allow this"),
        (token_of(server, "ada", "read"), 403, "this token does not allow this"),
    ):
        answer = send(server, tree, headers)
        assert (answer.status_code, answer.json()["what"]) == (status, words)
    assert send(server, tree).status_code == 401
    assert kept(server) == []


def _console() -> Any:
    from assay.playground.accounts.audit import CONSOLE

    return CONSOLE


def test_what_is_too_large_is_refused(server: TestClient) -> None:
    ada = token_of(server, "ada")
    announced = send(server, bytes(3 << 20), ada)
    assert announced.status_code == 413
    # Within the bound of the request, and beyond that of the file.
    assert send(server, bytes((1 << 20) + 1), ada).status_code == 413

    def pieces() -> Iterator[bytes]:
        yield b'--XX\r\nContent-Disposition: form-data; name="file"; filename="a.tar"\r\n\r\n'
        yield from [bytes(1 << 18)] * 8

    headers = {**PROGRAM, **ada, "content-type": "multipart/form-data; boundary=XX"}
    assert server.post("/api/uploads", content=pieces(), headers=headers).status_code == 413
    assert kept(server) == []


@pytest.mark.parametrize(
    ("fields", "status", "words"),
    [
        ({"challenge": "over"}, 400, "takes no results: it is closed"),
        ({"challenge": "nowhere"}, 404, "unknown challenge"),
        ({"challenge": "secret"}, 404, "unknown challenge"),
        ({"embargo": "2020-01-01T00:00Z"}, 400, "no moment to come"),
        ({"round": "v99"}, 404, "unknown round"),
        ({"sha256": "0" * 64}, 400, "SHA-256 differs"),
    ],
)
def test_what_is_wished_wrongly_is_told_at_once(
    server: TestClient,
    tree: bytes,
    make_challenge: MakeEntry,  # noqa: F811
    fields: dict[str, str],
    status: int,
    words: str,
) -> None:
    make_challenge("over", date_close="20200101")
    make_challenge("secret", "ff" * 8, private=True)
    answer = send(server, tree, token_of(server, "ada"), **fields)
    assert answer.status_code == status, answer.text
    assert words in answer.json()["what"]
    assert kept(server) == []


def test_a_form_without_a_file(local: TestClient) -> None:
    answer = local.post("/api/uploads", files={"other": (None, b"x")}, headers=PROGRAM)
    assert (answer.status_code, answer.json()["what"]) == (400, "there is no file in the form")
    answer = local.post("/api/uploads", json={}, headers=PROGRAM)
    assert (answer.status_code, answer.json()["what"]) == (400, "no form with a file")


def test_another_site_cannot_send_in(local: TestClient, tree: bytes) -> None:
    answer = local.post("/api/uploads", files={"file": ("a.tar.gz", tree)}, headers={"origin": "https://evil.example"})
    assert answer.status_code == 403
    assert kept(local) == []


# ---- who sees what


def test_an_upload_is_seen_by_its_owner_and_maintainers_alone(server: TestClient, tree: bytes) -> None:
    ada, bob = token_of(server, "ada"), token_of(server, "bob")
    upload = send(server, tree, ada).json()["id"]
    verdict(server, upload, ada)
    none = server.get(f"/uploads/{'0' * 16}.json", headers=bob)
    for headers in (bob, None):
        answer = newcomer(server).get(f"/uploads/{upload}.json", headers=headers)
        assert answer.status_code == none.status_code == 404
        assert answer.json()["what"].replace(upload, "") == none.json()["what"].replace("0" * 16, "")
    boss = signed_in(server, "boss", "maintainer")
    assert boss.get(f"/uploads/{upload}.json").status_code == 200
    assert upload not in boss.get("/uploads", headers=HTML).text
    assert upload in boss.get("/uploads?all=1", headers=HTML).text
    assert upload not in signed_in(server, "bob").get("/uploads?all=1", headers=HTML).text
    assert upload in signed_in(server, "ada").get("/uploads", headers=HTML).text
    assert newcomer(server).get("/uploads", headers=HTML).status_code == 401


def test_a_private_result_is_nobody_elses(server: TestClient, tree: bytes) -> None:
    ada, bob = token_of(server, "ada"), token_of(server, "bob")
    page = verdict(server, send(server, tree, ada, private="1").json()["id"], ada)
    uid = page["accepted"][0]["uid"]
    assert server.get(f"/results/{uid}.json", headers=ada).status_code == 200
    assert server.get(f"/results/{uid}.json", headers=bob).status_code == 404


def test_a_page_that_waits_asks_again_by_itself(
    local: TestClient, tree: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    queue = queue_of(local)
    monkeypatch.setattr(queue, "_waiting", type("Nobody", (), {"put": lambda self, _: None})())
    upload = send(local, tree).json()["id"]
    shown = local.get(f"/uploads/{upload}", headers=HTML).text
    assert '<noscript><meta http-equiv="refresh" content="3"></noscript>' in shown
    assert f'data-upload="{upload}"' in shown
    monkeypatch.undo()


@pytest.mark.parametrize(
    ("before", "status"),
    [
        ("2099-01-01T00:00:00Z", 200),
        ("2099-01-01T00:00:00", 422),
        ("0001-01-01T00:00:00+14:00", 400),
        ("soon", 422),
    ],
)
def test_older_uploads(local: TestClient, before: str, status: int) -> None:
    assert local.get("/uploads.json", params={"before": before}).status_code == status


def test_a_connection_that_ends_leaves_nothing(local: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    from starlette.requests import ClientDisconnect, Request

    async def gone(self: Request) -> AsyncIterator[bytes]:
        yield b'--XX\r\nContent-Disposition: form-data; name="file"; filename="a.tar"\r\n\r\nhalf'
        raise ClientDisconnect

    monkeypatch.setattr(Request, "stream", gone)
    headers = {**PROGRAM, "content-type": "multipart/form-data; boundary=XX"}
    answer = local.post("/api/uploads", content=b"", headers=headers)
    assert answer.status_code == 400
    assert kept(local) == []
