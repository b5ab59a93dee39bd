"""``assay serve`` as a process: it answers, says what is wrong before it listens, and ends as it is told to."""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import pytest

from .conftest import Call

START_S, END_S = 90, 30


@contextmanager
def serving(home: Path, *arguments: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The process, and the first that it says."""
    folder = home.parent / "temporary"
    folder.mkdir(exist_ok=True)
    process = subprocess.Popen(
        [sys.executable, "-m", "assay", "serve", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "ASSAY_HOME": str(home), "TMPDIR": str(folder), "PYTHONWARNINGS": "error::ResourceWarning"},
    )
    try:
        assert process.stdout is not None
        said = ""
        until = time.monotonic() + START_S
        # Past the reader's own buffer: what that has taken in is no news to select.
        while ("http" not in said or said.startswith("{") > said.rstrip().endswith("}")) and time.monotonic() < until:
            if select.select([process.stdout], [], [], 1)[0]:
                chunk = os.read(process.stdout.fileno(), 65_536).decode()
                if not chunk:
                    break
                said += chunk
        assert "http" in said, (said, process.poll())
        yield process, said
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def ended(process: subprocess.Popen[str], how: int) -> tuple[int, str, str]:
    """Tell the process to end: its exit code and what it said."""
    start = time.monotonic()
    process.send_signal(how)
    out, error = process.communicate(timeout=END_S)
    assert time.monotonic() - start < END_S
    return process.returncode, out, error


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_it_serves_until_it_is_told_to_end(tmp_path: Path, how: signal.Signals) -> None:
    home = tmp_path / "home"
    with serving(home, "--port", "0", "--log") as (process, said):
        address = said.split()[-1]
        assert address.startswith("http://localhost:")
        answer = httpx2.get(f"{address}/rounds", headers={"accept": "text/html"})
        assert answer.status_code == 200
        assert "v3.0" in answer.text
        assert "server" not in answer.headers
        code, _, error = ended(process, how)
    assert code in ((0, 130) if how is signal.SIGINT else (0, 143, -signal.SIGTERM))
    assert "Traceback" not in error
    assert '"path": "/rounds"' in error
    assert list((tmp_path / "temporary").iterdir()) == []
    assert sorted(each.name for each in home.iterdir()) == [".index.lock", "index.duckdb"]


def test_a_visitor_who_stays_does_not_hold_it_up(tmp_path: Path) -> None:
    with serving(tmp_path / "home", "--port", "0", "--json") as (process, said):
        address = json.loads(said)["address"]
        port = int(address.rpartition(":")[2])
        with (
            socket.create_connection(("127.0.0.1", port), timeout=10) as one,
            socket.create_connection(("127.0.0.1", port), timeout=10) as two,
        ):
            one.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert one.recv(20).startswith(b"HTTP/1.1 200")
            two.sendall(b"GET /heal")
            code, _, error = ended(process, signal.SIGINT)
    assert code in (0, 130)
    assert "Traceback" not in error


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        sock.listen()
        yield sock.getsockname()[1]


@pytest.mark.usefixtures("home")
def test_a_port_that_is_taken_is_told(call: Call, taken: int) -> None:
    code, out, error = call("serve", "--port", taken)
    assert (code, out) == (5, "")
    assert f"cannot listen on 127.0.0.1:{taken}" in error
    assert "--port 0" in error
    code, out, error = call("serve", "--port", taken, "--json")
    assert code == 5
    assert json.loads(out or error)["exit_code"] == 5


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize("host", ["nowhere.invalid", "a" * 70, "..", "203.0.113.7", "::ffff:999"])
def test_a_host_that_is_none_of_this_machine_is_told(call: Call, tmp_path: Path, host: str) -> None:
    config = tmp_path / "server.yaml"
    config.write_text("sign_up: invitation\n")
    code, out, error = call("serve", "--config", config, "--host", host, "--port", 0)
    assert (code, out) == (5, "")
    assert "cannot listen on" in error


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("port: 8080\nhots: x\n", ("server.yaml:2", "hots")),
        ("limits:\n  page:\n    per_minute: -1\n    burst: 1\n", ("server.yaml:3", "per_minute")),
        ("allowed_hosts: ['a b']\n", ("server.yaml:1", "allowed_hosts")),
        ("port: [1\n", ("server.yaml:",)),
        ("metrics_token: short-secret-x\n", ("server.yaml:1", "metrics_token")),
    ],
)
def test_what_is_wrong_in_a_file_is_told_with_its_line(
    call: Call, tmp_path: Path, text: str, words: tuple[str, ...]
) -> None:
    config = tmp_path / "server.yaml"
    config.write_text(text)
    code, out, error = call("serve", "--config", config)
    assert (code, out) == (4, "")
    for word in words:
        assert word in error
    assert "short-secret" not in error


@pytest.mark.usefixtures("home")
def test_a_file_that_is_not_there_is_told(call: Call, tmp_path: Path) -> None:
    assert call("serve", "--config", tmp_path / "nothing.yaml")[0] == 3


@pytest.mark.usefixtures("home")
def test_public_refuses_what_is_unsafe_with_every_reason(call: Call, tmp_path: Path) -> None:
    code, out, error = call("serve", "--public")
    assert (code, out) == (2, "")
    for word in ("base_url", "allowed_hosts", "secret", "metrics_token"):
        assert f"{word} is missing" in error
    config = tmp_path / "server.yaml"
    config.write_text(
        "single_user: true\nbase_url: http://results.example.org\nallowed_hosts: ['*.org']\ntrusted_proxies: [0.0.0.0/0]\n"
        "secret: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\nlimits: {enabled: false}\nsign_up: open\ndebug: true\n"
    )
    code, _, error = call("serve", "--config", config, "--public", "--check")
    assert code == 2
    for word in (
        "single_user",
        "top-level",
        "trusted_proxies",
        "too simple",
        "limits are off",
        "debug",
        "metrics_token",
    ):
        assert word in error
    assert "aaaaaaaa" not in error


@pytest.mark.usefixtures("home")
def test_others_are_not_let_into_a_single_users_playground(call: Call) -> None:
    for host in ("0.0.0.0", "::", "192.0.2.1"):
        code, out, error = call("serve", "--host", host)
        assert (code, out) == (2, "")
        assert host in error


@pytest.mark.usefixtures("home")
def test_safe_settings_are_checked_and_nothing_is_started(call: Call, tmp_path: Path) -> None:
    config = tmp_path / "server.yaml"
    (tmp_path / "secret").write_text("".join(f"{number:02x}" for number in range(32)) + "\n")
    config.write_text(
        "base_url: https://results.example.org\nallowed_hosts: [results.example.org]\nsecret_file: secret\n"
        "metrics_token: 0123456789abcdef0123\nport: 9000\n"
    )
    before = threading.active_count()
    code, out, _ = call("serve", "--config", config, "--public", "--check", "--json")
    assert code == 0
    assert json.loads(out) == {"safe": True, "public": True, "host": "127.0.0.1", "port": 9000}
    assert call("serve", "--config", config, "--public", "--check")[1] == "The settings are fine for strangers.\n"
    assert call("serve", "--check")[1] == "The settings are fine.\n"
    assert threading.active_count() == before
