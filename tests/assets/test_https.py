"""Downloads from a server that behaves, and from ones that do not."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from assay.assets import https
from assay.assets.https import download
from assay.base.progress import SILENT
from assay.errors import NotFoundError

BODY = bytes(range(256)) * 4096


class Server:
    """A server on loopback whose answers are scripted by path; it keeps what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str | None]] = []
        self.broken_once: set[str] = set()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.answer(self)

            def log_message(self, *_: object) -> None:
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.http.serve_forever, daemon=True).start()

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.http.server_address[1]}{path}"

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        wanted = request.headers.get("Range")
        self.asked.append((request.path, wanted))
        if request.path == "/missing":
            request.send_error(404)
        elif request.path == "/busy" and len(self.asked) < 3:
            request.send_error(503)
        elif request.path == "/moved":
            request.send_response(302)
            request.send_header("Location", "/file")
            request.end_headers()
        elif request.path == "/round":
            request.send_response(302)
            request.send_header("Location", "/round")
            request.end_headers()
        elif request.path == "/endless":
            request.send_response(200)
            request.end_headers()
            for _ in range(3):
                request.wfile.write(BODY)
        else:
            self.send(request, wanted)

    def send(self, request: BaseHTTPRequestHandler, wanted: str | None) -> None:
        start = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted and request.path != "/plain" else 0
        if start >= len(BODY):
            request.send_error(416)
            return
        part = BODY[start:]
        request.send_response(206 if start else 200)
        request.send_header("Content-Length", str(len(part)))
        request.end_headers()
        if request.path == "/breaks" and request.path not in self.broken_once:
            self.broken_once.add(request.path)
            part = part[: len(part) // 2]
        request.wfile.write(part)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    found = Server()
    yield found
    found.http.shutdown()
    found.http.server_close()


def fetch(server: Server, target: Path, *paths: str, size: int = len(BODY)) -> str:
    return download(tuple(server.url(path) for path in paths), target, size=size, progress=SILENT, label="x")


@pytest.mark.parametrize("path", ["/file", "/moved", "/busy", "/plain"])
def test_a_file_is_downloaded(server: Server, tmp_path: Path, path: str) -> None:
    assert fetch(server, tmp_path / "part", path) == server.url(path)
    assert (tmp_path / "part").read_bytes() == BODY


def test_a_broken_connection_is_continued_where_it_ended(server: Server, tmp_path: Path) -> None:
    fetch(server, tmp_path / "part", "/breaks")
    assert (tmp_path / "part").read_bytes() == BODY
    assert server.asked == [("/breaks", None), ("/breaks", f"bytes={len(BODY) // 2}-")]


def test_an_earlier_attempt_is_continued(server: Server, tmp_path: Path) -> None:
    (tmp_path / "part").write_bytes(BODY[:1000])
    fetch(server, tmp_path / "part", "/file")
    assert (tmp_path / "part").read_bytes() == BODY
    assert server.asked == [("/file", "bytes=1000-")]


def test_a_server_that_cannot_continue_sends_all_of_it_again(server: Server, tmp_path: Path) -> None:
    (tmp_path / "part").write_bytes(b"x" * 1000)
    fetch(server, tmp_path / "part", "/plain")
    assert (tmp_path / "part").read_bytes() == BODY


def test_too_much_from_before_is_thrown_away(server: Server, tmp_path: Path) -> None:
    (tmp_path / "part").write_bytes(BODY + b"more")
    fetch(server, tmp_path / "part", "/file")
    assert (tmp_path / "part").read_bytes() == BODY


def test_the_next_address_is_tried(server: Server, tmp_path: Path) -> None:
    assert fetch(server, tmp_path / "part", "/missing", "/file") == server.url("/file")


def test_every_failure_is_told(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(https, "_TRIES", 1)
    with pytest.raises(NotFoundError) as caught:
        download(
            (server.url("/missing"), "http://127.0.0.1:1/none"), tmp_path / "p", size=0, progress=SILENT, label="x"
        )
    assert "status 404" in str(caught.value)
    assert "ConnectError" in str(caught.value)


def test_redirects_in_a_circle_end(server: Server, tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="TooManyRedirects"):
        fetch(server, tmp_path / "part", "/round")


def test_a_file_much_larger_than_it_should_be_ends_the_download(server: Server, tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="larger than"):
        fetch(server, tmp_path / "part", "/endless", size=1000)
