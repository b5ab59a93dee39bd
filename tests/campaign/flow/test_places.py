from __future__ import annotations

from pathlib import Path

import pytest

from assay.base.settings import Settings
from assay.campaign.flow.places import FILE, find_campaign, folder_of_name, kept_file, known_campaigns, remember
from assay.errors import InvalidInputError, NotFoundError

from .lab import read_lab, write_form


def test_a_campaign_is_found_by_its_file_and_once_it_was_run_by_its_name(tmp_path: Path, home: Path) -> None:
    settings = Settings(home=home)
    file = write_form(tmp_path)
    assert find_campaign(str(file), settings).form.name == "lab"
    with pytest.raises(NotFoundError, match="unknown campaign"):
        find_campaign("lab", settings)
    remember(read_lab(tmp_path), settings)
    assert find_campaign("lab", settings).path == file and known_campaigns(settings) == ["lab"]
    file.unlink()
    assert known_campaigns(settings) == []
    with pytest.raises(NotFoundError, match="unknown campaign"):
        find_campaign("lab", settings)


def test_what_is_kept_under_its_name_is_found_by_it(tmp_path: Path, home: Path) -> None:
    settings = Settings(home=home)
    file = write_form(tmp_path)
    kept = kept_file("lab", settings)
    kept.parent.mkdir(parents=True)
    kept.write_text(file.read_text())
    assert find_campaign("lab", settings).path == kept and kept == folder_of_name("lab", settings) / FILE
    # What was run last goes before it, until the kept one is run again.
    remember(read_lab(tmp_path), settings)
    assert find_campaign("lab", settings).path == file
    remember(find_campaign(str(kept), settings), settings)
    assert find_campaign("lab", settings).path == kept


def test_names_lead_nowhere_else(tmp_path: Path, home: Path) -> None:
    settings = Settings(home=home)
    (folder_of_name("bad", settings)).mkdir(parents=True)
    kept_file("bad", settings).write_text("no: campaign\n")
    with pytest.raises(InvalidInputError):
        find_campaign("bad", settings)
    (folder_of_name("odd", settings)).mkdir()
    (folder_of_name("odd", settings) / "file.txt").write_bytes(b"\xff\x00")
    for name in ("odd", "..", "Lab", "a/../lab", "x" * 300):
        with pytest.raises(NotFoundError):
            find_campaign(name, settings)
