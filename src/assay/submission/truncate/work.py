"""Cut one log where it lies.

The order: the originals go to the backup; the hash goes to ``accuracy.txt``; the log is replaced. Each is one step
that happens or does not, and each is told by the content of the files, so that the next run goes on after the last.
"""

from __future__ import annotations

import os

from assay.base.progress import Step
from assay.errors import InvalidInputError
from assay.submission.truncate.backup import Backup
from assay.submission.truncate.copying import Identity, copy_file, hash_file, put
from assay.submission.truncate.cut import VIEW, shortened, with_hash
from assay.submission.truncate.logs import AccuracyLog, read_text
from assay.submission.truncate.model import LogReport, State

GLUED = "accuracy.txt ended without a line end; one was added"
TEXT_MODE = 0o644


def unfinished(log: AccuracyLog, backup: Backup, step: Step) -> bool:
    """Whether a log that looks done is one whose hash was written and that was not cut any more.

    Such is a log below the limit: its backup is there and still has the same content.

    Raises:
        OSError: when a file cannot be read.
    """
    if log.size < VIEW or not backup.holds(log.path, log.size):
        return False
    return hash_file(log.log, step) == hash_file(backup.log(log.path), step)


def cut_in_place(log: AccuracyLog, backup: Backup, step: Step) -> LogReport:
    """Keep the originals, write the hash, cut the log.

    Raises:
        InvalidInputError: when a file changes meanwhile, or is not the one that the backup holds.
        MachineError: when the machine refuses.
        OSError: when a file cannot be read.
    """
    digest, identity = _keep(log, backup, step)
    before, now = read_text(backup.text(log.path)), read_text(log.text)
    after = with_hash(before, digest)
    if now == before:
        put(log.text, after, Identity.of(log.text).mode if now is not None else TEXT_MODE)
    elif now != after:
        raise InvalidInputError(
            "accuracy.txt was changed since it was kept", where=log.text, expected="as in the backup"
        )
    content = shortened(log.log)
    if Identity.of(log.log) != identity:
        raise InvalidInputError("the log changed while it was cut", where=log.log, hint="let its run finish first")
    if content is not None:
        put(log.log, content, identity.mode)
    return report(log, digest, before, content)


def report(log: AccuracyLog, digest: str, text: bytes | None, content: bytes | None) -> LogReport:
    """What was done with a log."""
    glued = GLUED if text and not text.endswith(b"\n") else ""
    if content is None:
        return LogReport(log.path, State.HASHED, digest, log.size, log.size, glued)
    return LogReport(log.path, State.CUT, digest, log.size, len(content), glued)


def _keep(log: AccuracyLog, backup: Backup, step: Step) -> tuple[str, Identity]:
    """Hash of the log, and what it was when it was hashed; its original is in the backup then."""
    identity, kept = Identity.of(log.log), backup.log(log.path)
    if os.path.lexists(kept):
        digest = hash_file(log.log, step)
        if os.path.islink(kept) or not os.path.isfile(kept) or hash_file(kept, step) != digest:
            raise InvalidInputError(
                "the backup holds another log of this name", where=kept, hint="name a new folder for the backup"
            )
        return digest, identity
    # The text goes first: where the log's original is, everything is kept.
    if os.path.lexists(log.text):
        copy_file(log.text, backup.text(log.path), step, sync=True)
    return copy_file(log.log, kept, step, sync=True), identity
