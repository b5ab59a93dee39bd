from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from assay.loadgen.record import Artefact, Label
from assay.rules.model import Scenario
from assay.submission.building.facts import Implementation, calibration_text, model_facts
from assay.submission.building.model import Entry, Taken

from .made import Home, make_home

FIELDS = ("input_data_types", "retraining", "starting_weights_filename", "weight_data_types", "weight_transformations")


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return make_home(tmp_path / "home")


def entry_of(home: Home, **changes: Any) -> Entry:
    folder = home.add(Scenario.OFFLINE, "performance", **changes)
    return Entry(home.round.benchmark("resnet"), Scenario.OFFLINE, Taken(folder.read(), folder.path))


def told(home: Home, entry: Entry, given: dict[str, str] | None = None) -> dict[str, str]:
    return Implementation(entry, model_facts(entry, home.assets), home.assets, given or {}).fields(FIELDS)


def test_a_model_of_the_catalogue_tells_everything(home: Home) -> None:
    assert told(home, entry_of(home)) == {
        "input_data_types": "fp32",
        "retraining": "no",
        "starting_weights_filename": "resnet50_v1.onnx",
        "weight_data_types": "fp32",
        "weight_transformations": "none",
    }


def test_a_model_that_is_built_names_the_weights_that_it_is_built_from(home: Home) -> None:
    fields = told(home, entry_of(home, model=Artefact("mobilenet-v2", "ab" * 32)))
    assert "package" in fields["starting_weights_filename"]
    assert "built as an ONNX graph" in fields["weight_transformations"]
    random = told(home, entry_of(home, model=Artefact("resnet50-synthetic", "ab" * 32)))
    assert random["starting_weights_filename"] == "random weights with seed 1"


def test_an_engine_that_converts_is_named(home: Home) -> None:
    assert told(home, entry_of(home, precision="bf16"))["weight_transformations"] == (
        "converted from fp32 to bf16 by onnxruntime"
    )


def test_what_only_the_user_knows_is_asked_and_taken(home: Home) -> None:
    entry = entry_of(home, labels=(Label.CUSTOM_MODEL,), model=Artefact("/data/mine.onnx", None))
    asked = Implementation(entry, model_facts(entry, home.assets), home.assets, {}).missing(FIELDS)
    assert [each.how for each in asked] == [
        "--set resnet.input_data_types=...",
        "--set resnet.retraining=...",
        "--set resnet.weight_transformations=...",
    ]
    given = {"retraining": "no", "resnet.retraining": "yes", "weight_transformations": "none"}
    fields = told(home, entry, given)
    assert fields["retraining"] == "yes" and fields["starting_weights_filename"] == "mine.onnx"


def test_a_model_file_that_has_changed_tells_nothing(home: Home) -> None:
    entry = entry_of(home)
    home.model.write_bytes(b"another")
    assert told(home, entry)["input_data_types"] == ""


def test_a_quantised_model_tells_how_from_its_provenance(home: Home) -> None:
    entry = entry_of(home, precision="int8", model=Artefact("resnet50-int8", None))
    digest = home.add(Scenario.OFFLINE, "performance").read().model.sha256
    run = entry.performance
    record = replace(run.record, model=Artefact("resnet50-int8", digest))
    entry = replace(entry, performance=Taken(record, run.folder))
    provenance = {
        "recipe": {"to": "int8", "calibration": {"dataset": "imagenet2012", "samples": ["a", "b"], "official": True}},
        "source": {"name": "resnet50", "sha256": "ef" * 32},
        "sha256": digest,
    }
    (home.model.parent / "provenance.json").write_text(json.dumps(provenance), encoding="utf-8")
    known = model_facts(entry, home.assets)
    text = calibration_text(entry, known, None)
    assert text is not None
    assert "2 samples of imagenet2012, the official calibration list" in text and "resnet50 (SHA-256 efef" in text
    (home.model.parent / "provenance.json").write_text(json.dumps({**provenance, "sha256": "00"}), encoding="utf-8")
    assert model_facts(entry, home.assets).provenance == {}


def test_calibration_is_asked_where_nobody_knows(home: Home) -> None:
    fp32 = entry_of(home)
    text = calibration_text(fp32, model_facts(fp32, home.assets), None)
    assert text is not None and "nothing calibrated" in text
    int8 = entry_of(home, precision="int8", labels=(Label.CUSTOM_MODEL,))
    known = model_facts(int8, home.assets)
    assert calibration_text(int8, known, None) is None
    assert "by hand" in (calibration_text(int8, known, "by hand") or "")
    official = entry_of(home, precision="int8", benchmark="bert-99", model=Artefact("bert-large-int8", "ab" * 32))
    assert "MLPerf's reference" in (calibration_text(official, model_facts(official, home.assets), None) or "")
    half = entry_of(home, precision="bf16")
    assert "nothing was calibrated" in (calibration_text(half, model_facts(half, home.assets), None) or "")
