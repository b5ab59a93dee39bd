"""Whole campaigns of real stand-ins, from nothing to a checked tree, undisturbed and killed at many moments."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from assay.base.settings import Settings
from assay.campaign.flow.draft import Wanted, draft, keep
from assay.campaign.flow.journal import Journal
from assay.campaign.flow.running import owner
from assay.submission.check import check
from assay.submission.model import CheckReport

from .lab import files_of

KILLS = 20
OF_ITS_LABELS = {
    "accuracy-below-target",
    "accuracy-samples",
    "duration-short",
    "inferred-no-estimate",
    "offline-samples",
    "result-zero",
    "sample-count-low",
    "scenario-missing",
}
"""What a stand-in, a few pictures and a short run are refused for."""
OF_THE_MACHINE = {"verify-failed", "result-invalid", "duration-unmet"}
"""On one that is busy, or no longer, short runs differ by more than a compliance test allows, or end before their time."""


def environment(home: Path) -> dict[str, str]:
    return {**os.environ, "ASSAY_HOME": str(home), "ASSAY_OFFLINE": "1"}


def start(home: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "assay", "campaign", "run", "try", "-q"]
    return subprocess.Popen(command, env=environment(home), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


def planned(home: Path, assets: Path, **entry: object) -> Path:
    """An empty home with a plan of a closed tree on the edge; assets are linked, as if they had been fetched."""
    home.mkdir(parents=True)
    (home / "assets").symlink_to(assets, target_is_directory=True)
    wanted = Wanted("v3.1", ("resnet50",), "edge", "closed", True, "try", "Acme", "box", "mobilenet-v2", entry=entry)
    keep(draft(wanted, Settings(home=home)), force=False)
    return home / "campaigns" / "try" / "tree"


def killed(home: Path, steps: int, seconds: float) -> bool:
    """Run the campaign and kill its process some seconds after so many steps; whether it was still there."""
    folder = home / "campaigns" / "try"
    journal = Journal(folder)
    before, process = len(journal.entries()), start(home)
    while process.poll() is None and (owner(folder) != process.pid or len(journal.entries()) < before + steps):
        time.sleep(0.05)
    try:
        process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        children = psutil.Process(process.pid).children(recursive=True)
        os.kill(process.pid, signal.SIGKILL)
        process.communicate()
        _, alive = psutil.wait_procs(children, timeout=30)
        assert not alive
        return True
    return False


def finish(home: Path) -> None:
    process = start(home)
    _, error = process.communicate(timeout=900)
    assert process.returncode == 0, error.decode()


def refused(report: CheckReport) -> set[str]:
    grave = {each.code for each in report.findings if each.strict.value in ("reject", "flag")}
    return grave - OF_THE_MACHINE


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_from_an_empty_home_to_a_checked_tree_killed_at_twenty_moments(tmp_path: Path, stand_in_assets: Path) -> None:
    # MultiStream follows from SingleStream; on a slow machine its 662 queries of eight samples take their time.
    entry = {"duration": "2s", "scenarios": ["SingleStream", "Offline"]}
    whole = planned(tmp_path / "undisturbed", stand_in_assets, **entry)
    finish(tmp_path / "undisturbed")
    tree = planned(tmp_path / "disturbed", stand_in_assets, **entry)
    journal = Journal(tmp_path / "disturbed" / "campaigns" / "try")
    # All over the campaign, however fast the machine is.
    moments = [(random.choice((0, 1, 1)), random.uniform(0.0, 4.0)) for _ in range(KILLS)]
    at_work = 0
    for steps, seconds in moments:
        before = journal.entries()
        at_work += killed(tmp_path / "disturbed", steps, seconds)
        assert {name: done for name, done in journal.entries().items() if name in before} == before, moments
    finish(tmp_path / "disturbed")
    assert at_work >= KILLS // 2, moments
    assert files_of(tree) == files_of(whole), moments
    tests = {part for name in files_of(tree) for part in name.split("/") if part.startswith("TEST")}
    assert tests == {"TEST01", "TEST04", "TEST05"}
    assert {name: len(done) for name, done in journal.entries().items() if len(done) > 1} == {}, moments
    found = check(tree, "v3.1", jobs=1)
    assert refused(found) == refused(check(whole, "v3.1", jobs=1)), moments
    assert refused(found) <= OF_ITS_LABELS, json.dumps([each.code for each in found.findings])
