"""Check that the files of a measurement are those that client and server hashed when it ended.

Source: ``results_check`` of the power working group's checker, the same in all rounds.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator
from typing import Any

from assay.rules.power import PowerFacts
from assay.submission.checks.context import shown
from assay.submission.issue import Issue
from assay.submission.power import files
from assay.submission.power.evidence import CLIENT, SERVER, Evidence, Session

# On Linux the daemon ends most lines of its log with LF, and these with CR LF.
_DAEMON_LINES = re.compile(rb"(: Response to client sent: [^\n]*|: Avg watts [^\n]*)\n")


def check_hashes(evidence: Evidence, client: Session, server: Session, facts: PowerFacts) -> Iterator[Issue]:
    """Every file has the SHA-1 that was recorded, and none is missing in the folder or in the records."""
    there = _listed(evidence)
    for name in there:
        if name not in facts.hashed and (problem := _unreadable(evidence, name)):
            yield Issue("power-file-unreadable", evidence.place(name), problem)
    recorded_client, recorded_server = _recorded(client), _recorded(server)
    for name in facts.hashed:
        yield from _one(evidence, name, there, recorded_client, recorded_server, (client, server))
    for name in (CLIENT, SERVER):
        if name not in there:
            yield Issue("power-hashed-file-missing", evidence.place(name), "it is reached only through a link")


def _one(
    evidence: Evidence,
    name: str,
    there: list[str],
    by_client: dict[str, Any],
    by_server: dict[str, Any],
    sessions: tuple[Session, Session],
) -> Iterator[Issue]:
    client, server = sessions
    place = evidence.place(name)
    if name in by_client and name in by_server and by_client[name] != by_server[name]:
        found, expected = shown(by_client[name]), f"{shown(by_server[name])} (server.json)"
        yield Issue("power-hash-conflict", client.path, "", f"results.{name}", found, expected)
    if name not in by_client and name not in by_server:
        expected = f"its SHA-1 here or in {client.path.rpartition('/')[2]}"
        yield Issue("power-hash-unrecorded", server.path, "", f"results.{name}", "nothing", expected)
    if name not in there:
        yield Issue("power-hashed-file-missing", place, found="nothing", expected="the file")
        return
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
        raw = files.read(os.path.join(evidence.folder, name), evidence.root)
    except OSError:
        return
    if b"\r" not in raw:
        for each in (raw.replace(b"\n", b"\r\n"), _DAEMON_LINES.sub(rb"\1\r\n", raw)):
            yield hashlib.sha1(each, usedforsecurity=False).hexdigest()


def _listed(evidence: Evidence) -> list[str]:
    """All files below the folder, links to folders not followed."""
    found: list[str] = []
    for path, _, names in os.walk(evidence.folder):
        inner = os.path.relpath(path, evidence.folder)
        prefix = "" if inner == "." else f"{inner.replace(os.sep, '/')}/"
        found += [f"{prefix}{name}" for name in names]
    return found


def _unreadable(evidence: Evidence, name: str) -> str:
    try:
        with files.opened(os.path.join(evidence.folder, name), evidence.root):
            return ""
    except OSError as error:
        return files.problem(error)
