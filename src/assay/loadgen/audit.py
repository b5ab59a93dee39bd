"""What LoadGen is told for a compliance test: ``audit.config``, and how its log shows that it was heeded.

Source: compliance/nvidia/<test>/audit.config of mlcommons/inference, v2.0 to v4.0; StartTest in loadgen/loadgen.cc.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from assay.errors import NotFoundError, UsageError
from assay.rules.model import Benchmark, Round

AUDIT_CONF = "audit.config"
SAME_INDEX = 3
FIRST_PART, SECOND_PART = "TEST04-A", "TEST04-B"
"""The parts of TEST04 where it has two: the second may not be faster than the first."""
_ACCURACY_LOG_SEED = 720381539243781796
_PERFORMANCE_ONLY = 2
_TESTS = ("TEST01", "TEST04", FIRST_PART, SECOND_PART, "TEST05", "TEST06")
_TEST06_SAMPLES = 100
_PLAIN = (
    "effective_performance_issue_unique",
    "effective_performance_issue_same",
    "effective_accuracy_log_sampling_target",
    "effective_accuracy_log_probability",
)
"""Settings that only compliance tests turn on, by their keys in the detail log."""
_NOT_LOGGED = ("mode", "min_duration", "min_query_count")
"""Keys of ``audit.config`` that the detail log has otherwise, or in a scenario's own way."""
_OFF = (None, False, "", "0", "false", "False")

Value = int | float | bool | str


@dataclass(frozen=True, slots=True)
class Audit:
    """The settings of one compliance test.

    Attributes:
        test: its name, such as ``TEST01``.
        keys: of ``audit.config``, in LoadGen's words.
        attributes: settings that have to be pinned besides: LoadGen from v5.0 on reads no seeds from a file.
    """

    test: str
    keys: Mapping[str, int]
    attributes: Mapping[str, Value] = field(default_factory=dict)

    def text(self) -> str:
        """The text of ``audit.config``."""
        lines = [f"*.*.{key} = {value}" for key, value in self.keys.items()]
        return "\n".join([f"# {self.test}: settings over those of the plain run.", *lines]) + "\n"

    def effective(self) -> dict[str, int]:
        """What the detail log has to say when the test was made, by its keys."""
        return {f"effective_{key}": value for key, value in self.keys.items() if key not in _NOT_LOGGED}


def settings_left(logged: Callable[[str], Any]) -> Iterator[tuple[str, Any]]:
    """Settings of a compliance test in the log of a plain performance run, with their values.

    They come from an ``audit.config`` that lay where LoadGen was started: it heeds one with no more than a warning.

    Args:
        logged: gives the value of a key of the detail log, None where there is none.
    """
    for key in _PLAIN:
        found = logged(key)
        if found not in _OFF:
            yield key.removeprefix("effective_"), found


def family(test: str) -> str:
    """The test that a part belongs to: ``TEST04`` of ``TEST04-A``."""
    return test.partition("-")[0]


def audit_of(test: str, benchmark: Benchmark, round_: Round) -> Audit:
    """The settings of a test.

    Raises:
        NotFoundError: for a test that is not known here.
    """
    keys = {"mode": _PERFORMANCE_ONLY}
    if test == "TEST01":
        keys |= {
            "accuracy_log_rng_seed": _ACCURACY_LOG_SEED,
            "accuracy_log_sampling_target": benchmark.test01_sampling_target,
        }
        return Audit(test, keys)
    if test == FIRST_PART:
        return Audit(test, {**keys, "performance_issue_unique": 1, "performance_issue_same": 0})
    if test in ("TEST04", SECOND_PART):
        keys |= {
            "performance_issue_unique": 0,
            "performance_issue_same": 1,
            "performance_issue_same_index": SAME_INDEX,
        }
        return Audit(test, keys)
    if test == "TEST05":
        # The key test05 that rounds from v3.0 on have takes the seeds from LoadGen's own round.
        seeds = round_.test05_seeds
        pinned = {
            "qsl_rng_seed": seeds.qsl,
            "sample_index_rng_seed": seeds.sample_index,
            "schedule_rng_seed": seeds.schedule,
        }
        return Audit(test, {**keys, **pinned}, dict(pinned))
    if test == "TEST06":
        keys |= {
            "accuracy_log_rng_seed": _ACCURACY_LOG_SEED,
            "accuracy_log_sampling_target": _TEST06_SAMPLES,
            "min_query_count": _TEST06_SAMPLES,
            "min_duration": 0,
            "sample_concatenate_permutation": 0,
        }
        return Audit(test, keys)
    raise NotFoundError(f"the compliance test {test} cannot be run", expected=", ".join(_TESTS))


def asked_tests(names: tuple[str, ...], benchmark: Benchmark, round_: Round) -> tuple[str, ...]:
    """The tests to run, in the round's order: those named, or all that the round asks of the benchmark.

    Args:
        names: tests, in any case; ``TEST04`` stands for its parts.
        benchmark: whose tests.
        round_: that asks for them.

    Raises:
        UsageError: for a test that the round does not ask of the benchmark.
        NotFoundError: for one that cannot be run here.
    """
    asked = benchmark.compliance
    if not asked:
        raise UsageError(f"round {round_.name} asks no compliance test of {benchmark.name}")
    wanted = {name.upper() for name in names}
    foreign = sorted(name for name in wanted if name not in asked and name not in map(family, asked))
    if foreign:
        raise UsageError(
            f"round {round_.name} does not ask {', '.join(foreign)} of {benchmark.name}", expected=" or ".join(asked)
        )
    # A part is compared with the other one, so both are run.
    families = {family(name) for name in wanted or asked}
    chosen = tuple(test for test in asked if family(test) in families)
    for test in chosen:
        audit_of(test, benchmark, round_)
    return chosen
