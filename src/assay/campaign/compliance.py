"""Carries compliance tests out: the plain runs that are missing, each test through LoadGen's audit, its verdict."""

from __future__ import annotations

import shlex
from dataclasses import dataclass, replace
from pathlib import Path

from assay.base.progress import Progress
from assay.base.settings import Settings
from assay.campaign.compliance_done import unjudged
from assay.campaign.compliance_external import ForeignRuns
from assay.campaign.compliance_folder import FOLDER, write_folder
from assay.campaign.compliance_plan import CompliancePlan
from assay.campaign.compliance_reference import check_reference, check_together
from assay.campaign.compliance_repeat import OwnRuns, Repeats, Trial
from assay.campaign.compliance_scores import PartScores, Unscored, score_kept
from assay.campaign.execute import carry_out
from assay.campaign.external import carry_out_external
from assay.campaign.external_plan import command_of
from assay.campaign.finish import Finished
from assay.campaign.recipes import recipe_words
from assay.errors import InvalidInputError
from assay.harness.outcome import Ending
from assay.loadgen.audit import FIRST_PART, SECOND_PART, Audit, audit_of
from assay.loadgen.compliance import Verified, passed, verify_speed, with_test
from assay.loadgen.compliance_answers import compare_answers, verify_answers
from assay.loadgen.compliance_tokens import read_tokens, verify_tokens
from assay.loadgen.logs import DetailLog, read_detail
from assay.loadgen.names import ACCURACY, DETAIL
from assay.loadgen.record import RunRecord
from assay.loadgen.runs import RunCatalogue, RunFolder
from assay.loadgen.verdict import Constraint
from assay.loadgen.walk import walk_accuracy, walk_tokens
from assay.rules.model import Benchmark, Mode, Round


@dataclass(frozen=True, slots=True)
class JudgedTest:
    """A compliance test that was run and judged.

    Attributes:
        record: of its run.
        folder: what a submission holds of it.
        before: it was passed by an earlier call, and not run again.
    """

    record: RunRecord
    folder: Path
    before: bool = False

    @property
    def passed(self) -> bool:
        """Whether the test was passed."""
        return bool(passed(self.record.verdict))


def carry_out_compliance(plan: CompliancePlan, settings: Settings, progress: Progress) -> list[JudgedTest]:
    """Run what is missing, then every test that was not passed before; the tests in order.

    Raises:
        AssayError: what went wrong before a run could begin, or a run that broke (its record is kept).
        KeyboardInterrupt: after an interrupted run has been kept as such.
    """
    made = {record.mode: record for record in _missing_runs(plan, settings, progress)}
    performance = made.get(Mode.PERFORMANCE.value, plan.performance)
    accuracy = made.get(Mode.ACCURACY.value, plan.accuracy)
    assert performance is not None
    for record in (performance, accuracy):
        if record is not None:
            check_reference(record)
    if accuracy is not None:
        check_together(performance, accuracy)
    return _Tester(plan, performance, accuracy, settings, progress).all()


