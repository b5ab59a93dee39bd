from __future__ import annotations

from pathlib import Path

import pytest

from assay.base.settings import Settings
from assay.campaign.flow.systems import (
    description_digest,
    description_of,
    holds_description,
    keep_description,
    make_description,
    untold,
)
from assay.campaign.flow.tree import described, wish_for
from assay.errors import InvalidInputError, NotFoundError
from assay.rules.load import load_round

from .lab import read_lab


def test_files_and_kept_descriptions(lab: Path, home: Path) -> None:
    settings = Settings(home=home)
    campaign = read_lab(lab)
    found = description_of(campaign, "./box.json", settings)
    assert found is not None and found["cooling"] == "air"
    digest = description_digest(found)
    assert holds_description(campaign, "./box.json", settings, digest)
    (lab / "box.json").write_text("{}")
    assert not holds_description(campaign, "./box.json", settings, digest)
    (lab / "box.json").unlink()
    assert not holds_description(campaign, "./box.json", settings, digest)
    with pytest.raises(NotFoundError):
        description_of(campaign, "nowhere", settings)


def test_this_machine_is_described_with_what_the_campaign_tells(lab: Path, home: Path) -> None:
    settings = Settings(home=home)
    campaign = read_lab(lab, system="new", describe={"cooling": "liquid", "status": "preview"})
    assert description_of(campaign, "new", settings) is None
    made = make_description(campaign, "new", settings)
    assert untold(made) == ()  # a rehearsal says of the rest that nobody told it
    described(wish_for(campaign, "new", made.to_official_json()), load_round("v3.1"))
    keep_description(made, settings)
    kept = description_of(campaign, "new", settings)
    assert kept is not None and (kept["cooling"], kept["status"], kept["submitter"]) == ("liquid", "preview", "Acme")
    assert holds_description(campaign, "new", settings, description_digest(kept))


def test_nothing_is_made_up_for_a_submission(lab: Path, home: Path) -> None:
    entry = {"duration": None, "samples": None}
    campaign = read_lab(lab, entry, system="new", describe={}, rehearsal=False)
    made = make_description(campaign, "new", Settings(home=home))
    assert {"cooling", "status"} <= set(untold(made))
    with pytest.raises(InvalidInputError, match="cooling"):
        described(wish_for(campaign, "new", made.to_official_json()), load_round("v3.1"))
