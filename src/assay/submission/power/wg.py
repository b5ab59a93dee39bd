"""The power working group's eleven checks of a power measurement, and one of ours (:mod:`.samples`).

Each check is a function that says what it found; none knows how grave that is. Codes that end in ``-unseen`` are for
what the official checker would refuse and does not get to see.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator

from assay.rules.power import PowerFacts
from assay.submission.checks.context import shown
from assay.submission.issue import Issue
from assay.submission.power import daemon, hashes, phases, ptdlog, samples, sessions
from assay.submission.power.evidence import CLIENT, PTD_LOG, SERVER, SPL, TESTING, Evidence
from assay.submission.power.record import MalformedError, Session
from assay.submission.power.window import WindowError
from assay.submission.tree import Folder

_DAMAGE = (TypeError, ValueError, LookupError, ArithmeticError, AttributeError, RecursionError)
_MOST = 40

"""Codes that :func:`check_power_wg` uses and nothing else does."""


def check_power_wg(root: str, path: str, performance: Folder, facts: PowerFacts) -> list[Issue]:
    """Do the power working group's checks of one result.

    Reads all files of the measurement, those that the listing shows and no others: each session file up to 8 MiB, the
    daemon's log and each ``spl.txt`` up to 16 MiB, what is only hashed up to 4 GiB. Nothing in the folder makes this
    raise.

    Args:
        root: absolute path of the tree.
        path: ``performance/`` of the result, relative to the root.
        performance: its listing, with ``power/``, ``ranging/`` and ``run_1/`` in it.
        facts: what the round asks (:func:`assay.rules.power.load_power`).

    Returns:
        Issues in the order of the official checker's checks; none when all passed. The official checker of the round
        refuses the measurement when one of them is a ``reject`` under it.
    """
    found: list[Issue] = []
    for issues in each_check(root, path, performance, facts).values():
        found += [issue for issue in issues if issue not in found]
    return found


def each_check(root: str, path: str, performance: Folder, facts: PowerFacts) -> dict[str, list[Issue]]:
    """What each check found, in their order; arguments as of :func:`check_power_wg`.

    Returns:
        Name of the check to its issues. All but ``samples`` are the official checker's. ``session`` stands alone when
        a session file cannot be read, for then no check is possible.
    """
    evidence = Evidence(root, path, performance)
    read: list[Session] = []
    for name in (CLIENT, SERVER):
        try:
            read.append(evidence.session(name, facts.session_fields))
        except MalformedError as problem:
            return {"session": [problem.issue("power-session-unreadable")]}
    client, server = read
    return {name: _issues(code, place, check) for name, code, place, check in _checks(evidence, client, server, facts)}


_Check = tuple[str, str, str, Callable[[], Iterable[Issue]]]


def _checks(evidence: Evidence, client: Session, server: Session, facts: PowerFacts) -> Iterator[_Check]:
    """The checks: name, code and place of what makes one impossible, and the check itself."""
    ours, theirs = client.path, server.path
    log, spl = evidence.place(PTD_LOG), evidence.place(f"{TESTING}/{SPL}")
    yield "client-sources", "power-sources-unknown", ours, lambda: sessions.check_sources(client, facts)
    yield "server-sources", "power-sources-unknown", theirs, lambda: sessions.check_sources(server, facts)
    yield "daemon", "power-daemon-reply", theirs, lambda: daemon.check_daemon(server, facts)
    yield "identities", "power-uuid-differs", ours, lambda: sessions.check_identities(client, server)
    yield "session-name", "power-session-name-differs", ours, lambda: sessions.check_session_name(client, server)
    yield "times", "power-phases-wrong", ours, lambda: phases.check_phases(evidence, client, server, facts)
    yield "messages", "power-messages-differ", ours, lambda: sessions.check_messages(client, server)
    yield "hashes", "power-hash-unrecorded", theirs, lambda: hashes.check_hashes(evidence, client, server, facts)
    yield "daemon-log", "power-daemon-log-unreadable", log, lambda: ptdlog.check_log(evidence, server, facts)
    yield "device", "power-device-unsupported", theirs, lambda: sessions.check_device(server, facts)
    yield "debug", "power-server-debug", theirs, lambda: sessions.check_debug(server)
    yield "samples", "power-sample-strange", spl, lambda: samples.check_samples(evidence, facts)


def _issues(code: str, place: str, check: Callable[[], Iterable[Issue]]) -> list[Issue]:
    """What a check found; a value of a kind that it cannot take is an issue, too."""
    found: list[Issue] = []
    try:
        for issue in itertools.islice(check(), _MOST):
            found.append(issue)  # noqa: PERF402 - what was found before an error counts
    except WindowError as problem:
        found.append(problem.issue("power-window-unreadable"))
    except MalformedError as problem:
        found.append(problem.issue(code))
    except _DAMAGE as error:
        found.append(Issue(code, place, f"a value cannot be taken: {shown(str(error))}"))
    return found
