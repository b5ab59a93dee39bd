"""Build a submission tree: choose, ask, write, check, give it its name."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from assay.assets.catalogue import Catalogue
from assay.base.progress import SILENT, Progress
from assay.errors import UsageError, unknown
from assay.loadgen.record import RunStatus
from assay.loadgen.runs import RunCatalogue
from assay.rules.model import Division, Round
from assay.rules.submission import Level
from assay.submission.building.choose import choose
from assay.submission.building.layout import Part, lay_out
from assay.submission.building.model import BuildReport, Entry, Missing, Taken, Wish
from assay.submission.building.write import pack, put_in_place, require_free, staged, write_listing, write_pieces
from assay.submission.check import check
from assay.submission.model import CheckReport
from assay.submission.truncate.run import alone, submission_rules

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,127}")


def taken_runs(catalogue: RunCatalogue, named: Iterable[str] = ()) -> tuple[list[Taken], tuple[str, ...]]:
    """All runs of a home, newest first, and the full ids of those that were named.

    Raises:
        NotFoundError: when a name fits none or several.
    """
    ids = tuple(dict.fromkeys(catalogue.find(name).id for name in named))
    return [Taken(record, catalogue.folder / record.id) for record in catalogue.records()], ids


def build(
    runs: RunCatalogue,
    round_: Round,
    wish: Wish,
    out: Path,
    *,
    assets: Catalogue,
    force: bool = False,
    dry_run: bool = False,
    archive: Path | None = None,
    lock: Path | None = None,
    progress: Progress = SILENT,
) -> BuildReport:
    """Build a tree of the best runs, or of those that are named; nothing is written while something is missing.

    Args:
        assets: what is known of models.
        force: a tree that was built at the same place is replaced.
        dry_run: only say what would be built.
        archive: pack the tree here, too.
        lock: file that keeps a second build of the same tree away.

    Raises:
        UsageError: for names that cannot be folders, a place that is taken, fields that the round does not have.
        NotFoundError: for runs and benchmarks that are not there.
        MachineError: when the machine refuses, or another build is on it.
    """
    return build_all(
        runs, round_, (wish,), out,
        assets=assets, force=force, dry_run=dry_run, archive=archive, lock=lock, progress=progress,
    )  # fmt: skip


def build_all(
    runs: RunCatalogue,
    round_: Round,
    wishes: Sequence[Wish],
    out: Path,
    *,
    assets: Catalogue,
    force: bool = False,
    dry_run: bool = False,
    archive: Path | None = None,
    lock: Path | None = None,
    progress: Progress = SILENT,
) -> BuildReport:
    """Build one tree of several systems, as :func:`build` does of one.

    Args:
        wishes: one for each system; submitter and division are those of the first.
    """
    rules = submission_rules(round_)
    out = Path(os.path.abspath(out))
    for wish in wishes:
        _check_names(wish, round_, out, archive)
    _check_systems(wishes)
    with alone(lock):
        require_free(out, rules.divisions, force=force)
        parts, missing, notes = _choose_each(runs, round_, wishes)
        wish = parts[0][1]
        layout = lay_out(parts, round_, assets)
        missing += layout.missing
        asked = [each for each in missing if not (wish.rehearsal and each.spared)]
        spared = [each for each in missing if wish.rehearsal and each.spared]
        without = [f"{each.where}: {each.what} ({each.how})" for each in spared]
        report = BuildReport(
            out,
            round_.name,
            wish,
            tuple(entry for entries, _ in parts for entry in entries),
            tuple(asked),
            (*notes, *layout.notes, *without),
            pieces=len(layout.pieces),
            dry_run=dry_run,
        )
        if not report.ok or dry_run:
            return report
        with staged(out) as staging:
            hashes = write_pieces(staging, layout.sorted(), progress)
            checked = check(staging, round_, jobs=1, progress=progress)
            if not wish.rehearsal and (refused := _refused(checked)):
                return replace(report, missing=tuple(refused))
            listing = write_listing(out, hashes)
            packed = None if archive is None else (archive, pack(staging, hashes, archive, out.name))
            put_in_place(staging, out)
    return replace(report, findings=_counted(checked), files=hashes, listing=listing, archive=packed)


def _choose_each(
    runs: RunCatalogue, round_: Round, wishes: Sequence[Wish]
) -> tuple[list[Part], list[Missing], list[str]]:
    """What is chosen of each system, what is missing, and what a reader should know."""
    parts: list[Part] = []
    missing: list[Missing] = []
    notes: list[str] = []
    for named in wishes:
        taken, ids = taken_runs(runs, named.runs)
        wish = replace(named, runs=ids)
        _check_named(taken, wish, round_)
        chosen = choose(taken, round_, wish)
        parts.append((chosen.entries, wish))
        missing += chosen.missing
        notes += [*chosen.notes, *_unused(chosen.entries, wish)]
    return parts, missing, notes


def _check_systems(wishes: Sequence[Wish]) -> None:
    names = [wish.system for wish in wishes]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise UsageError(f"two systems of one tree are named {twice}", hint="give each a name of its own")
    if len({(wish.top, wish.rehearsal) for wish in wishes}) > 1:
        raise UsageError("the systems of one tree have one submitter and one division")


def _check_names(wish: Wish, round_: Round, out: Path, archive: Path | None) -> None:
    named: Mapping[str, str | None] = {
        "--submitter": wish.submitter, "--system": wish.system, "--implementation": wish.implementation,
    }  # fmt: skip
    for option, name in named.items():
        if name is not None and not _NAME.fullmatch(name):
            expected = "letters, digits, '.', '_', '-' and '+', beginning with a letter or digit"
            raise UsageError(f"{option} {name!r} cannot be the name of a folder", expected=expected)
    rules = submission_rules(round_)
    if wish.division is Division.NETWORK or wish.division.value not in rules.divisions:
        raise UsageError(f"no tree is built for the {wish.division.value} division", expected="closed or open")
    for key in wish.fields:
        field = key.rpartition(".")[2]
        if field not in rules.measurements.fields:
            raise unknown("field", field, rules.measurements.fields)
    if archive is not None and out.resolve() in archive.resolve().parents:
        raise UsageError("the archive must not be inside the tree", where=archive)


def _check_named(taken: list[Taken], wish: Wish, round_: Round) -> None:
    """A run that was named is finished, of the round, and of a kind that stands in ``results``."""
    for run in (each.record for each in taken if each.record.id in wish.runs):
        if run.round != round_.name:
            raise UsageError(
                f"{run.id} is a run of another round",
                expected=round_.name,
                found=run.round,
                hint=f"--round {run.round}",
            )
        if run.status is not RunStatus.FINISHED:
            raise UsageError(f"{run.id} did not finish", found=run.failure or run.status.value, hint=run.command)
        if run.compliance:
            raise UsageError(
                f"{run.id} is a run of compliance test {run.compliance}",
                expected="performance and accuracy runs",
                hint="leave it out: compliance runs are taken with the run that they belong to",
            )


def _unused(entries: Iterable[Entry], wish: Wish) -> list[str]:
    """Runs that were named and are not in the tree."""
    used = {run.record.id for entry in entries for run in entry.runs}
    why = "another run is better, or the benchmark has no such scenario in the category"
    return [f"{name} is not taken: {why}" for name in wish.runs if name not in used]


def _refused(checked: CheckReport) -> list[Missing]:
    """What the checks refuse in a tree that is to be submitted."""
    grave = (Level.FLAG, Level.REJECT)
    return [
        Missing(
            each.result or each.path,
            f"{each.title} ({each.code}): {each.place}",
            each.fix or f"assay explain {each.code}",
        )
        for each in checked.findings
        if each.strict in grave or each.official in grave
    ]


def _counted(checked: CheckReport) -> dict[str, int]:
    found = Counter(each.code for each in checked.findings if each.strict in (Level.FLAG, Level.REJECT))
    return dict(sorted(found.items()))
