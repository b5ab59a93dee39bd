"""Compliance tests through the real LoadGen: honest engines pass, each cheat fails the test that is there for it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from assay.base.progress import SILENT
from assay.base.settings import Settings
from assay.campaign.compliance import JudgedTest, carry_out_compliance
from assay.campaign.compliance_plan import ComplianceRequest, plan_compliance
from assay.campaign.execute import carry_out
from assay.campaign.plan import make_plan
from assay.campaign.request import RunRequest
from assay.errors import UsageError
from assay.loadgen.compliance import SCOPE
from assay.loadgen.record import RunRecord
from assay.loadgen.runs import RunCatalogue
from assay.rules.load import load_round
from assay.rules.model import Round

from .test_execute import MANIFEST

PLUGIN = Path(__file__).parent / "cheats"
COUNT, SAMPLES = 40, 80


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Forty pictures that differ in every pixel, of three colours."""
    folder = tmp_path / "photos"
    folder.mkdir()
    for number in range(COUNT):
        colour = [20 + number] * 3
        colour[number % 3] = 220
        Image.new("RGB", (36, 36), tuple(colour)).save(folder / f"p_{number:02d}_{number % 3}.png")
    return folder


class Bench:
    """The tiny model on an engine that cheats as it is told."""

    def __init__(self, settings: Settings, model: Path, photos: Path) -> None:
        self._settings, self._model, self._photos = settings, model, photos

    def request(self, cheat: str, notes: Path | None, **more: Any) -> RunRequest:
        extra = {"cheat": cheat, **({"notes": str(notes)} if notes else {})}
        options: dict[str, Any] = {
            "name": "colours", "model": self._model, "dataset": str(self._photos), "backend": "cheat", "batch_size": 4,
            "backend_options": extra, "duration_ns": 10**6, "samples": SAMPLES, "target_qps": 250.0,
        }  # fmt: skip
        return RunRequest(**{**options, **more})

    def plain(self, cheat: str = "none", *, notes: Path | None = None) -> RunRecord:
        """A plain performance run."""
        (record,) = carry_out(make_plan(self.request(cheat, notes), self._settings), self._settings, SILENT)
        return record

    def tested(
        self, *tests: str, cheat: str = "none", notes: Path | None = None, named: str = "", **more: Any
    ) -> dict[str, JudgedTest]:
        """Compliance tests by their names; plain runs are made first where there are none."""
        request = ComplianceRequest(self.request(cheat, notes, **more), tests, named, named)
        done = carry_out_compliance(plan_compliance(request, self._settings), self._settings, SILENT)
        return {each.record.compliance: each for each in done}


def loose(name: str) -> Round:
    """A round whose tests let 30 % pass, so that a busy machine fails none; what exactly they let pass is tested apart."""
    round_ = load_round(name)
    assert round_.submission is not None
    rules = round_.submission.compliance
    wide = {test: replace(each, share=0.3) for test, each in rules.tolerances.items()}
    return replace(round_, submission=replace(round_.submission, compliance=replace(rules, tolerances=wide)))


@pytest.fixture
def bench(home: Path, classifier: Path, photos: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    monkeypatch.setattr("assay.campaign.plan.load_round", loose)
    monkeypatch.syspath_prepend(str(PLUGIN))
    monkeypatch.setenv("PYTHONPATH", str(PLUGIN))
    (home / "manifests").mkdir(parents=True)
    (home / "manifests" / "colours.yaml").write_text(MANIFEST)
    return Bench(Settings(home=home, offline=True), classifier, photos)


def failed(one: JudgedTest) -> list[str]:
    assert one.record.verdict is not None
    return [item.name for item in one.record.verdict.constraints if item.scope == SCOPE and not item.met]


def plain_runs(home: Path) -> list[RunRecord]:
    return [record for record in RunCatalogue(home / "runs").records() if not record.compliance]


def test_an_honest_engine_passes_every_test(home: Path, bench: Bench) -> None:
    done = bench.tested()
    assert list(done) == ["TEST01", "TEST04", "TEST05"]
    assert {name: failed(each) for name, each in done.items()} == {"TEST01": [], "TEST04": [], "TEST05": []}
    assert all(each.passed for each in done.values())
    performance, accuracy = plain_runs(home)
    assert (performance.mode, accuracy.mode) == ("performance", "accuracy")
    assert done["TEST01"].record.judged_against == (performance.id, accuracy.id)
    assert done["TEST05"].record.judged_against == (performance.id,)
    folder = done["TEST01"].folder
    assert sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()) == [
        "accuracy/accuracy.txt",
        "accuracy/mlperf_log_accuracy.json",
        "performance/run_1/mlperf_log_detail.txt",
        "performance/run_1/mlperf_log_summary.txt",
        "verify_accuracy.txt",
        "verify_performance.txt",
    ]
    assert "TEST PASS" in (folder / "verify_accuracy.txt").read_text()
    assert "TEST PASS" in (folder / "verify_performance.txt").read_text()
    assert len(json.loads((folder / "accuracy" / "mlperf_log_accuracy.json").read_text())) == SAMPLES
    other = done["TEST05"].record.settings
    assert other["qsl_rng_seed"] == 793197339507417767 != performance.settings["qsl_rng_seed"]


