"""A program that is not assay's, run on the real LoadGen through its manifest."""

from __future__ import annotations

import json
import shlex
import shutil
import sys
from pathlib import Path
from typing import Any

import psutil
import pytest

from assay.base.files import sha256_file
from assay.base.progress import SILENT
from assay.base.settings import Settings
from assay.campaign.external import INVOCATION_FILE, carry_out_external
from assay.campaign.external_plan import ExternalRequest, make_external_plan
from assay.campaign.request import RunRequest
from assay.campaign.told import of_another_round
from assay.errors import MissingDependencyError, NotFoundError, RunFailedError, UsageError
from assay.harness.external import process
from assay.loadgen.record import Label, RunRecord, RunStatus
from assay.loadgen.runs import RunCatalogue
from assay.results.record import results_in
from assay.rules.model import Scenario

from .test_execute import MANIFEST

PROGRAMS = Path(__file__).parents[1] / "programs"


@pytest.fixture
def settings(home: Path) -> Settings:
    (home / "manifests").mkdir(parents=True)
    (home / "manifests" / "colours.yaml").write_text(MANIFEST)
    return Settings(home=home, offline=True)


def plan(
    settings: Settings, pictures: Path, *, misbehave: str = "no", time_limit_ns: int | None = None, **options: Any
):  # type: ignore[no-untyped-def]
    if "scenarios" not in options and options.get("mode") != "accuracy":
        options.setdefault("target_qps", 1000.0)
    request = RunRequest(name="colours", dataset=str(pictures), **options)
    words = {"python": sys.executable, "misbehave": misbehave}
    external = ExternalRequest(str(PROGRAMS / "stand-in.yaml"), None, words, time_limit_ns)
    return make_external_plan(request, external, settings)


def go(settings: Settings, pictures: Path, **options: Any) -> list[RunRecord]:
    return carry_out_external(plan(settings, pictures, **options), settings, SILENT)


def test_accuracy_and_performance_of_a_foreign_program(settings: Settings, pictures: Path) -> None:
    accuracy, performance = go(settings, pictures, mode="both", duration_ns=3 * 10**8, target_qps=2000.0)
    assert accuracy.figures.accuracy == {"acc": 100.0}
    assert accuracy.figures.samples_scored == 6
    assert performance.figures.value is not None
    assert performance.verdict is not None
    assert performance.verdict.valid, performance.verdict.reasons
    assert not performance.verdict.accepted
    assert Label.SHORT_RUN in performance.labels
    assert Label.UNSEEN_MATERIAL in performance.labels
    assert Label.STAND_IN_MODEL in performance.labels
    assert performance.backend_name == "stand-in"
    assert performance.settings["min_duration_ms"] == 300
    assert performance.settings["qsl_rng_seed"] == 148687905518835231


def test_its_logs_are_untouched_and_its_command_is_kept(settings: Settings, pictures: Path) -> None:
    (record,) = go(
        settings, pictures, scenarios=(Scenario.SINGLE_STREAM,), duration_ns=2 * 10**8, target_latency_ns=10**6
    )
    folder = settings.runs_dir / record.id
    assert record.logs["mlperf_log_detail.txt"] == sha256_file(folder / "mlperf_log_detail.txt")
    assert (folder / "implementation.log").read_text() == "done\n"
    assert "*.SingleStream.min_duration = 200" in (folder / "user.conf").read_text()
    assert "*.SingleStream.min_duration = 600000" in (folder / "mlperf.conf").read_text()
    started = json.loads((folder / INVOCATION_FILE).read_text())
    assert started["command"][2:4] == ["--scenario", "one-by-one"]
    assert shlex.join(started["command"]) == record.backend["command"]
    assert len(record.backend["manifest_sha256"]) == 64
    assert (folder / "implementation.yaml").read_bytes() == (PROGRAMS / "stand-in.yaml").read_bytes()
    assert started["dataset"] == str(pictures)
    assert record.versions["loadgen"]
    words = shlex.split(record.command)
    assert words[:5] == ["assay", "run", "colours", "--implementation", str(PROGRAMS / "stand-in.yaml")]
    assert f"python={sys.executable}" in words


def test_both_runs_are_one_result(settings: Settings, pictures: Path) -> None:
    go(settings, pictures, mode="both", duration_ns=2 * 10**8, target_qps=1000.0)
    ((_, result),) = results_in(settings)
    assert result.backend == "stand-in"
    assert result.accuracy
    assert result.performance is not None


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ("raise", "left with exit status 1; it said: KeyError: 'no such layer'"),
        ("shell", "left with exit status 137: a program that it started was ended by SIGKILL"),
        ("signal", "was ended by SIGSEGV (it crashed)"),
        ("nothing", "the program ended well and left no mlperf_log_summary.txt"),
    ],
)
def test_how_it_failed_is_told_in_words(settings: Settings, pictures: Path, how: str, words: str) -> None:
    with pytest.raises(RunFailedError) as caught:
        go(settings, pictures, misbehave=how, duration_ns=10**8)
    assert words in str(caught.value)
    record = RunCatalogue(settings.runs_dir).read("last")
    assert record.status is RunStatus.FAILED
    assert words in str(record.failure)
    if how == "raise":
        assert "stand_in.py:" in str(caught.value.where)


