"""What goes over a socket and is no request that a browser sends: refused or answered, and the next one is answered, too."""

from __future__ import annotations

import contextlib
import gzip
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from assay.base.settings import Settings
from assay.playground import serve as serving
from assay.playground.security.config import ServerConfig
from assay.playground.serve import configured, listening

HOST = b"Host: localhost\r\n"
_QUIET_S = 1.0
HIDDEN = b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n"


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """A server as ``assay serve`` runs it."""
    settings = Settings(home=tmp_path_factory.mktemp("wire"))
    sock = listening(configured(None, port=0), fixed=True)
    ready = threading.Event()
    made: list[serving._Server] = []

    class Kept(serving._Server):
        def __init__(self, *given: object) -> None:
            super().__init__(*given)  # type: ignore[arg-type]
            made.append(self)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(serving, "_Server", Kept)
        arguments = {"write_log": None, "ready": ready.set}
        config = ServerConfig(single_user=True)
        thread = threading.Thread(target=serving.serve, args=(settings, config, sock), kwargs=arguments)
        thread.start()
        assert ready.wait(60)
        yield sock.getsockname()[1]
        made[0].should_exit = True
        thread.join(30)
        assert not thread.is_alive()


def said(port: int, *pieces: bytes) -> bytes:
    """What comes back for some bytes, to the end of the connection or until nothing more comes."""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as sock:
        found = b""
        with contextlib.suppress(ConnectionError):
            for piece in pieces:
                sock.sendall(piece)
        sock.settimeout(_QUIET_S)
        with contextlib.suppress(ConnectionError, TimeoutError):
            while piece := sock.recv(65536):
                found += piece
    return found


def answers(raw: bytes) -> int:
    return raw.count(b"HTTP/1.1 ")


def alive(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=30) as sock:
        sock.sendall(b"GET /healthz HTTP/1.1\r\n" + HOST + b"Connection: close\r\n\r\n")
        assert sock.recv(12) == b"HTTP/1.1 200"


SMUGGLED = {
    "length and chunks": b"POST /sign-in HTTP/1.1\r\n" + HOST + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + HIDDEN,
    "chunks and length": b"POST /sign-in HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\nContent-Length: 200\r\n\r\n0\r\n\r\n" + HIDDEN,
    "two lengths": b"POST /sign-in HTTP/1.1\r\n" + HOST + b"Content-Length: 0\r\nContent-Length: 60\r\n\r\n" + HIDDEN,
    "a length with a sign": b"POST /sign-in HTTP/1.1\r\n" + HOST + b"Content-Length: +0\r\n\r\n" + HIDDEN,
    "a length below nothing": b"POST /sign-in HTTP/1.1\r\n" + HOST + b"Content-Length: -1\r\n\r\n" + HIDDEN,
    "a blank before the colon": b"POST /sign-in HTTP/1.1\r\n" + HOST + b"Content-Length : 0\r\n\r\n" + HIDDEN,
    "chunks of a strange size": b"POST /sign-in HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n0x0\r\n\r\n" + HIDDEN,
    "an unknown coding": b"POST /sign-in HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n" + HIDDEN,
    "a folded header": b"POST /sign-in HTTP/1.1\r\n" + HOST + b"Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n" + HIDDEN,
}  # fmt: skip


@pytest.mark.parametrize("name", SMUGGLED)
def test_nothing_is_smuggled_behind_a_request(port: int, name: str) -> None:
    raw = said(port, SMUGGLED[name])
    # Where the end of a request can be told in two ways, there is no second one.
    first = raw.split(b"\r\n", 1)[0]
    assert raw == b"" or b" 4" in first, raw[:300]
    if answers(raw) > 1:
        assert name in ("an unknown coding", "a folded header"), raw
    assert b"Traceback" not in raw
    alive(port)


