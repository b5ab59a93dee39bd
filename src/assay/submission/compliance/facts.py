"""What a round's compliance tests ask for, and how its official scripts decide; frozen and without I/O.

Oddities of the official scripts are facts here (:class:`ScriptForm`, ``rates``): a check asks for the fact, never for
the round's name.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from assay.rules.model import Scenario, Seeds

_FORBID = {"extra": "forbid"}

Setting = bool | int


class ScriptForm(StrEnum):
    """How the official ``verify_performance.py`` of a test compares two scores.

    Attributes:
        NONE: the test's score is compared by no script.
        WITHIN: above ``reference * (1 - t)`` and below ``reference * (1 + t)``.
        BELOW: below ``reference * (1 + t)``, whatever the scores are.
        BY_SCENARIO: Offline: above ``reference * (1 - t)``; streams: below ``reference * (1 + t)``; Server: never.
        SAME_SAMPLE: as WITHIN, or slower; a higher score counts as slower in SingleStream alone, so that MultiStream
            passes when it is faster and fails when it is slower.
    """

    NONE = "none"
    WITHIN = "within"
    BELOW = "below"
    BY_SCENARIO = "by-scenario"
    SAME_SAMPLE = "same-sample"


class Meaning(StrEnum):
    """What the written description (README.md) of a test asks of two scores.

    Attributes:
        SIMILAR: they differ by at most the threshold.
        NOT_FASTER: the test is faster than the reference by at most the threshold.
    """

    SIMILAR = "similar"
    NOT_FASTER = "not-faster"


@dataclass(frozen=True, slots=True)
class TestFacts:
    """One compliance test.

    Attributes:
        form: how the script compares.
        meaning: what the written text asks.
        threshold: allowed difference as a fraction.
        rates: the script turns latencies into queries per second before it compares, and compares those with the
            limits of :attr:`ComplianceFacts.relaxed_below`, which are latencies.
        reference: the test whose run is compared with; empty for the performance run of the result.
        verify: the test in whose folder the outcome is written down; empty for its own.
        labels: what the script calls both scores.
        stops_at: what the script looks for at the start of a line of the reference's and of the test's summary to
            stop reading there, and to refuse the runs when its value is ``false``; empty when it reads to the end.
        checks_validity: the script refuses runs that are not valid.
        settings: ``effective_`` keys of the test's detail log and the values that its audit.config gives them.
        other_seeds: the run has to have the seeds of TEST05 (:attr:`ComplianceFacts.other_seeds`).
        samples_accuracy: responses are sampled and have to be those of the accuracy run (TEST01).
    """

    # The name is that of the thing, and pytest is told so.
    __test__ = False
    __pydantic_config__ = _FORBID
    form: ScriptForm = ScriptForm.WITHIN
    meaning: Meaning = Meaning.SIMILAR
    threshold: float = 0.1
    rates: bool = False
    reference: str = ""
    verify: str = ""
    labels: tuple[str, str] = ("reference score", "test score")
    stops_at: tuple[str, str] = ("", "")
    checks_validity: bool = True
    settings: Mapping[str, Setting] = field(default_factory=dict)
    other_seeds: bool = False
    samples_accuracy: bool = False


@dataclass(frozen=True, slots=True)
class ComplianceFacts:
    """The compliance tests of a round.

    Attributes:
        tests: by name of their folder.
        score_lines: regular expression that a score's line in the summary begins with.
        score_keys: key of the same figure in the detail log.
        relaxed_threshold: the threshold of short latencies.
        relaxed_below: up to which latency of the reference, in nanoseconds.
        target_latency_line: regular expression of the line whose values the script compares in Server; empty when it
            does not. (It never matches what LoadGen writes: the brackets are taken for a group.)
        sampling_targets: name of the model in audit.config folders to TEST01's ``accuracy_log_sampling_target``.
        other_seeds: seeds of TEST05.
        patterns: metric to regular expression of its line in ``accuracy.txt``; group 1 is the figure.
        every_metric: all metrics of a benchmark are compared (else: the first).
        max_delta_percent: by how much the two accuracies of TEST01 may differ.
        max_delta_percent_tight: the same for benchmarks with ``99.9`` in their name.
    """

    __pydantic_config__ = _FORBID
    tests: Mapping[str, TestFacts]
    score_lines: Mapping[Scenario, str]
    score_keys: Mapping[Scenario, str]
    relaxed_below: Mapping[Scenario, int]
    sampling_targets: Mapping[str, int]
    other_seeds: Seeds
    patterns: Mapping[str, str]
    relaxed_threshold: float = 0.2
    target_latency_line: str = ""
    every_metric: bool = False
    max_delta_percent: float = 1.0
    max_delta_percent_tight: float = 0.1

    def delta_limit(self, benchmark: str) -> float:
        """By how much in percent the accuracies of TEST01 may differ."""
        return self.max_delta_percent_tight if "99.9" in benchmark else self.max_delta_percent
