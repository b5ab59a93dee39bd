"""The power working group's eleven checks of a power measurement.

Each check is a function that says what it found; none knows how grave that is. Codes that end in ``-unseen`` are for
what the official checker would refuse and does not get to see.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from assay.rules.power import PowerFacts
from assay.submission.issue import Issue
from assay.submission.power import daemon, hashes, phases, ptdlog, sessions
from assay.submission.power.evidence import CLIENT, SERVER, Evidence, MalformedError, Session, WindowError

_DAMAGE = (TypeError, ValueError, LookupError, ArithmeticError, AttributeError, RecursionError)
_MOST = 40

WG_CODES = frozenset(
    {
        "power-analyzer-unsupported",
        "power-average-low",
        "power-average-low-unseen",
        "power-average-unreadable",
        "power-average-unreadable-unseen",
        "power-clock-difference",
        "power-daemon-error",
        "power-daemon-error-accepted",
        "power-daemon-error-ranging",
        "power-daemon-error-unseen",
        "power-daemon-log-unreadable",
        "power-daemon-log-untimed",
        "power-daemon-log-untimed-unseen",
        "power-daemon-reply",
        "power-daemon-version",
        "power-daemon-warning",
        "power-device-channels",
        "power-device-unsupported",
        "power-duration-differs",
        "power-duration-shorter",
        "power-file-unreadable",
        "power-hash-conflict",
        "power-hash-differs",
        "power-hash-line-ends",
        "power-hash-unrecorded",
        "power-hashed-file-missing",
        "power-messages-differ",
        "power-phases-wrong",
        "power-ranges-not-restored",
        "power-server-debug",
        "power-session-name-differs",
        "power-session-unreadable",
        "power-sources-unknown",
        "power-uncertainty-high",
        "power-uncertainty-high-unseen",
        "power-uncertainty-unwatched",
        "power-uuid-differs",
        "power-window-outside",
        "power-window-shifted",
        "power-window-unreadable",
    }
)
"""Codes that :func:`check_power` uses and nothing else does."""


def check_power(performance_dir: Path, relative: str, facts: PowerFacts) -> list[Issue]:
    """Do the power working group's checks of one result.

    Reads all files of the measurement: each session file up to 8 MiB, the daemon's log and ``spl.txt`` up to 16 MiB,
    what is only hashed without a limit. Nothing in the folder makes this raise.

    Args:
        performance_dir: ``performance/`` of the result, with ``power/``, ``ranging/`` and ``run_1/`` in it.
        relative: the same path relative to the root of the tree.
        facts: what the round asks.

    Returns:
        Issues in the order of the official checker's checks; none when all passed.
    """
    evidence = Evidence.of(performance_dir, relative)
    read: list[Session] = []
    for name in (CLIENT, SERVER):
        try:
            read.append(evidence.session(name, facts.session_fields))
        except MalformedError as problem:
            return [problem.issue("power-session-unreadable")]
    client, server = read
    found: list[Issue] = []
    for code, place, check in _checks(evidence, client, server, facts):
        found += [issue for issue in _issues(code, place, check) if issue not in found]
    return found


def _checks(
    evidence: Evidence, client: Session, server: Session, facts: PowerFacts
) -> Iterator[tuple[str, str, Callable[[], Iterable[Issue]]]]:
    """The checks: code and place of what makes one impossible, and the check."""
    log = evidence.place("power/ptd_logs.txt")
    yield "power-sources-unknown", client.path, lambda: sessions.check_sources(client, facts)
    yield "power-sources-unknown", server.path, lambda: sessions.check_sources(server, facts)
    yield "power-daemon-reply", server.path, lambda: daemon.check_daemon(server, facts)
    yield "power-uuid-differs", client.path, lambda: sessions.check_identities(client, server)
    yield "power-session-name-differs", client.path, lambda: sessions.check_session_name(client, server)
    yield "power-phases-wrong", client.path, lambda: phases.check_phases(evidence, client, server, facts)
    yield "power-messages-differ", client.path, lambda: sessions.check_messages(client, server)
    yield "power-hash-unrecorded", server.path, lambda: hashes.check_hashes(evidence, client, server, facts)
    yield "power-daemon-log-unreadable", log, lambda: ptdlog.check_log(evidence, server, facts)
    yield "power-device-unsupported", server.path, lambda: sessions.check_device(server, facts)
    yield "power-server-debug", server.path, lambda: sessions.check_debug(server)


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
        found.append(Issue(code, place, f"a value cannot be taken: {str(error)[:200]}"))
    return found
