"""Homes that hold results, for the commands that ask."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from assay.base.settings import Settings
from assay.cli.main import run
from assay.results import store

from ..results.rows import make_row, put
from ..submission.smalltree import SmallTree, build, change_log

Call = Callable[..., tuple[int, str, str]]

PUBLISHED_NAME = "inference_results_v3.0"


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str]) -> Call:
    """Run a command: its exit code, what it printed, what it remarked."""

    def called(*arguments: object) -> tuple[int, str, str]:
        code = run([str(each) for each in arguments])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return called


@pytest.fixture
def results_home(home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home, without the published figures."""
    monkeypatch.delenv("CM_REPOS", raising=False)
    monkeypatch.setattr(store, "PUBLISHED", Path("no such table"))
    return home


@pytest.fixture
def published_tree(tmp_path: Path) -> SmallTree:
    """A tree that is named as a published one: closed with power, and open without, in every edge scenario."""
    root = tmp_path / PUBLISHED_NAME
    tree = build(root, "v3.0", power=True)
    change_log(build(root, "v3.0", division="open").run_log("Offline"), result_samples_per_second=2000.0)
    return tree


@pytest.fixture
def asked_home(results_home: Path) -> Path:
    """A home with a few results of three organisations, local, inferred and refused ones among them."""
    rows = [
        make_row(0, organisation="NVIDIA", accelerator="H100-PCIe-80GB", watts=400.0, samples_per_second=1000.0),
        make_row(1, organisation="NVIDIA", accelerator="A100-PCIe-80GB", watts=250.0, samples_per_second=500.0),
        make_row(2, organisation="Krai", accelerator="Cloud AI 100", watts=20.0, samples_per_second=250.0),
        make_row(3, organisation="Krai", watts=30.0, samples_per_second=125.0, cm_uid="feedfacefeedface"),
        make_row(4, organisation="Acme", division="open", scenario="SingleStream", latency=2e6, unit="Latency (ms)"),
        make_row(5, organisation="Acme", method="inferred", scenario="MultiStream", samples_per_second=7.0),
        make_row(6, organisation="Acme", official=False, samples_per_second=9e9, findings=("seed-wrong",)),
        make_row(7, organisation="Mine", origin="local", source_kind="run", watts=5.0, labels=("short-run",)),
        make_row(8, organisation="Acme", round="v2.1", benchmark="bert-99", task="nlp", scenario="Server", watts=9.0),
    ]
    energy = [
        msgspec.structs.replace(row, joules_per_sample=row.watts / row.samples_per_second)
        if row.watts is not None and row.samples_per_second is not None
        else row
        for row in rows
    ]
    put(Settings(results_home), energy)
    return results_home


def document(found: tuple[int, str, str]) -> Any:
    """The one JSON document that a command printed, and nothing else."""
    code, out, err = found
    assert code == 0, out + err
    assert err == ""
    return json.loads(out)
