from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from assay.campaign import demo
from assay.cli.main import run


@pytest.fixture
def few_queries(monkeypatch: pytest.MonkeyPatch) -> None:
    """MultiStream's 662 queries of eight samples take minutes where other tests keep the processors busy."""
    whole = demo.demo_parts

    def shortened(backend: str, model: str, seconds: int) -> list[demo.DemoPart]:
        parts = whole(backend, model, seconds)
        return [
            replace(part, request=part.request.model_copy(update={"samples": 20}))
            if part.request.mode == "performance"
            else part
            for part in parts
        ]

    monkeypatch.setattr(demo, "demo_parts", shortened)


@pytest.mark.usefixtures("few_queries")
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
