"""How a program ended, in words: its exit status or signal, and the last thing it complained of."""

from __future__ import annotations

import re
import signal
from pathlib import Path

_TAIL_BYTES = 1 << 16
_LINES = 12
_LONGEST = 300
_COMPLAINT = re.compile(
    r"^(?:[A-Za-z_][\w.]*(?:Error|Exception|Interrupt|Exit)\b.*|.*\b(?:error|fatal|fail(?:ed|ure)?|cannot|abort(?:ed)?)\b.*)$",
    re.IGNORECASE,
)
_PLACE = re.compile(r'^\s*File "([^"]+)", line (\d+)')
_SHELL = 128


def ending(code: int) -> str:
    """The end of a process by the code that Python gives it (negative: a signal), in words."""
    if code < 0:
        return f"was ended by {_signal(-code)}"
    if code > _SHELL and (name := _name(code - _SHELL)):
        # A shell, or a program that calls others, passes the signal of its child on in this way.
        return f"left with exit status {code}: a program that it started was ended by {_signal(code - _SHELL, name)}"
    meaning = {126: ": it may not be run", 127: ": a program was not found"}.get(code, "")
    return f"left with exit status {code}{meaning}"


def waited(status: int) -> str:
    """The same for a raw wait status, as ``os.system`` returns it and programs print it: 35072 is exit status 137."""
    return ending(-(status & 0x7F) if status & 0x7F else status >> 8)


def _signal(number: int, name: str | None = None) -> str:
    known = name or _name(number) or f"signal {number}"
    return known + {"SIGKILL": " (killed, perhaps for want of memory)", "SIGSEGV": " (it crashed)"}.get(known, "")


def _name(number: int) -> str | None:
    try:
        return signal.Signals(number).name
    except ValueError:
        return None


def tail(log: Path) -> list[str]:
    """The last lines of a log that say anything, each of bounded length."""
    try:
        with log.open("rb") as stream:
            stream.seek(0, 2)
            stream.seek(max(0, stream.tell() - _TAIL_BYTES))
            text = stream.read().decode("utf-8", "replace")
    except OSError:
        return []
    # Bars of progress overwrite their line; only what stood there last was to be seen.
    lines = [line.rpartition("\r")[2].rstrip()[:_LONGEST] for line in text.replace("\r\n", "\n").split("\n")]
    return [line for line in lines if line.strip()]


def complaint(lines: list[str]) -> tuple[str, str]:
    """The last line that tells an error, and the place of the code that it names; empty when there is none."""
    for number in range(len(lines) - 1, -1, -1):
        if _COMPLAINT.match(lines[number]) and not _PLACE.match(lines[number]):
            places = [match for line in lines[:number] if (match := _PLACE.match(line))]
            traced = places and not lines[number].startswith(" ") and "Traceback" in "\n".join(lines[:number])
            return lines[number].strip(), f"{places[-1][1]}:{places[-1][2]}" if traced else ""
    return "", ""


def last_lines(lines: list[str], name: str) -> str:
    """The end of a log for a hint."""
    return "\n".join([f"the end of {name} says:", *lines[-_LINES:]]) if lines else f"{name} is empty"
