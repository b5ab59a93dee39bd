"""A power measurement made from a round's own facts, which passes all its checks, and ways to change one."""

from __future__ import annotations

import functools
import hashlib
import json
import re
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from assay.rules.power import load_power
from assay.submission.issue import Issue
from assay.submission.power.wg import each_check
from assay.submission.tree import TreeReader

ROUNDS = ("v2.0", "v2.1", "v3.0", "v3.1", "v4.0")
START = datetime(2023, 3, 1, 18, tzinfo=UTC)
NAME = "2023-03-01_18-00-00"
ANALYZER = "YokogawaWT310"
# Phase of each run, and LoadGen's window in seconds after START. 1,200 s are more than twice the 500 s that the checker
# of v3.1 leaves out at each end, and less than twice the 800 s of v4.0.
RUNS = {"ranging": ("ranging", (100, 1300)), "run_1": ("testing", (2100, 3300))}
# Seconds from the window's ends to the four points of a phase.
_POINTS = (-100, -60, 40, 50)
LOGS = ("mlperf_log_detail.txt", "mlperf_log_summary.txt")
BY_CLIENT = ("power/client.log", *(f"{run}/{name}" for run in RUNS for name in LOGS))
BY_SERVER = ("power/ptd_logs.txt", "power/server.log", *(f"{run}/spl.txt" for run in RUNS))
PTD_LOG = "power/ptd_logs.txt"
_WINDOW = re.compile(r'("power_(begin|end)", "value": ")([^"]*)(")')


def written(moment: datetime) -> str:
    """A time as LoadGen and the daemon write it."""
    return moment.strftime("%m-%d-%Y %H:%M:%S.%f")[:-3]


def after(seconds: float) -> str:
    """A time so many seconds after the start, written."""
    return written(START + timedelta(seconds=seconds))


@dataclass(frozen=True)
class Measured:
    """The ``performance/`` folder of a measured result.

    Attributes:
        root: of the tree.
        relative: path of the folder in it.
    """

    root: Path
    relative: str

    @property
    def path(self) -> Path:
        return self.root / self.relative

    def checked(self, round_name: str) -> dict[str, list[Issue]]:
        """What each check finds."""
        listing = TreeReader(self.root).read(self.relative)
        return each_check(str(self.root), self.relative, listing, load_power(round_name))

    def json(self, side: str, edit: Callable[[dict[str, Any]], object]) -> None:
        """Change ``client.json`` or ``server.json``."""
        path = self.path / "power" / f"{side}.json"
        data = json.loads(path.read_text(encoding="utf-8"))
        edit(data)
        self.write(f"power/{side}.json", json.dumps(data, indent=4).encode())

    def both(self, edit: Callable[[dict[str, Any]], object]) -> None:
        """Change both session files alike."""
        for side in ("client", "server"):
            self.json(side, edit)

    def text(self, name: str, edit: Callable[[str], str]) -> None:
        """Change a log, and the hash that was recorded of it."""
        self.raw(name, edit((self.path / name).read_bytes().decode()).encode())

    def raw(self, name: str, content: bytes) -> None:
        """Give a log other content, and record its hash."""
        self.write(name, content)
        self.rehash(name)

    def write(self, name: str, content: bytes) -> None:
        """Give a file other content; a hard link of it elsewhere keeps its own."""
        path = self.path / name
        path.unlink(missing_ok=True)
        path.write_bytes(content)

    def rehash(self, name: str) -> None:
        """Record the hash of a file as it is now, where one is recorded."""
        digest = hashlib.sha1((self.path / name).read_bytes(), usedforsecurity=False).hexdigest()
        for side in ("client", "server"):
            self.json(side, lambda data: data["results"].update({name: digest} if name in data["results"] else {}))

    def window(self, run: str) -> tuple[datetime, datetime]:
        """LoadGen's window."""
        text = (self.path / run / LOGS[0]).read_text(encoding="utf-8")
        found = {match[2]: datetime.strptime(match[3], "%m-%d-%Y %H:%M:%S.%f") for match in _WINDOW.finditer(text)}
        return found["begin"], found["end"]

    def move_window(self, run: str, *, begin: float = 0, end: float = 0) -> None:
        """Move the ends of LoadGen's window by seconds."""
        moments = dict(zip(("begin", "end"), self.window(run), strict=True))
        by = {"begin": begin, "end": end}

        def moved(match: re.Match[str]) -> str:
            return match[1] + written(moments[match[2]] + timedelta(seconds=by[match[2]])) + match[4]

        self.text(f"{run}/{LOGS[0]}", lambda text: _WINDOW.sub(moved, text))

    def seconds(self, run: str) -> float:
        """Length of LoadGen's window."""
        begin, end = self.window(run)
        return (end - begin).total_seconds()

    def log(self, *lines: str, quiet: bool = True) -> None:
        """Add lines to the end of the daemon's log.

        Args:
            lines: each may have ``{ranging}`` or ``{testing}`` in it, a time in the middle of that run's window, and
                ``{early}``, 100 s after the start of the testing one.
            quiet: take other errors and warnings away, so that the official checker gets to see these.
        """
        moments = {phase: sum_half(*self.window(run)) for run, (phase, _) in RUNS.items()}
        moments["early"] = self.window("run_1")[0] + timedelta(seconds=100)
        times = {name: written(moment) for name, moment in moments.items()}

        def longer(text: str) -> str:
            old = text.splitlines(keepends=True)
            if quiet:
                old = [line for line in old if "ERROR:" not in line and "WARNING:" not in line]
            return "".join([*old, *(f"{line.format(**times)}\n" for line in lines)])

        self.text(PTD_LOG, longer)


