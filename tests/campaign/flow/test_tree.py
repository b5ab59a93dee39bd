from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from assay.base.files import sha256_file
from assay.campaign.flow.tree import (
    build_command,
    check_command,
    described,
    holds_tree,
    see_that_the_round_has_both,
    wish_for,
)
from assay.errors import InvalidInputError, NotFoundError, UsageError
from assay.rules.load import load_round

from .lab import ENTRY, read_lab


def test_a_wish_of_a_file_and_of_a_kept_description(lab: Path) -> None:
    wish = wish_for(read_lab(lab), "./box.json", {"cooling": "air"}, ("run",), ("resnet",))
    assert (wish.system, wish.described_in, wish.runs) == ("box", str(lab / "box.json"), ("run",))
    assert wish.rehearsal and wish.calibration is None and wish.description == {"cooling": "air"}
    kept = wish_for(read_lab(lab, system="kept", category="both"), "kept", {})
    assert (kept.system, kept.described_in) == ("kept", "") and len(kept.categories) == 2


def test_the_text_on_calibration(lab: Path) -> None:
    campaign = read_lab(lab, calibration="how.md")
    with pytest.raises(NotFoundError, match="calibration"):
        wish_for(campaign, "./box.json", {})
    (lab / "how.md").write_text("So.\n")
    assert wish_for(campaign, "./box.json", {}).calibration == "So.\n"


def test_a_tree_holds_while_its_list_of_hashes_is_the_one_that_was_written(tmp_path: Path) -> None:
    tree, listing = tmp_path / "tree", tmp_path / "tree.sha256"
    listing.write_text("x")
    digest = sha256_file(listing)
    assert not holds_tree(tree, digest)
    tree.mkdir()
    assert holds_tree(tree, digest)
    listing.write_text("y")
    assert not holds_tree(tree, digest)


def test_commands(lab: Path) -> None:
    campaign = read_lab(lab)
    assert build_command(campaign).endswith("--category edge --system ./box.json --round v3.1 --rehearsal")
    assert check_command(campaign) == "assay check tree --round v3.1"
    entries = [ENTRY, {**ENTRY, "label": "b", "system": "other"}]
    assert build_command(read_lab(lab, entries=entries)) == ""


def test_a_description_is_judged_by_the_round(lab: Path) -> None:
    with pytest.raises(InvalidInputError, match="not described as round v3.1 asks"):
        described(wish_for(read_lab(lab), "./box.json", {"cooling": ""}), load_round("v3.1"))


def test_a_round_that_has_no_word_for_both_categories(lab: Path) -> None:
    round_ = load_round("v3.1")
    both = read_lab(lab, category="both")
    see_that_the_round_has_both(both, round_)
    assert round_.submission is not None
    system = replace(round_.submission.system, types=("edge", "datacenter"))
    poor = replace(round_, submission=replace(round_.submission, system=system))
    with pytest.raises(UsageError, match="one category"):
        see_that_the_round_has_both(both, poor)
    see_that_the_round_has_both(read_lab(lab), poor)
