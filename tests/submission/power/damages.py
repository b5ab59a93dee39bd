"""Damages of a power measurement: what each check has to find, in which rounds.

They work on a measurement that was made up (:func:`measured.build`) and on a real one.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .measured import LOGS, PTD_LOG, ROUNDS, Measured, link

Edit = Callable[[Measured], object]


@dataclass(frozen=True)
class Damage:
    """A damage.

    Attributes:
        name: what is done.
        check: the check that has to find it.
        edit: does it.
        codes: round to the code that is found there; where a round is not named the check finds nothing.
        more: codes that may come along.
    """

    name: str
    check: str
    edit: Edit
    codes: Mapping[str, str] = field(default_factory=dict)
    more: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.check}: {self.name}"


def every(code: str) -> Mapping[str, str]:
    """A code in every round."""
    return dict.fromkeys(ROUNDS, code)


def until(last: str, code: str, after: str = "") -> Mapping[str, str]:
    """A code up to a round, and another one after it."""
    return {each: code if each <= last else after for each in ROUNDS if each <= last or after}


def since(first: str, code: str) -> Mapping[str, str]:
    """A code from a round on."""
    return {each: code for each in ROUNDS if each >= first}


def side(name: str, edit: Callable[[dict[str, Any]], object]) -> Edit:
    return lambda measured: measured.json(name, edit)


def client(edit: Callable[[dict[str, Any]], object]) -> Edit:
    return side("client", edit)


def server(edit: Callable[[dict[str, Any]], object]) -> Edit:
    return side("server", edit)


def put(*keys: Any, value: Any) -> Callable[[dict[str, Any]], object]:
    """Give a value of a session file another content."""

    def edit(data: Any) -> None:
        for key in keys[:-1]:
            data = data[key]
        data[keys[-1]] = value

    return edit


def take(*keys: Any) -> Callable[[dict[str, Any]], object]:
    """Take a value of a session file away."""

    def edit(data: Any) -> None:
        for key in keys[:-1]:
            data = data[key]
        del data[keys[-1]]

    return edit


def add(*keys: Any, by: float) -> Callable[[dict[str, Any]], object]:
    """Add to a number of a session file."""

    def edit(data: Any) -> None:
        for key in keys[:-1]:
            data = data[key]
        data[keys[-1]] += by

    return edit


def said(start: str, *, number: int = 1, **values: Any) -> Edit:
    """Change the daemon's message of that number whose command begins so; ``drop=True`` takes it away."""

    def edit(data: dict[str, Any]) -> None:
        messages = data["ptd_messages"]
        index = [index for index, each in enumerate(messages) if each["cmd"].startswith(start)][number - 1]
        if values.get("drop"):
            del messages[index]
        elif "pattern" in values:
            messages[index]["reply"] = re.sub(values["pattern"], values["by"], messages[index]["reply"])
        else:
            messages[index].update(values)

    return server(edit)


def text(name: str, pattern: str, by: str, count: int = 0) -> Edit:
    """Change a log by a pattern and record its hash anew."""
    return lambda measured: measured.text(name, lambda old: re.sub(pattern, by, old, count=count))


def log(*lines: str) -> Edit:
    return lambda measured: measured.log(*lines)


def first(*edits: Edit) -> Edit:
    """Several edits, one after the other."""

    def edit(measured: Measured) -> None:
        for each in edits:
            each(measured)

    return edit


def shorter(share: float) -> Edit:
    """Begin the testing run later, by a share of the ranging run."""

    def edit(measured: Measured) -> None:
        ranging, testing = measured.seconds("ranging"), measured.seconds("run_1")
        measured.move_window("run_1", begin=testing - ranging * (1 - share))

    return edit


def watts(run: str, factor: float) -> Edit:
    """Multiply all samples of a run."""
    return lambda measured: measured.text(
        f"{run}/spl.txt",
        lambda old: re.sub(r"(?<=\d,Watts,)[\d.]+", lambda match: f"{float(match[0]) * factor:.6f}", old),
    )


