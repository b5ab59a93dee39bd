from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from assay.base.settings import Settings
from assay.campaign.external_plan import ExternalRequest, command_of, make_external_plan
from assay.campaign.request import RunRequest
from assay.errors import UsageError
from assay.loadgen.settings import Overrides
from assay.rules.model import Scenario


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """As much of a checkout of the reference as is looked for."""
    program = tmp_path / "inference" / "vision" / "classification_and_detection" / "python" / "main.py"
    program.parent.mkdir(parents=True)
    program.touch()
    return tmp_path / "inference"


def reference(checkout: Path, **words: str) -> ExternalRequest:
    return ExternalRequest("mlcommons-reference-resnet50", checkout, {"python": "sh", **words})


def test_the_reference_is_given_the_model_and_the_data(home: Path, checkout: Path, pictures: Path) -> None:
    request = RunRequest(name="resnet50-synthetic", dataset=str(pictures), batch_size=8, target_qps=50.0)
    plan = make_external_plan(request, reference(checkout), Settings(home=home))
    assert (plan.sees_model, plan.sees_data) == (True, True)
    (run,) = plan.plan.runs
    assert not run.probe
    assert run.batch_size == 8
    words = command_of(plan, run)
    assert "--implementation mlcommons-reference-resnet50 --scenario Offline" in words
    assert f"--implementation-dir {checkout}" in words
    assert "--target-qps 50.0" in words
    assert plan.plan.notes == ()


def test_batches_nobody_named_are_the_programs_own(home: Path, checkout: Path, pictures: Path) -> None:
    request = RunRequest(name="resnet50-synthetic", dataset=str(pictures), scenarios=(Scenario.SERVER,))
    plan = make_external_plan(request, reference(checkout), Settings(home=home))
    assert plan.plan.runs[0].batch_size == 0
    assert plan.plan.runs[0].probe
    assert plan.plan.notes == ()
    assert "after a short run that finds its target" in plan.lines()[-1]


def deaf(tmp_path: Path, *words: str, **options: list[str]) -> ExternalRequest:
    """A program that reads none of LoadGen's files."""
    manifest = {
        "format": 1, "name": "deaf", "title": "Deaf", "task": "image-classification", "command": ["sh", *words],
        "modes": {"performance": []}, "scenarios": {"Offline": "x", "SingleStream": "y"}, "options": options,
    }  # fmt: skip
    (tmp_path / "deaf.yaml").write_text(yaml.safe_dump(manifest))
    return ExternalRequest(str(tmp_path / "deaf.yaml"))


def test_a_target_is_looked_for_only_where_the_program_can_be_told_one(home: Path, tmp_path: Path) -> None:
    request, settings = RunRequest(name="resnet50-synthetic"), Settings(home=home)
    plan = make_external_plan(request, deaf(tmp_path), settings)
    assert not plan.plan.runs[0].probe
    assert "deaf cannot be told a target in Offline" in plan.plan.notes[0]
    plan = make_external_plan(request, deaf(tmp_path, target_qps=["--qps={target_qps}"]), settings)
    assert not plan.plan.runs[0].probe
    assert "Offline without --target-qps" in plan.plan.notes[0]
    told = request.model_copy(update={"target_qps": 10.0})
    assert make_external_plan(told, deaf(tmp_path, target_qps=["--qps={target_qps}"]), settings).plan.notes == ()
    words = ("--qps={target_qps}", "--s={duration_s}", "--n={samples}")
    assert make_external_plan(request, deaf(tmp_path, *words), settings).plan.runs[0].probe


def test_a_target_that_was_found_stands_in_the_command(home: Path, checkout: Path, pictures: Path) -> None:
    scenarios = (Scenario.OFFLINE, Scenario.SINGLE_STREAM)
    request = RunRequest(name="resnet50-synthetic", dataset=str(pictures), scenarios=scenarios)
    plan = make_external_plan(request, reference(checkout), Settings(home=home))
    offline, stream = plan.plan.runs
    assert "--target-qps 12.5" in command_of(plan, offline, Overrides(target_qps=12.5))
    words = command_of(plan, stream, Overrides(target_latency_ns=1500))
    assert "--target-latency 1500ns" in words
    assert "--target-qps" not in words


def test_a_program_that_takes_data_has_to_get_them(home: Path, checkout: Path) -> None:
    with pytest.raises(UsageError, match="has to be told its dataset"):
        make_external_plan(RunRequest(name="resnet50-synthetic"), reference(checkout), Settings(home=home))
    with pytest.raises(UsageError, match="nothing can be scored"):
        make_external_plan(
            RunRequest(name="resnet50-synthetic", mode="accuracy"), reference(checkout), Settings(home=home)
        )
