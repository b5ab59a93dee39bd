"""Importing: what a source is, its rows, and where they go.

A submission tree, a ``summary.csv`` and a run become experiments of a repository; a CM repository is registered and
read where it lies, because its files are the truth already.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

from assay.base.progress import SILENT, Progress
from assay.base.settings import Settings
from assay.cm.meta import has_meta
from assay.cm.registry import Registry
from assay.cm.repository import META, Repository, local_repository
from assay.errors import InvalidInputError, NotFoundError
from assay.results.clean import encodable
from assay.results.exchange import looks_like_rows, read_rows_file
from assay.results.experiments import Written, write_rows
from assay.results.importers.loadgen_run import is_run, run_row
from assay.results.importers.source import Source, source_of
from assay.results.importers.submission import rows_of
from assay.results.importers.summary_csv import looks_like_summary, summary_rows
from assay.results.row import Row
from assay.results.store import open_store
from assay.rules.load import load_round
from assay.submission.check import check
from assay.submission.guess import guess_round
from assay.submission.model import CheckReport
from assay.submission.read import Options

_DIVISIONS = ("closed", "open", "network")


class Kind(StrEnum):
    """What can be imported."""

    TREE = "submission tree"
    REPOSITORY = "CM repository"
    SUMMARY = "summary.csv"
    RUN = "LoadGen run"
    ROWS = "table of rows"


@dataclass(frozen=True, slots=True)
class Given:
    """What the user says of a source; None and empty mean: find out.

    Attributes:
        round: name of the round.
        repository: public address of the tree.
        commit: commit of the tree.
        official: MLCommons published it.
        benchmark: of a run.
        division: of a run.
        organisation: of a run.
        system: system description of a run.
        jobs: processes.
    """

    round: str | None = None
    repository: str | None = None
    commit: str | None = None
    official: bool | None = None
    benchmark: str | None = None
    division: str = "open"
    organisation: str | None = None
    system: Path | None = None
    jobs: int | None = None


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import gave.

    Attributes:
        kind: what the source was.
        source: name, address and commit.
        rounds: name of each round and how many results of it there are.
        written: what changed in the repository; None where nothing was written.
        report: of the check, for a tree.
        repository: that holds the rows now.
    """

    kind: Kind
    source: Source
    rounds: dict[str, int]
    written: Written | None
    report: CheckReport | None
    repository: Repository


def kind_of(path: Path) -> Kind:
    """What a path is.

    Raises:
        NotFoundError: when there is nothing.
        InvalidInputError: when it is nothing that can be imported.
    """
    if not path.exists():
        raise NotFoundError("nothing is there", where=path)
    if path.is_file():
        if looks_like_summary(path):
            return Kind.SUMMARY
        if looks_like_rows(path):
            return Kind.ROWS
    elif has_meta(path, META):
        return Kind.REPOSITORY
    elif is_run(path):
        return Kind.RUN
    elif any((path / division).is_dir() for division in _DIVISIONS):
        return Kind.TREE
    raise InvalidInputError(
        "nothing that can be imported",
        where=path,
        expected="a submission tree (closed/, open/), a CM repository (cmr.yaml), an official summary.csv, "
        "a folder with mlperf_log_detail.txt, or a .parquet that assay exported",
    )


def read_source(
    path: Path, given: Given, settings: Settings, *, progress: Progress = SILENT
) -> tuple[Source, str, list[Row], CheckReport | None]:
    """Rows of a tree, a summary or a run: their source, their round, the rows, and the report of a tree's check.

    Raises:
        NotFoundError: for an unknown round or benchmark.
        InvalidInputError: for a damaged source.
    """
    kind = kind_of(path)
    source = source_of(
        path if path.is_dir() else path.parent,
        repository=given.repository,
        commit=given.commit,
        official=given.official,
    )
    if kind is not Kind.TREE or source.repository is None:
        # One folder is called run_1 as the next one is.
        source = replace(source, place=encodable(str(path.resolve())))
    if kind is Kind.TREE:
        round_ = load_round(given.round or _guessed(path))
        report = check(
            path,
            round_,
            options=Options(provenance=True),
            jobs=given.jobs,
            cache=settings.cache_dir / "import",
            progress=progress,
        )
        return source, round_.name, rows_of(report, source), report
    if kind is Kind.SUMMARY:
        rows = summary_rows(path, source, given.round)
        return source, ",".join(sorted({row.round for row in rows})), rows, None
    if kind is Kind.ROWS:
        rows = read_rows_file(path)
        return source, ",".join(sorted({row.round for row in rows})), rows, None
    round_ = load_round(given.round or "v3.1")
    row = run_row(
        path,
        round_,
        given.benchmark,
        division=given.division,
        organisation=given.organisation,
        system=given.system,
    )
    return source, round_.name, [row], None


def import_source(
    path: Path, given: Given, settings: Settings, *, target: Repository | None = None, progress: Progress = SILENT
) -> Imported:
    """Import a source.

    Args:
        path: of the source.
        given: what the user says of it.
        target: repository that rows are written to; the local one when None.

    Raises:
        NotFoundError, InvalidInputError: see :func:`read_source`.
        MachineError: when nothing can be written.
    """
    kind = kind_of(path)
    if kind is Kind.REPOSITORY:
        repository = Registry(settings).add(path)
        with open_store(settings, progress=progress) as store:
            return Imported(kind, source_of(path), store.results_in(repository.alias), None, None, repository)
    source, round_, rows, report = read_source(path, given, settings, progress=progress)
    repository = target or local_repository(settings)
    written = write_rows(repository, rows, source, round_, progress=progress)
    rounds: dict[str, int] = {}
    for row in rows:
        rounds[row.round] = rounds.get(row.round, 0) + 1
    return Imported(kind, source, rounds, written, report, repository)


def _guessed(path: Path) -> str:
    found = guess_round(path)
    if found is None:
        raise InvalidInputError(
            "no log shows the seeds of a round that is known here", where=path, hint="say it: --round v3.0"
        )
    return found
