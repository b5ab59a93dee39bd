"""The end of a campaign: its tree is built and checked, and a page is written."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from assay.assets.catalogue import load_catalogue
from assay.base.files import sha256_file, write_atomic
from assay.base.progress import Progress
from assay.campaign.flow.report import report_text
from assay.campaign.flow.steps import Kind, Standing, digest
from assay.campaign.flow.survey import REPORT, Flow
from assay.campaign.flow.systems import description_of
from assay.campaign.flow.tree import wish_for
from assay.errors import AssayError
from assay.loadgen.record import RunRecord
from assay.loadgen.runs import RunCatalogue
from assay.rules.submission import Level
from assay.submission.building.model import Wish
from assay.submission.building.run import build_all
from assay.submission.building.write import listing_of
from assay.submission.check import check
from assay.submission.model import CheckReport


@dataclass(frozen=True, slots=True)
class Made:
    """What a step made."""

    output: str
    runs: tuple[str, ...] = ()
    note: str = ""


def build_tree(flow: Flow, standings: Mapping[str, Standing], progress: Progress, lock: Path | None) -> Made:
    """Build the tree of the campaign's runs.

    Raises:
        AssayError: when something is missing.
    """
    catalogue = RunCatalogue(flow.settings.runs_dir)
    wishes = [_wish(flow, name, standings, catalogue) for name in flow.campaign.form.systems]
    report = build_all(
        catalogue, flow.round, wishes, flow.campaign.out,
        assets=load_catalogue(flow.settings), force=True, lock=lock, progress=progress,
    )  # fmt: skip
    if report.missing:
        raise AssayError(
            f"no tree was built: {len(report.missing)} things are missing",
            found="; ".join(f"{each.where}: {each.what}" for each in report.missing[:5]),
            hint=report.missing[0].how.replace("--set ", "in the campaign's file, under fields: "),
        )
    return Made(sha256_file(listing_of(flow.campaign.out)), note=f"{len(report.files)} files")


def _wish(flow: Flow, system: str, standings: Mapping[str, Standing], catalogue: RunCatalogue) -> Wish:
    """What is wished of one system: the runs of its entries."""
    campaign = flow.campaign
    entries = {each.title for each in campaign.form.entries if campaign.form.system_of(each) == system}
    plain = [
        each
        for each in standings.values()
        if each.step.kind in (Kind.ACCURACY, Kind.PERFORMANCE) and each.step.entry in entries
    ]
    records = [catalogue.read(output_of(each)) for each in plain]
    found = description_of(campaign, system, flow.settings)
    assert found is not None  # its step comes first
    wish = wish_for(campaign, system, found)
    names = tuple(dict.fromkeys(each.benchmark for each in records))
    return replace(wish, runs=tuple(each.id for each in records), benchmarks=names)


def check_tree(flow: Flow, progress: Progress) -> Made:
    """Check the tree, officially and strictly.

    Raises:
        AssayError: when it is refused and is no rehearsal.
    """
    report = check(flow.campaign.out, flow.round, jobs=1, progress=progress)
    note = verdicts(report)
    if not flow.campaign.form.rehearsal and not (report.official.ok and report.strict.ok):
        raise AssayError(
            "the tree is refused", where=flow.campaign.out, found=note, hint=f"assay check {flow.campaign.out}"
        )
    return Made(digest(note), note=note)


def write_report(flow: Flow, standings: Mapping[str, Standing]) -> Made:
    """Write the page that tells what was run and what came of it."""
    catalogue = RunCatalogue(flow.settings.runs_dir)
    names = [name for each in standings.values() if each.last for name in each.last.runs]
    text = report_text(flow, standings, _records(catalogue, names))
    path = flow.journal.folder / REPORT
    write_atomic(path, text)
    return Made(sha256_file(path), note=str(path))


def verdicts(report: CheckReport) -> str:
    """Both verdicts on a tree, and what they refuse, in a line."""
    parts = []
    for name, outcome in (("official", report.official), ("strict", report.strict)):
        refused = f"refuses {len(outcome.refused)} places" if outcome.refused else "nothing refused"
        levels = [each for each in report.findings if getattr(each, name) is Level.REJECT]
        codes = ", ".join(f"{code} {count}" for code, count in sorted(Counter(each.code for each in levels).items()))
        parts.append(f"{name}: {refused}, {outcome.accepted} accepted" + (f" ({codes})" if codes else ""))
    return "; ".join(parts)


def _records(catalogue: RunCatalogue, names: list[str]) -> dict[str, RunRecord]:
    """The records that are there; the run that found a rate may be gone."""
    found: dict[str, RunRecord] = {}
    for name in dict.fromkeys(names):
        try:
            found[name] = catalogue.read(name)
        except AssayError:
            continue
    return found


def output_of(standing: Standing) -> str:
    """What a step made."""
    assert standing.last is not None  # every step comes after those that it needs
    return standing.last.output
