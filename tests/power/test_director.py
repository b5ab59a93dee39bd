"""The director: its words, and that no client can do harm or keep the next one out."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from assay.errors import RunFailedError
from assay.power.director import Director, directing
from assay.power.record import CLIENT_HELLO, SERVER_HELLO
from assay.power.wire import Address, Wire

from .workload import director, host


@pytest.fixture
def place() -> Iterator[Address]:
    with director(host()) as found:
        yield found


def hello(place: Address) -> Wire:
    wire = Wire.connect(place, "the director", timeout_s=5)
    assert wire.ask(CLIENT_HELLO) == SERVER_HELLO
    return wire


def test_its_time(place: Address) -> None:
    with hello(place) as wire:
        assert abs(float(wire.ask("time")) - time.time()) < 2


def test_a_session_has_a_name_and_an_identifier(place: Address) -> None:
    with hello(place) as wire:
        answer = wire.ask(f"new,night,{uuid.uuid4()}")
        session, server = answer.removeprefix("OK ").split(",")
        assert session.endswith("_night")
        assert uuid.UUID(server).version == 4
        assert wire.ask("session,other,start,ranging") == "Error: unknown session"
        assert wire.ask("session,*,start,testing").startswith("Error: testing cannot start now")
        assert wire.ask("session,*,start,dancing") == "Error: unknown session command"
        assert wire.ask(f"download,{session},power/server.json") == "Error: unknown command"


@pytest.mark.parametrize(
    ("command", "answer"),
    [
        ("new,../up,d6b7332d-90e8-428e-9630-a61298c62543", "Error: invalid label"),
        ("new,night,me", "Error: invalid identifier of the client"),
        ("session,none,start,ranging", "Error: unknown session"),
        ("download,none,power/server.json", "Error: unknown command"),
        ("cleanup,none", "Error: unknown command"),
        ("set_ntp", "Error: this director sets no clock; set it from the NTP server yourself"),
        ("", "Error: unknown command"),
    ],
)
def test_what_it_refuses(command: str, answer: str, place: Address) -> None:
    with hello(place) as wire:
        assert wire.ask(command) == answer


def test_only_the_files_of_the_protocol(place: Address) -> None:
    with hello(place) as wire:
        session = wire.ask(f"new,,{uuid.uuid4()}").removeprefix("OK ").partition(",")[0]
        assert wire.ask(f"session,{session},done") == "OK"
        for name in ("../../etc/passwd", "/etc/passwd", "power/client.json"):
            assert wire.ask(f"download,{session},{name}") == "Error: unknown command"
        assert wire.ask(f"download,{session},run_1/spl.txt") == "Error: no run_1/spl.txt in this session"
        assert wire.ask(f"cleanup,{session}") == "OK"


def test_somebody_elses_protocol_is_let_go(place: Address) -> None:
    with Wire.connect(place, "the director", timeout_s=5) as wire:
        assert wire.ask("GET / HTTP/1.1") == SERVER_HELLO
        with pytest.raises(RunFailedError, match="lost"):
            wire.ask("time")
    hello(place).close()


def test_a_client_that_leaves_in_the_middle_is_forgotten(place: Address) -> None:
    wire = hello(place)
    assert wire.ask(f"new,night,{uuid.uuid4()}").startswith("OK ")
    assert wire.ask("session,*,start,ranging") == "OK"
    wire.close()
    with hello(place) as other:
        assert other.ask("session,*,stop,ranging") == "Error: unknown session"


def test_it_stops_when_a_client_says_so() -> None:
    server = Director(host(), sleep=lambda _: None)
    with directing(server) as place, hello(place) as wire:
        assert wire.ask("stop") == "OK"
    assert server._listener.stopped


def test_the_record_of_one_analyzer_and_of_several(tmp_path: Path) -> None:
    for more, several in (((), False), ((host(),), True)):
        server = Director(host(), sleep=lambda _: time.sleep(0.01), more=more)
        with directing(server) as place, hello(place) as wire:
            session = wire.ask(f"new,,{uuid.uuid4()}").removeprefix("OK ").partition(",")[0]
            for phase in ("ranging", "testing"):
                assert wire.ask(f"session,*,start,{phase}") == "OK"
                time.sleep(0.15)
                assert wire.ask(f"session,*,stop,{phase}") == "OK"
            assert wire.ask("session,*,done") == "OK"
            wire.send(f"download,{session},power/server.json")
            wire.receive_file(tmp_path / "server.json")
        record = json.loads((tmp_path / "server.json").read_text())
        assert isinstance(record["ptd_config"], list) is several
        asked = [message["cmd"] for message in record["ptd_messages"]]
        assert asked.count("Identify") == (2 if several else 1)
        assert set(record["results"]) == {
            "power/ptd_logs.txt", "power/server.log", "ranging/spl.txt", "run_1/spl.txt", "run_1/ptd_out.txt",
        }  # fmt: skip
