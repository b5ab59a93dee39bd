"""Homes with challenges, trees and runs to push, and an index of nothing but what they hold."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from assay.base.files import sha256_file
from assay.base.settings import Settings
from assay.cm.artifact import CHALLENGE, Automation
from assay.cm.repository import local_repository
from assay.loadgen.names import DETAIL
from assay.loadgen.record import Artefact, Figures, Label, RunRecord, RunStatus
from assay.loadgen.runs import RunFolder
from assay.results import store
from assay.rules.load import load_round
from assay.rules.model import Scenario

from ..submission.smalltree import SmallTree, build, run_values, write_log

NOW = datetime(2026, 12, 1, 12, tzinfo=UTC)
UID = "00112233445566aa"

needs_git = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
MakeEntry = Callable[..., Path]
MakeRun = Callable[..., Path]


@pytest.fixture(autouse=True)
def nothing_published() -> Iterator[None]:
    """An index without the table of published results that comes with assay."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(store, "PUBLISHED", Path("no such table"))
        yield


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(tmp_path / "home")


@pytest.fixture
def make_entry(settings: Settings) -> MakeEntry:
    """Write an entry into the local repository; its folder."""

    def make(
        kind: Automation, alias: str, uid: str, *, readme: str = "", tags: tuple[str, ...] = (), **meta: Any
    ) -> Path:
        folder = local_repository(settings).root / kind.alias / alias
        folder.mkdir(parents=True, exist_ok=True)
        whole = {"alias": alias, "uid": uid, "automation_alias": kind.alias, "automation_uid": kind.uid}
        (folder / "_cm.yaml").write_text(yaml.safe_dump({**whole, "tags": list(tags), **meta}), encoding="utf-8")
        if readme:
            (folder / "README.md").write_text(readme, encoding="utf-8")
        return folder

    return make


@pytest.fixture
def make_challenge(make_entry: MakeEntry) -> MakeEntry:
    def make(alias: str = "go", uid: str = UID, **meta: Any) -> Path:
        return make_entry(CHALLENGE, alias, uid, **{"title": alias.title(), **meta})

    return make


@pytest.fixture
def tree(tmp_path: Path) -> SmallTree:
    """A tree of the open division that both verdicts accept."""
    return build(tmp_path / "tree", "v3.0", division="open", scenarios=[Scenario.OFFLINE, Scenario.SINGLE_STREAM])


@pytest.fixture
def make_run(tmp_path: Path) -> MakeRun:
    """A folder of a run as it is pushed: its record and LoadGen's logs."""

    def make(
        scenario: str = "Offline",
        mode: str = "performance",
        number: int = 1,
        *,
        log: dict[str, Any] | None = None,
        parent: Path | None = None,
        **changes: Any,
    ) -> Path:
        round_ = load_round("v3.1")
        benchmark = round_.benchmark("resnet")
        values = run_values(round_, benchmark, Scenario(scenario), round_.seeds)
        values |= {"result_max_latency_ns": 601_000_000_000, "result_scheduled_samples_per_sec": 987.25}
        values |= {"result_qps_with_loadgen_overhead": 90.0, "effective_min_duration_ms": 5000}
        values |= {"result_90.00_percentile_latency_ns": 3_000_000, "effective_min_sample_count": 24576}
        values |= {"result_mean_latency_ns": 2_000_000 + number, "test_datetime": "2026-11-28T03:28:00Z"}
        if mode == "accuracy":
            values |= {"effective_test_mode": "AccuracyOnly"}
        values |= log or {}
        name = f"20261128-03283{number}-mobilenet-v2-{scenario.lower()}-{mode}-000{number}"
        folder = (parent or tmp_path / "runs") / name
        write_log(folder / DETAIL, values)
        figures = (
            Figures(accuracy={"acc": 90.0}, accuracy_units={"acc": "percent"}) if mode == "accuracy" else Figures()
        )
        record: dict[str, Any] = {
            "id": name,
            "group": "feedc0dedeadbeef",
            "created": "2026-11-28T03:28:00+00:00",
            "status": RunStatus.FINISHED,
            "round": "v3.1",
            "benchmark": "resnet",
            "task": "image-classification",
            "scenario": scenario,
            "mode": mode,
            "category": "edge",
            "division": "open",
            "model": Artefact("mobilenet-v2", "ab" * 32),
            "dataset": Artefact("imagenet-foolbox-20", "cd" * 32, 20),
            "backend_name": "onnxruntime",
            "precision": "fp32",
            "batch_size": 8,
            "streams": 1,
            "threads": 0,
            "command": "assay run mobilenet-v2",
            "labels": (Label.STAND_IN_MODEL, Label.SMALL_DATASET, Label.SHORT_RUN),
            "figures": figures,
            "logs": {DETAIL: sha256_file(folder / DETAIL)},
        }
        RunFolder(folder).write(RunRecord(**{**record, **changes}))
        return folder

    return make
