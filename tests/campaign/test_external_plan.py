from __future__ import annotations

from pathlib import Path

import pytest

from assay.base.settings import Settings
from assay.campaign.external_plan import ExternalRequest, command_of, make_external_plan
from assay.campaign.request import RunRequest
from assay.errors import UsageError
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
    assert "--target-qps" in plan.plan.notes[0]


def test_a_program_that_takes_data_has_to_get_them(home: Path, checkout: Path) -> None:
    with pytest.raises(UsageError, match="has to be told its dataset"):
        make_external_plan(RunRequest(name="resnet50-synthetic"), reference(checkout), Settings(home=home))
    with pytest.raises(UsageError, match="nothing can be scored"):
        make_external_plan(
            RunRequest(name="resnet50-synthetic", mode="accuracy"), reference(checkout), Settings(home=home)
        )
