"""The answers that TEST01 keeps of a performance run, beside those of the accuracy run.

Source: compliance/nvidia/TEST01/verify_accuracy.py of mlcommons/inference, v2.0 to v3.1, which compares the first number of
a response; here whole responses are compared, as its ``--unixmode`` does.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from assay.base.units import format_count
from assay.loadgen.compliance import FIXES, SCOPE, Verified
from assay.loadgen.verdict import Constraint
from assay.rules.model import Benchmark, Round

_SHOWN = 5
_KEPT_BYTES = 64
_NO_PART = "there is no accuracy of a part of the dataset for this task"


@dataclass(frozen=True, slots=True)
class Answers:
    """Answers of a performance run beside those of the accuracy run.

    Attributes:
        reference: answers of the accuracy run.
        repeated: of these, answers to a sample that had one before.
        unsteady: of these, answers that were another one before.
        entries: answers that were kept of the performance run.
        different: of these, answers that are others than in the accuracy run.
        unknown: of these, answers to samples that the accuracy run has none of.
        samples: samples that they answer, in order.
        examples: the first samples with another answer.
    """

    reference: int
    repeated: int
    unsteady: int
    entries: int
    different: int
    unknown: int
    samples: tuple[int, ...]
    examples: tuple[int, ...]


def compare_answers(reference: Iterable[tuple[int, bytes]], kept: Iterable[tuple[int, bytes]]) -> Answers:
    """Compare whole responses, sample by sample.

    Args:
        reference: sample index and response of each entry of the accuracy run's log.
        kept: the same of the log of TEST01.
    """
    known: dict[int, bytes] = {}
    count = repeated = unsteady = 0
    for index, data in reference:
        count += 1
        mark = _mark(data)
        if index in known:
            repeated += 1
            unsteady += known[index] != mark
        else:
            known[index] = mark
    entries = different = unknown = 0
    samples: set[int] = set()
    examples: dict[int, None] = {}
    for index, data in kept:
        entries += 1
        samples.add(index)
        if index not in known:
            unknown += 1
        elif known[index] != _mark(data):
            different += 1
            examples[index] = None
    shown = tuple(examples)[:_SHOWN]
    return Answers(count, repeated, unsteady, entries, different, unknown, tuple(sorted(samples)), shown)


def _mark(data: bytes) -> bytes:
    """A short response itself, else its digest: a volume has millions of bytes."""
    return data if len(data) <= _KEPT_BYTES else hashlib.sha256(data).digest()


@dataclass(frozen=True, slots=True)
class Scores:
    """Accuracy over the samples that TEST01 kept, by metric: with the answers of the accuracy run, and with those kept."""

    baseline: Mapping[str, float]
    compliance: Mapping[str, float]


def verify_answers(
    answers: Answers, round_: Round, benchmark: Benchmark, scores: Scores | None, why: str = _NO_PART
) -> Verified:
    """Verify the answers that TEST01 kept.

    Equal answers pass. Others pass when the accuracy over these samples is close, which the text does not call a pass;
    the official checker then compares both accuracies, too.

    Args:
        answers: as compared.
        round_: says how close.
        benchmark: whose metrics count.
        scores: both accuracies; None when they were not or could not be computed.
        why: why they could not, in words that follow "and".
    """
    source = f"TEST01 of round {round_.name}"
    known = Constraint(
        "TEST01 answers",
        answers.entries > answers.unknown == 0,
        "answers to samples of the accuracy run",
        f"{format_count(answers.entries)}, {format_count(answers.unknown)} to samples it has none of",
        source,
        "" if answers.entries > answers.unknown == 0 else "make both runs with the same dataset, and run longer",
        SCOPE,
    )
    found = f"{format_count(answers.different)} of {format_count(answers.entries)} answers differ"
    if answers.examples:
        found += f" (samples {', '.join(map(str, answers.examples))})"
    if not answers.different:
        constraints = [known, Constraint("TEST01 accuracy", True, "equal answers", found, source, "", SCOPE)]
    else:
        constraints = [known, *_close(found, round_, benchmark, scores, why, source)]
    exact = known.met and not answers.different
    lines = [
        "Verifying accuracy.",
        f"num_acc_log_entries = {answers.reference}",
        f"num_acc_log_duplicate_keys = {answers.repeated}",
        f"num_acc_log_data_mismatch = {answers.unsteady}",
        f"num_perf_log_entries = {answers.entries}",
        f"num_perf_log_qsl_idx_match = {answers.entries - answers.unknown}",
        f"num_perf_log_data_mismatch = {answers.different}",
        f"num_missing_qsl_idxs = {answers.unknown}",
        "TEST PASS" if exact else f"TEST FAIL: {found}",
    ]
    return Verified(tuple(constraints), "\n".join(lines) + "\n")


def _close(
    found: str, round_: Round, benchmark: Benchmark, scores: Scores | None, why: str, source: str
) -> Iterator[Constraint]:
    rules = round_.submission.compliance if round_.submission is not None else None
    allowed = 1.0 if rules is None else rules.max_delta_percent
    if rules is not None and "99.9" in benchmark.name:
        allowed = rules.max_delta_percent_tight
    limit = f"equal answers, or an accuracy within {allowed:g}%"
    if scores is None or not scores.compliance:
        yield Constraint("TEST01 accuracy", False, limit, f"{found}, and {why}", source, FIXES["TEST01"], SCOPE)
        return
    for metric, after in scores.compliance.items():
        before = scores.baseline.get(metric)
        # As the official checker does: of the accuracy in the test.
        change = abs(1 - before / after) * 100 if before is not None and after else float("inf")
        met = change <= allowed
        measured = f"{found}; {metric} {after:.6g} against {before if before is None else format(before, '.6g')}"
        fix = "" if met else FIXES["TEST01"]
        yield Constraint("TEST01 accuracy", met, limit, measured, source, fix, SCOPE)
