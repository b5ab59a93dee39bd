"""Check of the server's conversation with the power daemon (SPEC PTDaemon).

Source: ``ptd_messages_check`` of the power working group's checker, the same in all rounds but for its versions and
analyzers.
"""

from __future__ import annotations

from collections.abc import Iterator

from assay.power.identity import SIMULATED
from assay.rules.power import PowerFacts
from assay.submission.checks.context import shown
from assay.submission.issue import Issue
from assay.submission.power.record import Session

_KEY = "ptd_messages"
_AMPERES, _VOLTS = ("SR,A", 1), ("SR,V", 3)


def check_daemon(server: Session, facts: PowerFacts) -> Iterator[Issue]:
    """Version and analyzer are supported, the daemon answered as it should, the old ranges were set again."""
    yield from _identity(server, facts)
    yield from _replies(server, facts)
    yield from _restored(server, facts)


def _commands(server: Session) -> list[str]:
    return [server.text(_KEY, index, "cmd") for index in range(server.count(_KEY))]


def _identity(server: Session, facts: PowerFacts) -> Iterator[Issue]:
    index = next((index for index in range(server.count(_KEY)) if server.at(_KEY, index, "cmd") == "Identify"), None)
    answer = server.text(_KEY, index, "reply") if index is not None else ""
    if not answer:
        detail = "the daemon did not answer Identify"
        yield Issue("power-daemon-reply", server.path, detail, _KEY, "nothing", "the analyzer and the daemon's version")
        return
    assert index is not None
    line, field = server.line(_KEY, index, "reply"), f"{_KEY}[{index}].reply"
    version = daemon_version(answer)
    if version not in facts.daemon.versions:
        expected = " or ".join(facts.daemon.versions)
        yield Issue("power-daemon-version", server.path, "", field, shown(version or answer), expected, line)
    analyzer = answer.split(",", 1)[0]
    if analyzer not in facts.daemon.analyzers:
        expected = " or ".join(facts.daemon.analyzers)
        yield Issue("power-analyzer-unsupported", server.path, "", field, shown(analyzer), expected, line)
    if SIMULATED in answer:
        yield Issue("power-simulated", server.path, "", field, shown(answer), "the daemon of an analyzer", line)


def daemon_version(answer: str) -> str:
    """What stands between ``version=`` and the next hyphen of the daemon's answer, empty when there is none."""
    mark = "version="
    for line in answer.split("\n"):
        start = line.find(mark) + len(mark)
        stop = line.find("-", start + 1)
        if start >= len(mark) and stop >= 0:
            return line[start:stop]
    return ""


def _replies(server: Session, facts: PowerFacts) -> Iterator[Issue]:
    commands, rules = _commands(server), facts.daemon.replies
    for start, expected in rules.commands.items():
        for index, command in enumerate(commands):
            if command.startswith(start):
                yield from _reply(server, index, command, expected)
    expected, stops = rules.stopped, 0
    for index, command in enumerate(commands):
        if command.startswith(rules.stop):
            if command == rules.stop:
                expected = rules.nothing_to_stop if stops == rules.stops else expected
                stops += 1
            yield from _reply(server, index, command, expected)


def _reply(server: Session, index: int, command: str, expected: str) -> Iterator[Issue]:
    reply = server.at(_KEY, index, "reply")
    if reply != expected:
        detail, field = f"answer to {shown(command)}", f"{_KEY}[{index}].reply"
        line = server.line(_KEY, index, "reply")
        yield Issue("power-daemon-reply", server.path, detail, field, shown(reply), expected, line)


def _restored(server: Session, facts: PowerFacts) -> Iterator[Issue]:
    at = facts.daemon.ranges_message
    reply = server.text(_KEY, at, "reply")
    wanted = [(command, _initial(server, at, reply, place)) for command, place in (_AMPERES, _VOLTS)]
    commands = _commands(server)
    for start, value in wanted:
        those = [index for index, command in enumerate(commands) if command.startswith(start)]
        number, asked = facts.daemon.restoring_command, f"{start},{value}"
        expected = shown(asked)
        if len(those) < number:
            detail = f"command {number} that begins with {start} is not there"
            yield Issue("power-ranges-not-restored", server.path, detail, _KEY, f"{len(those)} of them", expected)
        elif commands[those[number - 1]] != asked:
            index = those[number - 1]
            line = server.line(_KEY, index, "cmd")
            found, field = shown(commands[index]), f"{_KEY}[{index}].cmd"
            yield Issue("power-ranges-not-restored", server.path, "", field, found, expected, line)


def _initial(server: Session, at: int, reply: str, place: int) -> str:
    """A range as it was before, ``Auto`` when the analyzer chose it by itself.

    Raises:
        MalformedError: when the daemon's answer does not say it.
    """
    parts = reply.split(",")
    try:
        if parts[place] == "0" and float(parts[place + 1]) > 0:
            return parts[place + 1]
    except (IndexError, ValueError):
        raise server.wrong(_KEY, at, "reply", expected="Ranges,<auto>,<amperes>,<auto>,<volts>") from None
    return "Auto"
