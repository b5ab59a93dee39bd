"""The page of a search."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from assay.loadgen.attempts import Aim, Attempt, Judged, Step, Tried
from assay.loadgen.search import Found
from assay.results.rate_page import RatePage, outcome, render, write_rate_page

TRIED = (
    Tried(Attempt(80.0, 10.0, 800, 1, 79.9, True, run="first"), Step.BRACKET, Judged.HELD),
    Tried(Attempt(82.0, 600.0, 49200, 900, 81.9, False, run="second"), Step.CONFIRM, Judged.MISSED),
    Tried(Attempt(80.0, 600.0, 48000, 300, 79.9, True, run="third"), Step.CONFIRM, Judged.HELD),
)
FOUND = Found(80.0, True, 82.0, TRIED)
PAGE = RatePage(
    title="mobilenet-v2 on onnxruntime",
    about=(("Model", "mobilenet-v2"),),
    aim=Aim(0.99, 0.015, 600.0),
    tried=TRIED,
    found=FOUND,
    command="assay run mobilenet-v2 --target-qps 80",
)


def test_the_page_has_the_outcome_both_figures_and_every_attempt(tmp_path: Path) -> None:
    write_rate_page(PAGE, tmp_path / "rate.html")
    text = (tmp_path / "rate.html").read_text()
    assert "80 queries/s, confirmed by a VALID run of full length; 82 missed." in text
    assert text.count("<svg") == 2 and "Late queries by rate; of a full run 0.89% may be late" in text
    assert all(run in text for run in ("first", "second", "third")) and "49,200" in text and "1.83%" in text
    assert "assay run mobilenet-v2 --target-qps 80" in text
    # Colours follow the page, so that it has a dark side, and ids of two pictures are not the same.
    assert "#1f6feb" not in text.split("</style>")[1] and "var(--plot-1)" in text


def test_it_loads_nothing_and_names_from_outside_stay_text() -> None:
    hostile = "</title><script>alert(1)</script>"
    attempt = replace(TRIED[0], attempt=replace(TRIED[0].attempt, run=hostile))
    text = render(replace(PAGE, title=hostile, about=((hostile, hostile),), tried=(attempt,), command=hostile))
    assert "<script" not in text and "&lt;script&gt;" in text
    assert "default-src 'none'" in text and "http://" not in text.replace("http://www.w3.org/", "")


def test_what_it_came_to_is_said_in_a_sentence() -> None:
    assert outcome(replace(PAGE, found=None)) == "The search was interrupted; asked again, it goes on from here."
    none = Found(None, False, 80.0, TRIED, "no rate held the bound")
    assert outcome(replace(PAGE, found=none)) == "No rate held the bound."
    unsure = Found(80.0, False, None, TRIED, "the search ended after 40 attempts")
    expected = "80 queries/s, not confirmed at full length. Note: the search ended after 40 attempts."
    assert outcome(replace(PAGE, found=unsure)) == expected
    for page in (replace(PAGE, found=None, command=""), replace(PAGE, found=none, command="")):
        assert "Run the found rate" not in render(page)
