"""Checks of what client and server wrote down of their session: sources, identities, messages, settings.

Source of all: the functions of the same purpose in the power working group's checker (power-dev compliance/check.py,
later tools/submission/power/power_checker.py), the same in all rounds.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator, Mapping

from assay.rules.power import PowerFacts
from assay.submission.checks.context import shown
from assay.submission.issue import Issue
from assay.submission.power.record import Session

_CLIENT_VERSION = re.compile(r"mlcommons/power client v(\d+)$")
_SERVER_VERSION = re.compile(r"mlcommons/power server v(\d+)$")
_SOME = 3


def check_sources(session: Session, facts: PowerFacts) -> Iterator[Issue]:
    """The sources that ran are those of a released version."""
    sources = session.at("sources")
    accepted = facts.sources.sets()
    if sources in accepted:
        return
    if not isinstance(sources, dict):
        raise session.wrong("sources", expected="file names with their SHA-1")
    closest = min(accepted, key=lambda each: len(_different(sources, each)))
    for name in _different(sources, closest)[:_SOME]:
        found, expected = shown(sources.get(name, "no such file")), closest.get(name, "no such file")
        line = session.line("sources", name)
        yield Issue("power-sources-unknown", session.path, "", f"sources.{shown(name)}", found, expected, line)


def _different(found: Mapping[str, object], accepted: Mapping[str, object]) -> list[str]:
    return sorted(name for name in {**found, **accepted} if found.get(name) != accepted.get(name))


def check_identities(client: Session, server: Session) -> Iterator[Issue]:
    """Both wrote down the same pair of UUIDs."""
    for side in ("client", "server"):
        found = [_uuid(session, side) for session in (client, server)]
        if found[0] != found[1]:
            line = client.line("uuid", side)
            field, expected = f"uuid.{side}", f"{found[1]} (server.json)"
            yield Issue("power-uuid-differs", client.path, "", field, str(found[0]), expected, line)


def _uuid(session: Session, side: str) -> uuid.UUID:
    try:
        return uuid.UUID(session.text("uuid", side))
    except ValueError:
        raise session.wrong("uuid", side, expected="a UUID") from None


def check_session_name(client: Session, server: Session) -> Iterator[Issue]:
    """Both wrote down the same name of the session."""
    names = [session.at("session_name") for session in (client, server)]
    if names[0] != names[1]:
        line, expected = client.line("session_name"), f"{shown(names[1])} (server.json)"
        yield Issue("power-session-name-differs", client.path, "", "session_name", shown(names[0]), expected, line)


def check_messages(client: Session, server: Session) -> Iterator[Issue]:
    """Both wrote down the same conversation, and speak the same version of the protocol."""
    counts = [session.count("messages") for session in (client, server)]
    if counts[0] != counts[1]:
        detail = "client and server wrote down different numbers of messages"
        expected = f"{counts[1]} (server.json)"
        yield Issue("power-messages-differ", client.path, detail, "messages", str(counts[0]), expected)
        return
    for index in range(counts[0]):
        command = client.at("messages", index, "cmd")
        keys = ["cmd"] if command == "time" else ["cmd", "reply"]
        for key in keys:
            ours, theirs = client.at("messages", index, key), server.at("messages", index, key)
            if ours != theirs:
                field, expected = f"messages[{index}].{key}", f"{shown(theirs)} (server.json)"
                line = client.line("messages", index, key)
                yield Issue("power-messages-differ", client.path, "", field, shown(ours), expected, line)
                return
    versions = [
        _version(server, "cmd", _CLIENT_VERSION, "mlcommons/power client v<number>"),
        _version(server, "reply", _SERVER_VERSION, "mlcommons/power server v<number>"),
    ]
    if versions[0] != versions[1]:
        detail = "client and server speak different versions of the protocol"
        found, expected = f"client v{versions[0][:20]}", f"v{versions[1][:20]} as the server"
        yield Issue("power-messages-differ", server.path, detail, "messages[0]", found, expected)


def _version(server: Session, key: str, pattern: re.Pattern[str], expected: str) -> str:
    match = pattern.search(server.text("messages", 0, key))
    if match is None:
        raise server.wrong("messages", 0, key, expected=expected)
    return match[1]


def check_device(server: Session, facts: PowerFacts) -> Iterator[Issue]:
    """The kind of analyzer is supported, and one with two channels has two set up."""
    number = server.at("ptd_config", "device_type")
    kinds = facts.daemon.analyzers
    if number not in kinds.values():
        expected = "one of " + ", ".join(map(str, sorted(set(kinds.values()))))
        line = server.line("ptd_config", "device_type")
        field = "ptd_config.device_type"
        yield Issue("power-device-unsupported", server.path, "", field, shown(number), expected, line)
        return
    if number in facts.daemon.two_channels:
        channels = _channels(server)
        count = server.count("ptd_config", "channel") if server.at("ptd_config", "channel") else 0
        if len(channels.split(",")) != 2 or count != 2:
            line = server.line("ptd_config", "channel")
            found = shown(server.at("ptd_config", "channel"))
            field, expected = "ptd_config.channel", "two channels, given to the daemon with -c"
            yield Issue("power-device-channels", server.path, "", field, found, expected, line)


def _channels(server: Session) -> str:
    """What stands behind ``-c`` in the daemon's command line."""
    for index in range(server.count("ptd_config", "command")):
        if server.at("ptd_config", "command", index) == "-c":
            return server.text("ptd_config", "command", index + 1)
    return ""


def check_debug(server: Session) -> Iterator[Issue]:
    """The server did not run in its debug mode."""
    debug = server.data.get("debug", False)
    if debug is not False:
        line = server.line("debug")
        yield Issue("power-server-debug", server.path, "", "debug", shown(debug), "false, or nothing", line)
