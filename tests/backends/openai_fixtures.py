"""Servers to test against: a real llama.cpp one in a process of its own, and one that misbehaves as it is told."""

from __future__ import annotations

import contextlib
import json
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

LLAMA_SERVER = Path(__file__).with_name("llama_server.py")


@contextlib.contextmanager
def llama_server(model: Path, places: int = 2) -> Iterator[str]:
    """The address of a llama.cpp server with a model."""
    command = [sys.executable, str(LLAMA_SERVER), str(model), str(places)]
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        address = process.stdout.readline().strip()
        assert address.startswith("http://"), process.stderr and process.stderr.read()
        yield address
    finally:
        process.stdin.close()
        process.terminate()
        process.wait(30)
        process.stdout.close()
        if process.stderr is not None:
            process.stderr.close()


def event(**choice: Any) -> bytes:
    """A server-sent event with one choice."""
    return data({"choices": [{"index": 0, "finish_reason": None, **choice}]})


def data(value: Any) -> bytes:
    return b"data: " + json.dumps(value).encode() + b"\n\n"


DONE = b"data: [DONE]\n\n"
GOOD = (event(text="Two "), event(text="words."), event(text="", finish_reason="stop"), DONE)
MODELS = {"data": [{"id": "tiny"}]}


@dataclass
class Asked:
    """A request that came in."""

    path: str
    headers: dict[str, str]
    body: dict[str, Any]


@dataclass
class Fake:
    """A server that answers as it is told; its attributes may be changed between requests.

    Attributes:
        pieces: what is sent of an answer, one after the other; a number is a pause in seconds.
        first_failures: answers of this status before the others.
        drop: close the connection without the end of the answer, or at once when there are no pieces.
        good_answers: answers after which it drops connections at once; None for never.
    """

    status: int = 200
    kind: str = "text/event-stream"
    pieces: tuple[bytes | float, ...] = GOOD
    models: Any = field(default_factory=lambda: dict(MODELS))
    models_status: int = 200
    first_failures: list[int] = field(default_factory=list)
    drop: bool = False
    good_answers: int | None = None
    asked: list[Asked] = field(default_factory=list)
    address: str = ""


def _handler(fake: Fake) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            fake.asked.append(Asked(self.path, dict(self.headers), {}))
            content = fake.models if isinstance(fake.models, bytes) else json.dumps(fake.models).encode()
            self._whole(fake.models_status, content)

        def do_POST(self) -> None:
            raw = self.rfile.read(int(self.headers["Content-Length"]))
            fake.asked.append(Asked(self.path, dict(self.headers), json.loads(raw)))
            if fake.first_failures:
                status = fake.first_failures.pop(0)
                if status == 0:
                    self._cut()
                else:
                    self._whole(status, b'{"error": {"message": "not now"}}')
                return
            if fake.status != 200 or fake.kind != "text/event-stream":
                self._whole(fake.status, b"".join(piece for piece in fake.pieces if isinstance(piece, bytes)))
                return
            answers = sum(each.path.endswith("completions") for each in fake.asked)
            worn_out = fake.good_answers is not None and answers > fake.good_answers
            if worn_out or (fake.drop and not fake.pieces):
                self._cut()
                return
            self.send_response(200)
            self.send_header("Content-Type", fake.kind)
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            with contextlib.suppress(OSError):
                self._stream()

        def _stream(self) -> None:
            for piece in fake.pieces:
                if isinstance(piece, bytes):
                    self.wfile.write(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")
                    self.wfile.flush()
                else:
                    time.sleep(piece)
            if fake.drop:
                self._cut()
            else:
                self.wfile.write(b"0\r\n\r\n")

        def _whole(self, status: int, content: bytes) -> None:
            self.send_response(status)
            self.send_header(
                "Content-Type", fake.kind if status == 200 and self.command == "POST" else "application/json"
            )
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def _cut(self) -> None:
            self.close_connection = True
            with contextlib.suppress(OSError):
                self.connection.shutdown(socket.SHUT_RDWR)

        def log_message(self, format: str, *arguments: Any) -> None:  # noqa: A002
            pass

    return Handler


@contextlib.contextmanager
def fake_server(change: Callable[[Fake], None] | None = None) -> Iterator[Fake]:
    """A server that misbehaves."""
    fake = Fake()
    if change is not None:
        change(fake)
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(fake))
    server.daemon_threads = True
    server.block_on_close = False
    fake.address = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield fake
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])
