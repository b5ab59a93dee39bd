"""Compliance tests through the real LoadGen: honest engines pass, each cheat fails the test that is there for it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from random import Random
from typing import Any

import pytest

from assay.base.progress import SILENT, Progress
from assay.base.settings import Settings
from assay.campaign.compliance import JudgedTest, carry_out_compliance
from assay.campaign.compliance_plan import ComplianceRequest, plan_compliance
from assay.campaign.compliance_repeat import OwnRuns, Trial
from assay.campaign.execute import carry_out
from assay.campaign.finish import Finished
from assay.campaign.plan import make_plan
from assay.campaign.request import RunRequest
from assay.errors import UsageError
from assay.loadgen.compliance import passed
from assay.loadgen.record import RunRecord, RunStatus
from assay.loadgen.runs import RunCatalogue

from .test_execute import MANIFEST
from .tested import SAMPLES, failed, loose, make_photos

PLUGIN = Path(__file__).parent / "cheats"


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
        self,
        *tests: str,
        cheat: str = "none",
        notes: Path | None = None,
        named: str = "",
        again: bool = False,
        **more: Any,
    ) -> dict[str, JudgedTest]:
        """Compliance tests by their names; plain runs are made first where there are none."""
        request = ComplianceRequest(self.request(cheat, notes, **more), tests, named, named, again=again)
        done = carry_out_compliance(plan_compliance(request, self._settings), self._settings, SILENT)
        return {each.record.compliance: each for each in done}


@pytest.fixture
def bench(home: Path, classifier: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    monkeypatch.setattr("assay.campaign.plan.load_round", loose)
    monkeypatch.syspath_prepend(str(PLUGIN))
    monkeypatch.setenv("PYTHONPATH", str(PLUGIN))
    (home / "manifests").mkdir(parents=True)
    (home / "manifests" / "colours.yaml").write_text(MANIFEST)
    return Bench(Settings(home=home, offline=True), classifier, make_photos(tmp_path / "photos"))


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


def test_an_engine_that_is_less_accurate_in_performance_mode_fails_test01(bench: Bench) -> None:
    done = bench.tested("TEST01", cheat="drop")
    assert failed(done["TEST01"]) == ["TEST01 accuracy"]
    folder = done["TEST01"].folder / "accuracy"
    assert (folder / "baseline_accuracy.txt").read_text().startswith("accuracy=100.000%")
    assert (folder / "compliance_accuracy.txt").read_text().startswith("accuracy=90.000%, good=36, total=40")


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


@pytest.mark.parametrize("cheat", ["order", pytest.param("table", marks=pytest.mark.slow)])
def test_an_engine_made_for_the_order_of_the_rounds_seeds_fails_test05(
    home: Path, bench: Bench, tmp_path: Path, cheat: str
) -> None:
    notes = tmp_path / "notes"
    # The first run shows the order of the round's seeds; what comes in that order afterwards is twice as fast, or as fast
    # as a table is looked up.
    first = bench.plain(cheat, notes=notes)
    second = bench.plain(cheat, notes=notes)
    assert first.figures.value is not None and second.figures.value is not None
    assert second.figures.value > first.figures.value * 1.5
    done = bench.tested(*(("TEST05",) if cheat == "order" else ()), cheat=cheat, notes=notes)
    assert done["TEST05"].record.judged_against == (second.id,)
    assert failed(done["TEST05"]) == ["TEST05 speed"]
    # The answers are right and in TEST01 the seeds are the round's: no other test sees it.
    assert all(each.passed for test, each in done.items() if test != "TEST05")


def test_a_named_run_that_does_not_fit_is_refused(bench: Bench) -> None:
    plain = bench.plain()
    with pytest.raises(UsageError, match="no accuracy run of this setting") as caught:
        bench.tested("TEST01", named=plain.id)
    assert caught.value.found == "mode performance, not accuracy"
    done = bench.tested("TEST04", named=plain.id)["TEST04"]
    assert done.record.judged_against == (plain.id,)
    with pytest.raises(UsageError, match="is a compliance test itself"):
        bench.tested("TEST04", named=done.record.id)


# ---- going on after an end that nobody wanted


def test_what_was_passed_is_not_run_again_unless_it_is_asked_for(home: Path, bench: Bench) -> None:
    first = bench.tested("TEST04")
    done = bench.tested("TEST04", "TEST05")
    assert {name: each.before for name, each in done.items()} == {"TEST04": True, "TEST05": False}
    assert done["TEST04"].record == first["TEST04"].record and done["TEST04"].folder == first["TEST04"].folder
    count = len(RunCatalogue(home / "runs").records())
    assert all(each.before for each in bench.tested("TEST04", "TEST05").values())
    assert len(RunCatalogue(home / "runs").records()) == count
    again = bench.tested("TEST04", again=True)
    assert not again["TEST04"].before and again["TEST04"].record.id != first["TEST04"].record.id


def test_logs_that_were_not_judged_before_the_end_are_judged_and_not_made_again(
    home: Path, bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: object, **__: object) -> None:
        raise SystemExit

    with monkeypatch.context() as context:
        context.setattr("assay.campaign.compliance.write_folder", killed)
        with pytest.raises(SystemExit):
            bench.tested("TEST05")
    left = RunCatalogue(home / "runs").read("last")
    assert (left.compliance, left.status.value) == ("TEST05", "finished")
    assert not (home / "runs" / left.id / "compliance").exists()
    done = bench.tested("TEST05")
    assert done["TEST05"].record.id == left.id and done["TEST05"].passed and not done["TEST05"].before
    assert len(RunCatalogue(home / "runs").records()) == 2


def test_parts_of_a_test_go_on_with_the_part_that_is_there(
    home: Path, bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = OwnRuns.run

    def killed(self: OwnRuns, trial: Trial, progress: Progress) -> Finished:
        if trial.audit.test == "TEST04-B":
            raise SystemExit
        return real(self, trial, progress)

    with monkeypatch.context() as context:
        context.setattr(OwnRuns, "run", killed)
        with pytest.raises(SystemExit):
            bench.tested("TEST04", round="v2.0")
    first = RunCatalogue(home / "runs").read("last")
    assert first.compliance == "TEST04-A"
    done = bench.tested("TEST04", round="v2.0")
    assert done["TEST04-A"].record.id == first.id and done["TEST04-B"].passed
    assert all(each.before for each in bench.tested("TEST04", round="v2.0").values())


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_call_that_is_killed_at_many_moments_comes_to_its_end(home: Path, bench: Bench) -> None:
    given = bench.request("none", None)
    words = [sys.executable, "-m", "assay", "compliance", "run", "colours", "--model", str(given.model), "--quiet"]
    words += [
        "--dataset",
        str(given.dataset),
        "--backend",
        "cheat",
        "--batch-size",
        "4",
        "--backend-option",
        "cheat=none",
    ]
    words += ["--duration", "1ms", "--samples", str(SAMPLES), "--target-qps", "250"]
    random, killed = Random(7), 0
    for _ in range(12):
        process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            if process.wait(timeout=random.uniform(0.5, 4.0)) in (0, 1):
                break
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            killed += 1
    assert killed > 2
    # A busy machine may fail a test, which the next call makes again; whatever comes of it, nothing is half.
    assert subprocess.run(words, check=False, capture_output=True).returncode in (0, 1)
    catalogue = RunCatalogue(home / "runs")
    finished = [record for record in catalogue.records() if record.status is RunStatus.FINISHED]
    assert {record.compliance for record in finished} == {"", "TEST01", "TEST04", "TEST05"}
    assert len([record for record in finished if not record.compliance]) == 2
    for record in finished:
        names = {path.name for path in (catalogue.folder / record.id).iterdir()}
        assert not {name for name in names if name.startswith((".compliance-", ".scored-"))}
        assert passed(record.verdict) is not None or not record.compliance
        assert not record.compliance or (catalogue.folder / record.id / "compliance" / record.compliance).is_dir()
    for test in ("TEST01", "TEST04", "TEST05"):
        assert len([each for each in finished if each.compliance == test and passed(each.verdict)]) <= 1
