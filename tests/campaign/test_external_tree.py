"""Runs of a program of others, laid out as a submission."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from assay.assets.catalogue import load_catalogue
from assay.base.progress import SILENT
from assay.base.settings import Settings
from assay.campaign.external import carry_out_external
from assay.campaign.external_plan import ExternalRequest, make_external_plan
from assay.campaign.request import RunRequest
from assay.loadgen.runs import RunCatalogue
from assay.rules.load import load_round
from assay.rules.model import Category, Division
from assay.submission.building.model import Wish
from assay.submission.building.run import build

from ..submission.building.made import DESCRIPTION
from .test_execute import MANIFEST

PROGRAMS = Path(__file__).parents[1] / "programs"


@pytest.fixture
def settings(home: Path) -> Settings:
    (home / "manifests").mkdir(parents=True)
    (home / "manifests" / "colours.yaml").write_text(MANIFEST)
    return Settings(home=home, offline=True)


def test_runs_of_another_program_become_a_tree_with_its_name_and_its_manifest(
    settings: Settings, pictures: Path, tmp_path: Path
) -> None:
    request = RunRequest(
        name="colours",
        dataset=str(pictures),
        mode="both",
        duration_ns=2 * 10**8,
        target_qps=1000.0,
        category=Category.EDGE,
    )
    external = ExternalRequest(str(PROGRAMS / "stand-in.yaml"), None, {"python": sys.executable})
    records = carry_out_external(make_external_plan(request, external, settings), settings, SILENT)
    round_, out = load_round("v3.1"), tmp_path / "tree"
    told = dict.fromkeys(round_.submission.measurements.fields, "x") if round_.submission else {}
    wish = Wish(
        "Acme", Division.OPEN, (Category.EDGE,), "box", DESCRIPTION, runs=tuple(each.id for each in records),
        fields=told, rehearsal=True,
    )  # fmt: skip
    report = build(RunCatalogue(settings.runs_dir), round_, wish, out, assets=load_catalogue(settings))
    assert report.ok, report.missing
    (page,) = out.rglob("code/resnet/*/README.md")
    assert page.parent.name == "stand-in-rehearsal-not-to-be-submitted"
    assert "The implementation is A program of somebody else's" in page.read_text()
    assert (page.parent / "implementation.yaml").read_bytes() == (PROGRAMS / "stand-in.yaml").read_bytes()
    (measured,) = out.rglob("measurements/box/resnet/Offline/README.md")
    assert "SHA-256 of its manifest" in measured.read_text()
    assert (measured.parent / "mlperf.conf").read_bytes() == (
        settings.runs_dir / records[1].id / "mlperf.conf"
    ).read_bytes()
