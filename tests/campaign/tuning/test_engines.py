"""Which engines and formats are tried, and that those left out say why."""

from __future__ import annotations

from pathlib import Path

import pytest

from assay.backends.protocol import Precision
from assay.backends.registry import backends
from assay.base.settings import Settings
from assay.campaign.plan import Plan, make_plan
from assay.campaign.request import RunRequest
from assay.campaign.tuning.engines import find_engines
from assay.errors import NotFoundError

from ..test_execute import MANIFEST


@pytest.fixture
def settings(home: Path) -> Settings:
    (home / "manifests").mkdir(parents=True)
    (home / "manifests" / "colours.yaml").write_text(MANIFEST)
    return Settings(home=home, offline=True)


@pytest.fixture
def usual(settings: Settings, classifier: Path, pictures: Path) -> Plan:
    return make_plan(RunRequest(name="colours", model=classifier, dataset=str(pictures)), settings)


def test_every_engine_that_reads_the_model_in_every_format_that_it_computes_here(
    usual: Plan, settings: Settings
) -> None:
    found = find_engines(usual, settings)
    names = {each.backend for each in found.found}
    assert {"onnxruntime", "openvino"} <= names and not {"null", "litert", "kserve"} & names
    assert str(found.found[0]) == "onnxruntime fp32", "the usual one is first"
    able = backends().get("openvino").capabilities().precisions
    assert {each.precision for each in found.found if each.backend == "openvino"} == set(able)
    assert len(set(found.found)) == len(found.found)


def test_what_was_asked_for_and_cannot_be_is_left_out_with_the_reason(usual: Plan, settings: Settings) -> None:
    found = find_engines(usual, settings, ("null", "litert", "onnxruntime"), (Precision.FP32, Precision.FP16))
    assert [str(each) for each in found.found][:2] == ["onnxruntime fp32", "null fp32"]
    why = {each.name: each.why for each in found.left_out}
    assert "does not read onnx models" in why["litert fp32"]
    with pytest.raises(NotFoundError):
        find_engines(usual, settings, ("nonesuch",))
