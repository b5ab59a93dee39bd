"""Put originals back from a backup, each proven by the hash that ``accuracy.txt`` names."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from assay.base.files import machine_errors
from assay.base.progress import SILENT, Progress, Step
from assay.errors import InvalidInputError, NotFoundError, UsageError
from assay.submission.tree import TreeReader
from assay.submission.truncate.backup import Backup
from assay.submission.truncate.copying import Identity, copy_file, hash_file, put
from assay.submission.truncate.cut import TEXT, has_hash, shortened, with_hash, without_hash
from assay.submission.truncate.logs import read_text
from assay.submission.truncate.model import LogReport, State, TruncateReport
from assay.submission.truncate.run import alone

_DIVISIONS = ("closed", "open", "network")


def restore(
    tree: Path,
    backup: Path,
    *,
    submitters: Sequence[str] = (),
    dry_run: bool = False,
    lock: Path | None = None,
    progress: Progress = SILENT,
) -> TruncateReport:
    """Put the logs of a backup back and take their hashes out of ``accuracy.txt``; the backup stays.

    A backup that the official tool made will do as well. A log is left alone when its text does not name the hash of
    the backup's, or when it is neither the original nor what is left of that after cutting.

    Raises:
        NotFoundError: when the tree or the backup is not there.
        UsageError: when the backup holds no logs.
        MachineError: when the machine refuses, or another run is on it.
    """
    reader, kept = TreeReader(tree), Backup(backup)
    if not os.path.isdir(kept.folder):
        raise NotFoundError("the backup is not there", where=backup)
    paths = [path for path in kept.logs() if _is_selected(path, submitters)]
    if not paths:
        raise UsageError("the backup holds no accuracy logs for this", where=backup)
    with alone(lock):
        total = sum(Identity.of(kept.log(path)).size for path in paths)
        step = progress.start("Restoring", total=total, unit="B")
        try:
            done = tuple(_one(reader.root, path, kept, step, dry_run=dry_run) for path in paths)
        finally:
            step.finish()
    return TruncateReport(str(tree), "", 0, dry_run, str(backup), done)


def _is_selected(path: str, submitters: Sequence[str]) -> bool:
    parts = path.split("/")
    return len(parts) > 3 and parts[0] in _DIVISIONS and (not submitters or parts[1] in submitters)


def _one(root: str, path: str, kept: Backup, step: Step, *, dry_run: bool) -> LogReport:
    try:
        return _restore(root, path, kept, step, dry_run=dry_run)
    except (OSError, InvalidInputError) as error:
        why = str(error) if isinstance(error, InvalidInputError) else f"it cannot be read: {error.strerror or error}"
        return LogReport(path, State.REFUSED, note=why)


def _restore(root: str, path: str, kept: Backup, step: Step, *, dry_run: bool) -> LogReport:
    log = os.path.realpath(os.path.join(root, path))
    text = os.path.join(os.path.dirname(log), TEXT)
    inside = os.path.realpath(os.path.join(root, *path.split("/")[:2])) + os.sep
    if not (log.startswith(inside) and os.path.realpath(text).startswith(inside)):
        raise InvalidInputError("a link leads out of the submitter's folder", where=log)
    if not os.path.isdir(os.path.dirname(log)):
        raise InvalidInputError("the folder of the log is not in the tree", where=os.path.dirname(log))
    source = kept.log(path)
    digest, said = hash_file(source, step), read_text(text)
    size, before = Identity.of(source).size, _size(log)
    whole = before == size and hash_file(log, step) == digest
    if said is None or not has_hash(said, digest):
        if whole:
            return LogReport(path, State.KEPT, digest, size, size)
        raise InvalidInputError(
            "accuracy.txt does not name the hash of the original in the backup", where=text, expected=f"hash={digest}"
        )
    if not whole and before is not None and _content(log) != shortened(source):
        raise InvalidInputError("the log was changed after it was cut", where=log)
    if not dry_run:
        if not whole:
            copy_file(source, log, step, expected=digest, sync=True)
        _restore_text(text, said, digest, kept, path)
    return LogReport(path, State.RESTORED, digest, before or 0, size)


def _restore_text(text: str, said: bytes, digest: str, kept: Backup, path: str) -> None:
    """Take the hash out; the text is byte for byte what it was where nobody wrote to it since."""
    before = read_text(kept.text(path))
    as_left = kept.is_ours and said == with_hash(before, digest)
    after = before if as_left else without_hash(said, digest) or None
    if after is None:
        with machine_errors(Path(text)):
            os.unlink(text)
    else:
        put(text, after, Identity.of(text).mode)


def _size(path: str) -> int | None:
    try:
        return Identity.of(path).size
    except FileNotFoundError:
        return None


def _content(path: str) -> bytes:
    content = read_text(path)
    return b"" if content is None else content