def sum_half(begin: datetime, end: datetime) -> datetime:
    """The middle of two moments."""
    return begin + (end - begin) / 2


def build(
    root: Path, round_name: str, relative: str = "closed/Acme/results/box/resnet50/Offline/performance"
) -> Measured:
    """Write a measurement that passes."""
    measured = Measured(root, relative)
    for name, content in _content(round_name).items():
        path = measured.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return measured


@functools.cache
def _content(round_name: str) -> dict[str, bytes]:
    """The files of a measurement that passes, made once; hundreds of tests damage one each."""
    with tempfile.TemporaryDirectory() as folder:
        measured = Measured(Path(folder), "performance")
        for run, (phase, window) in RUNS.items():
            (measured.path / run).mkdir(parents=True)
            _write_run(measured, run, phase, window)
        complete(measured, round_name)
        files = [path for path in measured.path.rglob("*") if path.is_file()]
        return {path.relative_to(measured.path).as_posix(): path.read_bytes() for path in files}


def complete(measured: Measured, round_name: str) -> None:
    """Add ``power/`` to the logs of both runs, so that they pass."""
    (measured.path / "power").mkdir(exist_ok=True)
    for side in ("client", "server"):
        measured.write(f"power/{side}.log", f"the log of the {side}\n".encode())
    points = {phase: _points(measured, run) for run, (phase, _) in RUNS.items()}
    measured.write(PTD_LOG, _daemon_log(points).encode())
    facts = load_power(round_name)
    common = {
        "version": "1.0",
        "timezone": 0,
        "modules": {},
        "sources": facts.sources.sets()[0],
        "messages": _messages(),
        "uuid": {"client": "d6b7332d-90e8-428e-9630-a61298c62543", "server": "852a4d6a-ce1d-49cd-aab7-8d4c6b8dc462"},
        "session_name": NAME,
        "phases": {phase: [[each.timestamp(), 5.0] for each in moments] for phase, moments in points.items()},
    }
    kind = facts.daemon.analyzers[ANALYZER]
    own = {
        "ptd_messages": _daemon_messages(facts.daemon.versions[0]),
        "ptd_config": {"command": ["ptd", "-y", str(kind)], "device_type": kind, "channel": None},
    }
    for side, names, more in (("client", BY_CLIENT, {}), ("server", BY_SERVER, own)):
        data = {**common, "results": dict.fromkeys(names, ""), **more}
        measured.write(f"power/{side}.json", json.dumps(data, indent=4).encode())
    for name in (*BY_CLIENT, *BY_SERVER):
        measured.rehash(name)


