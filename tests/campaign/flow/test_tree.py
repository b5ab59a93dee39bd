from __future__ import annotations

from pathlib import Path

import pytest

from assay.base.files import sha256_file
from assay.base.settings import Settings
from assay.campaign.flow.tree import build_command, check_command, holds_tree, journal_folder, wish_for
from assay.errors import NotFoundError

from .lab import read_lab


def test_a_wish_of_a_file_and_of_a_kept_description(lab: Path, home: Path) -> None:
    settings = Settings(home=home)
    wish = wish_for(read_lab(lab), settings, ("run",), ("resnet",))
    assert (wish.system, wish.described_in, wish.runs) == ("box", str(lab / "box.json"), ("run",))
    assert wish.rehearsal and wish.calibration is None
    (home / "systems").mkdir()
    (home / "systems" / "kept.json").write_bytes((lab / "box.json").read_bytes())
    kept = wish_for(read_lab(lab, system="kept"), settings, (), ())
    assert (kept.system, kept.described_in) == ("kept", "")


def test_the_text_on_calibration(lab: Path, home: Path) -> None:
    campaign = read_lab(lab, calibration="how.md")
    with pytest.raises(NotFoundError, match="calibration"):
        wish_for(campaign, Settings(home=home), (), ())
    (lab / "how.md").write_text("So.\n")
    assert wish_for(campaign, Settings(home=home), (), ()).calibration == "So.\n"


def test_a_tree_holds_while_its_list_of_hashes_is_the_one_that_was_written(tmp_path: Path) -> None:
    tree, listing = tmp_path / "tree", tmp_path / "tree.sha256"
    listing.write_text("x")
    digest = sha256_file(listing)
    assert not holds_tree(tree, digest)
    tree.mkdir()
    assert holds_tree(tree, digest)
    listing.write_text("y")
    assert not holds_tree(tree, digest)


def test_commands_and_places(lab: Path, home: Path) -> None:
    campaign = read_lab(lab)
    assert journal_folder(campaign, Settings(home=home)) == home / "campaigns" / "lab"
    assert build_command(campaign).endswith("--system ./box.json --round v3.1 --rehearsal")
    assert check_command(campaign) == "assay check tree --round v3.1"
