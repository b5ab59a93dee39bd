"""TEST01: whether the responses sampled in performance mode are those of the accuracy run.

Where both accuracy logs are whole, the official comparison is done again. Published logs are cut; then the texts
beside them are all there is: two accuracies (``baseline_accuracy.txt`` and ``compliance_accuracy.txt``) for tests
whose responses were not equal, which the written text allows.
Source: compliance/nvidia/TEST01/verify_accuracy.py and README.md; check_compliance_acc_dir of submission_checker.py.
"""

from __future__ import annotations

import math
import re
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from assay.rules.model import Benchmark
from assay.submission.compliance.facts import ComplianceFacts
from assay.submission.compliance.performance import as_number
from assay.submission.compliance.reading import read_lines
from assay.submission.compliance.responses import AccuracyLog, Response
from assay.submission.compliance.script import MARK

SIZES: Mapping[str, int] = {"byte": 1, "float32": 4, "int32": 4, "int64": 8}
BASELINE, COMPLIANCE = "baseline_accuracy.txt", "compliance_accuracy.txt"


@dataclass(slots=True)
class Counts:
    """What the official script counts.

    Attributes:
        accuracy_entries: responses in the log of the accuracy run.
        duplicates: of those, responses to a sample that was there before.
        contradictions: of those, responses that are not the one that was there before.
        test_entries: responses in the log of the test.
        matched: of those, responses to a sample that the accuracy run has.
        mismatched: of those, responses whose first element is another one than before, by the type of elements.
        missing: responses to a sample that the accuracy run does not have.
        broken: types of elements with which the script has an exception.
        different: responses of the test that are not, byte for byte, that of the accuracy run.
    """

    accuracy_entries: int = 0
    duplicates: int = 0
    contradictions: int = 0
    test_entries: int = 0
    matched: int = 0
    mismatched: dict[str, int] = field(default_factory=lambda: dict.fromkeys(SIZES, 0))
    missing: int = 0
    broken: set[str] = field(default_factory=set)
    different: int = 0

    def passes(self, kind: str = "byte") -> bool:
        """Whether the script lets the test pass; bytes are its default, and the weakest."""
        return kind not in self.broken and not self.mismatched[kind]

    @property
    def equal(self) -> bool:
        """The sampled responses are those of the accuracy run, all of them, and there are some."""
        return self.test_entries > 0 and not self.different and not self.missing


@dataclass(frozen=True, slots=True)
class AccuracyPair:
    """An accuracy with and without the test.

    Attributes:
        metric: name of the metric.
        baseline: figure of the accuracy run, of the sampled samples alone; None when it cannot be read.
        compliance: figure of the test.
        delta_percent: difference as the official checker computes it; None when it cannot.
        limit_percent: largest difference allowed.
    """

    metric: str
    baseline: float | None
    compliance: float | None
    delta_percent: float | None
    limit_percent: float

    @property
    def close(self) -> bool:
        """The figures are close enough."""
        return self.delta_percent is not None and self.delta_percent <= self.limit_percent


def count(reference: AccuracyLog, test: AccuracyLog) -> Counts:
    """Compare two accuracy logs as the script does.

    A response takes the place of the accuracy run's after it was compared: the next one to the same sample is
    compared with it.
    """
    found = Counts(accuracy_entries=len(reference.entries), test_entries=len(test.entries))
    known: dict[int, Response] = {}
    for index, response in reference.entries:
        if index not in known:
            known[index] = response
            continue
        found.duplicates += 1
        found.contradictions += known[index].digest != response.digest
    original = dict(known)
    for index, response in test.entries:
        before = known.get(index)
        if response.head is None:
            found.broken.update(SIZES)
        if before is None:
            found.missing += 1
        else:
            found.matched += 1
            _compare(before, response, found)
            first = original.get(index)
            found.different += first is not None and first.digest != response.digest
        known[index] = response
    return found


