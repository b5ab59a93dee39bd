"""Carries a campaign out, step by step; what is done is in the journal before the next step begins."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from assay.assets.catalogue import load_catalogue
from assay.base.files import locked, sha256_file, write_atomic
from assay.base.progress import Progress
from assay.base.units import format_duration
from assay.campaign.compliance import carry_out_compliance
from assay.campaign.compliance_plan import ComplianceRequest, plan_compliance
from assay.campaign.execute import carry_out, gather
from assay.campaign.flow.journal import Done
from assay.campaign.flow.report import report_text
from assay.campaign.flow.steps import Kind, Standing, State, Step, digest
from assay.campaign.flow.survey import REPORT, Flow
from assay.campaign.flow.tree import wish_for
from assay.campaign.plan import make_plan
from assay.campaign.request import RunRequest
from assay.errors import AssayError
from assay.loadgen.record import RunRecord
from assay.loadgen.runs import RunCatalogue
from assay.rules.submission import Level
from assay.submission.building.choose import unfit
from assay.submission.building.run import build
from assay.submission.building.write import listing_of, require_free
from assay.submission.check import check
from assay.submission.model import CheckReport
from assay.submission.truncate.run import submission_rules


@dataclass(frozen=True, slots=True)
class Made:
    """What a step made."""

    output: str
    runs: tuple[str, ...] = ()
    note: str = ""


def carry_out_campaign(flow: Flow, progress: Progress, *, tree_lock: Path | None = None) -> list[str]:
    """Do every step that is not done; returns the names of those that were done now.

    Args:
        flow: the campaign.
        progress: told while it goes on.
        tree_lock: file that keeps others away from the tree.

    Raises:
        AssayError: what stopped it; everything done before is kept.
        MachineError: when another process carries the same campaign out.
        KeyboardInterrupt: after an interrupted run has been kept as such.
    """
    with locked(flow.journal.folder / "lock", timeout_s=0):
        return _Carrier(flow, progress, tree_lock).all()


class _Carrier:
    """One pass over the steps of a campaign."""

    def __init__(self, flow: Flow, progress: Progress, tree_lock: Path | None) -> None:
        self._flow = flow
        self._progress = progress
        self._tree_lock = tree_lock
        self._settings = flow.settings

    def all(self) -> list[str]:
        flow, done = self._flow, []
        self._require_free()
        bar = self._progress.start(f"Campaign {flow.campaign.form.name}", total=len(flow.steps), unit="steps")
        try:
            for number, step in enumerate(flow.steps, 1):
                standings = flow.standings()
                if standings[step.name].state is not State.DONE:
                    self._progress.message(f"[{number}/{len(flow.steps)}] {step.name}{_left(standings)}")
                    self._do(standings[step.name], standings)
                    done.append(step.name)
                bar.update(done=number)
        finally:
            bar.finish()
        return done

    def _do(self, standing: Standing, standings: Mapping[str, Standing]) -> None:
        step, journal, began = standing.step, self._flow.journal, time.monotonic()
        assert standing.inputs is not None  # every step comes after those that it needs
        journal.begin(step.name, str(self._flow.campaign.out) if step.kind is Kind.BUILD else "")
        made = self._make(step, standings)
        took = round(time.monotonic() - began, 3)
        journal.done(Done(step.name, standing.inputs, made.output, made.runs, took, made.note))

    def _make(self, step: Step, standings: Mapping[str, Standing]) -> Made:
        if step.kind is Kind.FETCH:
            return self._fetch(step)
        if step.kind in (Kind.ACCURACY, Kind.PERFORMANCE):
            return self._run(step, _request(step))
        if step.kind is Kind.COMPLIANCE:
            return self._test(step, _request(step), standings)
        if step.kind is Kind.BUILD:
            return self._build(standings)
        return self._check() if step.kind is Kind.CHECK else self._report(standings)

    def _fetch(self, step: Step) -> Made:
        request = next(each.request for each in self._flow.steps if each.entry == step.entry and each.request)
        material = gather(make_plan(request, self._settings), self._settings, self._progress)
        found = [material.model_info.sha256, material.dataset_info.sha256, material.samples, material.labels]
        return Made(digest(found), note=f"{material.samples} samples")

    def _run(self, step: Step, request: RunRequest) -> Made:
        (record,) = carry_out(make_plan(request, self._settings), self._settings, self._progress)
        self._judge(record, step)
        return Made(record.id, (record.id,))

    def _judge(self, record: RunRecord, step: Step) -> None:
        """Stop at a run that cannot stand in the tree; hours of others would not help it."""
        form = self._flow.campaign.form
        wrong = "" if record.verdict is not None and record.verdict.valid else "INVALID"
        if not form.rehearsal:
            wrong = ", ".join(unfit(record, form.division))
        if wrong:
            raise AssayError(
                f"{step.name} cannot be submitted: {wrong}",
                where=record.id,
                hint=f"assay runs show {record.id} says what to change; then run the campaign again",
            )

    def _test(self, step: Step, request: RunRequest, standings: Mapping[str, Standing]) -> Made:
        ids = {standings[name].step.kind: _output(standings[name]) for name in step.needs}
        wanted = ComplianceRequest(request, (step.test,), ids[Kind.PERFORMANCE], ids.get(Kind.ACCURACY, ""))
        tested = carry_out_compliance(plan_compliance(wanted, self._settings), self._settings, self._progress)
        failed = [each for each in tested if not each.passed]
        if failed and not self._flow.campaign.form.rehearsal:
            raise AssayError(
                f"{step.name} was not passed", where=failed[0].record.id, hint=f"assay runs show {failed[0].record.id}"
            )
        runs = tuple(each.record.id for each in tested)
        return Made(digest(runs), runs, f"{step.test} was not passed" if failed else "passed")

    # ---- the tree

    def _require_free(self) -> None:
        """A tree that is there is replaced only when this campaign began to build it."""
        out = self._flow.campaign.out
        if str(out) not in self._flow.journal.begun("build"):
            require_free(out, submission_rules(self._flow.round).divisions, force=False)

    def _build(self, standings: Mapping[str, Standing]) -> Made:
        flow = self._flow
        plain = [each for each in standings.values() if each.step.kind in (Kind.ACCURACY, Kind.PERFORMANCE)]
        catalogue = RunCatalogue(self._settings.runs_dir)
        records = [catalogue.read(_output(each)) for each in plain]
        names = tuple(dict.fromkeys(each.benchmark for each in records))
        wish = wish_for(flow.campaign, self._settings, tuple(each.id for each in records), names)
        report = build(
            catalogue, flow.round, wish, flow.campaign.out,
            assets=load_catalogue(self._settings), force=True, lock=self._tree_lock, progress=self._progress,
        )  # fmt: skip
        if report.missing:
            raise AssayError(
                f"no tree was built: {len(report.missing)} things are missing",
                found="; ".join(f"{each.where}: {each.what}" for each in report.missing[:5]),
                hint=report.missing[0].how.replace("--set ", "in the campaign's file, under fields: "),
            )
        return Made(sha256_file(listing_of(flow.campaign.out)), note=f"{len(report.files)} files")

    def _check(self) -> Made:
        flow = self._flow
        report = check(flow.campaign.out, flow.round, jobs=1, progress=self._progress)
        note = verdicts(report)
        if not flow.campaign.form.rehearsal and not (report.official.ok and report.strict.ok):
            raise AssayError(
                "the tree is refused", where=flow.campaign.out, found=note, hint=f"assay check {flow.campaign.out}"
            )
        return Made(digest(note), note=note)

    def _report(self, standings: Mapping[str, Standing]) -> Made:
        catalogue = RunCatalogue(self._settings.runs_dir)
        names = [name for each in standings.values() if each.last for name in each.last.runs]
        text = report_text(self._flow, standings, {name: catalogue.read(name) for name in names})
        path = self._flow.journal.folder / REPORT
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


def _request(step: Step) -> RunRequest:
    assert step.request is not None  # a run, or the run that a test repeats
    return step.request


def _output(standing: Standing) -> str:
    assert standing.last is not None  # every step comes after those that it needs
    return standing.last.output


def _left(standings: Mapping[str, Standing]) -> str:
    """The expected time of all that is left."""
    left = [each.seconds for each in standings.values() if each.state is not State.DONE]
    known = sum(each for each in left if each is not None)
    more = " and more" if None in left else ""
    return f", {format_duration(known * 1e9)}{more} left"
