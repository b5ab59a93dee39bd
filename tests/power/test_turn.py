"""A command that waits while its work is done in another process."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

import assay
from assay.errors import RunFailedError
from assay.power.turn import Turns, wait_for_turn

SOURCE = Path(assay.__file__).parents[1]


def port_of(turns: Turns) -> int:
    return int(turns.command[-2])


def test_the_work_is_done_while_the_command_waits() -> None:
    with Turns() as turns:
        assert turns.command[:3] == [sys.executable, "-m", "assay.power.turn"]
        process = subprocess.Popen(turns.command, cwd=SOURCE)
        running: list[bool] = []
        done = turns.take(lambda: running.append(process.poll() is None), alive=lambda: process.poll() is None)
        assert (done, running) == (True, [True])
        assert process.wait(timeout=20) == 0


def test_the_other_side_may_end_without_a_turn() -> None:
    with Turns() as turns:
        assert not turns.take(lambda: pytest.fail("no turn came"), alive=iter([True, False]).__next__)


def test_a_stranger_gets_no_turn() -> None:
    with Turns() as turns, socket.create_connection(("127.0.0.1", port_of(turns))) as stranger:
        stranger.sendall(b"let me in\n")
        assert not turns.take(lambda: pytest.fail("a stranger"), alive=iter([True, False]).__next__)


def test_work_that_fails_is_told_to_the_command() -> None:
    told: list[BaseException] = []

    def wait(port: int, word: str) -> None:
        try:
            wait_for_turn(port, word)
        except RunFailedError as error:
            told.append(error)

    with Turns() as turns:
        thread = threading.Thread(target=wait, args=(port_of(turns), turns.word))
        thread.start()

        def work() -> None:
            raise RunFailedError("an engine broke")

        with pytest.raises(RunFailedError, match="an engine broke"):
            turns.take(work, alive=lambda: True)
        thread.join(timeout=10)
    assert [str(each) for each in told] == ["the run failed"]


def test_nobody_is_there() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(RunFailedError, match="nobody does the run"):
        wait_for_turn(port, "x")
