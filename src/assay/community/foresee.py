"""What a server would say to a parcel: the same check as on arrival, without taking anything."""

from __future__ import annotations

from assay.base.progress import SILENT, Progress
from assay.base.settings import Settings
from assay.community.accept_runs import examine_runs
from assay.community.accept_tree import examine_tree
from assay.community.ledger import uid_of
from assay.community.outcome import AcceptedResult, Outcome, UploadKind
from assay.community.parcel import Parcel
from assay.community.server_repository import ALIAS


def foresee(
    parcel: Parcel, settings: Settings, *, round_: str | None = None, jobs: int = 1, progress: Progress = SILENT
) -> Outcome | None:
    """Judge a parcel here; None for an archive, whose content is judged where it is unpacked.

    Raises:
        NotFoundError: for an unknown round.
        InvalidInputError: when it is nothing that can be taken.
    """
    if parcel.kind is None:
        return None
    if parcel.kind is UploadKind.TREE:
        examined = examine_tree(parcel.root, round_, source=ALIAS, jobs=jobs, progress=progress)
    else:
        examined = examine_runs(parcel.root, parcel.runs, settings)
    accepted = tuple(
        AcceptedResult(
            uid=uid_of(each.digest, each.row),
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
        )
        for each in examined.candidates
    )
    return Outcome(
        parcel.kind,
        accepted,
        examined.refused,
        examined.findings,
        examined.findings_total,
        round=examined.round,
    )
