from __future__ import annotations

from pathlib import Path

from assay.base.progress import SILENT
from assay.base.settings import Settings
from assay.campaign.flow.material import fetch, prepare, prepares, quantise, quantises
from assay.campaign.flow.requests import request_for
from assay.campaign.plan import make_plan
from assay.campaign.request import RunRequest
from assay.rules.model import Mode, Scenario

from .lab import read_lab


def request_of(lab: Path, **entry: object) -> RunRequest:
    campaign = read_lab(lab, entry)
    return request_for(campaign, campaign.form.entries[0], Scenario.SINGLE_STREAM, Mode.PERFORMANCE)


def test_each_step_has_a_hash_of_what_it_made(lab: Path, home: Path) -> None:
    settings = Settings(home=home, offline=True)
    request = request_of(lab)
    first = fetch(request, None, settings, SILENT)
    assert first == fetch(request, None, settings, SILENT) and str(lab / "colours.onnx") in first.note
    ready = prepare(request, settings, SILENT)
    assert ready == prepare(request, settings, SILENT) and ready.note == "40 samples"
    (lab / "photos" / "p_00_0.png").rename(lab / "photos" / "p_00_1.png")
    assert fetch(request, None, settings, SILENT).output != first.output
    assert prepare(request, settings, SILENT).output != ready.output


def test_int8_is_made_where_it_is_asked_for_and_not_there(lab: Path, home: Path) -> None:
    settings = Settings(home=home, offline=True)
    plain, int8 = (make_plan(request_of(lab, precision=each), settings) for each in (None, "int8"))
    assert prepares(plain) and not quantises(plain) and quantises(int8)
    made = quantise(int8.request, settings, SILENT)
    assert made == quantise(int8.request, settings, SILENT) and made.note.endswith(".onnx")
    ready = make_plan(RunRequest(name="bert-large-int8"), settings)
    assert not quantises(ready)
    assert not prepares(make_plan(RunRequest(name="resnet50-synthetic"), settings))
