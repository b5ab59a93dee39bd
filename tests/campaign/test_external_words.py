"""What a program is told of a run, in its container, too."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from assay.base.progress import SILENT
from assay.base.settings import Settings
from assay.campaign.execute import loadgen_settings
from assay.campaign.external import carry_out_external, gather_external
from assay.campaign.external_plan import ExternalPlan, ExternalRequest, make_external_plan
from assay.campaign.external_words import invocation_of
from assay.campaign.request import RunRequest
from assay.errors import MissingDependencyError
from assay.loadgen.settings import Overrides
from assay.rules.model import Mode, Scenario

from .test_execute import MANIFEST

PROGRAMS = Path(__file__).parents[1] / "programs"


@pytest.fixture
def settings(home: Path) -> Settings:
    (home / "manifests").mkdir(parents=True)
    (home / "manifests" / "colours.yaml").write_text(MANIFEST)
    return Settings(home=home, offline=True)


def planned(settings: Settings, manifest: Path, pictures: Path, **options: Any) -> ExternalPlan:
    external = ExternalRequest(str(manifest), PROGRAMS, {"python": sys.executable})
    return make_external_plan(RunRequest(name="colours", dataset=str(pictures), **options), external, settings)


def variant(tmp_path: Path, **changes: Any) -> Path:
    """The stand-in's manifest with changes."""
    path = tmp_path / "stand-in.yaml"
    path.write_text(yaml.safe_dump({**yaml.safe_load((PROGRAMS / "stand-in.yaml").read_text()), **changes}))
    return path


def words(plan: ExternalPlan, settings: Settings, mode: Mode, scenario: Scenario, **more: Any) -> tuple[str, ...]:
    run = next(each for each in plan.plan.runs if (each.mode, each.scenario) == (mode, scenario))
    material = gather_external(plan, settings, SILENT)
    resolved = loadgen_settings(plan.plan, run, material, Overrides())
    return invocation_of(plan, run, material, resolved, settings.home / "place", **more).command


def test_a_setting_is_passed_on_where_it_means_something(settings: Settings, pictures: Path, tmp_path: Path) -> None:
    options = {
        "target_qps": ["--qps={target_qps}"],
        "target_latency": ["--latency={target_latency_ms}"],
        "sample_limit": ["--first={sample_limit}"],
        "duration": ["--seconds={duration_s}"],
        "samples": ["--count={samples}"],
        "threads": ["--threads={threads}"],
    }
    plan = planned(
        settings, variant(tmp_path, options=options), pictures, mode="both", samples=7, threads=3, duration_ns=2 * 10**9,
        scenarios=(Scenario.OFFLINE, Scenario.SINGLE_STREAM), target_qps=50.0, target_latency_ns=3 * 10**6,
    )  # fmt: skip
    offline = words(plan, settings, Mode.PERFORMANCE, Scenario.OFFLINE)
    assert {"--qps=50", "--seconds=2", "--count=7", "--threads=3"} <= set(offline)
    assert not any(word.startswith("--latency") for word in offline)
    stream = words(plan, settings, Mode.PERFORMANCE, Scenario.SINGLE_STREAM)
    assert "--latency=3" in stream
    assert not any(word.startswith("--qps") for word in stream)
    accuracy = words(plan, settings, Mode.ACCURACY, Scenario.OFFLINE)
    assert "--threads=3" in accuracy
    assert not any(word.startswith(("--qps", "--seconds", "--count", "--latency")) for word in accuracy)


def test_a_target_that_was_found_is_passed_on_like_one_that_was_given(
    settings: Settings, pictures: Path, tmp_path: Path
) -> None:
    plan = planned(settings, variant(tmp_path, options={"target_qps": ["--qps={target_qps}"]}), pictures)
    assert "--qps=1" not in words(plan, settings, Mode.PERFORMANCE, Scenario.OFFLINE)
    assert "--qps=1" in words(plan, settings, Mode.PERFORMANCE, Scenario.OFFLINE, more=frozenset({"target_qps"}))


def test_an_option_that_was_not_chosen_leaves_no_empty_word(settings: Settings, pictures: Path, tmp_path: Path) -> None:
    of = yaml.safe_load((PROGRAMS / "stand-in.yaml").read_text())
    of["parameters"]["gpu"] = {"help": "--gpu", "default": ""}
    path = variant(tmp_path, parameters=of["parameters"], command=[*of["command"], "{gpu}"])
    found = words(planned(settings, path, pictures), settings, Mode.PERFORMANCE, Scenario.OFFLINE)
    assert "" not in found


def test_a_run_in_a_container_is_a_run_like_any_other(
    settings: Settings, pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / "bin"
    place.mkdir()
    (place / "podman").write_text(f"#!{sys.executable}\n" + (PROGRAMS / "fake_podman.py").read_text())
    (place / "podman").chmod(0o755)
    monkeypatch.setenv("PATH", f"{place}{os.pathsep}{os.environ['PATH']}")
    manifest = variant(tmp_path, container={"image": "ghcr.io/me/stand-in:1", "options": ["--shm-size=1g"]})
    plan = planned(settings, manifest, pictures, mode="both", duration_ns=2 * 10**8, target_qps=1000.0)
    assert "in a container of ghcr.io/me/stand-in:1, run by podman" in "\n".join(plan.lines())
    assert plan.to_dict()["container"] == "ghcr.io/me/stand-in:1"
    accuracy, performance = carry_out_external(plan, settings, SILENT)
    assert accuracy.figures.accuracy == {"acc": 100.0}
    assert performance.figures.value is not None
    assert performance.backend["container"] == "ghcr.io/me/stand-in:1 by podman"
    assert performance.backend["image"] == "sha256:0123"
    called = [json.loads(line) for line in (place / "called.jsonl").read_text().splitlines()]
    run = next(each for each in called if each[0] == "run")
    mounts = [run[number + 1] for number, word in enumerate(run) if word == "--mount"]
    assert f"type=bind,source={pictures},target={pictures},readonly" in mounts
    assert [each for each in mounts if not each.endswith(",readonly")] == [
        f"type=bind,source={settings.runs_dir / accuracy.id / 'implementation'},"
        f"target={settings.runs_dir / accuracy.id / 'implementation'}"
    ]


def test_a_container_that_nothing_runs_is_refused_before_anything_starts(
    settings: Settings, pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(MissingDependencyError, match="neither podman nor docker is here"):
        planned(settings, variant(tmp_path, container="x"), pictures)
    assert not settings.runs_dir.exists()
