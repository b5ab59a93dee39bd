"""Compliance tests of programs that are not assay's, on the real LoadGen: honest ones pass, cheats fail the right test."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest

from assay.base.progress import SILENT
from assay.base.settings import Settings
from assay.campaign.compliance import JudgedTest, carry_out_compliance
from assay.campaign.compliance_external import changed
from assay.campaign.compliance_plan import ComplianceRequest, plan_compliance
from assay.campaign.external import carry_out_external
from assay.campaign.external_plan import ExternalRequest, make_external_plan
from assay.campaign.request import RunRequest
from assay.errors import InvalidInputError, RunFailedError, UsageError
from assay.harness.external.build import build_program
from assay.harness.external.command import choose
from assay.harness.external.forms import read_implementation
from assay.loadgen.audit import AUDIT_CONF
from assay.loadgen.record import RunRecord, RunStatus
from assay.loadgen.runs import RunCatalogue
from assay.rules.load import load_round
from assay.rules.model import Division, Scenario
from assay.submission.building.choose import AUDITED, unfit

from .test_execute import MANIFEST
from .test_external import PROGRAMS
from .test_external_cpp import PROGRAM, sources
from .tested import failed, loose, make_photos

__all__ = ["sources"]
LLAMA = """
format: 1
name: tiny-llama2
kind: model
task: language-model
title: Stands for Llama 2
sources: [{type: https, urls: ["http://127.0.0.1:9/never"]}]
licence: none
labels: [stand-in-model]
model: {benchmark: llama2-70b-99, dataset: cnn-dailymail, recipe: {}}
"""


class Bench:
    """A program of others in a folder of its own, on forty pictures."""

    def __init__(self, settings: Settings, manifest: Path, photos: Path, **words: str) -> None:
        self.settings, self.manifest, self._photos, self._words = settings, manifest, photos, words

    @property
    def folder(self) -> Path:
        return self.manifest.parent

    def program(self, **words: str) -> ExternalRequest:
        return ExternalRequest(str(self.manifest), None, {**self._words, **words})

    def request(self, **more: Any) -> RunRequest:
        given: dict[str, Any] = {
            "name": "colours", "dataset": str(self._photos), "duration_ns": 10**6, "samples": 80, "target_qps": 1000.0,
        }  # fmt: skip
        return RunRequest(**{**given, **more})

    def plain(self, **words: str) -> RunRecord:
        plan = make_external_plan(self.request(), self.program(**words), self.settings)
        (record,) = carry_out_external(plan, self.settings, SILENT)
        return record

    def tested(self, *tests: str, **words: str) -> dict[str, JudgedTest]:
        request = ComplianceRequest(self.request(), tests, program=self.program(**words))
        done = carry_out_compliance(plan_compliance(request, self.settings), self.settings, SILENT)
        return {each.record.compliance: each for each in done}


@pytest.fixture
def settings(home: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setattr("assay.campaign.external_plan.load_round", loose)
    (home / "manifests").mkdir(parents=True)
    (home / "manifests" / "colours.yaml").write_text(MANIFEST)
    return Settings(home=home, offline=True)


@pytest.fixture
def bench(settings: Settings, tmp_path: Path) -> Bench:
    folder = tmp_path / "program"
    folder.mkdir()
    for name in ("stand-in.yaml", "stand_in.py"):
        shutil.copy(PROGRAMS / name, folder)
    return Bench(settings, folder / "stand-in.yaml", make_photos(tmp_path / "photos"), python=sys.executable)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.name != "__pycache__")


def test_an_honest_program_passes_every_test(bench: Bench) -> None:
    done = bench.tested()
    assert {name: failed(each) for name, each in done.items()} == {"TEST01": [], "TEST04": [], "TEST05": []}
    performance, accuracy = (each for each in RunCatalogue(bench.settings.runs_dir).records() if not each.compliance)
    assert done["TEST01"].record.judged_against == (performance.id, accuracy.id)
    assert names(bench.folder) == ["stand-in.yaml", "stand_in.py"]
    one, other = (
        json.loads((bench.settings.runs_dir / each.id / "invocation.json").read_text())
        for each in (performance, done["TEST04"].record)
    )
    assert [word.replace(done["TEST04"].record.id, performance.id) for word in other["command"]] == one["command"]
    seeds = load_round("v3.1").test05_seeds
    assert done["TEST05"].record.settings["qsl_rng_seed"] == seeds.qsl != performance.settings["qsl_rng_seed"]
    words = shlex.split(done["TEST01"].record.command)
    assert words[:4] == ["assay", "compliance", "run", "colours"] and "--mode" not in words
    assert words[words.index("--accuracy") + 1] == accuracy.id
    folder = done["TEST01"].folder
    assert "TEST PASS" in (folder / "verify_accuracy.txt").read_text()
    assert (folder / "accuracy" / "accuracy.txt").read_text().startswith("accuracy=100.000%")
    # The same again does nothing.
    assert [each.before for each in bench.tested().values()] == [True, True, True]


def test_a_program_that_caches_fails_test04(bench: Bench) -> None:
    done = bench.tested("TEST04", "TEST05", misbehave="cache")
    assert failed(done["TEST04"]) == ["TEST04 speed"]
    assert failed(done["TEST05"]) == []


def test_a_program_that_drops_accuracy_in_performance_mode_fails_test01(bench: Bench) -> None:
    done = bench.tested("TEST01", misbehave="wrong")
    assert failed(done["TEST01"]) == ["TEST01 accuracy"]
    accuracies = done["TEST01"].folder / "accuracy"
    assert (accuracies / "baseline_accuracy.txt").read_text().startswith("accuracy=100.000%, good=40, total=40")
    assert (accuracies / "compliance_accuracy.txt").read_text().startswith("accuracy=35.000%, good=14, total=40")


def test_a_program_that_breaks_under_a_test_leaves_nothing_behind(bench: Bench) -> None:
    own = b"# of the user, and of no effect\n"
    plain = bench.plain(misbehave="audited")
    (bench.folder / AUDIT_CONF).write_bytes(own)
    with pytest.raises(RunFailedError, match="somebody looks"):
        bench.tested("TEST04", misbehave="audited")
    assert (bench.folder / AUDIT_CONF).read_bytes() == own
    assert names(bench.folder) == [AUDIT_CONF, "stand-in.yaml", "stand_in.py"]
    record = RunCatalogue(bench.settings.runs_dir).read("last")
    assert (record.compliance, record.status, record.judged_against) == ("TEST04", RunStatus.FAILED, (plain.id,))


def test_a_plain_run_beside_an_audit_config_is_no_result_and_no_reference(bench: Bench) -> None:
    (bench.folder / AUDIT_CONF).write_text("*.*.performance_issue_same = 1\n*.*.accuracy_log_sampling_target = 9\n")
    record = bench.plain()
    verdict = record.verdict
    assert verdict is not None and verdict.valid and not verdict.accepted
    assert "plain settings: performance_issue_same True, performance_issue_same off asked" in verdict.reasons[0]
    assert any("take the audit.config away" in step for step in verdict.advice)
    assert AUDITED in unfit(record, Division.OPEN)
    request = ComplianceRequest(bench.request(), ("TEST04",), program=bench.program())
    assert plan_compliance(request, bench.settings).performance is None
    with pytest.raises(UsageError, match="was made under settings of a compliance test"):
        plan_compliance(
            ComplianceRequest(bench.request(), ("TEST04",), record.id, program=bench.program()), bench.settings
        )


def test_a_run_of_other_options_or_another_manifest_is_not_taken(bench: Bench) -> None:
    plain = bench.plain()

    def found(**words: str) -> RunRecord | None:
        request = ComplianceRequest(bench.request(), ("TEST04",), program=bench.program(**words))
        return plan_compliance(request, bench.settings).performance

    assert found() == plain
    assert found(misbehave="cache") is None
    bench.manifest.write_text(bench.manifest.read_text() + "# another\n")
    assert found() is None


def test_a_container_and_a_target_that_was_found_are_those_of_the_plain_run(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / "bin"
    place.mkdir()
    (place / "podman").write_text(f"#!{sys.executable}\n" + (PROGRAMS / "fake_podman.py").read_text())
    (place / "podman").chmod(0o755)
    monkeypatch.setenv("PATH", f"{place}{os.pathsep}{os.environ['PATH']}")
    with bench.manifest.open("a") as stream:
        stream.write("container: ghcr.io/me/stand-in:1\n")
    wanted = ComplianceRequest(bench.request(target_qps=None), ("TEST04",), program=bench.program())
    (done,) = carry_out_compliance(plan_compliance(wanted, bench.settings), bench.settings, SILENT)
    plain, test = (bench.settings.runs_dir / name for name in (done.record.judged_against[0], done.record.id))
    assert "target_qps" in (plain / "user.conf").read_text()
    assert (test / "user.conf").read_text() == (plain / "user.conf").read_text()
    assert done.record.settings["performance_issue_same"] is True
    one, other = (json.loads((folder / "invocation.json").read_text()) for folder in (plain, test))
    assert other["command"][:2] == [str(place / "podman"), "run"] and other["afterwards"] == one["afterwards"] != []
    # The plain run has a target that nobody asked for, and is the one that is asked for all the same.
    planned = plan_compliance(wanted, bench.settings)
    assert planned.performance is not None and planned.performance.id == plain.name


def test_the_tokens_of_llama_are_tested_in_round_v4_0(settings: Settings, tmp_path: Path) -> None:
    (settings.home / "manifests" / "tiny-llama2.yaml").write_text(LLAMA)
    for name in ("tokens.yaml", "tokens.py"):
        shutil.copy(PROGRAMS / name, tmp_path)
    run = RunRequest(
        name="tiny-llama2", round="v4.0", scenarios=(Scenario.SERVER,), target_qps=3000.0, duration_ns=2 * 10**8, samples=700
    )  # fmt: skip
    for cheat, wrong in (("none", []), ("ends", ["TEST06 end of text"])):
        words = {"python": sys.executable, "cheat": cheat}
        wanted = ComplianceRequest(run, program=ExternalRequest(str(tmp_path / "tokens.yaml"), None, words))
        (done,) = carry_out_compliance(plan_compliance(wanted, settings), settings, SILENT)
        assert (done.record.compliance, failed(done), done.passed) == ("TEST06", wrong, not wrong)
        files = sorted(path.relative_to(done.folder).as_posix() for path in done.folder.rglob("*") if path.is_file())
        assert files == ["accuracy/mlperf_log_accuracy.json", "verify_accuracy.txt"]
        said = (done.folder / "verify_accuracy.txt").read_text()
        assert f"EOS check pass: {not wrong}" in said and "First token check pass: True" in said


def test_what_was_started_is_started_again_elsewhere(tmp_path: Path) -> None:
    plain, place = tmp_path / "runs" / "plain", tmp_path / "runs" / "test"
    kept = {
        "command": ["./run", f"--conf={plain}/user.conf", "--seeds=12345678901,1234567890123"],
        "folder": "/opt/program",
        "environment": {"OUT": f"{plain}/out", "KEEP": "123456789012"},
        "logs": f"{plain}/out/logs",
    }
    found = changed(kept, plain, place, {"12345678901": "5", "999": "1"})
    assert found["command"] == ["./run", f"--conf={place}/user.conf", "--seeds=5,1234567890123"]
    assert found["environment"] == {"OUT": f"{place}/out", "KEEP": "123456789012"}
    assert found["afterwards"] == []
    assert (found["logs"], found["folder"]) == (f"{place}/out/logs", "/opt/program")
    with pytest.raises(InvalidInputError, match="made in another place"):
        changed({**kept, "logs": "/elsewhere/logs"}, plain, place, {})
    for wrong in (
        None,
        {},
        {**kept, "command": []},
        {**kept, "command": [1]},
        {**kept, "environment": ["A"]},
        {**kept, "afterwards": 1},
    ):
        with pytest.raises(InvalidInputError, match="not what was started"):
            changed(wrong, plain, place, {})


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_program_in_cpp_passes_and_fails_when_it_caches(settings: Settings, sources: Path, tmp_path: Path) -> None:
    manifest = Path(shutil.copytree(PROGRAM, tmp_path / "program")) / "stand-in-cpp.yaml"
    bench = Bench(settings, manifest, make_photos(tmp_path / "photos"), loadgen=str(sources))
    build_program(choose(read_implementation(manifest), None, bench.program().words), tmp_path / "builds", SILENT)
    before = names(bench.folder)
    honest = bench.tested()
    assert {name: failed(each) for name, each in honest.items()} == {"TEST01": [], "TEST04": [], "TEST05": []}
    cheat = bench.tested("TEST04", cheat="cache")
    assert failed(cheat["TEST04"]) == ["TEST04 speed"]
    assert names(bench.folder) == before
