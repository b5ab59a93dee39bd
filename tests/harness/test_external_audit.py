from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from assay.errors import MachineError
from assay.harness.external.audit import placed, recover
from assay.loadgen.audit import AUDIT_CONF

TEXT = "# TEST04\n*.*.mode = 2\n"
OWN = b"*.*.mode = 2 # of the user\n"
HOLD = """
import sys, time
from pathlib import Path
from assay.harness.external.audit import placed
with placed(Path(sys.argv[1]), "*.*.mode = 2\\n", Path(sys.argv[2])):
    print("placed", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "program"
    path.mkdir()
    return path


def until(true: Callable[[], bool], seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end
        time.sleep(0.02)


@pytest.mark.parametrize("own", [None, OWN], ids=["nothing", "a file"])
def test_it_is_there_for_the_run_and_what_lay_there_comes_back(folder: Path, tmp_path: Path, own: bytes | None) -> None:
    if own is not None:
        (folder / AUDIT_CONF).write_bytes(own)
    with placed(folder, TEXT, tmp_path / "locks"):
        lines = (folder / AUDIT_CONF).read_text().splitlines(keepends=True)
        # LoadGen passes over the first line, which says whose file it is.
        assert lines[0].startswith("#") and "".join(lines[1:]) == TEXT
    found = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert found == ({} if own is None else {AUDIT_CONF: own})


def test_it_comes_back_when_the_run_breaks(folder: Path, tmp_path: Path) -> None:
    (folder / AUDIT_CONF).symlink_to("elsewhere")
    for how in (KeyError, KeyboardInterrupt):
        with pytest.raises(how), placed(folder, TEXT, tmp_path / "locks"):
            assert not (folder / AUDIT_CONF).is_symlink()
            raise how
        assert (folder / AUDIT_CONF).readlink() == Path("elsewhere")
        assert len(list(folder.iterdir())) == 1


@pytest.mark.parametrize("own", [None, OWN], ids=["nothing", "a file"])
def test_it_comes_back_when_assay_is_killed(folder: Path, tmp_path: Path, own: bytes | None) -> None:
    if own is not None:
        (folder / AUDIT_CONF).write_bytes(own)
    words = [sys.executable, "-c", HOLD, str(folder), str(tmp_path / "locks")]
    process = subprocess.Popen(words, stdout=subprocess.PIPE)
    assert process.stdout is not None and process.stdout.readline() == b"placed\n"
    assert (folder / AUDIT_CONF).read_bytes() != own
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()
    until(lambda: [path.read_bytes() for path in folder.iterdir()] == ([] if own is None else [own]))


def test_one_test_at_a_time_is_made_in_a_folder(folder: Path, tmp_path: Path) -> None:
    script = HOLD.replace("time.sleep(60)", "").replace("print", "time.sleep(0); print")
    words = [sys.executable, "-c", script, str(folder), str(tmp_path / "locks")]
    with placed(folder, TEXT, tmp_path / "locks"):
        before = (folder / AUDIT_CONF).read_text()
        done = subprocess.run(words, capture_output=True, text=True, check=False)
        assert "another compliance test is being made with this program" in done.stderr
        assert (folder / AUDIT_CONF).read_text() == before
    with placed(folder, TEXT, tmp_path / "locks"):
        assert (folder / AUDIT_CONF).is_file()


def test_what_a_killed_guard_left_is_put_back_by_the_next_test(folder: Path, tmp_path: Path) -> None:
    with placed(folder, TEXT, tmp_path / "locks"):
        left = (folder / AUDIT_CONF).read_bytes()
    (folder / AUDIT_CONF).write_bytes(left)
    (folder / f".{AUDIT_CONF}.assay-0123").write_bytes(OWN)
    with placed(folder, TEXT, tmp_path / "locks"):
        pass
    assert [path.read_bytes() for path in folder.iterdir()] == [OWN]


def test_a_file_of_another_test_or_of_the_user_is_left(folder: Path, tmp_path: Path) -> None:
    with placed(folder, TEXT, tmp_path / "locks"):
        recover(folder, "0123456789abcdef")
        assert (folder / AUDIT_CONF).is_file()
    (folder / AUDIT_CONF).write_bytes(OWN)
    recover(folder)
    assert (folder / AUDIT_CONF).read_bytes() == OWN


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written_is_told(folder: Path, tmp_path: Path) -> None:
    folder.chmod(0o555)
    with pytest.raises(MachineError, match="cannot write here"), placed(folder, TEXT, tmp_path / "locks"):
        pass
    folder.chmod(0o755)
