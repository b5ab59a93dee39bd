"""Check that the files of a measurement are those that client and server hashed when it ended.

Source: ``results_check`` of the power working group's checker, the same in all rounds.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from typing import Any

from assay.rules.power import PowerFacts
from assay.submission.checks.context import shown
from assay.submission.issue import Issue
from assay.submission.power import files
from assay.submission.power.evidence import CLIENT, SERVER, Evidence
from assay.submission.power.record import Session

# On Linux the daemon ends most lines of its log with LF, and these with CR LF.
_DAEMON_LINES = re.compile(rb"(: Response to client sent: [^\n]*|: Avg watts [^\n]*)\n")


def check_hashes(evidence: Evidence, client: Session, server: Session, facts: PowerFacts) -> Iterator[Issue]:
    """Every file has the SHA-1 that was recorded, and none is missing in the folder or in the records."""
    there = evidence.listed()
    for name, problem in there.items():
        # Of a file that nobody hashed it only matters that it opens.
        if name not in facts.hashed and problem != files.OUTSIDE and (told := problem or evidence.unreadable(name)):
            yield Issue("power-file-unreadable", evidence.place(name), told)
    recorded = _recorded(client), _recorded(server)
    for name in facts.hashed:
        yield from _recording(name, recorded, (client, server))
        if name not in there:
            yield Issue("power-hashed-file-missing", evidence.place(name), found="nothing", expected="the file")
        elif there[name]:
            yield Issue("power-file-unreadable", evidence.place(name), there[name])
        else:
            yield from _content(evidence, name, *recorded)
    for name in (CLIENT, SERVER):
        if name not in there:
            yield Issue("power-hashed-file-missing", evidence.place(name), "it is reached only through a link")


def _recording(
    name: str, recorded: tuple[dict[str, Any], dict[str, Any]], sessions: tuple[Session, Session]
) -> Iterator[Issue]:
    """Whether somebody wrote down the hash of a file, and both the same one."""
    (by_client, by_server), (client, server) = recorded, sessions
    field = f"results.{name}"
    if name in by_client and name in by_server and by_client[name] != by_server[name]:
        found, expected = shown(by_client[name]), f"{shown(by_server[name])} (server.json)"
        yield Issue("power-hash-conflict", client.path, "", field, found, expected, client.line("results", name))
    if name not in by_client and name not in by_server:
        expected = f"its SHA-1 here or in {client.path.rpartition('/')[2]}"
        yield Issue("power-hash-unrecorded", server.path, "", field, "nothing", expected, server.line("results"))


def _content(evidence: Evidence, name: str, by_client: dict[str, Any], by_server: dict[str, Any]) -> Iterator[Issue]:
    """Whether a file is the one that was hashed."""
    place = evidence.place(name)
    try:
        found = evidence.sha1(name)
    except OSError as error:
        yield Issue("power-file-unreadable", place, files.problem(error))
        return
    # The server's record counts where both have one.
    recorded = by_server.get(name, by_client.get(name, found))
    if recorded != found:
        by = "server.json" if name in by_server else "client.json"
        code, detail = "power-hash-differs", f"the file is not the one that was hashed ({by})"
        if recorded in _as_measured(evidence, name):
            code, detail = "power-hash-line-ends", "with CR LF where it has LF it is the file that was hashed"
        yield Issue(code, place, detail, "SHA-1", found, shown(recorded))


def _recorded(session: Session) -> dict[str, Any]:
    results = session.at("results")
    if not isinstance(results, dict):
        raise session.wrong("results", expected="file names with their SHA-1")
    return results


def _as_measured(evidence: Evidence, name: str) -> Iterator[str]:
    """SHA-1 of a file as it may have been before somebody's tools made LF of CR LF."""
    try:
        raw = evidence.small(name)
    except OSError:
        return
    if b"\r" not in raw:
        for each in (raw.replace(b"\n", b"\r\n"), _DAEMON_LINES.sub(rb"\1\r\n", raw)):
            yield hashlib.sha1(each, usedforsecurity=False).hexdigest()
