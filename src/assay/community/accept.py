"""Acceptance: an upload in a staging folder is checked and its results go into the server's repository as one commit."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from assay.base.progress import SILENT, Progress
from assay.base.settings import Settings
from assay.cm.git import Author
from assay.community.accept_runs import examine_runs
from assay.community.accept_tree import examine_tree
from assay.community.candidate import Examined
from assay.community.challenge import Challenge, Status
from assay.community.ledger import Stamp, Taken, take
from assay.community.outcome import AcceptedResult, Outcome, UploadKind
from assay.community.server_repository import ALIAS, server_repository
from assay.community.upload import sniff
from assay.errors import UsageError


def accept(
    upload: Path,
    contributor: str,
    settings: Settings,
    *,
    now: datetime,
    challenges: Sequence[Challenge] = (),
    private: bool = False,
    embargo: datetime | None = None,
    display_name: str = "",
    organisation: str = "",
    round_: str | None = None,
    jobs: int = 1,
    progress: Progress = SILENT,
) -> Outcome:
    """Check an upload and take its results.

    Each result is taken or refused on its own; what is taken is one commit, and when nothing is, the repository stays
    as it was. The same upload again changes nothing.

    Args:
        upload: folder that holds a submission tree or run folders, extracted; it is only read.
        contributor: account name.
        settings: say where the server's repository is.
        now: the moment of acceptance, with a zone.
        challenges: that the results take part in; the contributor has to be allowed to see them.
        private: only the contributor may see the results.
        embargo: when everybody may see them, with a zone; until then only the contributor.
        display_name: name in the commit and in a new contributor's entry.
        organisation: of a new contributor's entry, and of runs, which name none.
        round_: whose rules a tree is checked by; told from its logs when None.
        jobs: processes that check.
        progress: of the check.

    Raises:
        InvalidInputError: when it is nothing that can be taken.
        UsageError: for an account that cannot be one, or a challenge that takes no results now.
        MissingDependencyError: without git.
    """
    author = Author.of(contributor, display_name)
    stamp = Stamp(
        contributor=contributor,
        display_name=author.name,
        organisation=organisation,
        now=now.astimezone(UTC),
        challenges=tuple(challenges),
        access=_access(contributor, challenges, now, private=private, embargo=embargo),
        embargo=None if embargo is None else _utc(embargo),
    )
    # Before any work: without git nothing could be kept.
    server_repository(settings)
    found = sniff(upload)
    if found.kind is UploadKind.TREE:
        examined = examine_tree(found.root, round_, source=ALIAS, jobs=jobs, progress=progress)
    else:
        examined = examine_runs(found.root, found.runs, settings, organisation=organisation or None)
    taken = take(examined.candidates, stamp, author, settings) if examined.candidates else Taken()
    return _outcome(found.kind, examined, taken)


def _outcome(kind: UploadKind, examined: Examined, taken: Taken) -> Outcome:
    accepted = tuple(
        AcceptedResult(
            uid=each.row.uid,
            path=each.path,
            round=each.row.round,
            benchmark=each.row.benchmark,
            scenario=each.row.scenario,
            division=each.row.division,
            value=each.row.value,
            unit=each.row.unit,
            official=each.row.official,
            strict=each.row.strict,
            labels=each.row.labels,
            known=each.known,
        )
        for each in taken.entries
    )
    return Outcome(
        kind,
        accepted,
        (*examined.refused, *taken.refused),
        examined.findings,
        examined.findings_total,
        taken.commit,
        examined.round,
    )


def _access(
    contributor: str, challenges: Sequence[Challenge], now: datetime, *, private: bool, embargo: datetime | None
) -> str | None:
    """Who alone may see the results; None for everybody.

    Raises:
        UsageError: for a challenge that takes none now, two that are private, or an embargo that means nothing.
    """
    for each in challenges:
        status = each.status_at(now)
        if status is not Status.OPEN:
            when = each.opens if status is Status.UPCOMING else each.closes if status is Status.CLOSED else None
            day = f" ({'opens' if status is Status.UPCOMING else 'closed'} {when.isoformat()})" if when else ""
            raise UsageError(
                f"the challenge {each.name} takes no results: it is {status.value}{day}",
                hint="push without it, or to one that is open",
            )
    if embargo is not None and (embargo.tzinfo is None or embargo <= now):
        raise UsageError("the embargo is no moment to come", expected="a later moment, with its time zone")
    limited = sorted({each.access for each in challenges if each.access is not None})
    if len(limited) > 1:
        raise UsageError("a result can take part in one private challenge only")
    if private:
        return f"account:{contributor}"
    if limited:
        return limited[0]
    return f"account:{contributor}" if embargo is not None else None


def _utc(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
