from __future__ import annotations

from dataclasses import replace

import pytest

from assay.community.outcome import AcceptedResult, Outcome, Refusal, UploadKind

NEW = AcceptedResult("a" * 16, "p", "v3.1", "resnet", "Offline", "open")
OLD = replace(NEW, known=True)
NO = Refusal("q", "because")


@pytest.mark.parametrize(
    ("accepted", "refused", "message", "ok", "unchanged"),
    [
        ((), (), "nothing in it is a result", False, False),
        ((NEW,), (), "1 result accepted", True, False),
        ((NEW, NEW), (NO,), "2 results accepted, 1 refused", False, False),
        ((OLD,), (), "1 already there, nothing changed", True, True),
        ((NEW, OLD), (), "1 result accepted, 1 already there, nothing changed", True, False),
        ((), (NO,), "1 refused", False, False),
    ],
)
def test_an_outcome_in_words(
    accepted: tuple[AcceptedResult, ...], refused: tuple[Refusal, ...], message: str, ok: bool, unchanged: bool
) -> None:
    outcome = Outcome(UploadKind.RUNS, accepted, refused)
    assert (outcome.message, outcome.ok, outcome.unchanged) == (message, ok, unchanged)
