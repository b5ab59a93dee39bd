from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

import pytest

from assay.base.diagnosis import Condition, Diagnosis
from assay.base.settings import Settings
from assay.system import home
from assay.system.home import diagnose_home


class Usage(NamedTuple):
    total: int
    used: int
    free: int


def checks(folder: Path, *, offline: bool = False) -> dict[str, Diagnosis]:
    return {check.name: check for check in diagnose_home(Settings(folder, offline=offline))}


def test_a_home_that_does_not_exist_yet_is_fine_and_not_made(tmp_path: Path) -> None:
    found = checks(tmp_path / "new" / "home")
    assert {check.state for check in found.values()} == {Condition.OK}
    assert "made on first use" in found["home folder"].detail
    assert not (tmp_path / "new").exists()


def test_a_home_that_cannot_be_written_is_essential(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda *_: False)
    check = checks(tmp_path)["home folder"]
    assert (check.state, check.essential) == (Condition.MISSING, True)
    assert "ASSAY_HOME" in check.fix


def test_a_file_in_the_way_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert "is not a folder" in checks(tmp_path / "file")["home folder"].detail


@pytest.mark.parametrize(
    ("free", "state"), [(10**8, Condition.MISSING), (10**9, Condition.WARNING), (10**11, Condition.OK)]
)
def test_disk_space(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, free: int, state: Condition) -> None:
    monkeypatch.setattr(home.shutil, "disk_usage", lambda _: Usage(10**12, 0, free))
    check = checks(tmp_path)["disk space"]
    assert (check.state, check.essential) == (state, state is Condition.MISSING)


def test_offline_is_a_warning(tmp_path: Path) -> None:
    assert checks(tmp_path, offline=True)["network"].state is Condition.WARNING


def test_old_unfinished_files_are_found_and_fresh_ones_left_alone(tmp_path: Path) -> None:
    fresh, old = tmp_path / "assets" / ".a.x.part", tmp_path / "assets" / ".b.y.part"
    fresh.parent.mkdir()
    fresh.write_bytes(b"1")
    old.write_bytes(b"22")
    assert checks(tmp_path)["unfinished files"].state is Condition.OK
    then = time.time() - 7200
    os.utime(old, (then, then))
    check = checks(tmp_path)["unfinished files"]
    assert check.state is Condition.WARNING
    assert "1 unfinished" in check.detail
    assert str(old) in check.detail
    assert "2 B" in check.detail


def test_a_lock_of_a_living_process_is_told_and_a_left_one_is_not(tmp_path: Path) -> None:
    lock = tmp_path / "assets.lock"
    lock.touch()
    assert "locks" not in checks(tmp_path)
    code = (
        "import sys\nfrom filelock import FileLock\n"
        "with FileLock(sys.argv[1]):\n    print('held', flush=True)\n    sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(lock)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        assert str(lock) in checks(tmp_path)["locks"].detail
        holder.communicate()
    assert "locks" not in checks(tmp_path)


def test_a_huge_home_is_not_walked_to_the_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(home, "_MOST_ENTRIES", 3)
    for number in range(10):
        (tmp_path / f"{number}.part").touch()
        os.utime(tmp_path / f"{number}.part", (0, 0))
    assert "3 unfinished" in checks(tmp_path)["unfinished files"].detail
