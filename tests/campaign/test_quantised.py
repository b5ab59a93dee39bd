from __future__ import annotations

from pathlib import Path

import pytest

from assay.assets.catalogue import load_catalogue
from assay.assets.store import AssetStore
from assay.base.progress import SILENT
from assay.base.settings import Settings
from assay.campaign.quantised import quantised_model
from assay.campaign.request import RunRequest
from assay.campaign.subject import resolve_subject
from assay.errors import UsageError
from assay.loadgen.record import Artefact
from assay.models.quantize import is_quantised
from assay.rules.load import load_round
from assay.tasks.registry import tasks


def quantise(home: Path, model: Path) -> Path:
    settings = Settings(home=home)
    catalogue = load_catalogue(settings)
    recipe = {"resize": {"short_side": 36}, "crop": 32}
    request = RunRequest(name="image-classification", model=model, recipe=recipe)
    subject = resolve_subject(request, load_round("v3.1"), catalogue)
    info, store = Artefact("m", "0" * 64), AssetStore(settings, catalogue)
    return quantised_model(model, info, subject, None, store, settings, SILENT)


def test_a_model_is_quantised_once(tmp_path: Path, classifier: Path) -> None:
    made = quantise(tmp_path, classifier)
    assert is_quantised(made)
    assert quantise(tmp_path, classifier) == made
    assert quantise(tmp_path, made) == made


def test_samples_of_different_size_are_refused(
    tmp_path: Path, classifier: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tasks().get("image-classification"), "synthetic_inputs", lambda *_: [()])
    with pytest.raises(UsageError, match="samples differ in size"):
        quantise(tmp_path, classifier)
