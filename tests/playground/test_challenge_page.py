from __future__ import annotations

from pathlib import Path

import pytest
from tests.playground.conftest import HTML, local_app

from assay.base.settings import Settings
from assay.playground.challenge_page import without_title


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("# The Title\n\nx", "\nx"),
        ("\n\n## the title ##\nx", "## the title ##\nx"),
        ("# Other\nx", "# Other\nx"),
        ("The Title\nx", "The Title\nx"),
        ("# The Title", ""),
        ("", ""),
    ],
)
def test_a_title_that_the_page_shows_is_not_shown_twice(text: str, left: str) -> None:
    assert without_title(text, "The Title").strip() == left.strip()


def test_the_challenges_that_come_with_assay_are_pages_without_dead_ends(tmp_path: Path) -> None:
    with local_app(Settings(tmp_path)) as client:
        said = client.get("/challenges/optimize-mlperf-inference-v3.1.json").json()
        assert (said["line"]["state"]["status"], said["line"]["state"]["day"]) == ("closed", "2023-08-17")
        assert len(said["documents"]) == 7
        assert 'href="/challenges/reproduce-and-improve-mlperf-inference"' in said["html"]
        for each in said["documents"]:
            assert client.get(each["address"], headers=HTML).status_code == 200
        assert not any("playground.example" in each["command"] for each in said["how_to"])
        for each in said["experiments"]:
            assert each["address"].startswith("/explorer?round=v")
