"""The HTML report in a real browser: it shows, asks nobody for anything, and breaks none of its own rules."""

from __future__ import annotations

import struct
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from assay.base.settings import load_settings
from assay.campaign.execute import run
from assay.campaign.request import RunRequest
from assay.results.report import write_report
from assay.rules.model import Scenario

from ..conftest import make_classifier, make_pictures

FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-sync",
    "--disable-component-update", "--hide-scrollbars", "--enable-logging=stderr", "--v=0",
)  # fmt: skip


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A report of three runs of a tiny classifier."""
    folder = tmp_path_factory.mktemp("report")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ASSAY_HOME", str(folder / "home"))
        yield make_report(folder)


def make_report(folder: Path) -> Path:
    classifier, pictures = make_classifier(folder / "colours.onnx"), make_pictures(folder / "pictures")
    manifests = folder / "home" / "manifests"
    manifests.mkdir(parents=True)
    (manifests / "colours.yaml").write_text(
        "format: 1\nname: colours\nkind: model\ntask: image-classification\ntitle: Colours\nlicence: none\n"
        'sources: [{type: https, urls: ["http://127.0.0.1:9/never"]}]\n'
        "model: {benchmark: resnet, recipe: {resize: {short_side: 36}, crop: 32, output: {top: 1}}}\n"
    )
    records = run(
        RunRequest(
            name="colours",
            model=classifier,
            dataset=str(pictures),
            threads=1,
            duration_ns=3 * 10**8,
            mode="both",
            scenarios=(Scenario.SINGLE_STREAM, Scenario.OFFLINE),
        )
    )
    target = folder / "report.html"
    write_report([load_settings().runs_dir / record.id for record in records], target)
    return target


def browse(chromium: str, tmp_path: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [chromium, *FLAGS, f"--user-data-dir={tmp_path / 'profile'}", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=90, check=True)


def test_the_report_shows_its_figures_and_plots(chromium: str, report: Path, tmp_path: Path) -> None:
    done = browse(chromium, tmp_path, "--dump-dom", report.as_uri())
    assert "Not comparable with published results" in done.stdout
    assert "SingleStream" in done.stdout
    assert done.stdout.count("<svg") >= 3
    for complaint in ("Content Security Policy", "Refused to", "Failed to load"):
        assert complaint not in done.stderr


@pytest.mark.parametrize("width", [390, 1200])
def test_the_report_draws_on_a_phone_and_on_a_screen(chromium: str, report: Path, tmp_path: Path, width: int) -> None:
    picture = tmp_path / "report.png"
    browse(chromium, tmp_path, f"--window-size={width},1000", f"--screenshot={picture}", report.as_uri())
    raw = picture.read_bytes()
    assert struct.unpack(">II", raw[16:24])[0] >= width
    # An empty page compresses to a few kilobytes.
    assert len(raw) > 20_000