def _missing_runs(plan: CompliancePlan, settings: Settings, progress: Progress) -> list[RunRecord]:
    if plan.program is None:
        return carry_out(plan.plan, settings, progress) if plan.missing else []
    return [record for each in plan.programs for record in carry_out_external(each, settings, progress)]


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
        self._settings = settings
        self._progress = progress
        self._catalogue = RunCatalogue(settings.runs_dir)
        self._group = self._catalogue.new_group()
        self._repeats = self._how()

    @property
    def _round(self) -> Round:
        return self._plan.plan.subject.round

    @property
    def _benchmark(self) -> Benchmark:
        return self._plan.plan.subject.benchmark

    def _how(self) -> Repeats:
        plain, round_, benchmark, settings = self._performance, self._round, self._benchmark, self._settings
        program = self._plan.program
        if program is None:
            return OwnRuns(plain, round_, benchmark, settings)
        limit = program.external.time_limit_ns or program.chosen.implementation.time_limit_ns
        return ForeignRuns(plain, self._accuracy, round_, benchmark, settings, limit)

    def all(self) -> list[JudgedTest]:
        """Run and judge every test that was not passed before."""
        tested: list[JudgedTest] = []
        first: RunRecord | None = None
        for test in self._plan.tests:
            audit = audit_of(test, self._benchmark, self._round)
            before = self._plan.done.get(test)
            if before is not None:
                tested.append(JudgedTest(before, self._catalogue.folder / before.id / FOLDER / test, before=True))
                continue
            record = self._logged(audit)
            if test == FIRST_PART:
                first = record
            elif test == SECOND_PART:
                assert first is not None  # both parts are always asked for together, the first one first
                tested += self._judge_parts(first, record, audit)
            else:
                tested.append(self._judge(record, audit))
        return tested

    def _logged(self, audit: Audit) -> RunRecord:
        """A run of a test with its logs: one that assay was ended before it could judge, else a new one."""
        if not self._plan.request.again:
            left = unjudged(audit.test, self._performance, self._accuracy, self._catalogue)
            if left is not None:
                self._progress.message(f"{audit.test} was run before and not judged: {left.id}")
                return left
        finished = self._repeats.run(self._trial(audit), self._progress)
        _raise_if_broken(finished)
        return finished.record

    def _trial(self, audit: Audit) -> Trial:
        plain, accuracy = self._performance.id, self._accuracy
        beside = (accuracy.id,) if audit.test == "TEST01" and accuracy is not None else ()
        return Trial(audit, (plain, *beside), self._command(audit.test), self._group)

    def _command(self, test: str) -> str:
        request, program = self._plan.request.run, self._plan.program
        own = ["--test", test, "--performance", self._performance.id]
        if self._accuracy is not None and test == "TEST01":
            own += ["--accuracy", self._accuracy.id]
        if program is not None:
            given = shlex.split(command_of(program, program.plan.runs[0]))
            mode = given.index("--mode")
            return shlex.join(["assay", "compliance", *given[1:mode], *given[mode + 2 :], *own])
        words = ["assay", "compliance", "run", request.name, "--scenario", self._performance.scenario]
        words += ["--round", self._performance.round, *own[:4]]
        for option, value in (("--model", request.model), ("--dataset", request.dataset)):
            words += [option, str(value)] if value else []
        return shlex.join([*words, *recipe_words(request.recipe), *own[4:]])

    def _judge(self, record: RunRecord, audit: Audit) -> JudgedTest:
        run = self._catalogue.folder / record.id
        detail = read_detail(run / DETAIL)
        if audit.test == "TEST06":
            kept = read_tokens(walk_tokens(run / ACCURACY))
            tokens = verify_tokens(audit, kept, detail, self._plan.scenario, self._round)
            return self._kept(record, tokens.constraints, write_folder(run, audit.test, None, tokens, timed=False))
        speed = verify_speed(audit, self._plain_log(), detail, self._plan.scenario, self._round)
        if audit.test != "TEST01":
            return self._kept(record, speed.constraints, write_folder(run, audit.test, speed))
        answers, scored, exact = self._verify_answers(run)
        folder = write_folder(run, audit.test, speed, answers, scored, exact=exact)
        return self._kept(record, (*answers.constraints, *speed.constraints), folder)

    def _verify_answers(self, run: Path) -> tuple[Verified, PartScores | None, bool]:
        assert self._accuracy is not None
        reference = self._catalogue.folder / self._accuracy.id
        found = compare_answers(walk_accuracy(reference / ACCURACY), walk_accuracy(run / ACCURACY))
        scored = score_kept(run, reference, found, self._repeats.spec, self._progress)
        if isinstance(scored, Unscored):
            return verify_answers(found, self._round, self._benchmark, None, scored.why), None, not found.different
        verified = verify_answers(found, self._round, self._benchmark, scored.scores)
        return verified, scored, not found.different

    def _judge_parts(self, first: RunRecord, second: RunRecord, audit: Audit) -> list[JudgedTest]:
        """TEST04 of a round where it has two parts: the second may not be faster than the first."""
        runs = [self._catalogue.folder / record.id for record in (first, second)]
        logs = [read_detail(run / DETAIL) for run in runs]
        speed = verify_speed(audit, logs[0], logs[1], self._plan.scenario, self._round, with_=f"run of {FIRST_PART}")
        folders = (write_folder(runs[0], FIRST_PART, speed), write_folder(runs[1], SECOND_PART, None))
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
