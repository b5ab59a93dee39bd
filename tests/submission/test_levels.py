from __future__ import annotations

from assay.rules.load import load_round
from assay.rules.submission import Level
from assay.submission.levels import LevelTable


def test_the_open_division_is_forgiven_its_accuracy() -> None:
    table = LevelTable(load_round("v3.0"))
    assert table.official("accuracy-below-target") is Level.REJECT
    assert table.official("accuracy-below-target", closed=False) is Level.NOTE
    assert table.strict("accuracy-below-target", closed=False) is Level.NOTE
    # The hash is forgiven by the tool, not by the rules.
    assert table.official("accuracy-hash-missing", closed=False) is Level.NOTE
    assert table.strict("accuracy-hash-missing", closed=False) is Level.REJECT


def test_what_the_user_passes_over_is_ignored_by_the_official_verdict_alone() -> None:
    table = LevelTable(load_round("v3.1"), frozenset({"seed-wrong"}))
    assert (table.official("seed-wrong"), table.strict("seed-wrong")) == (Level.IGNORE, Level.REJECT)
    assert not table.refuses("seed-wrong")
    assert LevelTable(load_round("v3.1")).refuses("seed-wrong")
    assert table.kind("seed-wrong").code == "seed-wrong"
