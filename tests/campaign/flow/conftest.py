from __future__ import annotations

from pathlib import Path

import pytest

from .lab import make_lab


@pytest.fixture
def lab(home: Path, tmp_path: Path) -> Path:
    """The folder of a small campaign whose home is ``home``."""
    folder = tmp_path / "lab"
    make_lab(folder, home)
    return folder
