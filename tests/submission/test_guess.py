from __future__ import annotations

from pathlib import Path

import pytest

from assay.rules.load import round_names
from assay.submission.guess import guess_round

from .smalltree import build


@pytest.mark.parametrize("name", round_names())
def test_the_seeds_tell_the_round(name: str, tmp_path: Path) -> None:
    build(tmp_path, name)
    assert guess_round(tmp_path) == name


def test_a_tree_without_logs_tells_nothing(tmp_path: Path) -> None:
    (tmp_path / "closed").mkdir()
    assert guess_round(tmp_path) is None