def in_an_hour(measured: Measured) -> None:
    for run in ("ranging", "run_1"):
        measured.move_window(run, begin=3600, end=3600)


def as_with_other_line_ends(measured: Measured) -> None:
    """Record the hash of a log with CR LF, and leave it with LF."""
    name = f"run_1/{LOGS[1]}"
    old = (measured.path / name).read_bytes().replace(b"\r\n", b"\n")
    measured.raw(name, old.replace(b"\n", b"\r\n"))
    measured.write(name, old)


def ranging_behind_a_link(measured: Measured) -> None:
    (measured.path / "ranging").rename(measured.path / "really")
    (measured.path / "ranging").symlink_to("really")


def two_records(measured: Measured) -> None:
    """Let the client record another hash of a file that the server recorded."""
    measured.json("server", put("results", PTD_LOG, value=_sha1(measured.path / PTD_LOG)))
    measured.json("client", put("results", PTD_LOG, value="0" * 40))


def _sha1(path: Path) -> str:
    return hashlib.sha1(path.read_bytes(), usedforsecurity=False).hexdigest()


def no_mark(measured: Measured) -> None:
    measured.text(PTD_LOG, lambda old: re.sub(r": Go with mark '[^']*_ranging'", ": Go", old))


def late_activation(measured: Measured) -> None:
    def later(old: str) -> str:
        lines = old.splitlines(keepends=True)
        active = [line for line in lines if "Uncertainty checking for" in line]
        rest = [line for line in lines if line not in active]
        stamp = next(line for line in rest if "Completed test" in line)[:23]
        return "".join(rest + [stamp + line[23:] for line in active])

    measured.text(PTD_LOG, later)


def channels(*numbers: int, command: str) -> Edit:
    value = {"command": ["ptd", "-c", command, "-y", "77"], "device_type": 77, "channel": list(numbers)}
    return server(put("ptd_config", value=value))


SOURCES, REPLY = every("power-sources-unknown"), every("power-daemon-reply")
UNREADABLE = every("power-daemon-log-unreadable")
NAN_ERROR = "{ranging}: ERROR: Bad watts reading nan from analyzer"
ODD_ERROR = "{ranging}: ERROR: something odd"
UNCERTAIN = "WARNING: Uncertainty 1.25%, which is above 1.00% limit for the last sample!"
OLD_UNCERTAIN = "WARNING: Uncertainty 1.25% above 1.00% limit"

