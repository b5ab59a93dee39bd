from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from assay.community.challenge import Challenge, Status
from assay.playground.challenge_line import line_of, rounds_of
from assay.results.taking_part import TakenIn


def challenge(**given: Any) -> Challenge:
    return Challenge(
        **{"uid": "0" * 16, "alias": "", "repository": "", "path": Path(), "title": "T", "status": Status.OPEN, **given}
    )


@pytest.mark.parametrize(
    ("given", "rounds"),
    [
        ({"rounds": ("v2.0",), "tags": ("v3.1",)}, ("v2.0",)),
        ({"tags": ("mlperf-inference-v3.1", "v3.1", "v4", "very.good", "x-v1.0-y")}, ("v3.1",)),
        ({}, ()),
    ],
)
def test_rounds_are_those_that_it_says_else_those_of_its_tags(given: dict[str, Any], rounds: tuple[str, ...]) -> None:
    assert rounds_of(challenge(**given)) == rounds


def test_a_line_counts_what_was_accepted() -> None:
    now = datetime(2026, 12, 1, tzinfo=UTC)
    line = line_of(challenge(prize="x" * 300), now, {"0" * 16: TakenIn(3, 2)})
    assert (line.name, line.results, line.contributors, len(line.prize)) == ("0" * 16, 3, 2, 200)
    assert line_of(challenge(), now, {}).results == 0