def test_a_run_that_is_interrupted_is_kept_as_such_and_leaves_nothing_behind(
    settings: Settings, pictures: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found: list[int] = []

    def look(self: object) -> None:
        del self
        for path in settings.runs_dir.glob("*/implementation/child.txt"):
            if text := path.read_text():
                found.append(int(text))
                raise KeyboardInterrupt

    monkeypatch.setattr(process.Following, "look", look)
    monkeypatch.setattr(process, "_ASKED_S", 0.3)
    with pytest.raises(KeyboardInterrupt):
        go(settings, pictures, misbehave="linger", duration_ns=10**8)
    assert RunCatalogue(settings.runs_dir).read("last").status is RunStatus.INTERRUPTED
    (number, *_) = found
    assert not psutil.pid_exists(number) or psutil.Process(number).status() == psutil.STATUS_ZOMBIE


def test_a_time_limit(settings: Settings, pictures: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "_ASKED_S", 0.3)
    with pytest.raises(RunFailedError, match="did not end within its time limit of 500 ms"):
        go(settings, pictures, misbehave="linger", duration_ns=10**8, time_limit_ns=5 * 10**8)


def test_what_it_cannot_do_is_refused_before_anything_starts(settings: Settings, pictures: Path) -> None:
    refused: list[tuple[dict[str, Any], str]] = [
        ({"scenarios": (Scenario.MULTI_STREAM,)}, "stand-in has no MultiStream"),
        ({"mode": "accuracy", "samples": 2}, "cannot be told to take the first samples only"),
        ({"division": "closed"}, "takes the model and dataset of resnet only"),
    ]
    for options, words in refused:
        with pytest.raises(UsageError, match=words):
            plan(settings, pictures, **options)
    with pytest.raises(UsageError, match="does not run bert-99"):
        make_external_plan(
            RunRequest(name="bert-large-synthetic"),
            ExternalRequest(str(PROGRAMS / "stand-in.yaml"), None, {"python": sys.executable}),
            settings,
        )
    assert not settings.runs_dir.exists()


def test_what_it_lacks_is_told_before_anything_starts(settings: Settings, pictures: Path, tmp_path: Path) -> None:
    alone = tmp_path / "alone"
    alone.mkdir()
    manifest = str(shutil.copy(PROGRAMS / "stand-in.yaml", alone))
    request = RunRequest(name="colours", dataset=str(pictures))
    with pytest.raises(NotFoundError, match=r"lacks a file: .*stand_in.py \(the program\)"):
        make_external_plan(request, ExternalRequest(manifest, None, {"python": sys.executable}), settings)
    with pytest.raises(MissingDependencyError, match="lacks a program: no-python"):
        make_external_plan(request, ExternalRequest(manifest, PROGRAMS, {"python": "no-python"}), settings)


def test_the_plan_tells_what_will_be_started(settings: Settings, pictures: Path) -> None:
    found = plan(settings, pictures, scenarios=(Scenario.SERVER,), mode="both")
    text = "\n".join(found.lines())
    assert "by A program of somebody else's" in text
    assert f"{sys.executable} {{folder}}/stand_in.py" in text
    assert "Server accuracy: every sample once" in text
    assert "Server performance: at least 10m 00s, after a short run that finds its target" in text
    assert found.to_dict()["implementation"] == "stand-in"


def test_settings_that_the_program_did_not_hold_are_told(settings: Settings, pictures: Path, tmp_path: Path) -> None:
    text = (PROGRAMS / "stand-in.yaml").read_text()
    (tmp_path / "stand-in.yaml").write_text(text.replace("{qsl_rng_seed},", "1,"))
    words = {"python": sys.executable}
    external = ExternalRequest(str(tmp_path / "stand-in.yaml"), PROGRAMS, words)
    request = RunRequest(name="colours", dataset=str(pictures), duration_ns=10**8, target_qps=100.0)
    (record,) = carry_out_external(make_external_plan(request, external, settings), settings, SILENT)
    assert record.settings["qsl_rng_seed"] == 1
    assert record.verdict is not None
    assert [item.name for item in record.verdict.constraints if not item.met and "seed" in item.name]
    assert "did not use the seeds of round v3.1" in of_another_round(record)