def _points(measured: Measured, run: str) -> list[datetime]:
    """The four points of a phase, around LoadGen's window."""
    begin, end = (moment.replace(tzinfo=UTC) for moment in measured.window(run))
    ends = (begin, begin, end, end)
    return [moment + timedelta(seconds=by) for moment, by in zip(ends, _POINTS, strict=True)]


def _write_run(measured: Measured, run: str, phase: str, window: tuple[int, int]) -> None:
    lines = [
        f'{{"key": "power_{key}", "value": "{after(at)}", "time_ms": 1.0}}'
        for key, at in zip(("begin", "end"), window, strict=True)
    ]
    measured.write(f"{run}/{LOGS[0]}", "".join(f":::MLLOG {line}\n" for line in ["{}", *lines, "{}"]).encode())
    measured.write(f"{run}/{LOGS[1]}", b"Result is : VALID\n")
    samples = range(window[0] - 20, window[1] + 20)
    measured.write(f"{run}/spl.txt", "".join(spl_line(at, 100 + at % 7, phase) for at in samples).encode())


def spl_line(at: float, watts: float, phase: str) -> str:
    """A sample."""
    return f"Time,{after(at)},Watts,{watts:.6f},Volts,230.0,Amps,1.0,PF,0.95,Mark,{NAME}_{phase}\n"


def _daemon_log(points: dict[str, list[datetime]]) -> str:
    active = points["ranging"][0] + timedelta(seconds=5)
    lines = ["PTDaemon", f"{written(active)}: Uncertainty checking for {ANALYZER} is activated"]
    for phase, (_, start, stop, _) in points.items():
        lines += [f"{written(start)}: Go with mark '{NAME}_{phase}'", f"{written(stop)}: Completed test"]
    return "".join(f"{line}\n" for line in lines)


def _messages() -> list[dict[str, Any]]:
    said = [("mlcommons/power client v3", "mlcommons/power server v3"), ("time", "1677693600.5"), ("stop", "OK")]
    return [{"cmd": command, "cmd_time": 1.0, "reply": reply, "reply_time": 2.0} for command, reply in said]


def _daemon_messages(version: str) -> list[dict[str, str]]:
    changed, go = (
        "Range {} changed".format,
        "Starting untimed measurement, maximum 500000 samples at 1000ms with 0 rampup samples",
    )
    stop = "Stopping untimed measurement"
    said = [
        ("Hello", "Hello, PTDaemon here!"),
        ("Identify", f"{ANALYZER},1000,1,1,version={version}-ed9a21d2-20220817,OS=Linux,mode=power"),
        ("RR", "Ranges,1,2.000000,1,300.000000"),
        ("SR,V,Auto", changed("V")),
        ("SR,A,Auto", changed("A")),
        (f"Go,1000,0,{NAME}_ranging", go),
        ("Stop", stop),
        ("SR,V,206.1", changed("V")),
        ("SR,A,3.7", changed("A")),
        (f"Go,1000,0,{NAME}_testing", go),
        ("Stop", stop),
        ("Stop", "Error: no measurement to stop"),
        ("SR,V,Auto", changed("V")),
        ("SR,A,Auto", changed("A")),
    ]
    return [{"cmd": command, "reply": reply} for command, reply in said]


def link(measured: Measured, name: str, target: str) -> None:
    """Put a symbolic link in place of a file or beside it."""
    (measured.path / name).unlink(missing_ok=True)
    (measured.path / name).symlink_to(target)
