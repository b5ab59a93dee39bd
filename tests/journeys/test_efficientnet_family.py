"""The larger EfficientNets from their packages: true weights, true photographs, LoadGen."""

from __future__ import annotations

from pathlib import Path

import pytest

from assay.assets.catalogue import load_catalogue
from assay.assets.store import AssetStore
from assay.base.settings import Settings
from assay.campaign.execute import run
from assay.campaign.request import RunRequest
from assay.errors import NotFoundError
from assay.loadgen.record import Label


@pytest.mark.parametrize("name", ["efficientnet-lite1", "efficientnet-lite2"])
def test_eighteen_of_twenty_photographs_are_told(stand_in_home: Path, name: str) -> None:
    """Measured: 18 of 20 for both. One more or less is within what another decoder of JPEGs makes."""
    settings = Settings(home=stand_in_home)
    try:
        AssetStore(settings, load_catalogue(settings)).ensure(f"{name}-weights")
    except NotFoundError as error:
        pytest.skip(f"the weights cannot be fetched: {error}")
    (record,) = run(RunRequest(name=name, mode="accuracy"), settings=settings)
    assert 85.0 <= record.figures.accuracy["acc"] <= 95.0
    assert record.figures.samples_scored == 20
    assert {Label.STAND_IN_MODEL, Label.SMALL_DATASET} <= set(record.labels)
