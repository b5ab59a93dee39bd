"""Carries compliance tests out: the plain runs that are missing, each test through LoadGen's audit, its verdict."""

from __future__ import annotations

import shlex
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from assay.base.progress import Progress
from assay.base.settings import Settings
from assay.campaign.compliance_folder import PartScores, score_kept, write_folder
from assay.campaign.compliance_plan import CompliancePlan, check_reference, check_together, read_plain_spec
from assay.campaign.execute import carry_out, versions
from assay.campaign.finish import Finished, finish
from assay.campaign.recipes import recipe_words
from assay.errors import InvalidInputError
from assay.harness.outcome import Ending
from assay.harness.run import execute
from assay.harness.spec import RunSpec
from assay.loadgen.audit import Audit, audit_of
from assay.loadgen.compliance import Verified, passed, verify_speed, with_test
from assay.loadgen.compliance_answers import compare_answers, verify_answers
from assay.loadgen.logs import DetailLog, read_detail
from assay.loadgen.names import ACCURACY, DETAIL
from assay.loadgen.record import Figures, RunRecord, RunStatus
from assay.loadgen.runs import RunCatalogue, RunFolder
from assay.loadgen.verdict import Constraint
from assay.loadgen.walk import walk_accuracy
from assay.rules.model import Benchmark, Mode, Round
from assay.system.summary import host_facts

_FIRST_PART, _SECOND_PART = "TEST04-A", "TEST04-B"


@dataclass(frozen=True, slots=True)
class JudgedTest:
    """A compliance test that was run and judged.

    Attributes:
        record: of its run.
        folder: what a submission holds of it.
    """

    record: RunRecord
    folder: Path

    @property
    def passed(self) -> bool:
        """Whether the test was passed."""
        return bool(passed(self.record.verdict))


def carry_out_compliance(plan: CompliancePlan, settings: Settings, progress: Progress) -> list[JudgedTest]:
    """Run what is missing, then every test; the tests in order.

    Raises:
        AssayError: what went wrong before a run could begin, or a run that broke (its record is kept).
        KeyboardInterrupt: after an interrupted run has been kept as such.
    """
    performance, accuracy = plan.performance, plan.accuracy
    if plan.missing:
        made = {record.mode: record for record in carry_out(plan.plan, settings, progress)}
        performance = made.get(Mode.PERFORMANCE.value, performance)
        accuracy = made.get(Mode.ACCURACY.value, accuracy)
    assert performance is not None
    for record in (performance, accuracy):
        if record is not None:
            check_reference(record)
    if accuracy is not None:
        check_together(performance, accuracy)
    tester = _Tester(plan, performance, accuracy, settings, progress)
    return tester.all()


