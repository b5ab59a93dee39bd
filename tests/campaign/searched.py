"""Searches for a rate on an engine whose work is a sleep."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from assay.base.settings import Settings
from assay.campaign.request import RunRequest
from assay.campaign.search_plan import SearchPlan, plan_search
from assay.rules.model import Scenario

from .test_execute import MANIFEST

PLUGIN = Path(__file__).parent / "cheats"


def sleeping_home(home: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """A home that knows the model, and an engine beside the installed ones."""
    monkeypatch.syspath_prepend(str(PLUGIN))
    monkeypatch.setenv("PYTHONPATH", str(PLUGIN))
    (home / "manifests").mkdir(parents=True)
    (home / "manifests" / "colours.yaml").write_text(MANIFEST)
    return Settings(home=home, offline=True)


def planned(settings: Settings, classifier: Path, pictures: Path, **search: Any) -> SearchPlan:
    """A search whose runs take less than a second."""
    request = RunRequest(
        name="colours", model=classifier, dataset=str(pictures), scenarios=(Scenario.SERVER,), backend="cheat",
        duration_ns=6 * 10**8, target_latency_ns=50 * 10**6,
    )  # fmt: skip
    options: dict[str, Any] = {"attempt_ns": 3 * 10**8, "tolerance": 0.5, "start": 100.0}
    return plan_search(request, settings, **{**options, **search})