STRANGE = {
    "no words": b"\r\n\r\n\r\n",
    "rubbish": bytes(range(256)) * 20,
    "an old version": b"GET /\r\n\r\n",
    "no host": b"GET / HTTP/1.1\r\n\r\n",
    "two hosts": b"GET / HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n",
    "a whole address": b"GET http://evil.example/ HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "another host": b"GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n",
    "a tunnel": b"CONNECT evil.example:443 HTTP/1.1\r\nHost: evil.example:443\r\n\r\n",
    "a star": b"OPTIONS * HTTP/1.1\r\n" + HOST + b"\r\n",
    "a path without a slash": b"GET evil HTTP/1.1\r\n" + HOST + b"\r\n",
    "a path of bytes": b"GET /\xff\xfe\x80 HTTP/1.1\r\n" + HOST + b"\r\n",
    "a null": b"GET /a\0b HTTP/1.1\r\n" + HOST + b"\r\n",
    "a long line": b"GET /" + b"a" * 300_000 + b" HTTP/1.1\r\n" + HOST + b"\r\n",
    "a long header": b"GET / HTTP/1.1\r\n" + HOST + b"X: " + b"a" * 300_000 + b"\r\n\r\n",
    "many headers": b"GET / HTTP/1.1\r\n" + HOST + b"".join(b"X%d: a\r\n" % number for number in range(5000)) + b"\r\n",
    "headers that are no text": b"GET / HTTP/1.1\r\n" + HOST + b"Cookie: \xff\xfe=\x80\r\nAccept: \xff\r\nAuthorization: Bearer \xff\r\n\r\n",
    "an upgrade": b"GET / HTTP/1.1\r\n" + HOST + b"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n\r\n",
    "a cleartext upgrade": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "a body that never comes": b"POST /sign-in HTTP/1.1\r\n" + HOST + b"Content-Length: 100000\r\n\r\nabc",
    "a chunk that never ends": b"POST /sign-in HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\nffffffffffff\r\nabc",
    "a length of many digits": b"POST /sign-in HTTP/1.1\r\n" + HOST + b"Content-Length: " + b"9" * 300 + b"\r\n\r\n",
    "an expectation": b"POST /sign-in HTTP/1.1\r\n" + HOST + b"Expect: 100-continue\r\nContent-Length: 3\r\n\r\nabc",
    "ranges": b"GET / HTTP/1.1\r\n" + HOST + b"Range: bytes=" + b",".join(b"0-" for _ in range(2000)) + b"\r\n\r\n",
    "dates of no calendar": b"GET / HTTP/1.1\r\n" + HOST + b"If-Modified-Since: \xff\xff\r\nIf-None-Match: " + b'W/"' * 5000 + b"\r\n\r\n",
}  # fmt: skip


@pytest.mark.parametrize("name", STRANGE)
def test_strange_requests_are_refused_or_answered(port: int, name: str) -> None:
    raw = said(port, STRANGE[name])
    assert raw == b"" or raw.startswith(b"HTTP/1.1 "), raw[:200]
    assert not raw.startswith(b"HTTP/1.1 5"), raw[:500]
    assert b"Traceback" not in raw
    assert b"Location: http://evil" not in raw
    alive(port)


def test_a_body_larger_than_it_may_be_ends_early(port: int) -> None:
    head = b"POST /sign-in HTTP/1.1\r\n" + HOST + b"Content-Type: application/x-www-form-urlencoded\r\n"
    told = said(port, head, b"Content-Length: 2000000000\r\n\r\n", b"a" * 1000)
    assert told.startswith(b"HTTP/1.1 4")
    chunk = b"10000\r\n" + b"a" * 0x10000 + b"\r\n"
    told = said(port, head, b"Transfer-Encoding: chunked\r\n\r\n", *[chunk] * 200)
    assert told == b"" or told.startswith(b"HTTP/1.1 4")
    alive(port)


def test_a_packed_body_is_not_unpacked(port: int) -> None:
    bomb = gzip.compress(bytes(50 << 20))
    head = (
        b"POST /sign-in HTTP/1.1\r\n"
        + HOST
        + b"Content-Type: application/x-www-form-urlencoded\r\nContent-Encoding: gzip\r\n"
    )
    raw = said(port, head, b"Content-Length: %d\r\n\r\n" % len(bomb), bomb)
    assert raw == b"" or raw.startswith(b"HTTP/1.1 4")
    alive(port)


def test_many_who_say_nothing_keep_nobody_from_an_answer(port: int) -> None:
    with contextlib.ExitStack() as stack:
        for number in range(150):
            sock = stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=20))
            if number % 2:
                sock.sendall(b"GET / HTTP/1.1\r\nHost: local")
        alive(port)


def test_requests_one_behind_the_other_have_their_own_answers(port: int) -> None:
    one = b"GET /healthz HTTP/1.1\r\n" + HOST + b"\r\n"
    last = b"GET /nothing.json HTTP/1.1\r\n" + HOST + b"Connection: close\r\n\r\n"
    raw = said(port, one * 3 + last)
    assert answers(raw) == 4
    assert raw.count(b"HTTP/1.1 404") == 1


def test_the_test_client_says_the_same(client: TestClient) -> None:
    """What other tests ask in the process is what goes over a socket."""
    assert client.get("/healthz").json()["ok"] is True


def test_two_cannot_listen_on_one_port(tmp_path: Path, port: int) -> None:
    del tmp_path
    from assay.errors import MachineError

    with pytest.raises(MachineError, match="cannot listen"):
        listening(ServerConfig(port=port), fixed=True)
    other = listening(ServerConfig(port=port), fixed=False)
    try:
        assert other.getsockname()[1] != port
    finally:
        other.close()