DAMAGES = [
    # sources
    Damage("another client", "client-sources", client(put("sources", "client.py", value="0" * 40)), SOURCES),
    Damage("a list", "client-sources", client(put("sources", value=[])), SOURCES),
    Damage("one file more", "server-sources", server(put("sources", "more.py", value="0" * 40)), SOURCES),
    Damage("one file less", "server-sources", server(take("sources", "client.py")), SOURCES),
    # daemon
    Damage(
        "version",
        "daemon",
        said("Identify", pattern=r"version=[\d.]+", by="version=1.8.0"),
        every("power-daemon-version"),
    ),
    Damage("no version", "daemon", said("Identify", pattern="version=", by="v"), every("power-daemon-version")),
    Damage("analyzer", "daemon", said("Identify", pattern="^[^,]*", by="Hioki"), every("power-analyzer-unsupported")),
    Damage(
        "analyzer of v2.1",
        "daemon",
        said("Identify", pattern="^[^,]*", by="YokogawaWT330"),
        until("v2.0", "power-analyzer-unsupported"),
    ),
    Damage(
        "a simulation",
        "daemon",
        said("Identify", pattern="-ed9a21d2", by="-SIMULATED"),
        every("power-simulated"),
    ),
    Damage("no answer", "daemon", said("Identify", reply=""), REPLY),
    Damage("never asked who it is", "daemon", said("Identify", cmd="Who"), REPLY),
    Damage("range not changed", "daemon", said("SR,V", reply="Error"), REPLY),
    Damage("not started", "daemon", said("Go,1000,", number=2, reply="Error: busy"), REPLY),
    Damage("not stopped", "daemon", said("Stop", reply="Error"), REPLY),
    Damage("stopped three times", "daemon", said("Stop", number=3, reply="Stopping untimed measurement"), REPLY),
    Damage("no reply", "daemon", server(take("ptd_messages", 3, "reply")), REPLY),
    Damage("no messages", "daemon", server(take("ptd_messages")), REPLY),
    Damage("messages of another kind", "daemon", server(put("ptd_messages", value={"a": 1})), REPLY),
    Damage("a command that is none", "daemon", server(put("ptd_messages", 0, "cmd", value=5)), REPLY),
    Damage("ranges not told", "daemon", said("RR", reply="Ranges"), REPLY),
    Damage("ranges unreadable", "daemon", said("RR", reply="Ranges,0,two,1,3"), REPLY),
    Damage("range A not restored", "daemon", said("SR,A", number=3, cmd="SR,A,99"), every("power-ranges-not-restored")),
    Damage("range V not restored", "daemon", said("SR,V", number=3, drop=True), every("power-ranges-not-restored")),
    Damage("ranges were fixed", "daemon", said("RR", reply="Ranges,0,2.0,1,300.0"), every("power-ranges-not-restored")),
    Damage("ranges were fixed at 0", "daemon", said("RR", reply="Ranges,0,0,1,300.0")),
    # identities and name
    Damage(
        "of another client", "identities", server(put("uuid", "client", value="0" * 32)), every("power-uuid-differs")
    ),
    Damage("no UUID", "identities", client(put("uuid", "server", value="me")), every("power-uuid-differs")),
    Damage("a number", "identities", client(put("uuid", "server", value=7)), every("power-uuid-differs")),
    Damage(
        "in capitals", "identities", server(lambda data: data["uuid"].update(client=data["uuid"]["client"].upper()))
    ),
    Damage("another name", "session-name", client(put("session_name", value="x")), every("power-session-name-differs")),
    # times
    Damage("a point less", "times", client(take("phases", "ranging", -1)), every("power-phases-wrong")),
    Damage("no phase", "times", client(take("phases", "testing")), every("power-phases-wrong")),
    Damage(
        "a phase that is a text", "times", server(put("phases", "testing", value="1234")), every("power-phases-wrong")
    ),
    Damage(
        "a point that is a text",
        "times",
        server(put("phases", "testing", 2, 0, value="1")),
        every("power-phases-wrong"),
    ),
    Damage("huge numbers", "times", server(put("phases", "testing", 2, 0, value=10**400)), every("power-phases-wrong")),
    Damage(
        "no number",
        "times",
        server(put("phases", "testing", 2, 0, value=float("nan"))),
        every("power-clock-difference"),
    ),
    Damage(
        "0.3 s apart", "times", server(add("phases", "testing", 0, 0, by=0.3)), until("v2.0", "power-clock-difference")
    ),
    Damage(
        "0.7 s apart",
        "times",
        server(add("phases", "testing", 0, 0, by=0.7)),
        {each: "power-clock-difference" for each in ROUNDS if each not in ("v3.0", "v4.0")},
    ),
    Damage(
        "0.85 s apart",
        "times",
        server(add("phases", "testing", 0, 0, by=0.85)),
        {each: "power-clock-difference" for each in ROUNDS if each != "v3.0"},
    ),
    Damage("5 s apart", "times", server(add("phases", "ranging", 3, 0, by=-5)), every("power-clock-difference")),
    Damage(
        "no power_begin",
        "times",
        text(f"ranging/{LOGS[0]}", "power_begin", "begin"),
        every("power-window-unreadable"),
    ),
    Damage(
        "power_end without a time",
        "times",
        text(f"run_1/{LOGS[0]}", r'(?<="power_end", "value": ")[^"]*', "late"),
        every("power-window-unreadable"),
    ),
    Damage(
        "power_end in no calendar",
        "times",
        text(f"ranging/{LOGS[0]}", r'(?<="power_end", "value": ")\d\d', "13"),
        every("power-window-unreadable"),
    ),
    Damage(
        "no detail log",
        "times",
        lambda measured: (measured.path / "ranging" / LOGS[0]).unlink(),
        every("power-window-unreadable"),
    ),
    Damage(
        "ended after the session",
        "times",
        lambda measured: measured.move_window("run_1", end=500),
        every("power-window-outside"),
        ("power-duration-differs",),
    ),
    Damage(
        "began before the session",
        "times",
        lambda measured: measured.move_window("ranging", begin=-500),
        every("power-window-outside"),
        ("power-duration-differs",),
    ),
    Damage("an hour off", "times", in_an_hour, every("power-window-shifted")),
    Damage("a tenth shorter", "times", shorter(0.1), until("v2.1", "power-duration-differs")),
    Damage("a third shorter", "times", shorter(0.33), until("v3.0", "power-duration-differs")),
    Damage(
        "more than half shorter",
        "times",
        shorter(0.6),
        until("v3.0", "power-duration-differs", "power-duration-shorter"),
    ),
    Damage(
        "ranging without a length",
        "times",
        lambda measured: measured.move_window("ranging", begin=measured.seconds("ranging")),
        until("v3.0", "power-duration-differs", "power-phases-wrong"),
    ),
    Damage("6 % less power", "times", watts("run_1", 0.94), since("v3.1", "power-average-low")),
    Damage("4 % less power", "times", watts("run_1", 0.96)),
    Damage("6 % more power", "times", watts("run_1", 1.06)),
    Damage(
        "less power and shorter",
        "times",
        first(watts("run_1", 0.8), shorter(0.6)),
        until("v3.0", "power-duration-differs", "power-average-low-unseen"),
        ("power-duration-shorter",),
    ),
    Damage(
        "a broken sample", "times", text("ranging/spl.txt", r"^.", "\n\\g<0>", 1), {"v3.1": "power-average-unreadable"}
    ),
    Damage(
        "a broken time",
        "times",
        text("ranging/spl.txt", r"^Time,.", "Time,x", 1),
        since("v3.1", "power-average-unreadable"),
    ),
    Damage(
        "a broken sample and shorter",
        "times",
        first(text("ranging/spl.txt", r"^.", "\n\\g<0>", 1), shorter(0.6)),
        {**until("v3.0", "power-duration-differs"), "v3.1": "power-average-unreadable-unseen"},
        ("power-duration-shorter",),
    ),
    Damage(
        "no power factor",
        "times",
        text("run_1/spl.txt", r",PF,[^\r\n]*", ""),
        since("v3.1", "power-average-unreadable"),
    ),
    Damage("no power while ranging", "times", watts("ranging", 0), since("v3.1", "power-average-low")),
    Damage("no power at all", "times", first(watts("ranging", 0), watts("run_1", 0))),
    Damage(
        "no samples",
        "times",
        lambda measured: (measured.path / "run_1/spl.txt").unlink(),
        since("v3.1", "power-average-unreadable"),
    ),
    # messages
    Damage(
        "another reply", "messages", client(put("messages", -1, "reply", value="no")), every("power-messages-differ")
    ),
    Damage(
        "another command", "messages", client(put("messages", -1, "cmd", value="no")), every("power-messages-differ")
    ),
    Damage("one less", "messages", client(take("messages", -1)), every("power-messages-differ")),
    Damage("no reply", "messages", client(take("messages", -1, "reply")), every("power-messages-differ")),
    Damage(
        "none", "messages", lambda measured: measured.both(put("messages", value=[])), every("power-messages-differ")
    ),
    Damage("a number of them", "messages", client(put("messages", value=3)), every("power-messages-differ")),
    Damage(
        "another version of the client",
        "messages",
        lambda measured: measured.both(put("messages", 0, "cmd", value="mlcommons/power client v2")),
        every("power-messages-differ"),
    ),
    Damage(
        "no version of the server",
        "messages",
        lambda measured: measured.both(put("messages", 0, "reply", value="hello")),
        every("power-messages-differ"),
    ),
    Damage(
        "another time",
        "messages",
        first(
            lambda measured: measured.both(put("messages", -1, "cmd", value="time")),
            client(put("messages", -1, "reply", value="1")),
        ),
    ),
    # hashes
    Damage(
        "a changed log",
        "hashes",
        lambda measured: measured.write(f"run_1/{LOGS[1]}", b"Result is : VALID\n\n"),
        every("power-hash-differs"),
    ),
    Damage("other line ends", "hashes", as_with_other_line_ends, every("power-hash-line-ends")),
    Damage(
        "a recorded hash that is none",
        "hashes",
        server(put("results", PTD_LOG, value=None)),
        every("power-hash-differs"),
    ),
    Damage("two records", "hashes", two_records, every("power-hash-conflict")),
    Damage(
        "no record",
        "hashes",
        lambda measured: measured.both(lambda data: data["results"].pop("power/server.log", None)),
        every("power-hash-unrecorded"),
    ),
    Damage("records of another kind", "hashes", client(put("results", value=[])), every("power-hash-unrecorded")),
    Damage("more records", "hashes", client(put("results", "run_1/more.txt", value="0" * 40))),
    Damage(
        "no log",
        "hashes",
        lambda measured: (measured.path / "power/client.log").unlink(),
        every("power-hashed-file-missing"),
    ),
    Damage("more files", "hashes", lambda measured: measured.write("run_1/more.txt", b"")),
    Damage(
        "a link to nowhere",
        "hashes",
        lambda measured: link(measured, "run_1/more.txt", "nowhere"),
        every("power-file-unreadable"),
    ),
    Damage("ranging behind a link", "hashes", ranging_behind_a_link, every("power-hashed-file-missing")),
    # the daemon's log
    Damage("an error while testing", "daemon-log", log("{testing}: ERROR: bad"), every("power-daemon-error")),
    Damage("an odd error while ranging", "daemon-log", log(ODD_ERROR), every("power-daemon-error-ranging")),
    Damage(
        "an ordinary error while ranging",
        "daemon-log",
        log("{ranging}: ERROR: Can't evaluate uncertainty of this sample!"),
    ),
    Damage("an error of v3.1 while ranging", "daemon-log", log(NAN_ERROR), until("v3.0", "power-daemon-error-ranging")),
    Damage(
        "an error of the connection", "daemon-log", log("{testing}: ERROR: USB."), every("power-daemon-error-accepted")
    ),
    Damage("an error without a time", "daemon-log", log("ERROR: when"), every("power-daemon-log-untimed")),
    Damage("a warning without a time", "daemon-log", log("WARNING: when"), every("power-daemon-log-untimed")),
    Damage("nothing behind the mark", "daemon-log", log("{testing}: ERROR:")),
    Damage(
        "an error behind an odd one",
        "daemon-log",
        log(ODD_ERROR, "{testing}: ERROR: bad"),
        every("power-daemon-error-unseen"),
        ("power-daemon-error-ranging",),
    ),
    Damage(
        "no time behind an odd one",
        "daemon-log",
        log(ODD_ERROR, "WARNING: when"),
        every("power-daemon-log-untimed-unseen"),
        ("power-daemon-error-ranging",),
    ),
    Damage(
        "a warning while testing",
        "daemon-log",
        log("{testing}: WARNING: well"),
        until("v3.1", "power-daemon-warning", "power-daemon-warning-unseen"),
    ),
    Damage(
        "a warning early while testing",
        "daemon-log",
        log("{early}: WARNING: well"),
        until("v3.0", "power-daemon-warning", "power-daemon-warning-unseen"),
    ),
    Damage("a warning while ranging", "daemon-log", log("{ranging}: WARNING: well")),
    Damage(
        "a warning in another time zone",
        "daemon-log",
        first(server(put("timezone", value=28800)), log("{testing}: WARNING: well")),
        {**every("power-daemon-warning-unseen"), "v3.1": "power-daemon-warning"},
    ),
    Damage(
        "uncertain",
        "daemon-log",
        log(f"{{testing}}: {UNCERTAIN}"),
        {**every("power-uncertainty-high-unseen"), "v3.1": "power-uncertainty-high"},
        ("power-daemon-warning",),
    ),
    Damage(
        "uncertain in other words",
        "daemon-log",
        log(f"{{testing}}: {OLD_UNCERTAIN}"),
        every("power-uncertainty-high-unseen"),
        ("power-daemon-warning",),
    ),
    Damage(
        "uncertain early",
        "daemon-log",
        log(f"{{early}}: {UNCERTAIN}"),
        every("power-uncertainty-high-unseen"),
        ("power-daemon-warning",),
    ),
    Damage("uncertain while ranging", "daemon-log", log(f"{{ranging}}: {UNCERTAIN}")),
    Damage(
        "not watched",
        "daemon-log",
        text(PTD_LOG, r"Uncertainty checking for \S+ is activated", "on"),
        every("power-uncertainty-unwatched"),
    ),
    Damage("watched too late", "daemon-log", late_activation, every("power-uncertainty-unwatched")),
    Damage("no mark", "daemon-log", no_mark, UNREADABLE),
    Damage("never completed", "daemon-log", text(PTD_LOG, "Completed test", "Still at it"), UNREADABLE),
    Damage("another session", "daemon-log", server(put("session_name", value="x")), UNREADABLE),
    Damage("a time in no calendar", "daemon-log", text(PTD_LOG, r"\A", "13-45-2023 00:00:00.000: x\n", 1), UNREADABLE),
    Damage(
        "not UTF-8",
        "daemon-log",
        lambda measured: measured.raw(PTD_LOG, b"\xff" + (measured.path / PTD_LOG).read_bytes()),
        UNREADABLE,
    ),
    Damage("no log", "daemon-log", lambda measured: (measured.path / PTD_LOG).unlink(), UNREADABLE),
    Damage("a time zone that is none", "daemon-log", server(put("timezone", value="UTC")), UNREADABLE),
    Damage("a time zone as a text", "daemon-log", server(put("timezone", value="7200"))),
    # device and debug
    Damage("unknown", "device", server(put("ptd_config", "device_type", value=999)), every("power-device-unsupported")),
    Damage("not told", "device", server(take("ptd_config")), every("power-device-unsupported")),
    Damage("two channels", "device", channels(1, 3, command="1,3")),
    Damage("one channel", "device", channels(1, command="1"), every("power-device-channels")),
    Damage("one channel recorded", "device", channels(1, command="1,3"), every("power-device-channels")),
    Damage("debug", "debug", server(put("debug", value=True)), every("power-server-debug")),
    Damage("debug is null", "debug", server(put("debug", value=None)), every("power-server-debug")),
    Damage("no debug", "debug", server(put("debug", value=False))),
    # session files
    Damage(
        "no JSON",
        "session",
        lambda measured: measured.write("power/client.json", b"{"),
        every("power-session-unreadable"),
    ),
    Damage(
        "a list",
        "session",
        lambda measured: measured.write("power/server.json", b"[]"),
        every("power-session-unreadable"),
    ),
    Damage(
        "not UTF-8",
        "session",
        lambda measured: measured.write("power/server.json", b"\xff{}"),
        every("power-session-unreadable"),
    ),
    Damage(
        "deep",
        "session",
        lambda measured: measured.write("power/server.json", b"[" * 100_000),
        every("power-session-unreadable"),
    ),
    Damage("a key less", "session", server(take("modules")), every("power-session-unreadable")),
    Damage(
        "no file",
        "session",
        lambda measured: (measured.path / "power/client.json").unlink(),
        every("power-session-unreadable"),
    ),
]
