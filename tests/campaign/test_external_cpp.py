"""A C++ program, built here against the C++ sources of LoadGen that its package brings, and run through its manifest."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from assay.base.progress import SILENT
from assay.base.settings import Settings
from assay.campaign.external import carry_out_external
from assay.campaign.external_plan import ExternalRequest, make_external_plan
from assay.campaign.request import RunRequest
from assay.errors import MissingDependencyError
from assay.harness.external.build import build_program
from assay.harness.external.command import choose
from assay.harness.external.forms import read_implementation
from assay.rules.model import Scenario

from .test_execute import MANIFEST

PROGRAM = Path(__file__).parents[1] / "programs" / "cpp"


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    """LoadGen's C++ sources, from the source distribution of its package."""
    if not (shutil.which("c++") and shutil.which("make")):
        pytest.skip("there is no C++ compiler here")
    words = ["download", "--quiet", "--no-deps", "--no-binary", "mlcommons-loadgen", "mlcommons-loadgen", "--dest"]
    done = subprocess.run(
        [sys.executable, "-m", "pip", *words, str(tmp_path)], capture_output=True, text=True, check=False
    )
    if done.returncode:
        pytest.skip(f"the sources cannot be fetched: {done.stderr[-300:]}")
    (packed,) = tmp_path.glob("mlcommons_loadgen-*.tar.gz")
    with tarfile.open(packed) as archive:
        archive.extractall(tmp_path / "loadgen", filter="data")
    (folder,) = (tmp_path / "loadgen").iterdir()
    return folder


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_program_in_cpp_is_built_run_judged_and_scored(
    home: Path, sources: Path, pictures: Path, tmp_path: Path
) -> None:
    (home / "manifests").mkdir(parents=True)
    (home / "manifests" / "colours.yaml").write_text(MANIFEST)
    settings = Settings(home=home, offline=True)
    manifest = Path(shutil.copytree(PROGRAM, tmp_path / "program")) / "stand-in-cpp.yaml"
    external = ExternalRequest(str(manifest), None, {"loadgen": str(sources)})
    request = RunRequest(
        name="colours",
        dataset=str(pictures),
        mode="both",
        scenarios=(Scenario.OFFLINE, Scenario.SINGLE_STREAM),
        duration_ns=5 * 10**8,
        target_qps=2000.0,
        target_latency_ns=10**6,
    )
    with pytest.raises(MissingDependencyError, match="assay implementations build"):
        make_external_plan(request, external, settings)
    build_program(choose(read_implementation(manifest), None, external.words), home / "builds", SILENT)
    records = carry_out_external(make_external_plan(request, external, settings), settings, SILENT)
    assert [(record.scenario, record.mode) for record in records] == [
        ("Offline", "accuracy"),
        ("SingleStream", "accuracy"),
        ("Offline", "performance"),
        ("SingleStream", "performance"),
    ]
    for record in records:
        assert record.verdict is not None
        assert record.verdict.valid, record.verdict.reasons
        assert record.settings["qsl_rng_seed"] == 148687905518835231
    assert [record.figures.accuracy for record in records[:2]] == [{"acc": 100.0}, {"acc": 100.0}]
    assert all(record.figures.value for record in records[2:])
