"""Whether a test's run was that test: the settings of its audit.config, as the detail log says they took effect.

LoadGen writes ``effective_<setting>`` after it has read audit.config. A run without it is a plain performance run,
which passes every comparison with another one.
Source: compliance/nvidia/<test>/audit.config (TEST01: of each model); mlperf.conf ``test05_*`` for the seeds of TEST05.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from assay.loadgen.logs import DETAIL
from assay.rules.model import Benchmark
from assay.submission.checks.context import shown
from assay.submission.compliance.facts import ComplianceFacts, Setting, TestFacts
from assay.submission.compliance.performance import Run
from assay.submission.issue import Issue

_TARGET = "effective_accuracy_log_sampling_target"
_SEEDS = (
    ("effective_qsl_rng_seed", "qsl"),
    ("effective_sample_index_rng_seed", "sample_index"),
    ("effective_schedule_rng_seed", "schedule"),
)


@dataclass(frozen=True, slots=True)
class SeenSetting:
    """A setting of a test.

    Attributes:
        key: ``effective_`` key of the detail log.
        expected: what the test's audit.config asks for.
        found: what took effect, shown; empty when the log does not say.
        line: line of the detail log, from 1.
        right: it is what was asked for.
    """

    key: str
    expected: Setting
    found: str
    line: int | None
    right: bool


def see_settings(
    test: TestFacts, facts: ComplianceFacts, benchmark: Benchmark, run: Run
) -> tuple[tuple[SeenSetting, ...], list[Issue]]:
    """The settings of a test's run, and what is wrong with them."""
    if run.detail is None:
        return (), [Issue("audit-unseen", f"{run.path}/{DETAIL}", detail=run.problem)]
    asked: dict[str, Setting] = dict(test.settings)
    if test.samples_accuracy:
        target = facts.sampling_targets.get(benchmark.conf_model)
        asked |= {} if target is None else {_TARGET: target}
    if test.other_seeds:
        asked |= {key: getattr(facts.other_seeds, name) for key, name in _SEEDS}
    seen = tuple(_see(run, key, value) for key, value in asked.items())
    return seen, list(_issues(seen, f"{run.path}/{DETAIL}", run))


def _see(run: Run, key: str, expected: Setting) -> SeenSetting:
    value = run.value(key)
    found = "" if value is None else shown(value)
    return SeenSetting(key, expected, found, run.line_of(key), _equal(value, expected))


def _equal(value: object, expected: Setting) -> bool:
    if isinstance(value, bool) or isinstance(expected, bool):
        # Old logs print truth values as numbers.
        return isinstance(value, bool | int) and value in (0, 1) and bool(value) is bool(expected)
    return isinstance(value, int) and value == expected


def _issues(seen: tuple[SeenSetting, ...], place: str, run: Run) -> Iterator[Issue]:
    wrong = [setting for setting in seen if not setting.right]
    seeds = {key for key, _ in _SEEDS}
    for setting in wrong:
        code = "audit-seed-wrong" if setting.key in seeds else "audit-setting-wrong"
        if setting.key == _TARGET and _is_positive(run.value(_TARGET)):
            # README.md of TEST01 lets a submitter sample fewer responses when sampling slows the run down.
            code = "audit-sampling-target"
        found, expected = setting.found or "nothing", str(setting.expected)
        yield Issue(code, place, "", setting.key, found, expected, setting.line)


def _is_positive(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value > 0
