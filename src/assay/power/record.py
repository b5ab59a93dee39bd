"""What both sides write down of a session: ``client.json`` and ``server.json``, in the form of mlcommons/power-dev."""

from __future__ import annotations

import functools
import hashlib
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from assay.base.files import write_json
from assay.errors import MachineError
from assay.power.phase import Phase

PROTOCOL = "3"
CLIENT_HELLO = f"mlcommons/power client v{PROTOCOL}"
SERVER_HELLO = f"mlcommons/power server v{PROTOCOL}"
FETCHED = (
    "power/ptd_logs.txt",
    "ranging/spl.txt",
    "power/server.json",
    "power/server.log",
    "run_1/spl.txt",
    "run_1/ptd_out.txt",
)
"""What the client fetches from the director at the end."""

_FORM = "1.0"


@dataclass(slots=True)
class SessionRecord:
    """One side's record.

    Attributes:
        session: its name: the time, and a label.
        client: the client's own identifier.
        server: the director's.
        extra: what only the director has: ``ptd_messages``, ``ptd_config``, ``debug``.
    """

    session: str = ""
    client: uuid.UUID | None = None
    server: uuid.UUID | None = None
    extra: dict[str, Any] = field(default_factory=dict)
    _messages: list[dict[str, Any]] = field(default_factory=list)
    _phases: dict[Phase, list[tuple[float, float]]] = field(default_factory=lambda: {each: [] for each in Phase})

    def message(self, command: str, asked: float, reply: str, answered: float) -> None:
        """Note a command and its answer, each with its time."""
        self._messages.append({"cmd": command, "cmd_time": asked, "reply": reply, "reply_time": answered})

    def point(self, phase: Phase, number: int) -> None:
        """Note the time: 0 before a phase is started, 1 after, 2 before it is stopped, 3 after."""
        points = self._phases[phase]
        del points[number:]
        points.append((time.time(), time.monotonic()))

    def save(self, folder: Path, name: str) -> None:
        """Write ``power/<name>`` with the hashes of all files of the session's folder."""
        content = {
            "version": _FORM,
            "timezone": -time.localtime().tm_gmtoff,
            "modules": dict(own_modules()),
            "sources": dict(own_sources()),
            "messages": self._messages,
            "uuid": {"client": str(self.client), "server": str(self.server)},
            "session_name": self.session,
            "results": hashes(folder),
            "phases": {phase.value: points for phase, points in self._phases.items()},
            **self.extra,
        }
        write_json(folder / "power" / name, content)


def hashes(folder: Path) -> dict[str, str]:
    """SHA-1 of each file below a folder, by its path in it.

    Raises:
        MachineError: when one cannot be read.
    """
    found: dict[str, str] = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            try:
                with path.open("rb") as file:
                    found[path.relative_to(folder).as_posix()] = hashlib.file_digest(file, "sha1").hexdigest()
            except OSError as error:
                raise MachineError(f"cannot read a file of the session: {error.strerror}", where=path) from error
    return found


@functools.cache
def own_sources() -> Mapping[str, str]:
    """SHA-1 of the sources that measure, as the session files name them.

    They are our own and say so. The official checker knows those of mlcommons/power-dev only and refuses a measurement
    of ours for them, and for nothing else: for a submission run its client and server (they take our place), or have
    these admitted.
    """
    room = Path(__file__).parent
    return {f"assay/power/{name}": digest for name, digest in hashes(room).items() if name.endswith(".py")}


@functools.cache
def own_modules() -> Mapping[str, str]:
    """Modules to the sources they come from."""
    return {name.removesuffix(".py").replace("/", "."): name for name in own_sources()}
