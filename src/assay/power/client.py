"""The machine under test: runs the work twice while a director measures, and gathers what both sides wrote.

It speaks the protocol of the client of mlcommons/power-dev, whose server can take the place of our director. What it
leaves is the ``performance/`` folder of a submission: ``power/``, ``ranging/``, ``run_1/``.
"""

from __future__ import annotations

import shutil
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from assay.base.files import machine_errors
from assay.errors import InvalidInputError, NotFoundError, RunFailedError, UsageError
from assay.loadgen.names import DETAIL, SUMMARY
from assay.power.clocks import LIMIT_MS, ntp_offset, offset_of, require_near
from assay.power.director import LABEL
from assay.power.journal import Journal
from assay.power.phase import Phase
from assay.power.record import CLIENT_HELLO, FETCHED, SERVER_HELLO, SessionRecord
from assay.power.window import Window, read_window
from assay.power.wire import Address, Wire

Work = Callable[[Phase], Path]
"""Does the work once; gives the folder below which LoadGen's logs of it lie."""


@dataclass(frozen=True, slots=True)
class Measuring:
    """How to measure.

    Attributes:
        director: where it listens.
        output: the folder to make; it must not be there yet.
        label: becomes part of the session's name.
        ntp: a time server that our clock is compared with.
        clock_limit_ms: how far the director's clock may be off.
        timeout_s: how long the director may take to answer; an analyzer takes twenty seconds to settle.
        show: takes the lines of the log.
    """

    director: Address
    output: Path
    label: str = ""
    ntp: str | None = None
    clock_limit_ms: float = LIMIT_MS
    timeout_s: float = 120.0
    show: Callable[[str], object] = field(default=lambda _: None)


@dataclass(frozen=True, slots=True)
class Measured:
    """What came of it.

    Attributes:
        session: its name.
        folder: with ``power/``, ``ranging/`` and ``run_1/``.
        windows: when LoadGen ran.
    """

    session: str
    folder: Path
    windows: dict[Phase, Window]


def measure(work: Work, how: Measuring) -> Measured:
    """Measure the power of some work: once to find the ranges, once with them set.

    Raises:
        UsageError: for a label that cannot be one, or a folder that is there.
        RunFailedError: when the director refuses, clocks are apart, the work leaves no logs, or a connection is lost;
            what was gathered so far stays in the folder.
    """
    if not LABEL.fullmatch(how.label):
        raise UsageError("not a label", expected="letters, digits, - and _", found=repr(how.label))
    if how.output.exists():
        raise UsageError("the folder is there already", where=how.output, hint="name another one")
    if how.ntp is not None:
        require_near(ntp_offset(how.ntp), f"this machine against {how.ntp}", how.clock_limit_ms)
    with Wire.connect(how.director, "the director", timeout_s=how.timeout_s) as wire:
        with machine_errors(how.output):
            (how.output / "power").mkdir(parents=True)
        return _Measurement(work, how, wire).run()


