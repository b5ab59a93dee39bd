"""A small campaign: the tiny classifier, forty pictures, a described system, a home of its own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from PIL import Image

from assay.base.settings import Settings
from assay.campaign.flow.forms import Campaign, read_campaign
from assay.campaign.flow.survey import Flow, survey

from ...conftest import make_classifier
from ...submission.building.made import DESCRIPTION
from ..test_execute import MANIFEST

ENTRY: dict[str, Any] = {
    "name": "colours", "model": "colours.onnx", "dataset": "./photos", "threads": 1, "duration": "200ms", "samples": 80,
    "scenarios": ["SingleStream"], "target_latency": {"SingleStream": "20us"},
}  # fmt: skip
FORM: dict[str, Any] = {
    "format": 1, "name": "lab", "division": "closed", "category": "edge", "submitter": "Acme", "system": "./box.json",
    "out": "tree", "rehearsal": True, "entries": [ENTRY],
    "fields": {"retraining": "no", "resnet.weight_transformations": "none"},
}  # fmt: skip


def make_lab(folder: Path, home: Path) -> None:
    """Model, pictures, system, and a home that knows the model."""
    folder.mkdir(parents=True)
    (home / "manifests").mkdir(parents=True)
    (home / "manifests" / "colours.yaml").write_text(MANIFEST)
    make_classifier(folder / "colours.onnx")
    (folder / "photos").mkdir()
    for number in range(40):
        colour = [20 + number] * 3
        colour[number % 3] = 220
        Image.new("RGB", (36, 36), tuple(colour)).save(folder / "photos" / f"p_{number:02d}_{number % 3}.png")
    (folder / "box.json").write_text(json.dumps(DESCRIPTION))


def write_form(folder: Path, entry: dict[str, Any] | None = None, **changes: Any) -> Path:
    """The campaign's file, with changes to it and to its one entry."""
    form = {**FORM, "entries": [{**ENTRY, **(entry or {})}], **changes}
    path = folder / "lab.yaml"
    # JSON is YAML, too, and has no aliases.
    path.write_text(json.dumps(form, indent=1))
    return path


def read_lab(folder: Path, entry: dict[str, Any] | None = None, **changes: Any) -> Campaign:
    """The campaign, read."""
    return read_campaign(write_form(folder, entry, **changes))


def flow_of(folder: Path, home: Path, entry: dict[str, Any] | None = None, **changes: Any) -> Flow:
    """The campaign, surveyed."""
    return survey(read_lab(folder, entry, **changes), Settings(home=home, offline=True))


def states(flow: Flow) -> dict[str, str]:
    """How each step stands."""
    return {name: each.state.value for name, each in flow.standings().items()}


def files_of(tree: Path) -> list[str]:
    """The files of a tree, by their paths."""
    return sorted(path.relative_to(tree).as_posix() for path in tree.rglob("*") if path.is_file())
