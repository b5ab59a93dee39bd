from __future__ import annotations

from pathlib import Path

import pytest

PLUGIN = Path(__file__).parent / "plugin"


@pytest.fixture
def toy(monkeypatch: pytest.MonkeyPatch) -> Path:
    """A task of ragged samples and its engine, both called ``toy``, as an installed plugin here and in workers."""
    monkeypatch.syspath_prepend(str(PLUGIN))
    monkeypatch.setenv("PYTHONPATH", str(PLUGIN))
    return PLUGIN