@dataclass(slots=True)
class _Measurement:
    """One measurement under way."""

    work: Work
    how: Measuring
    wire: Wire
    record: SessionRecord = field(default_factory=SessionRecord)
    journal: Journal = field(init=False)

    def __post_init__(self) -> None:
        self.journal = Journal("assay-power-client", self.how.show)

    def run(self) -> Measured:
        answer = self._ask(CLIENT_HELLO)
        if answer != SERVER_HELLO:
            raise RunFailedError("this is no director", where=self.wire.peer, expected=SERVER_HELLO, found=answer[:200])
        self._compare_clocks()
        session = self._new()
        windows = {phase: self._phase(phase) for phase in Phase}
        folder = self.how.output
        # The log is part of what is hashed: nothing is said after this.
        self.journal.say("both runs are done")
        self.journal.save(folder / "power" / "client.log")
        self.record.save(folder, "client.json")
        self._order(f"session,{session},done")
        for name in FETCHED:
            self.wire.send(f"download,{session},{name}")
            self.wire.receive_file(folder / name)
        self._order(f"cleanup,{session}")
        return Measured(session, folder, windows)

    def _ask(self, command: str) -> str:
        self.journal.note(f"command {command!r}")
        asked = time.time()
        answer = self.wire.ask(command)
        self.record.message(command, asked, answer, time.time())
        self.journal.note(f"answer {answer[:200]!r}")
        return answer

    def _order(self, command: str) -> None:
        answer = self._ask(command)
        if answer != "OK":
            raise RunFailedError(f"the director refuses {command!r}", where=self.wire.peer, found=answer[:500])

    def _compare_clocks(self) -> None:
        offset = offset_of(self._director_time)
        self.journal.note(f"the director's clock is ahead by {offset}")
        require_near(offset, "the director", self.how.clock_limit_ms)

    def _director_time(self) -> float:
        answer = self._ask("time")
        try:
            return float(answer)
        except ValueError:
            raise RunFailedError(
                "the director does not tell its time", where=self.wire.peer, found=answer[:200]
            ) from None

    def _new(self) -> str:
        self.record.client = uuid.uuid4()
        answer = self._ask(f"new,{self.how.label},{self.record.client}")
        session, comma, server = answer.removeprefix("OK ").partition(",")
        try:
            if not (answer.startswith("OK ") and comma and LABEL.fullmatch(session)):
                raise ValueError
            self.record.server = uuid.UUID(server)
        except ValueError:
            raise RunFailedError("the director starts no session", where=self.wire.peer, found=answer[:500]) from None
        self.record.session = session
        self.journal.say(f"session {session}")
        return session

    def _phase(self, phase: Phase) -> Window:
        session = self.record.session
        self._compare_clocks()
        self.record.point(phase, 0)
        self._order(f"session,{session},start,{phase}")
        self.record.point(phase, 1)
        self._compare_clocks()
        self.journal.say(f"the work begins, {phase}")
        begin = time.time()
        place = self.work(phase)
        end = time.time()
        self._compare_clocks()
        self.record.point(phase, 2)
        self._order(f"session,{session},stop,{phase}")
        self.record.point(phase, 3)
        self._compare_clocks()
        logs, window = find_logs(place, begin, end)
        self._keep(logs, phase)
        return window

    def _keep(self, logs: Path, phase: Phase) -> None:
        target = self.how.output / phase.folder
        self.journal.note(f"LoadGen's logs go to {phase.folder}")
        with machine_errors(target):
            target.mkdir()
            for name in (DETAIL, SUMMARY):
                shutil.copyfile(logs / name, target / name)


def find_logs(place: Path, begin: float, end: float) -> tuple[Path, Window]:
    """The folder with the logs of a LoadGen run that lies within two moments.

    Args:
        place: that folder, or one above it.

    Raises:
        RunFailedError: when there is none, or more than one.
    """
    found = list(_logs_within(place, begin, end))
    if len(found) != 1:
        hint = "name the folder that the work writes LoadGen's logs to, in its own process and to the end"
        what = f"{'no' if not found else 'more than one'} LoadGen run was measured by the work"
        listed = ", ".join(str(folder) for folder, _ in found[:3]) or None
        raise RunFailedError(what, where=place, expected=f"{DETAIL} and {SUMMARY} of one run", found=listed, hint=hint)
    return found[0]


def _logs_within(place: Path, begin: float, end: float) -> Iterator[tuple[Path, Window]]:
    for path in sorted(place.rglob(DETAIL)):
        # What was written before the work began is not opened: there may be years of it.
        if path.stat().st_mtime < begin - 1 or not path.with_name(SUMMARY).is_file():
            continue
        try:
            window = read_window(path)
        except (InvalidInputError, NotFoundError):
            continue
        if begin < window.begin and window.end < end:
            yield path.parent, window
