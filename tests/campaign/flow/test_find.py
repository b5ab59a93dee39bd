from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from assay.base.progress import SILENT
from assay.base.settings import Settings
from assay.campaign.external_plan import ExternalRequest
from assay.campaign.find_rate import Searched
from assay.campaign.flow import find as module
from assay.campaign.flow.find import can_be_told, find, see_that_it_can_be_searched
from assay.campaign.request import RunRequest
from assay.errors import UsageError
from assay.loadgen.search import Found
from assay.rules.model import Division, Scenario

PROGRAM = Path(__file__).parents[2] / "programs" / "stand-in.yaml"
REQUEST = RunRequest(name="mobilenet-v2", scenarios=(Scenario.SERVER,))


def test_what_a_search_came_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def search(request: RunRequest, settings: Settings, progress: object, **options: Any) -> Searched:
        del settings, progress
        assert request is REQUEST and options == {"tolerance": 0.05, "program": program}
        return Searched(Found(7.0, True, 8.0, ()), tmp_path / "trace.json", "assay run", kept=kept)

    kept, program = 0, None
    monkeypatch.setattr(module, "find_server_rate", search)
    found = find(REQUEST, Settings(home=tmp_path), 0.05, SILENT)
    assert (found.rate, found.run) == (7.0, "") and "7.00 queries/s" in found.note and "trace.json" in found.note
    assert "kept" not in found.note
    kept, program = 3, ExternalRequest("stand-in")
    assert "3 of 0 attempts kept from before" in find(REQUEST, Settings(home=tmp_path), 0.05, SILENT, program).note


def test_a_search_that_means_nothing_is_told_before(home: Path) -> None:
    settings = Settings(home=home)
    see_that_it_can_be_searched(REQUEST, settings, 0.02)
    with pytest.raises(UsageError):
        see_that_it_can_be_searched(REQUEST.model_copy(update={"division": Division.CLOSED}), settings, 0.02)


def test_a_program_that_hears_of_no_rate_cannot_be_searched(home: Path, tmp_path: Path) -> None:
    settings = Settings(home=home)
    assert can_be_told(None, settings) and can_be_told(ExternalRequest(str(PROGRAM)), settings)
    deaf = tmp_path / "deaf.yaml"
    deaf.write_text(PROGRAM.read_text().replace('"{user_conf}"', '"its own"'))
    assert not can_be_told(ExternalRequest(str(deaf)), settings)
