"""The director: a machine apart that has the analyzer or several, and that the machine under test tells what it does.

It speaks the protocol of the server of mlcommons/power-dev, whose client can take the place of ours. Nothing that a
client sends becomes a path; it can start and stop measurements and fetch the files of its own session.
"""

from __future__ import annotations

import re
import tempfile
import threading
import time
import uuid
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path

from assay.errors import AssayError
from assay.power.clocks import ntp_offset, require_near
from assay.power.host import Host
from assay.power.journal import Journal
from assay.power.listener import Listener, in_thread
from assay.power.phase import Phase
from assay.power.record import CLIENT_HELLO, FETCHED, SERVER_HELLO, SessionRecord
from assay.power.session import SETTLE_S, Session
from assay.power.wire import Address, Wire

PORT = 4950
LABEL = re.compile(r"[A-Za-z0-9_-]{0,100}")
_HELLO_S = 10.0


@dataclass(slots=True)
class Director:
    """The server.

    Attributes:
        host: starts the daemon.
        ntp: a time server that our clock is compared with before each session.
        settle_s: how long the analyzer is left alone after its ranges were set, and before a measurement is stopped.
            Less than the official ten seconds is noted as ``debug``, which every checker refuses.
        show: takes the lines of the log.
        sleep: waits in place of the clock; for tests, and where nothing has to settle.
        more: start the daemons of further analyzers, whose watts are added.
    """

    host: Host
    ntp: str | None = None
    settle_s: float = SETTLE_S
    show: Callable[[str], object] = lambda _: None
    sleep: Callable[[float], object] | None = None
    more: tuple[Host, ...] = ()
    _listener: Listener = field(default_factory=Listener, init=False)
    _leaving: threading.Event = field(default_factory=threading.Event, init=False)

    def listen(self, address: Address) -> Address:
        """Take a port (0: any free one); gives the address.

        Raises:
            MachineError: when it is taken.
        """
        return self._listener.listen(address)

    def serve(self, *, clients: int | None = None) -> None:
        """Serve one client after the other, until :meth:`stop`, a client's ``stop``, or so many clients."""
        for connection, peer in self._listener.clients(clients):
            with Wire(connection, f"client {peer}") as wire:
                self._serve_one(wire)

    def stop(self) -> None:
        """Let :meth:`serve` end, without waiting for the analyzer any more; from another thread."""
        self._listener.stop()
        self._leaving.set()

    def stop_after_client(self) -> None:
        """Let :meth:`serve` end after the client that it has."""
        self._listener.stop()

    @property
    def hosts(self) -> tuple[Host, ...]:
        """All that start a daemon."""
        return (self.host, *self.more)

    def settle(self) -> None:
        """Leave the analyzer alone until it has settled."""
        (self.sleep or self.wait)(self.settle_s)

    def wait(self, seconds: float) -> None:
        """Wait, but not longer than until :meth:`stop`."""
        self._leaving.wait(seconds)

    def _serve_one(self, wire: Wire) -> None:
        journal = Journal("assay-power-director", self.show)
        with tempfile.TemporaryDirectory(prefix="assay-power-") as folder:
            talk = _Talk(self, wire, journal, Path(folder))
            try:
                talk.run()
            except AssayError as error:
                # The client is gone or out of its mind; the next one shall be served.
                journal.warn(f"the session is dropped: {error}")
            finally:
                talk.drop()


def directing(director: Director, address: Address | None = None) -> AbstractContextManager[Address]:
    """Serve in a thread of this process; gives the address.

    Args:
        address: default: any free port of this machine.
    """
    return in_thread(director, "power-director", address)


