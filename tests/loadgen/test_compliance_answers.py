from __future__ import annotations

from dataclasses import replace

import pytest

from assay.loadgen.compliance_answers import Answers, Scores, compare_answers, verify_answers
from assay.rules.load import load_round

LONG = b"\1" * 5000
REFERENCE = [(0, b"a"), (1, b"b"), (2, LONG), (3, b"")]
ROUND = load_round("v3.1")
RESNET, BERT = ROUND.benchmark("resnet"), load_round("v3.1").benchmark("bert-99.9")


def names(answers: Answers, scores: Scores | None = None) -> list[str]:
    return [item.name for item in verify_answers(answers, ROUND, RESNET, scores).constraints if not item.met]


def test_equal_answers_pass_however_often_a_sample_came() -> None:
    found = compare_answers(REFERENCE, [(2, LONG), (0, b"a"), (2, LONG), (3, b"")])
    assert (found.reference, found.entries, found.different, found.unknown, found.samples) == (4, 4, 0, 0, (0, 2, 3))
    verified = verify_answers(found, ROUND, RESNET, None)
    assert verified.passed
    assert verified.text.splitlines()[1:] == [
        "num_acc_log_entries = 4", "num_acc_log_duplicate_keys = 0", "num_acc_log_data_mismatch = 0",
        "num_perf_log_entries = 4", "num_perf_log_qsl_idx_match = 4", "num_perf_log_data_mismatch = 0",
        "num_missing_qsl_idxs = 0", "TEST PASS",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "kept", [[(2, LONG + b"\1")], [(3, b"a")], [(0, b"")], [(2, b"\2" + LONG[1:])], [(0, b"a"), (0, b"b")]]
)
def test_any_other_byte_is_another_answer(kept: list[tuple[int, bytes]]) -> None:
    found = compare_answers(REFERENCE, kept)
    assert found.different == 1
    assert found.examples == (kept[-1][0],)
    verified = verify_answers(found, ROUND, RESNET, None)
    assert not verified.passed
    assert "TEST PASS" not in verified.text
    assert f"1 of {len(kept)} answers differ (samples {kept[-1][0]})" in verified.text


def test_no_answers_and_answers_to_unknown_samples_prove_nothing() -> None:
    assert names(compare_answers(REFERENCE, [])) == ["TEST01 answers"]
    found = compare_answers(REFERENCE, [(0, b"a"), (9, b"z")])
    assert (found.unknown, names(found)) == (1, ["TEST01 answers"])
    assert "TEST FAIL" in verify_answers(found, ROUND, RESNET, None).text


def test_the_accuracy_run_may_repeat_a_sample_and_the_first_answer_counts() -> None:
    found = compare_answers([(0, b"a"), (0, b"a"), (0, b"x")], [(0, b"a")])
    assert (found.repeated, found.unsteady, found.different) == (2, 1, 0)


@pytest.mark.parametrize(
    ("before", "after", "close", "tight"),
    [(76.0, 76.0, True, True), (76.0, 75.3, True, False), (76.0, 75.0, False, False), (76.0, 76.05, True, True),
     (76.0, 0.0, False, False)],
)  # fmt: skip
def test_other_answers_pass_when_the_accuracy_is_close(before: float, after: float, close: bool, tight: bool) -> None:
    found = compare_answers(REFERENCE, [(0, b"q")])
    scores = Scores({"acc": before}, {"acc": after})
    verified = verify_answers(found, ROUND, RESNET, scores)
    assert verified.passed is close
    # The official checker looks for these words, and then compares the accuracies itself.
    assert "TEST PASS" not in verified.text
    assert verify_answers(found, ROUND, replace(BERT, quality=RESNET.quality), scores).passed is tight


def test_without_an_accuracy_the_answers_are_told_to_differ() -> None:
    verified = verify_answers(compare_answers(REFERENCE, [(1, b"q"), (0, b"q")]), ROUND, RESNET, None)
    (failed,) = [item for item in verified.constraints if not item.met]
    assert failed.measured.startswith("2 of 2 answers differ (samples 1, 0), and there is no accuracy of a part")
    assert (
        verify_answers(compare_answers(REFERENCE, [(0, b"q")]), ROUND, RESNET, Scores({}, {"acc": 1.0})).passed is False
    )
