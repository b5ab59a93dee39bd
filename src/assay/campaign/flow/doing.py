"""What each step of a campaign does, by its kind."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from assay.base.progress import Progress
from assay.campaign.compliance import JudgedTest, carry_out_compliance
from assay.campaign.compliance_plan import ComplianceRequest, plan_compliance
from assay.campaign.flow.find import find
from assay.campaign.flow.finishing import Made, build_tree, check_tree, output_of, write_report
from assay.campaign.flow.material import fetch, prepare, quantise
from assay.campaign.flow.plans import carry_out_run
from assay.campaign.flow.requests import without_power
from assay.campaign.flow.steps import Kind, Standing, Step, digest
from assay.campaign.flow.survey import Flow
from assay.campaign.flow.systems import description_digest, description_of, keep_description, make_description
from assay.campaign.flow.tree import described, wish_for
from assay.campaign.request import RunRequest
from assay.errors import AssayError
from assay.loadgen.record import RunRecord, RunStatus
from assay.loadgen.runs import RunCatalogue
from assay.submission.building.choose import unfit

Standings = Mapping[str, Standing]


class Doing:
    """Does the steps of one campaign; what a step made is returned, and noted by the caller."""

    def __init__(self, flow: Flow, progress: Progress, tree_lock: Path | None) -> None:
        self._flow = flow
        self._progress = progress
        self._settings = flow.settings
        self._kinds: Mapping[Kind, Callable[[Standing, Standings], Made]] = {
            Kind.SYSTEM: self._system,
            Kind.FETCH: self._fetch,
            Kind.PREPARE: self._prepare,
            Kind.QUANTISE: self._quantise,
            Kind.FIND: self._find,
            Kind.ACCURACY: self._run,
            Kind.PERFORMANCE: self._run,
            Kind.COMPLIANCE: self._test,
            Kind.BUILD: lambda _, standings: build_tree(flow, standings, progress, tree_lock),
            Kind.CHECK: lambda _, standings: check_tree(flow, progress),
            Kind.REPORT: lambda _, standings: write_report(flow, standings),
        }

    def make(self, standing: Standing, standings: Standings) -> Made:
        """Do a step.

        Args:
            standing: the step, whose needs are done.
            standings: of all steps.

        Raises:
            AssayError: why it cannot be done, or may not be submitted.
            KeyboardInterrupt: after an interrupted run has been kept as such.
        """
        return self._kinds[standing.step.kind](standing, standings)

    # ---- what is needed

    def _system(self, standing: Standing, standings: Standings) -> Made:
        del standings
        step = standing.step
        campaign, note = self._flow.campaign, "as it was kept"
        found = description_of(campaign, step.system, self._settings)
        if found is None:
            made = make_description(campaign, step.system, self._settings)
            found, note = made.to_official_json(), "made from this machine"
            described(wish_for(campaign, step.system, found), self._flow.round)
            keep_description(made, self._settings)
        else:
            described(wish_for(campaign, step.system, found), self._flow.round)
        return Made(description_digest(found), note=note)

    def _fetch(self, standing: Standing, standings: Standings) -> Made:
        del standings
        step = standing.step
        ready = fetch(_request(step), step.program, self._settings, self._progress)
        return Made(ready.output, note=ready.note)

    def _prepare(self, standing: Standing, standings: Standings) -> Made:
        del standings
        ready = prepare(_request(standing.step), self._settings, self._progress)
        return Made(ready.output, note=ready.note)

    def _quantise(self, standing: Standing, standings: Standings) -> Made:
        del standings
        ready = quantise(_request(standing.step), self._settings, self._progress)
        return Made(ready.output, note=ready.note)

    # ---- runs

    def _find(self, standing: Standing, standings: Standings) -> Made:
        del standings
        step = standing.step
        found = find(without_power(_request(step)), self._settings, step.tolerance, self._progress, step.program)
        return Made(repr(found.rate), (found.run,), found.note)

    def _run(self, standing: Standing, standings: Standings) -> Made:
        step = standing.step
        request, note = _request(step), ""
        sought = next((standings[name] for name in step.needs if standings[name].step.kind is Kind.FIND), None)
        record = None
        if sought is not None:
            request = request.model_copy(update={"target_qps": float(output_of(sought))})
            # A search measures no power.
            record = self._confirming(sought) if request.power is None and not _had(standing, sought) else None
            note = "the run that confirmed the rate"
        if record is None:
            record, note = self._made(request, step), ""
        self._judge(record, step)
        return Made(record.id, (record.id,), note)

    def _tested(self, wanted: ComplianceRequest) -> list[JudgedTest]:
        return carry_out_compliance(plan_compliance(wanted, self._settings), self._settings, self._progress)

    def _made(self, request: RunRequest, step: Step) -> RunRecord:
        """A run; a timed one that is INVALID is made again once, as something may have kept the machine busy meanwhile."""
        record = carry_out_run(request, step.program, self._settings, self._progress)
        if step.kind is Kind.ACCURACY or (record.verdict is not None and record.verdict.valid):
            return record
        self._progress.message(f"{record.id} is INVALID: once more")
        return carry_out_run(request, step.program, self._settings, self._progress)

    def _confirming(self, sought: Standing) -> RunRecord | None:
        """The run of full length at the found rate, unless somebody has deleted it."""
        assert sought.last is not None
        try:
            record = RunCatalogue(self._settings.runs_dir).read(sought.last.runs[0])
        except (AssayError, IndexError):
            return None
        return record if record.status is RunStatus.FINISHED else None

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

    def _test(self, standing: Standing, standings: Standings) -> Made:
        step = standing.step
        ids = {standings[name].step.kind: output_of(standings[name]) for name in step.needs}
        plain = (ids[Kind.PERFORMANCE], ids.get(Kind.ACCURACY, ""))
        # One that was passed beside the same runs is not run once more unless that is asked for.
        wanted = ComplianceRequest(_request(step), (step.test,), *plain, again=standing.again, program=step.program)
        tested = self._tested(wanted)
        if not all(each.passed for each in tested):
            # As with a run: something may have kept the machine busy. Whoever cheats fails again.
            self._progress.message(f"{step.name} was not passed: once more")
            tested = self._tested(wanted)
        failed = [each for each in tested if not each.passed]
        if failed and not self._flow.campaign.form.rehearsal:
            raise AssayError(
                f"{step.name} was not passed", where=failed[0].record.id, hint=f"assay runs show {failed[0].record.id}"
            )
        runs = tuple(each.record.id for each in tested)
        return Made(digest(runs), runs, f"{step.test} was not passed" if failed else "passed")


def _had(standing: Standing, sought: Standing) -> bool:
    """Whether a step that is asked for again came to the run of the search before: it wants another one."""
    if not standing.again or standing.last is None or sought.last is None:
        return False
    return standing.last.runs == sought.last.runs


def _request(step: Step) -> RunRequest:
    assert step.request is not None  # a run, its material, or the run that a test repeats
    return step.request
