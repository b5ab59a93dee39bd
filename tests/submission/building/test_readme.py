from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from assay.loadgen.record import Figures, Label
from assay.loadgen.settings import Deviation
from assay.rules.model import Scenario
from assay.submission.building.model import Entry, Taken
from assay.submission.building.readme import calibration_page, code_readme, measurements_readme, rehearsal_line

from .made import VALID, make_home, wish


@pytest.fixture
def entry(tmp_path: Path) -> Entry:
    home = make_home(tmp_path / "home")
    runs = [home.add(Scenario.OFFLINE, mode) for mode in ("performance", "accuracy")]
    first, second = (Taken(folder.read(), folder.path) for folder in runs)
    return Entry(home.round.benchmark("resnet"), Scenario.OFFLINE, first, second)


def test_what_a_reader_needs_to_run_it_again_is_told(entry: Entry) -> None:
    text = measurements_readme(entry, wish(), "onnxruntime", {"retraining": "no"})
    for record in (run.record for run in entry.runs):
        assert record.command in text and record.id in text
        assert all(digest in text for digest in record.logs.values())
    for fact in ("100 Samples/s", "76.4", "6.0.17", "Acme 9000", "| retraining | no |", "VALID"):
        assert fact in text
    assert "REHEARSAL" not in text and "inferred" not in text and "TBD" not in text


def test_an_inferred_result_says_from_what(entry: Entry) -> None:
    text = measurements_readme(replace(entry, inferred_from=Scenario.SINGLE_STREAM), wish(), "x", {})
    assert "This result is inferred" in text and "SingleStream" in text


def test_a_rehearsal_and_what_its_run_lacks_are_told(entry: Entry) -> None:
    record = replace(
        entry.performance.record,
        labels=(Label.SHORT_RUN,),
        deviations=(Deviation("min_duration", "10m 00s", "5.00 s"),),
        verdict=replace(VALID, accepted=False, reasons=("min_duration | of the round",)),
        figures=Figures(value=None),
    )
    short = replace(entry, performance=Taken(record, entry.performance.folder), labels=("short-run",), accuracy=None)
    text = measurements_readme(short, wish(rehearsal=True), "x", {})
    assert text.splitlines()[2] == "**REHEARSAL, NOT TO BE SUBMITTED. Labels of its runs: short-run.**"
    assert "min_duration: 5.00 s, 10m 00s asked" in text and "min_duration / of the round" in text
    assert Label.SHORT_RUN.meaning in text and "## Accuracy run" not in text


def test_code_names_every_command_once(entry: Entry) -> None:
    text = code_readme("resnet", "onnxruntime", [entry, replace(entry, scenario=Scenario.MULTI_STREAM)], wish())
    assert text.count(entry.performance.record.command) == 1
    assert 'pip install "assay[all]==0.1.0"' in text


def test_calibration_is_one_page() -> None:
    text = calibration_page(["## a\n", "## b\n", "## a\n"], ["short-run"], wish(rehearsal=True))
    assert text.count("## a") == 1 and text.startswith("# Calibration\n\n**REHEARSAL")
    assert rehearsal_line(()) == "REHEARSAL, NOT TO BE SUBMITTED. Labels of its runs: none of its own."


OTHERS = {
    "name": "MLCommons' Python reference", "implementation": "mlcommons-reference-resnet50", "source": "github at v3.1",
    "revision": "0f1e2d", "manifest_sha256": "ab" * 32, "options": "python=python3", "command": "python3 main.py",
    "container": "ghcr.io/me/it by podman", "image": "sha256:0123",
}  # fmt: skip


def test_a_program_of_others_is_told_as_what_it_is(entry: Entry) -> None:
    record = replace(
        entry.performance.record, backend=OTHERS, backend_name="mlcommons-reference-resnet50", batch_size=0
    )
    theirs = replace(entry, performance=Taken(record, entry.performance.folder))
    text = code_readme("resnet", "mlcommons-reference-resnet50", [theirs], wish())
    assert "The implementation is MLCommons' Python reference, with its own LoadGen (6.0.17" in text
    assert "started by assay 0.1.0 from its manifest, implementation.yaml" in text
    for fact in ("0f1e2d", "sha256:0123", "python3 main.py", "ghcr.io/me/it by podman"):
        assert fact in text
    assert "assay[all]" not in text
    text = measurements_readme(theirs, wish(), "mlcommons-reference-resnet50", {})
    assert "| commit | 0f1e2d |" in text
    assert "| batch size, streams, threads | its own, 1, automatic |" in text
