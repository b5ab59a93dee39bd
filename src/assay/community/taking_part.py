"""Joining a challenge and leaving it, as the contributor's entry in the server's repository says it."""

from __future__ import annotations

from assay.base.settings import Settings
from assay.cm.artifact import CONTRIBUTOR
from assay.cm.git import Author
from assay.community.challenge import Challenge, Status
from assay.community.contributor_entry import ensure_contributor
from assay.community.server_repository import transaction
from assay.errors import UsageError


def join(
    settings: Settings, challenge: Challenge, account: str, *, display_name: str = "", organisation: str = ""
) -> None:
    """Write into a contributor's entry, which is made when there is none, that they take part in a challenge.

    Nothing is written for a private one: the entry is everybody's to read.

    Args:
        settings: say where the repository is.
        challenge: with its status at the moment.
        account: who joins.
        display_name: as shown in a new entry.
        organisation: as shown in a new entry.

    Raises:
        UsageError: for a challenge that is closed, or an account that cannot be one.
        MissingDependencyError: without git.
    """
    if challenge.status is Status.CLOSED:
        raise UsageError(f"the challenge {challenge.name} is closed", hint="join one that is open: /challenges")
    author = Author.of(account, display_name)
    if challenge.private:
        return
    with transaction(settings, author, f"{account} joins {challenge.name}") as work:
        work.will_write(work.editor.repository.root / CONTRIBUTOR.alias / account)
        ensure_contributor(
            work.editor, account, name=display_name, organisation=organisation, challenges=[challenge.uid]
        )


def leave(settings: Settings, challenge: Challenge, account: str) -> None:
    """Take a challenge out of a contributor's entry; nothing happens where it does not stand there.

    Results stay, and so do their points.

    Raises:
        UsageError: for an account that cannot be one.
        MissingDependencyError: without git.
    """
    author = Author.of(account)
    with transaction(settings, author, f"{account} leaves {challenge.name}") as work:
        found = work.editor.get(CONTRIBUTOR, account)
        listed = found.meta.get("challenges") if found is not None else None
        words = listed if isinstance(listed, list) else []
        kept = [each for each in words if each not in (challenge.uid, challenge.alias)]
        if kept != words:
            work.will_write(work.editor.repository.root / CONTRIBUTOR.alias / account)
            work.editor.ensure(CONTRIBUTOR, account, meta={"challenges": kept})
