"""From a run on this machine to the board of a server, with the real commands and a real server process."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from ..community.conftest import needs_git
from ..playground.sending import packed, small_tree
from ..typed import typed

pytestmark = needs_git
ASSAY = [sys.executable, "-m", "assay"]
CHALLENGE = "reproduce-and-improve-mlperf-inference"
Start = Callable[[], tuple[str, subprocess.Popen[str]]]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start a server over a home of its own; its address and its process."""
    processes: list[subprocess.Popen[str]] = []

    def started() -> tuple[str, subprocess.Popen[str]]:
        process = subprocess.Popen(
            [*ASSAY, "serve", "--port", "0", "--quiet", "--json"],
            env={**os.environ, "ASSAY_HOME": str(tmp_path / "server")},
            stdout=subprocess.PIPE,
            text=True,
        )
        processes.append(process)
        assert process.stdout is not None
        said = ""
        while not said.endswith("}\n"):
            line = process.stdout.readline()
            assert line, "the server ended"
            said += line
        return json.loads(said)["address"], process

    yield started
    for process in processes:
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


def assay(*arguments: str, code: int = 0) -> str:
    done = subprocess.run([*ASSAY, *arguments], capture_output=True, text=True, timeout=150, check=False)
    assert done.returncode == code, f"{arguments}: {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def get(url: str) -> Any:
    answer = httpx2.get(url, timeout=60)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_a_run_goes_from_the_command_to_the_board(stand_in_home: Path, start: Start) -> None:
    assert typed("run", "null-classifier", "--scenario", "SingleStream", "--duration", "1s").returncode == 0
    address, _ = start()
    page = json.loads(assay("push", "latest", "--to", address, "--challenge", CHALLENGE, "--json"))
    (result,) = page["accepted"]
    assert result["places"][0]["place"] == 1
    board = json.dumps(get(f"{address}/challenges/{CHALLENGE}.json"))
    assert result["uid"] in board
    assert get(f"{address}/results/{result['uid']}.json")


def test_a_server_that_is_killed_while_it_checks_takes_it_up_again(home: Path, tmp_path: Path, start: Start) -> None:
    address, process = start()
    tree = packed(small_tree(tmp_path / "tree").root)
    sent = httpx2.post(
        f"{address}/api/uploads", files={"file": ("tree.tar.gz", tree)}, headers={"x-assay-client": "test"}, timeout=60
    )
    assert sent.status_code == 202, sent.text
    path = sent.json()["address"]
    deadline = time.monotonic() + 60
    while (state := get(f"{address}{path}.json")["state"]) == "received":
        assert time.monotonic() < deadline
    assert state == "checking"
    process.send_signal(signal.SIGKILL)
    process.wait()
    address, _ = start()
    while not (page := get(f"{address}{path}.json"))["done"]:
        assert time.monotonic() < deadline + 60
        time.sleep(0.1)
    assert (page["state"], page["accepted_total"]) == ("accepted", 2)
    folder = tmp_path / "server" / "uploads" / path.rpartition("/")[2]
    assert [each.name for each in folder.iterdir()] == ["upload.json"]
