"""Answers over HTTP that no honest server gives; what is right is tested on a real server in test_kserve."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import numpy as np
import pytest

from assay.backends.kserve_http import HttpConnection
from assay.backends.kserve_options import read_remote
from assay.base.tensors import TensorSpec
from assay.errors import AssayError, InvalidInputError, NotFoundError, RunFailedError

SPEC = TensorSpec("x", np.dtype(np.float32), (-1, 2))
ARRAY = np.ones((1, 2), np.float32)
GOOD = {"name": "x", "datatype": "FP32", "shape": [1, 2], "parameters": {"binary_data_size": 8}}


class Scripted(BaseHTTPRequestHandler):
    """Answers every request with what the server was told."""

    def do_GET(self) -> None:
        self.do_POST()

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("content-length", 0)))
        status, headers, body = self.server.script  # type: ignore[attr-defined]
        self.server.hosts.append(self.headers["host"])  # type: ignore[attr-defined]
        self.send_response(status)
        for name, value in {"content-length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments: Any) -> None:
        del arguments


@pytest.fixture
def server() -> Iterator[Any]:
    listening = ThreadingHTTPServer(("127.0.0.1", 0), Scripted)
    listening.hosts = []  # type: ignore[attr-defined]
    thread = threading.Thread(target=listening.serve_forever, daemon=True)
    thread.start()
    yield listening
    listening.shutdown()
    listening.server_close()


def connection(server: Any, **more: str) -> HttpConnection:
    address = f"http://127.0.0.1:{server.server_address[1]}"
    made = HttpConnection(read_remote({"address": address, "model": "m", "binary": "on", **more}))
    made.expect((SPEC,), (SPEC,))
    return made


def answer(
    part: Any, raw: bytes = b"", length: str | None = None, status: int = 200
) -> tuple[int, dict[str, str], bytes]:
    head = json.dumps({"outputs": [part]}).encode()
    return status, {"Inference-Header-Content-Length": length or str(len(head))}, head + raw


def test_an_honest_answer_is_read(server: Any) -> None:
    server.script = answer(GOOD, ARRAY.tobytes())
    made = connection(server, host="models.example.org")
    assert np.array_equal(made.infer((ARRAY,))["x"], ARRAY)
    assert server.hosts == ["models.example.org"]
    made.close()


@pytest.mark.parametrize(
    "script",
    [
        answer(GOOD, ARRAY.tobytes()[:4]),
        answer(GOOD, ARRAY.tobytes(), length="999999"),
        answer(GOOD, ARRAY.tobytes(), length="-1"),
        answer(GOOD, ARRAY.tobytes(), length="3"),
        answer({**GOOD, "parameters": {"binary_data_size": -8}}, ARRAY.tobytes()),
        answer({**GOOD, "parameters": {"binary_data_size": "8"}}, ARRAY.tobytes()),
        answer({**GOOD, "shape": [1, 2 << 40]}, ARRAY.tobytes()),
        answer({**GOOD, "parameters": {}}),
        answer(7),
        answer({"datatype": "FP32"}),
        (200, {}, b"[" * 100_000),
        (200, {}, b"{}"),
        (200, {}, b""),
        (503, {}, b'{"error": "busy"}'),
        (204, {}, b""),
        (302, {"location": "http://127.0.0.1:1/"}, b""),
        (200, {}, b"x" * (3 << 20)),
    ],
    ids=range(17),
)
def test_no_other_answer_counts(server: Any, script: Any) -> None:
    server.script = script
    made = connection(server)
    with pytest.raises(RunFailedError) as caught:
        made.infer((ARRAY,))
    assert len(str(caught.value)) < 700
    made.close()


@pytest.mark.parametrize(
    ("script", "kind"),
    [
        ((404, {}, b""), NotFoundError),
        ((200, {}, b"[1]"), InvalidInputError),
        ((200, {}, b"<html>"), InvalidInputError),
        ((500, {}, b"{}"), InvalidInputError),
        ((200, {}, b" " * (5 << 20)), RunFailedError),
    ],
)
def test_what_is_no_metadata_is_told(server: Any, script: Any, kind: type[AssayError]) -> None:
    server.script = script
    made = connection(server)
    for call in (made.server, made.metadata):
        with pytest.raises(kind):
            call()
    made.close()


def test_whether_tensors_go_as_bytes_is_the_servers_word(server: Any) -> None:
    for extensions, word in ((["binary_tensor_data"], "bytes"), (["binary_tensor_data(v1)"], "bytes"), (None, "JSON")):
        server.script = (200, {}, json.dumps({"name": "s", "extensions": extensions}).encode())
        remote = read_remote({"address": f"http://127.0.0.1:{server.server_address[1]}", "model": "m"})
        made = HttpConnection(remote)
        assert made.server() == ("s", "unknown")
        assert word in made.transfer
        made.close()
