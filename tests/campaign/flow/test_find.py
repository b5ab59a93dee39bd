from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from assay.base.progress import SILENT
from assay.base.settings import Settings
from assay.campaign.find_rate import Searched
from assay.campaign.flow import find as module
from assay.campaign.flow.find import find, see_that_it_can_be_searched
from assay.campaign.request import RunRequest
from assay.errors import UsageError
from assay.loadgen.search import Found
from assay.rules.model import Division, Scenario

REQUEST = RunRequest(name="mobilenet-v2", scenarios=(Scenario.SERVER,))


def test_what_a_search_came_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def search(request: RunRequest, settings: Settings, progress: object, **options: Any) -> Searched:
        del settings, progress
        assert request is REQUEST and options == {"tolerance": 0.05}
        return Searched(Found(7.0, True, 8.0, ()), tmp_path / "trace.json", "assay run")

    monkeypatch.setattr(module, "find_server_rate", search)
    found = find(REQUEST, Settings(home=tmp_path), 0.05, SILENT)
    assert (found.rate, found.run) == (7.0, "") and "7.00 queries/s" in found.note and "trace.json" in found.note


def test_a_search_that_means_nothing_is_told_before(home: Path) -> None:
    settings = Settings(home=home)
    see_that_it_can_be_searched(REQUEST, settings, 0.02)
    with pytest.raises(UsageError):
        see_that_it_can_be_searched(REQUEST.model_copy(update={"division": Division.CLOSED}), settings, 0.02)
