"""The compliance tests of a result, judged from LoadGen's logs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from assay.loadgen.logs import ACCURACY as ACCURACY_LOG
from assay.loadgen.scan import LogReader
from assay.rules.model import Benchmark, Scenario
from assay.submission.compliance.audit import SeenSetting, see_settings
from assay.submission.compliance.facts import ComplianceFacts, ScriptForm, TestFacts
from assay.submission.compliance.performance import Comparison, Run, compare, read_run
from assay.submission.compliance.reading import beside
from assay.submission.compliance.sampled import SampledAccuracy, judge_sampled
from assay.submission.compliance.claims import performance_claim
from assay.submission.compliance.verify import Claim
from assay.submission.issue import Issue

_RUN = "performance/run_1"


@dataclass(frozen=True, slots=True)
class TestJudgement:
    """A compliance test, judged.

    Attributes:
        test: name of its folder.
        path: that folder in the tree.
        there: it is there; all else is empty when it is not.
        settings: settings of its audit.config, as they took effect; empty when the detail log cannot be read.
        performance: the comparison of scores; None when the test has none, or its summaries cannot be read.
        claim: what ``verify_performance.txt`` says; None when it is not there.
        accuracy: TEST01's comparison of responses; None for other tests.
        text_passes: as the written text means, from what the logs (and, of cut logs, the texts) say; None when they
            do not say enough.
        script_passes: as the official scripts decide on the same logs; likewise.
    """

    __test__ = False
    test: str
    path: str
    there: bool = True
    settings: tuple[SeenSetting, ...] = ()
    performance: Comparison | None = None
    claim: Claim | None = None
    accuracy: SampledAccuracy | None = None
    text_passes: bool | None = None
    script_passes: bool | None = None


@dataclass(frozen=True, slots=True)
class Judgement:
    """The compliance tests of a result.

    Attributes:
        tests: those that the benchmark asks for, in its order.
        issues: everything seen, test by test.
    """

    tests: tuple[TestJudgement, ...] = ()
    issues: tuple[Issue, ...] = field(default=())

    @property
    def text_passes(self) -> bool | None:
        """All tests pass as the written text means; None when that cannot be told."""
        return _all([test.text_passes for test in self.tests])

    @property
    def script_passes(self) -> bool | None:
        """All tests pass as the official scripts decide; None when that cannot be told."""
        return _all([test.script_passes for test in self.tests])


def judge(
    compliance_dir: Path,
    relative: str,
    performance_dir: Path,
    accuracy_dir: Path,
    benchmark: Benchmark,
    scenario: Scenario,
    facts: ComplianceFacts,
    *,
    logs: LogReader | None = None,
) -> Judgement:
    """Judge the compliance tests of a result from the raw logs.

    Nothing in the folders makes this raise. Detail logs are read in pieces (see :mod:`assay.loadgen.scan`), accuracy
    logs line by line (see :mod:`assay.submission.compliance.responses`), of every other file 8 MiB at most.

    Args:
        compliance_dir: ``compliance/<system>/<model>/<scenario>`` on the disk.
        relative: its path in the tree, for issues.
        performance_dir: folder of the result's performance run (``.../performance/run_1``).
        accuracy_dir: folder of its accuracy run.
        benchmark: the benchmark; it says which tests are asked for.
        scenario: the scenario that was run: of an inferred result that of the logs, not of the folder.
        facts: the round's tests.
        logs: reads detail logs; give the one that read the result's own, which then are not read again.
    """
    judge_ = _Judge(str(compliance_dir), relative, str(accuracy_dir), benchmark, scenario, facts, logs or LogReader())
    reference = judge_.run(str(performance_dir), beside(relative, str(compliance_dir), str(performance_dir)))
    tests: list[TestJudgement] = []
    issues: list[Issue] = []
    for name in benchmark.compliance:
        if name in facts.tests:
            judgement, seen = judge_.test(name, facts.tests[name], reference)
            tests.append(judgement)
            issues += seen
    return Judgement(tuple(tests), tuple(issues))
