from __future__ import annotations

import json
from pathlib import Path

import pytest

from assay.cli.main import run


def test_the_demo_measures_every_scenario_and_writes_a_report(
    stand_in_home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report = tmp_path / "report.html"
    assert (
        run(["demo", "--model", "null-classifier", "--backend", "null", "--seconds", "1", "--report", str(report)]) == 2
    )
    assert "no trained weights" in capsys.readouterr().err
    assert run(["demo", "--seconds", "1", "--report", str(report), "--json"]) == 0
    records = json.loads(capsys.readouterr().out)
    assert [(r["scenario"], r["mode"]) for r in records] == [
        ("Offline", "accuracy"),
        ("SingleStream", "performance"),
        ("MultiStream", "performance"),
        ("Offline", "performance"),
        ("Server", "performance"),
    ]
    assert records[0]["figures"]["accuracy"] == {"acc": 90.0}
    assert all("stand-in-model" in r["labels"] for r in records)
    page = report.read_text()
    assert "Not comparable with published results" in page
    assert "<svg" in page
    assert "http://" not in page.replace("http://www.w3.org", "")