class _Tester:
    """The tests of one plan, one after another, each beside the same plain runs."""

    def __init__(
        self,
        plan: CompliancePlan,
        performance: RunRecord,
        accuracy: RunRecord | None,
        settings: Settings,
        progress: Progress,
    ) -> None:
        self._plan = plan
        self._performance = performance
        self._accuracy = accuracy
        self._progress = progress
        self._catalogue = RunCatalogue(settings.runs_dir)
        self._group = self._catalogue.new_group()
        self._spec = read_plain_spec(self._catalogue.folder / performance.id)

    @property
    def _round(self) -> Round:
        return self._plan.plan.subject.round

    @property
    def _benchmark(self) -> Benchmark:
        return self._plan.plan.subject.benchmark

    def all(self) -> list[JudgedTest]:
        """Run and judge every test."""
        tested: list[JudgedTest] = []
        first: RunRecord | None = None
        for test in self._plan.tests:
            audit = audit_of(test, self._benchmark, self._round)
            record = self._run(audit)
            if test == _FIRST_PART:
                first = record
            elif test == _SECOND_PART:
                assert first is not None  # both parts are always asked for together, the first one first
                tested += self._judge_parts(first, record, audit)
            else:
                tested.append(self._judge(record, audit))
        return tested

    def _run(self, audit: Audit) -> RunRecord:
        spec = replace(self._spec, audit=audit.text(), attributes={**self._spec.attributes, **audit.attributes})
        record = self._first_record(audit, spec)
        folder = self._catalogue.create(record)
        label = f"{record.scenario} {audit.test}"
        try:
            outcome = execute(spec, folder.path, label=label, progress=self._progress)
        except BaseException:
            folder.write(replace(record, status=RunStatus.FAILED, failure="the run could not be started"))
            raise
        # A run with the test's own seeds is held to these.
        seeds = self._round.test05_seeds if audit.attributes else self._round.seeds
        round_ = replace(self._round, seeds=seeds)
        finished = finish(record, folder, spec, outcome, round_, self._benchmark, self._progress)
        _raise_if_broken(finished)
        return finished.record

    def _first_record(self, audit: Audit, spec: RunSpec) -> RunRecord:
        plain = self._performance
        return RunRecord(
            id=self._catalogue.new_id(plain.model.name, plain.scenario, audit.test.lower()),
            group=self._group,
            created=datetime.now(UTC).isoformat(timespec="seconds"),
            status=RunStatus.RUNNING,
            round=plain.round,
            benchmark=plain.benchmark,
            task=plain.task,
            scenario=plain.scenario,
            mode=plain.mode,
            category=plain.category,
            division=plain.division,
            model=plain.model,
            dataset=plain.dataset,
            backend_name=plain.backend_name,
            precision=plain.precision,
            batch_size=plain.batch_size,
            streams=plain.streams,
            threads=plain.threads,
            command=self._command(audit.test),
            labels=plain.labels,
            deviations=plain.deviations,
            settings={**spec.attributes, **{key: value for key, value in audit.keys.items() if key != "mode"}},
            versions=versions(),
            host=host_facts(),
            figures=Figures(),
            compliance=audit.test,
            judged_against=self._against(audit.test),
        )

    def _against(self, test: str) -> tuple[str, ...]:
        accuracy = (self._accuracy.id,) if test == "TEST01" and self._accuracy is not None else ()
        return (self._performance.id, *accuracy)

    def _command(self, test: str) -> str:
        request = self._plan.request.run
        words = ["assay", "compliance", "run", request.name, "--scenario", self._performance.scenario]
        words += ["--round", self._performance.round, "--test", test, "--performance", self._performance.id]
        for option, value in (("--model", request.model), ("--dataset", request.dataset)):
            words += [option, str(value)] if value else []
        words += recipe_words(request.recipe)
        if self._accuracy is not None and test == "TEST01":
            words += ["--accuracy", self._accuracy.id]
        return shlex.join(words)

    def _judge(self, record: RunRecord, audit: Audit) -> JudgedTest:
        run = self._catalogue.folder / record.id
        speed = verify_speed(audit, self._plain_log(), read_detail(run / DETAIL), self._plan.scenario, self._round)
        if audit.test != "TEST01":
            return self._kept(record, speed.constraints, write_folder(run, audit.test, speed))
        answers, scored, exact = self._verify_answers(run)
        folder = write_folder(run, audit.test, speed, answers, scored, exact=exact)
        return self._kept(record, (*answers.constraints, *speed.constraints), folder)

    def _verify_answers(self, run: Path) -> tuple[Verified, PartScores | None, bool]:
        assert self._accuracy is not None
        reference = self._catalogue.folder / self._accuracy.id
        found = compare_answers(walk_accuracy(reference / ACCURACY), walk_accuracy(run / ACCURACY))
        scored = score_kept(run, reference, found, self._spec, self._progress)
        verified = verify_answers(found, self._round, self._benchmark, scored.scores if scored else None)
        return verified, scored, not found.different

    def _judge_parts(self, first: RunRecord, second: RunRecord, audit: Audit) -> list[JudgedTest]:
        """TEST04 of a round where it has two parts: the second may not be faster than the first."""
        runs = [self._catalogue.folder / record.id for record in (first, second)]
        logs = [read_detail(run / DETAIL) for run in runs]
        speed = verify_speed(audit, logs[0], logs[1], self._plan.scenario, self._round, with_=f"run of {_FIRST_PART}")
        folders = (write_folder(runs[0], _FIRST_PART, speed), write_folder(runs[1], _SECOND_PART, None))
        # The plain run is named, too: theirs is its setting, and they belong to it.
        plain = self._performance.id
        first, second = (
            replace(first, judged_against=(plain, second.id)),
            replace(second, judged_against=(plain, first.id)),
        )
        return [
            self._kept(record, speed.constraints, folder)
            for record, folder in zip((first, second), folders, strict=True)
        ]

    def _plain_log(self) -> DetailLog:
        return read_detail(self._catalogue.folder / self._performance.id / DETAIL)

    def _kept(self, record: RunRecord, constraints: tuple[Constraint, ...], folder: Path) -> JudgedTest:
        """The record with the test's verdict, written."""
        if record.verdict is None:
            raise InvalidInputError("the run of the test was not judged", where=record.id)
        record = replace(record, verdict=with_test(record.verdict, constraints))
        RunFolder(self._catalogue.folder / record.id).write(record)
        return JudgedTest(record, folder)


def _raise_if_broken(finished: Finished) -> None:
    if finished.outcome.ending is Ending.INTERRUPTED:
        raise KeyboardInterrupt
    if finished.outcome.failure is not None:
        error = finished.outcome.failure.error()
        error.hint = error.hint or f"assay runs show {finished.record.id}"
        raise error
