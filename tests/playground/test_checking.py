from __future__ import annotations

import json
import os
import signal
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psutil
import pytest

from assay.base.settings import Settings
from assay.community.outcome import AcceptedResult, Outcome, Refusal, UploadFinding, UploadKind
from assay.errors import MachineError
from assay.playground import checking
from assay.playground.checking import ARCHIVE, LARGEST, Job, check, check_apart, told
from assay.playground.security.config import UploadLimits

from ..community.conftest import needs_git
from .sending import packed, small_tree, tar_of

NOW = datetime(2026, 12, 1, tzinfo=UTC)
JOB = Job("ada", NOW, "Ada L.", "Acme", ("a" * 16,), private=True, embargo=NOW + timedelta(1), round="v3.0", note="hm")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(tmp_path / "home")


def laid(settings: Settings, archive: bytes, job: Job) -> Path:
    folder = settings.home / "uploads" / "0123456789abcdef"
    folder.mkdir(parents=True)
    (folder / ARCHIVE).write_bytes(archive)
    job.write(folder)
    return folder


def test_a_job_is_read_as_it_was_written(tmp_path: Path) -> None:
    JOB.write(tmp_path)
    assert Job.read(tmp_path) == JOB
    replace(JOB, embargo=None, challenges=(), tries=2).write(tmp_path)
    assert Job.read(tmp_path).tries == 2
    (tmp_path / "job.json").write_text("{}")
    with pytest.raises(MachineError, match="damaged"):
        Job.read(tmp_path)


@needs_git
def test_a_tree_is_taken_under_the_name_of_its_sender(settings: Settings, tmp_path: Path) -> None:
    folder = laid(settings, packed(small_tree(tmp_path / "tree").root), Job("ada", NOW))
    said = check(folder, settings, UploadLimits())
    assert (said["message"], said["round"], said["ok"]) == ("2 results accepted", "v3.0", True)
    assert {each["scenario"] for each in said["accepted"]} == {"Offline", "SingleStream"}
    assert not (folder / "unpacked").exists()
    again = check(folder, settings, UploadLimits())
    assert (again["unchanged"], again["commit"]) == (True, None)


@pytest.mark.parametrize(
    ("archive", "words"),
    [
        (tar_of(("../../escaped", b"x")), "outside its folder"),
        (tar_of(("a.txt", b"x")), "nothing in it can be taken"),
        (b"no archive at all", "not an archive"),
    ],
    # Of their own: an archive holds the moment that it was made.
    ids=["escaping", "nothing", "no archive"],
)
def test_what_is_no_upload_is_told_without_the_servers_folders(settings: Settings, archive: bytes, words: str) -> None:
    folder = laid(settings, archive, Job("ada", NOW))
    said = check(folder, settings, UploadLimits())
    assert words in said["error"]["what"]
    assert said["error"]["ours"] is False
    assert str(settings.home) not in json.dumps(said)
    assert sorted(each.name for each in folder.iterdir()) == ["archive", "job.json"]


def test_a_bomb_is_refused(settings: Settings) -> None:
    folder = laid(settings, tar_of(("closed/a", bytes(64 << 20))), Job("ada", NOW))
    said = check(folder, settings, UploadLimits(max_unpacked=32 << 20))
    assert "archive" in said["error"]["what"] and not said["error"]["ours"]
    assert not (folder / "unpacked").exists()


def test_an_outcome_is_of_bounded_size() -> None:
    taken = tuple(
        AcceptedResult(f"{number:016x}", f"p{number}", "v3.0", "resnet", "Offline", "open") for number in range(3)
    )
    findings = tuple(UploadFinding("code", "t" * 1000, detail="d" * 10_000) for _ in range(1000))
    said = told(Outcome(UploadKind.TREE, taken, (Refusal("p", "why"),), findings, 5000))
    assert (len(said["accepted"]), len(said["refused"])) == (3, 1)
    assert 100 < len(said["findings"]) < 1000
    assert said["findings_total"] == 5000
    assert len(json.dumps(said)) < LARGEST + 10_000


# ---- in a process of its own


def never() -> bool:
    return False


@needs_git
def test_a_process_of_its_own_says_the_same(settings: Settings, tmp_path: Path) -> None:
    folder = laid(settings, packed(small_tree(tmp_path / "tree").root), Job("ada", NOW))
    said = check_apart(folder, settings, UploadLimits(), stopping=never, seconds=60)
    assert said is not None and said["message"] == "2 results accepted"


def _hangs(folder: Path, settings: Settings, limits: UploadLimits) -> None:
    del folder, settings, limits
    threading.Event().wait(60)


def _dies(folder: Path, settings: Settings, limits: UploadLimits) -> None:
    del folder, settings, limits
    os.kill(os.getpid(), signal.SIGKILL)


def alone(target: Callable[..., None], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checking, "_run", target)


def test_a_check_that_dies_is_no_verdict(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: Settings) -> None:
    alone(_dies, monkeypatch)
    said: Any = check_apart(tmp_path, settings, UploadLimits(), stopping=never, seconds=60)
    assert said["error"]["what"] == "the check broke off" and said["error"]["ours"]


def test_a_check_that_takes_too_long_is_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    alone(_hangs, monkeypatch)
    said: Any = check_apart(tmp_path, settings, UploadLimits(), stopping=never, seconds=0.2)
    assert "took longer" in said["error"]["what"]
    assert not [
        each
        for each in psutil.Process().children()
        if each.status() != psutil.STATUS_ZOMBIE and "spawn_main" in " ".join(each.cmdline())
    ]


def test_a_server_that_stops_takes_its_check_with_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    alone(_hangs, monkeypatch)
    assert check_apart(tmp_path, settings, UploadLimits(), stopping=lambda: True, seconds=60) is None
