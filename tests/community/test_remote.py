"""The client against a server that answers as it is told to: what it says, what it sends, what it never sends."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from assay.base.files import sha256_file
from assay.community.parcel import Packed
from assay.community.remote import Asked, Remote, Sent, base_of, plain
from assay.errors import AssayError, InvalidInputError, MachineError, UsageError

ME = {"name": "ada", "role": "contributor", "scopes": ["push", "read"], "via": "token"}
PAGE = {"assay": "1", "limits": {"max_bytes": 1000}, "challenges": [{"name": "go"}]}


@dataclass
class Fake:
    """A server of canned answers: path to status, headers and body."""

    answers: dict[str, tuple[int, dict[str, str], bytes]] = field(default_factory=dict)
    asked: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)
    base: str = ""

    def says(self, path: str, body: Any, status: int = 200, **headers: str) -> None:
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.answers[path] = (status, headers, raw)


@pytest.fixture
def fake() -> Iterator[Fake]:
    told = Fake()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.do_GET()

        def do_GET(self) -> None:
            length = int(self.headers.get("content-length") or 0)
            told.asked.append((self.path, {k.lower(): v for k, v in self.headers.items()}, self.rfile.read(length)))
            status, headers, raw = told.answers.get(self.path, (404, {}, b"nothing"))
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    told.base = f"http://127.0.0.1:{server.server_port}"
    told.says("/api/me.json", ME)
    told.says("/submit.json", PAGE)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    yield told
    server.shutdown()
    server.server_close()
    thread.join()


def looked(fake: Fake) -> AssayError:
    with pytest.raises(AssayError) as caught, Remote(fake.base, "assay_1_2") as remote:
        remote.look()
    return caught.value


def test_who_am_i_and_what_may_be_sent(fake: Fake) -> None:
    with Remote(fake.base, "assay_1_2") as remote:
        server = remote.look()
    assert (server.name, server.max_bytes, server.challenges) == ("ada", 1000, ("go",))
    _, headers, _ = fake.asked[0]
    assert headers["authorization"] == "Bearer assay_1_2"
    assert headers["x-assay-client"].startswith("assay/")


def test_an_archive_is_sent_as_a_form(fake: Fake, tmp_path: Path) -> None:
    fake.says("/api/uploads", {"id": "ab" * 8, "address": "/uploads/x"}, 202)
    path = tmp_path / "parcel"
    path.write_bytes(bytes(range(256)) * 700)
    sent = Sent(path.stat().st_size)
    asked = Asked(("go", "on"), private=True, embargo="2026-12-31T00:00+00:00", round="v3.0", note='a"b\r\nc')
    with Remote(fake.base) as remote:
        packed = Packed(path, sent.size, sha256_file(path))
        assert remote.send(packed, 'evil"\r\nname.tar.gz', asked, sent) == "ab" * 8
    _, headers, body = fake.asked[-1]
    assert (sent.done, sent.id) == (sent.size, "ab" * 8)
    assert "authorization" not in headers
    assert path.read_bytes() in body
    assert int(headers["content-length"]) == len(body)
    assert body.count(b'name="challenge"') == 2
    assert b'filename="evil___name.tar.gz"' in body
    assert b'a"b c\r\n' in body
    assert headers["digest"].startswith("sha-256=")


@pytest.mark.parametrize(
    ("status", "body", "error", "words"),
    [
        (401, {"what": "the token does not hold"}, InvalidInputError, "does not hold"),
        (403, {"what": "no"}, InvalidInputError, "no"),
        (400, {"what": "this server has another name"}, InvalidInputError, "another name"),
        (429, {"what": "too many requests", "hint": "try again in 3 s"}, MachineError, "too many"),
        (503, {"what": "the database is busy"}, MachineError, "busy"),
        (500, b"<html>", MachineError, "answers 500"),
        (404, b"<html>", InvalidInputError, "no server of assay"),
        (200, b"<html>", InvalidInputError, "no server of assay"),
        (200, [], InvalidInputError, "no server of assay"),
        (200, {"other": 1}, InvalidInputError, "no server of assay"),
        (200, {**ME, "name": None}, InvalidInputError, "asks for a token"),
        (200, {**ME, "scopes": ["read"]}, InvalidInputError, "the token may not push"),
        (200, {**ME, "role": "reader", "scopes": ["read"]}, InvalidInputError, "may look, and push nothing"),
    ],
)
def test_every_answer_is_told_as_what_it_is(
    fake: Fake, status: int, body: Any, error: type[AssayError], words: str
) -> None:
    fake.says("/api/me.json", body, status)
    told = looked(fake)
    assert type(told) is error
    assert words in str(told)
    assert told.hint or status == 400


def test_a_page_that_says_nothing_is_no_server(fake: Fake) -> None:
    fake.says("/submit.json", {"assay": "1"})
    assert "no server of assay" in looked(fake).what


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_token_is_sent_nowhere_else(fake: Fake, status: int) -> None:
    fake.says("/elsewhere", ME)
    fake.says("/api/me.json", b"", status, Location=f"{fake.base}/elsewhere")
    told = looked(fake)
    assert isinstance(told, UsageError)
    assert told.found == f"{fake.base}/elsewhere"
    assert [path for path, _, _ in fake.asked] == ["/api/me.json"]


def test_a_token_needs_https_but_on_this_machine() -> None:
    with pytest.raises(UsageError, match="unprotected"), Remote("http://results.example.org", "assay_1_2"):
        pass
    for base, token, insecure in (
        ("https://results.example.org", "assay_1_2", False),
        ("http://results.example.org", None, False),
        ("http://results.example.org", "assay_1_2", True),
        ("http://localhost:1", "assay_1_2", False),
    ):
        with Remote(base, token, insecure):
            pass


def test_nobody_there(fake: Fake) -> None:
    with (
        pytest.raises(MachineError, match="cannot be reached") as caught,
        Remote("http://127.0.0.1:9", "assay_1_2") as remote,
    ):
        remote.look()
    assert "try again" in str(caught.value.hint)
    assert "assay_1_2" not in repr(remote)


def test_waiting_outlives_a_server_that_is_started_anew(fake: Fake, monkeypatch: pytest.MonkeyPatch) -> None:
    from assay.community import remote as module

    answers = iter(
        [(503, {"what": "away"}), (200, {"done": False, "word": "waiting", "ahead": 2}), (200, {"done": True})]
    )

    def next_answer(seconds: float) -> None:
        assert seconds <= 3
        status, body = next(answers)
        fake.says("/uploads/1.json", body, status)

    monkeypatch.setattr(module.time, "sleep", next_answer)
    next_answer(0)
    with Remote(fake.base) as remote:
        assert remote.outcome("1") == {"done": True}


def test_waiting_ends_when_nobody_comes_back(fake: Fake, monkeypatch: pytest.MonkeyPatch) -> None:
    from assay.community import remote as module

    monkeypatch.setattr(module.time, "sleep", lambda _: None)
    fake.says("/uploads/1.json", {"what": "away"}, 503)
    with pytest.raises(MachineError), Remote(fake.base) as remote:
        remote.outcome("1")
    assert len(fake.asked) == 6


@pytest.mark.parametrize(
    ("url", "base"),
    [
        ("https://A.example.org/", "https://a.example.org"),
        ("a.example.org", "https://a.example.org"),
        ("http://localhost:8080", "http://localhost:8080"),
    ],
)
def test_the_address_of_a_server(url: str, base: str) -> None:
    assert base_of(url) == base


@pytest.mark.parametrize(
    "url",
    ["", "ftp://a", "https://u:p@a", "https://a/path", "https://a?x=1", "https://", "http://a:99999", "http://[::1"],
)
def test_what_is_no_address(url: str) -> None:
    with pytest.raises(UsageError, match="not the address"):
        base_of(url)


def test_texts_of_a_server_do_nothing_to_a_terminal() -> None:
    assert plain("a\x1b[31mred\x07\u202e") == "a [31mred  "
