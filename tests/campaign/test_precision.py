from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from assay.backends.protocol import Capabilities, ModelFormat, Precision
from assay.backends.registry import backends
from assay.base.settings import Settings
from assay.campaign.plan import Plan, make_plan
from assay.campaign.request import RunRequest
from assay.errors import UsageError
from assay.models.quantize import quantize_static
from assay.testing import tiny_classifier

MANIFEST = """
format: 1
name: {name}
kind: model
task: image-classification
title: A model in a format of its own
sources: [{{type: local, layout: onnx-model, instructions: make it}}]
licence: none
model: {{benchmark: resnet, recipe: {{crop: 8, output: {{kind: logits}}}}, precision: {precision}}}
"""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    folder = tmp_path / "home"
    (folder / "manifests").mkdir(parents=True)
    for precision in ("int8", "bf16", "fp16"):
        text = MANIFEST.format(name=f"small-{precision}", precision=precision)
        (folder / "manifests" / f"small-{precision}.yaml").write_text(text)
    return folder


def plan(home: Path, name: str, **options: Any) -> Plan:
    return make_plan(RunRequest(name=name, **options), Settings(home=home))


def able(monkeypatch: pytest.MonkeyPatch, *precisions: Precision) -> None:
    """Let the null engine compute in some formats only."""
    monkeypatch.setattr(backends().get("null"), "capabilities", lambda: Capabilities("1", ("none",), precisions))


def test_what_is_not_quantised_is_run_in_fp32(home: Path) -> None:
    assert plan(home, "mobilenet-v2").precision is Precision.FP32
    assert plan(home, "mobilenet-v2", precision=Precision.INT8, backend="null").precision is Precision.INT8


@pytest.mark.parametrize("name", ["small-int8", "bert-large-int8"])
def test_a_quantised_model_is_run_as_what_it_is(home: Path, name: str) -> None:
    made = plan(home, name, backend="null")
    assert made.precision is Precision.INT8
    assert "null int8" in made.lines()[0]
    assert made.to_dict()["precision"] == "int8"
    assert plan(home, name, backend="null", precision=Precision.INT8).precision is Precision.INT8
    for other in (Precision.FP32, Precision.BF16):
        with pytest.raises(UsageError, match=f"{name} is quantised to int8, .* not run in {other.value}") as caught:
            plan(home, name, backend="null", precision=other)
        assert "--precision is left out" in str(caught.value.expected)


@pytest.mark.parametrize("own", [Precision.BF16, Precision.FP16])
def test_weights_in_half_precision_are_run_in_it_where_the_engine_can(
    home: Path, monkeypatch: pytest.MonkeyPatch, own: Precision
) -> None:
    name = f"small-{own.value}"
    made = plan(home, name, backend="null")
    assert (made.precision, made.notes) == (own, ())
    able(monkeypatch, Precision.FP32)
    made = plan(home, name, backend="null")
    assert made.precision is Precision.FP32
    assert made.notes[0].startswith(f"the weights of {name} are stored in {own.value}")
    made = plan(home, name, backend="null", precision=Precision.FP32)
    assert (made.precision, made.notes) == (Precision.FP32, ())
    with pytest.raises(UsageError, match=f"has no {own.value} on this machine"):
        plan(home, name, backend="null", precision=own)


def test_a_file_of_the_users_own_is_looked_into(home: Path, tmp_path: Path) -> None:
    plain = tiny_classifier(tmp_path / "plain.onnx")
    small = tmp_path / "small.onnx"
    quantize_static(plain, small, (np.random.default_rng(0).random((4, 3, 8, 8), np.float32),))
    options: dict[str, Any] = {"recipe": {"crop": 8}, "backend": "null"}
    assert plan(home, "image-classification", model=plain, **options).precision is Precision.FP32
    assert plan(home, "image-classification", model=small, **options).precision is Precision.INT8
    with pytest.raises(UsageError, match=r"small\.onnx is quantised to int8"):
        plan(home, "image-classification", model=small, precision=Precision.FP32, **options)
    other = tmp_path / "model.tflite"
    other.write_bytes(small.read_bytes())
    made = plan(home, "image-classification", model=other, recipe={"crop": 8}, backend="litert")
    assert made.precision is Precision.FP32


def test_a_server_decides_by_itself(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backends().get("null"), "formats", (ModelFormat.REMOTE,))
    assert plan(home, "small-int8", backend="null").precision is Precision.FP32
