"""Medical imaging as a user runs it: the stand-in's figure, and the official layout with small volumes."""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import onnx
import pytest

from assay.models.unet3d import build_unet3d

from ..typed import typed

SIZE, SHAPES = 16, ((16, 24, 16), (16, 16, 16))
NAMES = ("case_00003", "case_00005")


def assay(*arguments: str, code: int = 0) -> str:
    done = typed(*arguments)
    assert done.returncode == code, f"{arguments}: {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def records(*arguments: str) -> list[dict[str, Any]]:
    return list(json.loads(assay("run", *arguments, "--threads", "1", "--json")))


def test_the_stand_in_finds_the_brain(stand_in_home: Path, fetched: Callable[[str], Path]) -> None:
    """0.930 on the head of Colin27, and not less on its mirror image."""
    for name in ("deepbrain", "colin27"):
        fetched(name)
    (record,) = records("deepbrain", "--mode", "accuracy", "--samples", "2")
    figures = record["figures"]
    assert figures["accuracy_details"]["original"] == pytest.approx(0.9299, abs=0.002)
    assert figures["accuracy"]["DICE"] == pytest.approx(0.930, abs=0.005)
    assert figures["samples_scored"] == 2
    assert {"stand-in-model", "small-dataset", "augmented-copies"} <= set(record["labels"])
    text = (stand_in_home / "runs" / record["id"] / "accuracy.txt").read_text()
    assert text.startswith("Accuracy: mean = 0.9")


@pytest.fixture
def registered(home: Path, tmp_path: Path) -> Path:
    """Two small cases in the official layout, registered as a part of KiTS19."""
    folder = tmp_path / "preprocessed_data"
    for name, shape in zip(NAMES, SHAPES, strict=True):
        image = np.random.default_rng(len(shape)).uniform(-2.3, 2.6, (1, *shape)).astype(np.float32)
        labels = (image > 1).astype(np.uint8) + (image > 2).astype(np.uint8)
        mask = folder / "nifti" / name / "segmentation.nii.gz"
        mask.parent.mkdir(parents=True)
        nibabel.save(nibabel.Nifti1Image(labels[0], np.diag([1.6, 1.2, 1.2, 1.0])), mask)
        (folder / f"{name}.pkl").write_bytes(pickle.dumps([image, labels]))
    assay("assets", "add", "kits19", "--path", str(folder), "--partial")
    return folder


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """3D U-Net with four and eight filters, for windows of 16."""
    path = tmp_path / "tiny.onnx"
    onnx.save(build_unet3d(1, filters=(4, 8), size=SIZE), path)
    return path


def test_the_official_layout_made_small_runs_in_both_modes(registered: Path, home: Path, model: Path) -> None:
    small = ("--model", str(model), "--recipe", f"size={SIZE}", "--recipe", f"synthetic=[{SIZE},{SIZE},{SIZE}]")
    # Planned with more than it reaches, so that a machine that is faster now than it was when probed is not too early.
    options = ("--mode", "both", "--duration", "1s", "--target-qps", "1000")
    accuracy, performance = records("3d-unet-99", *small, *options)
    assert accuracy["mode"] == "accuracy"
    assert accuracy["dataset"]["count"] == accuracy["figures"]["samples_scored"] == 2
    assert "partial-dataset" in accuracy["labels"]
    text = (home / "runs" / accuracy["id"] / "accuracy.txt").read_text()
    assert text.startswith(f"Accuracy: mean = {accuracy['figures']['accuracy']['DICE']:.5f}, kidney = 0.")
    assert performance["verdict"]["valid"], performance["verdict"]["reasons"]
    assert performance["settings"]["sample_concatenate_permutation"] is True, "equal issue, as the rounds ask"


def test_every_scenario_that_the_benchmark_has(registered: Path, model: Path) -> None:
    small = ("--model", str(model), "--recipe", f"size={SIZE}", "--recipe", f"synthetic=[{SIZE},{SIZE},{SIZE}]")
    (single,) = records("3d-unet-99", *small, "--scenario", "SingleStream", "--duration", "1s", "--samples", "70")
    assert single["verdict"]["valid"], single["verdict"]["reasons"]
    assert single["figures"]["latency_ns"]["p90"] > 0
    assert "has no Server" in assay_error("3d-unet-99", *small, "--scenario", "Server", "--duration", "1s")


def assay_error(*arguments: str) -> str:
    done = typed("run", *arguments)
    assert done.returncode == 2, done.stdout + done.stderr
    return done.stderr
