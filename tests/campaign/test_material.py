from __future__ import annotations

from pathlib import Path

import pytest

from assay.assets.catalogue import load_catalogue
from assay.assets.store import AssetStore, Located
from assay.base.progress import SILENT
from assay.base.settings import Settings
from assay.campaign.material import dataset_on_disk, described_data, model_on_disk
from assay.campaign.request import RunRequest
from assay.campaign.subject import Subject, resolve_subject
from assay.errors import NotFoundError
from assay.loadgen.record import Label
from assay.rules.load import load_round


@pytest.fixture
def settings(home: Path) -> Settings:
    return Settings(home=home, offline=True)


def subject(settings: Settings, **options: object) -> Subject:
    request = RunRequest.model_validate({"name": "mobilenet-v2", **options})
    return resolve_subject(request, load_round("v3.1"), load_catalogue(settings))


def test_the_users_own_model_is_taken_as_it_is(settings: Settings, classifier: Path) -> None:
    store = AssetStore(settings, load_catalogue(settings))
    path, info = model_on_disk(subject(settings, model=classifier), store, SILENT)
    assert path == classifier
    assert info.name == str(classifier)
    assert info.sha256 is not None


def test_data_are_named_by_the_catalogue_or_by_their_path(settings: Settings, pictures: Path) -> None:
    own = described_data(subject(settings, dataset=str(pictures)), None)
    assert own is not None
    assert (own.path, own.info.name, own.labels) == (pictures, str(pictures), (Label.CUSTOM_DATASET.value,))
    of = subject(settings)
    located = Located(pictures, "ab" * 32, 1, "here", 3, ("skipped-samples",))
    theirs = described_data(of, located)
    assert theirs is not None
    assert of.dataset is not None
    assert (theirs.info.name, theirs.info.count) == (of.dataset.name, 3)
    assert "skipped-samples" in theirs.labels
    assert described_data(of, None) is None


def test_what_only_the_user_can_get_comes_with_a_stand_in(settings: Settings) -> None:
    catalogue = load_catalogue(settings)
    with pytest.raises(NotFoundError) as caught:
        dataset_on_disk(catalogue.get("imagenet2012"), AssetStore(settings, catalogue), SILENT)
    assert "take a stand-in: assay run mobilenet-v2" in str(caught.value.hint)