@dataclass(slots=True)
class _Talk:
    """The conversation with one client."""

    director: Director
    wire: Wire
    journal: Journal
    folder: Path
    record: SessionRecord = field(default_factory=SessionRecord)
    session: Session | None = None
    _finished: Path | None = None

    def run(self) -> None:
        # Whoever says nothing at all shall not keep others out.
        self.wire.timeout_s = _HELLO_S
        hello, asked = self.wire.receive(), time.time()
        # A run may last for hours in which the client says nothing.
        self.wire.timeout_s = None
        self.record.message(hello, asked, SERVER_HELLO, time.time())
        self.wire.send(SERVER_HELLO)
        if hello != CLIENT_HELLO:
            self.journal.warn(f"not a client of this protocol: {hello[:100]!r}")
            return
        while not self._answer_one():
            pass

    def _answer_one(self) -> bool:
        """Answer a command; True when the client has closed the connection."""
        try:
            command = self.wire.receive()
        except AssayError:
            self.journal.say("the connection is closed")
            return True
        asked = time.time()
        self.journal.note(f"command {command[:200]!r}")
        try:
            reply = self._reply(command)
        except AssayError as error:
            self.journal.warn(str(error))
            reply = f"Error: {' '.join(str(error).split())}"
        if reply is not None:
            self.journal.note(f"reply {reply[:200]!r}")
            self.record.message(command, asked, reply, time.time())
            self.wire.send(reply)
        return False

    def _reply(self, command: str) -> str | None:
        name, *words = command.split(",")
        if name == "time" and not words:
            return repr(time.time())
        if name == "set_ntp":
            return "Error: this director sets no clock; set it from the NTP server yourself"
        if name == "stop" and not words:
            self.director.stop_after_client()
            return "OK"
        if name == "new" and len(words) == 2:
            return self._new(*words)
        if name == "session" and len(words) >= 2:
            return self._session(words[0], words[1:])
        return self._of_finished(name, words)

    def _new(self, label: str, client: str) -> str:
        if not LABEL.fullmatch(label):
            return "Error: invalid label"
        try:
            identifier = uuid.UUID(client)
        except ValueError:
            return "Error: invalid identifier of the client"
        if self.director.ntp is not None:
            require_near(ntp_offset(self.director.ntp), f"the director against {self.director.ntp}")
        self.drop()
        started = time.strftime("%Y-%m-%d_%H-%M-%S")
        record = self.record
        record.session = f"{started}_{label}" if label else started
        record.client, record.server = identifier, uuid.uuid4()
        configs = [dict(host.config()) for host in self.director.hosts]
        # The official server has a list since it takes several analyzers; checkers of rounds up to v4.0 know one.
        record.extra["ptd_config"] = configs if len(configs) > 1 else configs[0]
        if self.director.settle_s < SETTLE_S:
            record.extra["debug"] = True
        folder = self.folder / record.session
        (folder / "power").mkdir(parents=True)
        self.session = Session(self.director.hosts, folder, record, self.journal, self.director.settle)
        return f"OK {record.session},{record.server}"

    def _session(self, name: str, words: list[str]) -> str:
        if self.session is None or name not in ("*", self.record.session):
            return "Error: unknown session"
        if words == ["done"]:
            self._finish()
            return "OK"
        if len(words) == 2 and words[1] in set(Phase) and words[0] in ("start", "stop"):
            phase = Phase(words[1])
            if words[0] == "start":
                self.session.start(phase)
            else:
                self.session.stop(phase)
            return "OK"
        return "Error: unknown session command"

    def _of_finished(self, name: str, words: list[str]) -> str | None:
        """Commands about the session that is done: they are no part of its record."""
        if self._finished is None or not words or words[0] != self.record.session:
            return "Error: unknown command"
        if name == "download" and len(words) == 2 and words[1] in FETCHED:
            path = self._finished / words[1]
            if not path.is_file():
                return f"Error: no {words[1]} in this session"
            self.wire.send_file(path)
            return None
        # The folder goes with the connection.
        return "OK" if name == "cleanup" else "Error: unknown command"

    def _finish(self) -> None:
        """End the daemon, and write down what there was."""
        session, self.session = self.session, None
        assert session is not None
        session.close()
        self.record.extra["ptd_messages"] = [{"cmd": command, "reply": reply} for command, reply in session.messages]
        self.journal.save(session.folder / "power" / "server.log")
        self.record.save(session.folder, "server.json")
        self._finished = session.folder

    def drop(self) -> None:
        """End a session that the client left."""
        if self.session is not None:
            session, self.session = self.session, None
            session.close()
