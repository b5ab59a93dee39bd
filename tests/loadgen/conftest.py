"""Real logs of LoadGen, small ones beside the tests and the v3.0 sample tree of the verification data."""

from __future__ import annotations

import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from assay.loadgen.logs import DetailLog, read_detail
from assay.loadgen.names import DETAIL
from assay.rules.load import load_round
from assay.rules.model import Benchmark, Round

DATA = Path(__file__).parent / "data"
SAMPLE = Path(__file__).parents[3] / "shared" / "oracle" / "sample-v3.0.tar.xz"


@pytest.fixture(scope="session")
def logs() -> Path:
    """Folder of the small logs, one folder each; ``make_logs.py`` there says how they were made."""
    return DATA


@pytest.fixture(scope="session")
def detail() -> Callable[[str], DetailLog]:
    """Reads a small detail log by name."""
    return lambda name: read_detail(DATA / name / DETAIL)


@pytest.fixture(scope="session")
def v31() -> Round:
    return load_round("v3.1")


@pytest.fixture(scope="session")
def resnet(v31: Round) -> Benchmark:
    return v31.benchmark("resnet50")


@pytest.fixture(scope="session")
def published(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Folders of published v3.0 runs that hold a detail log."""
    if not SAMPLE.is_file():
        pytest.skip(f"the verification data is not there: {SAMPLE}")
    folder = tmp_path_factory.mktemp("v3.0")
    with tarfile.open(SAMPLE) as archive:
        members = [member for member in archive if "mlperf_log_" in member.name and member.isfile()]
        archive.extractall(folder, members, filter="data")
    return sorted(path.parent for path in folder.rglob(DETAIL))
