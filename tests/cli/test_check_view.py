from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from assay.cli.check_view import csv_text, report_document, show_report, strict_reasons, verdict_lines
from assay.cli.render import Output
from assay.submission.check import check

from ..submission.cases import system
from ..submission.smalltree import build, change_log


def test_the_gravest_findings_come_first(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tree = build(tmp_path, "v3.0")
    system(framework="", colour="red")(tree)
    change_log(tree.run_log("Offline"), result_validity="INVALID", effective_qsl_rng_seed=1)
    show_report(check(tmp_path, "v3.0", jobs=1), Output(quiet=True), everything=False)
    out = capsys.readouterr().out
    order = [out.index(code) for code in ("result-invalid:", "scenario-missing:", "seed-wrong:", "system-field-empty:")]
    assert order[0] < order[1] < min(order[2:])
    assert "system-field-unknown" not in out
    assert "1 note more, which refuse nothing" in out


def test_the_strict_verdict_names_its_most_frequent_reasons(tmp_path: Path) -> None:
    tree = build(tmp_path, "v3.0")
    assert len(verdict_lines(check(tmp_path, "v3.0", jobs=1))) == 2
    system(framework="", cooling="")(tree)
    change_log(tree.run_log("Offline"), effective_qsl_rng_seed=1)
    report = check(tmp_path, "v3.0", jobs=1)
    # An empty field refuses every result of the system, and counts once for each.
    assert strict_reasons(report) == [("system-field-empty", 3), ("seed-wrong", 1)]
    assert verdict_lines(report)[2].strip() == "strictly refused, by reason: system-field-empty 3 results, seed-wrong 1"


def test_what_refuses_no_result_is_no_reason(tmp_path: Path) -> None:
    tree = build(tmp_path, "v3.0")
    shutil.rmtree(tree.result("Offline"))
    report = check(tmp_path, "v3.0", jobs=1)
    assert not report.strict.ok
    assert (strict_reasons(report), len(verdict_lines(report))) == ([], 2)


def test_nothing_of_a_tree_reaches_the_terminal_raw(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tree = build(tmp_path, "v3.0")
    system(status="\x1b[31mred\x1b[0m\x07", system_type="\u202eedge")(tree)
    show_report(check(tmp_path, "v3.0", jobs=1), Output(quiet=True), everything=True)
    out = capsys.readouterr().out
    assert "\x1b" not in out
    assert "\x07" not in out
    assert "\u202e" not in out


def test_the_csv_ends_with_a_line_end_and_the_document_holds_together(tmp_path: Path) -> None:
    build(tmp_path, "v3.0", power=True)
    report = check(tmp_path, "v3.0", jobs=1)
    text = csv_text(report)
    assert text.endswith("\n")
    assert text.count("\n") == 1 + 6
    document = report_document(report)
    assert document["format"] == 1
    assert [each["power"] for each in document["results"] if each["scenario"] == "Offline"] == [125.0]
    assert document["results"][0]["findings"] == []