def test_an_engine_that_keeps_answers_fails_test04(bench: Bench) -> None:
    done = bench.tested("TEST04", "TEST05", cheat="cache")
    assert failed(done["TEST04"]) == ["TEST04 speed"]
    assert done["TEST05"].passed
    text = (done["TEST04"].folder / "verify_performance.txt").read_text()
    assert "TEST FAIL: TEST04 speed" in text and "TEST PASS" not in text
    verdict = done["TEST04"].record.verdict
    assert verdict is not None and not verdict.accepted and "compute every sample" in verdict.advice[0]


def test_in_round_v2_0_the_same_sample_is_compared_with_all_of_them(bench: Bench) -> None:
    honest = bench.tested("TEST04", round="v2.0")
    assert list(honest) == ["TEST04-A", "TEST04-B"]
    assert [failed(each) for each in honest.values()] == [[], []]
    cheat = bench.tested("TEST04", round="v2.0", cheat="cache")
    assert failed(cheat["TEST04-B"]) == ["TEST04-B speed"]
    assert (cheat["TEST04-A"].folder / "verify_performance.txt").is_file()
    assert not (cheat["TEST04-B"].folder / "verify_performance.txt").exists()
    assert cheat["TEST04-A"].record.judged_against[1:] == (cheat["TEST04-B"].record.id,)


def test_answers_from_a_table_in_performance_mode_fail_test01(bench: Bench) -> None:
    done = bench.tested("TEST01", cheat="wrong")
    assert failed(done["TEST01"]) == ["TEST01 accuracy"]
    folder = done["TEST01"].folder
    assert "TEST FAIL" in (folder / "verify_accuracy.txt").read_text()
    assert "TEST PASS" in (folder / "verify_performance.txt").read_text()
    assert "accuracy=100.000%" in (folder / "accuracy" / "baseline_accuracy.txt").read_text()
    assert "accuracy=35.000%" in (folder / "accuracy" / "compliance_accuracy.txt").read_text()


def test_other_answers_of_the_same_accuracy_pass_as_the_checker_lets_them(bench: Bench) -> None:
    done = bench.tested("TEST01", cheat="second")
    assert done["TEST01"].passed
    folder = done["TEST01"].folder
    assert "TEST PASS" not in (folder / "verify_accuracy.txt").read_text()
    assert (folder / "accuracy" / "compliance_accuracy.txt").read_text().startswith("accuracy=100.000%")


def test_an_engine_made_for_the_order_of_the_rounds_seeds_fails_test05(
    home: Path, bench: Bench, tmp_path: Path
) -> None:
    notes = tmp_path / "notes"
    # The first run shows the order of the round's seeds; whatever comes in that order afterwards is twice as fast.
    first = bench.plain("order", notes=notes)
    second = bench.plain("order", notes=notes)
    assert first.figures.value is not None and second.figures.value is not None
    assert second.figures.value > first.figures.value * 1.5
    done = bench.tested("TEST05", cheat="order", notes=notes)
    assert done["TEST05"].record.judged_against == (second.id,)
    assert failed(done["TEST05"]) == ["TEST05 speed"]


def test_a_named_run_that_does_not_fit_is_refused(bench: Bench) -> None:
    plain = bench.plain()
    with pytest.raises(UsageError, match="no accuracy run of this setting") as caught:
        bench.tested("TEST01", named=plain.id)
    assert caught.value.found == "mode performance, not accuracy"
    done = bench.tested("TEST04", named=plain.id)["TEST04"]
    assert done.record.judged_against == (plain.id,)
    with pytest.raises(UsageError, match="is a compliance test itself"):
        bench.tested("TEST04", named=done.record.id)
