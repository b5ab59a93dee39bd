"""Truncate the accuracy logs of a tree: where they lie, with a backup, or in a new tree."""

from __future__ import annotations

import contextlib
import dataclasses
import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from assay.base.files import locked, require_space
from assay.base.progress import SILENT, Progress, Step
from assay.errors import InvalidInputError, UsageError
from assay.rules.model import Round
from assay.rules.submission import SubmissionRules
from assay.submission.tree import TreeReader
from assay.submission.truncate.backup import Backup
from assay.submission.truncate.copying import Identity, copy_file, hash_file, new_tree, put
from assay.submission.truncate.cut import TEXT, shortened, with_hash
from assay.submission.truncate.logs import AccuracyLog, find_logs, read_text
from assay.submission.truncate.model import LogReport, State, TruncateReport
from assay.submission.truncate.places import require_outside, submitter_parts
from assay.submission.truncate.work import TEXT_MODE, cut_in_place, report, unfinished

TOOL = "assay truncate"


def submission_rules(round_: Round) -> SubmissionRules:
    """Rules of submission trees of a round.

    Raises:
        UsageError: when the round's file says nothing of them.
    """
    if round_.submission is None:
        raise UsageError(f"{round_.name} says nothing of submission trees", hint="assay rounds list")
    return round_.submission


@contextlib.contextmanager
def alone(lock: Path | None) -> Iterator[None]:
    """Hold the lock, where there is one, against a second run on the same tree.

    Raises:
        MachineError: when another process holds it.
    """
    with locked(lock, timeout_s=0) if lock is not None else contextlib.nullcontext():
        yield


def truncate(
    tree: Path,
    round_: Round,
    *,
    backup: Path | None = None,
    output: Path | None = None,
    submitters: Sequence[str] = (),
    dry_run: bool = False,
    lock: Path | None = None,
    progress: Progress = SILENT,
) -> TruncateReport:
    """Cut every accuracy log that is over the round's limit or has no hash yet, as the official tool does.

    Interrupted at any moment, the same call goes on where it stopped. Called again it changes nothing.

    Args:
        backup: folder for the originals, outside the tree; not there yet, or left by an interrupted run.
        output: a new tree to write instead; the old one stays as it is.
        submitters: only these; all when empty.
        dry_run: only say what would be done; needs neither backup nor output.
        lock: file that keeps a second run on the same tree away.

    Raises:
        UsageError: for a backup or output that cannot be taken.
        NotFoundError: when the tree or a submitter is not there.
        InvalidInputError: when it is no submission tree, or a link leads out of it (output only).
        MachineError: when the machine refuses, or another run is on it.
    """
    rules, reader = submission_rules(round_), TreeReader(tree)
    if backup is not None and output is not None:
        raise UsageError("give --backup or --output, not both")
    if backup is None and output is None and not dry_run:
        raise UsageError("say where the originals are to go", hint="--backup DIR, or --output DIR for a new tree")
    for place, what in ((backup, "the backup"), (output, "the new tree")):
        if place is not None:
            require_outside(place, reader.root, what)
    parts, limit = submitter_parts(reader, rules.divisions, submitters), rules.files.accuracy_log_max_bytes
    with alone(lock):
        logs = find_logs(reader, parts, limit)
        if dry_run:
            done = list(_trial(logs))
        elif output is not None:
            done = _into_new_tree(reader, parts, logs, output, progress)
        else:
            assert backup is not None
            done = _where_they_lie(reader, logs, Backup(backup), progress)
    place = None if dry_run else output or backup
    return TruncateReport(str(tree), round_.name, limit, dry_run, None if place is None else str(place), tuple(done))


def _trial(logs: Iterable[AccuracyLog]) -> Iterator[LogReport]:
    for log in logs:
        if log.state is not State.CUT:
            yield _as_it_is(log)
            continue
        try:
            yield report(log, "", read_text(log.text), shortened(log.log))
        except OSError as error:
            yield _refused(log, error)


def _where_they_lie(reader: TreeReader, logs: list[AccuracyLog], backup: Backup, progress: Progress) -> list[LogReport]:
    """Cut logs in their tree; one that several links lead to is done once."""
    logs = list(_each_once(logs, os.path.realpath(reader.root)))
    work = [log for log in logs if log.state is State.CUT]
    if work:
        backup.claim(reader.root)
        require_space(Path(backup.folder), sum(log.size for log in work if not backup.holds(log.path, log.size)))
    begun = backup.is_of(reader.root)
    with _measured(progress, work) as step:
        return [_one(log, backup, step, begun=begun) for log in logs]


def _one(log: AccuracyLog, backup: Backup, step: Step, *, begun: bool) -> LogReport:
    try:
        if log.state is State.CUT or (begun and log.state is State.KEPT and unfinished(log, backup, step)):
            return cut_in_place(log, backup, step)
    except (OSError, InvalidInputError) as error:
        return _refused(log, error)
    return _as_it_is(log)


def _into_new_tree(
    reader: TreeReader, parts: Sequence[str], logs: list[AccuracyLog], output: Path, progress: Progress
) -> list[LogReport]:
    work = [log for log in logs if log.state is State.CUT]
    own = {path for log in work for path in (log.path, _text_path(log))}
    done = {}
    with (
        new_tree(reader, parts, output, tool=TOOL, progress=progress, wanted=lambda path: path not in own) as root,
        _measured(progress, work) as step,
    ):
        for log in work:
            done[log.path] = _write_new(log, root, step)
    return [done.get(log.path) or _as_it_is(log) for log in logs]


def _write_new(log: AccuracyLog, root: str, step: Step) -> LogReport:
    """Write a log and its text to the copy of the tree; an original that cannot be read leaves no tree at all."""
    try:
        identity, text = Identity.of(log.log), read_text(log.text)
        digest, content = hash_file(log.log, step), shortened(log.log)
        mode = TEXT_MODE if text is None else Identity.of(log.text).mode
        if Identity.of(log.log) != identity:
            raise InvalidInputError("the log changed while it was read", where=log.log, hint="let its run finish first")
    except OSError as error:
        raise InvalidInputError("the log cannot be read", where=log.log, found=str(error)) from error
    put(os.path.join(root, _text_path(log)), with_hash(text, digest), mode)
    if content is None:
        copy_file(log.log, os.path.join(root, log.path), step)
    else:
        put(os.path.join(root, log.path), content, identity.mode)
    return report(log, digest, text, content)


def _each_once(logs: Iterable[AccuracyLog], root: str) -> Iterator[AccuracyLog]:
    """Logs by their real place."""
    seen = set()
    for log in logs:
        if not log.log:
            yield log
        elif log.log not in seen:
            seen.add(log.log)
            yield dataclasses.replace(log, path=os.path.relpath(log.log, root).replace(os.sep, "/"))


@contextlib.contextmanager
def _measured(progress: Progress, work: Sequence[AccuracyLog]) -> Iterator[Step]:
    step = progress.start("Truncating", total=sum(log.size for log in work), unit="B")
    try:
        yield step
    finally:
        step.finish()


def _text_path(log: AccuracyLog) -> str:
    return f"{os.path.dirname(log.path)}/{TEXT}"


def _as_it_is(log: AccuracyLog) -> LogReport:
    return LogReport(log.path, log.state, "", log.size, log.size, log.note)


def _refused(log: AccuracyLog, error: OSError | InvalidInputError) -> LogReport:
    why = str(error) if isinstance(error, InvalidInputError) else f"it cannot be read: {error.strerror or error}"
    return LogReport(log.path, State.REFUSED, "", log.size, log.size, why)
