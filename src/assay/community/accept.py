"""Acceptance: an upload in a staging folder is checked and its results go into the server's repository as one commit."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from assay.base.progress import SILENT, Progress
from assay.base.settings import Settings
from assay.community.challenge import Challenge
from assay.community.outcome import Outcome


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

    Raises:
        InvalidInputError: when it is nothing that can be taken.
        UsageError: for a challenge that takes no results now.
        MissingDependencyError: without git.
    """
    raise NotImplementedError