def _compare(before: Response, response: Response, found: Counts) -> None:
    if before.digest == response.digest and before.head is not None and before.size >= 8 and before.size % 8 == 0:
        # Equal to the last byte; only a first element that is no number is not equal to itself.
        found.mismatched["float32"] += _is_nan(before.head)
        return
    for kind, size in SIZES.items():
        equal = _first_equal(kind, size, before, response)
        if equal is None:
            found.broken.add(kind)
        elif not equal:
            found.mismatched[kind] += 1


def _first_equal(kind: str, size: int, one: Response, other: Response) -> bool | None:
    """Whether the first elements are equal; None when the script would have an exception."""
    if one.head is None or other.head is None or one.size % size or other.size % size:
        return None
    if not one.size or not other.size:
        return one.size == other.size
    if kind == "float32":
        return bool(struct.unpack_from("<f", one.head)[0] == struct.unpack_from("<f", other.head)[0])
    return one.head[:size] == other.head[:size]


def _is_nan(head: bytes) -> bool:
    return math.isnan(struct.unpack_from("<f", head)[0])


def overlap(reference: AccuracyLog, test: AccuracyLog) -> tuple[int, int]:
    """Of responses that are still there in both logs: how many there are, and how many begin with another byte."""
    known: dict[int, Response] = {}
    for index, response in reference.entries:
        known.setdefault(index, response)
    both = [(known[index], response) for index, response in test.entries if index in known]
    return len(both), sum(_first_equal("byte", 1, one, other) is False for one, other in both)


def accuracy_text(counts: Counts, kind: str = "byte") -> str:
    """Text of ``verify_accuracy.txt`` as the script writes it."""
    outcome = MARK if counts.passes(kind) else "TEST FAIL"
    return (
        "Verifying accuracy. This might take a while...\n"
        "Reading accuracy mode results...\n"
        "Reading performance mode results...\n"
        f"num_acc_log_entries = {counts.accuracy_entries}\n"
        f"num_acc_log_duplicate_keys = {counts.duplicates}\n"
        f"num_acc_log_data_mismatch = {counts.contradictions}\n"
        f"num_perf_log_entries = {counts.test_entries}\n"
        f"num_perf_log_qsl_idx_match = {counts.matched}\n"
        f"num_perf_log_data_mismatch = {counts.mismatched[kind]}\n"
        f"num_missing_qsl_idxs = {counts.missing}\n"
        f"{outcome}\n\n"
    )


def accuracy_pairs(folder: str, benchmark: Benchmark, facts: ComplianceFacts) -> tuple[AccuracyPair, ...]:
    """The accuracies with and without the test; empty when neither of both texts is there.

    Args:
        folder: TEST01's ``accuracy``.
    """
    texts = [read_lines(f"{folder}/{name}")[0] for name in (BASELINE, COMPLIANCE)]
    if texts == [None, None]:
        return ()
    targets = benchmark.quality if facts.every_metric else benchmark.quality[:1]
    return tuple(_pair(texts, target.metric, benchmark, facts) for target in targets)


def _pair(
    texts: list[list[str] | None], metric: str, benchmark: Benchmark, facts: ComplianceFacts
) -> AccuracyPair:
    pattern = re.compile(facts.patterns[metric]) if metric in facts.patterns else None
    baseline, compliance = (None if pattern is None else _last(pattern, lines or []) for lines in texts)
    delta = None
    if baseline and compliance:
        delta = abs(1 - baseline / compliance) * 100
    return AccuracyPair(metric, baseline, compliance, delta, facts.delta_limit(benchmark.name))


def _last(pattern: re.Pattern[str], lines: list[str]) -> float | None:
    figures = [match[1] for match in _matches(pattern, lines)]
    return as_number(figures[-1]) if figures else None


def _matches(pattern: re.Pattern[str], lines: list[str]) -> Iterator[re.Match[str]]:
    for line in lines:
        if match := pattern.match(line):
            yield match
