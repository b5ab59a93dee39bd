from __future__ import annotations

import errno
import hashlib
import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.base import files
from assay.base.files import (
    atomic_path,
    locked,
    machine_errors,
    open_regular,
    read_json,
    require_space,
    sha256_bytes,
    sha256_file,
    write_atomic,
    write_json,
)
from assay.errors import InvalidInputError, MachineError, NotFoundError


def test_hashes(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"x" * 3_000_000)
    assert sha256_file(path) == sha256_bytes(b"x" * 3_000_000) == hashlib.sha256(b"x" * 3_000_000).hexdigest()
    with pytest.raises(NotFoundError):
        sha256_file(tmp_path / "absent")


def test_a_write_makes_folders_and_replaces_as_a_whole(tmp_path: Path) -> None:
    target = tmp_path / "a" / "b" / "c.txt"
    write_atomic(target, "one")
    write_atomic(target, b"two")
    assert target.read_text() == "two"
    assert target.stat().st_mode & 0o777 == 0o644
    assert [path.name for path in target.parent.iterdir()] == ["c.txt"]


def test_a_write_that_breaks_leaves_the_old_content_and_no_rubbish(tmp_path: Path) -> None:
    target = tmp_path / "c.txt"
    write_atomic(target, "old")
    with pytest.raises(RuntimeError), atomic_path(target) as temporary:
        temporary.write_text("half")
        raise RuntimeError
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_a_killed_write_is_never_seen(tmp_path: Path) -> None:
    target = tmp_path / "c.txt"
    target.write_text("old")
    code = (
        "import os, sys; from pathlib import Path; from assay.base.files import atomic_path\n"
        "with atomic_path(Path(sys.argv[1])) as path:\n    path.write_text('half'); os._exit(9)"
    )
    assert subprocess.run([sys.executable, "-c", code, str(target)], check=False).returncode == 9
    assert target.read_text() == "old"
    assert [path.suffix for path in tmp_path.iterdir() if path != target] == [".part"]


def test_readers_see_the_old_or_the_new_never_a_part(tmp_path: Path) -> None:
    target = tmp_path / "c.json"
    write_json(target, ["a"] * 1000)
    seen: set[int] = set()
    stop = threading.Event()

    def read() -> None:
        while not stop.is_set():
            seen.add(len(read_json(target)))

    reader = threading.Thread(target=read)
    reader.start()
    for number in range(100):
        write_json(target, ["b"] * (1000 + number % 2))
    stop.set()
    reader.join()
    assert seen <= {1000, 1001}


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists, max_leaves=10))
def test_json_comes_back(tmp_path_factory: pytest.TempPathFactory, value: object) -> None:
    path = tmp_path_factory.mktemp("json") / "a.json"
    write_json(path, value)
    assert read_json(path) == value


def test_json_is_written_the_cm_way(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    write_json(path, {"b": "é", "a": [1]})
    assert path.read_text(encoding="utf-8") == '{\n  "a": [\n    1\n  ],\n  "b": "é"\n}\n'


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"{", "not JSON"),
        (b"\xff\xfe", "not UTF-8"),
        (b"[" * 200_000, "nested too deeply|not JSON"),
        (b"", "not JSON"),
    ],
)
def test_json_that_is_none(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "a.json"
    path.write_bytes(content)
    with pytest.raises(InvalidInputError, match=words) as caught:
        read_json(path)
    assert str(path) in str(caught.value.where)


def test_json_errors_point_at_line_and_column(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text('{\n  "a": 1,\n  "b": oops\n}')
    with pytest.raises(InvalidInputError) as caught:
        read_json(path)
    assert caught.value.where == f"{path}:3:8"


def test_json_that_is_too_large_or_absent(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text(json.dumps("x" * 100))
    with pytest.raises(InvalidInputError, match="too large"):
        read_json(path, max_bytes=50)
    with pytest.raises(NotFoundError):
        read_json(tmp_path / "absent")


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (errno.ENOSPC, "no space"),
        (errno.EDQUOT, "no space"),
        (errno.EROFS, "cannot write"),
        (errno.EACCES, "cannot write"),
        (errno.ENOTDIR, "a file stands"),
        (errno.EEXIST, "a file stands"),
    ],
)
def test_the_systems_refusals_are_told_with_a_hint(number: int, words: str) -> None:
    with pytest.raises(MachineError, match=words) as caught, machine_errors(Path("x")):
        raise OSError(number, os.strerror(number))
    assert "ASSAY_HOME" in str(caught.value.hint)


def test_other_refusals_pass_through() -> None:
    with pytest.raises(IsADirectoryError), machine_errors(Path("x")):
        raise IsADirectoryError(errno.EISDIR, "is a directory")


def test_a_lock_keeps_other_processes_out(tmp_path: Path) -> None:
    lock = tmp_path / "sub" / "a.lock"
    code = (
        "import sys; from pathlib import Path; from assay.base.files import locked\n"
        "with locked(Path(sys.argv[1])):\n    print('held', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(lock)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(MachineError, match="another process"), locked(lock, timeout_s=0.05):
            pass
        holder.kill()
    with locked(lock, timeout_s=5):
        pass


def test_a_lock_is_freed_when_the_work_breaks(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="work"), locked(tmp_path / "a.lock"):
        raise ValueError("work")
    with locked(tmp_path / "a.lock", timeout_s=0):
        pass


def test_space_is_asked_for_before_the_folder_is_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    require_space(tmp_path / "not" / "yet", 1)
    monkeypatch.setattr(files.shutil, "disk_usage", lambda _: type("U", (), {"free": 10**6, "total": 10**9})())
    require_space(tmp_path, 900_000)
    with pytest.raises(MachineError, match="not enough disk space") as caught:
        require_space(tmp_path / "not" / "yet", 10**6)
    assert caught.value.found == "1.0 MB free"


def test_a_read_only_disk_is_told_before_its_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files.os, "access", lambda path, mode: mode != os.W_OK)
    with pytest.raises(MachineError, match="read-only") as caught:
        require_space(tmp_path / "not" / "yet", 10**18)
    assert str(caught.value.where) == str(tmp_path / "not" / "yet")


@pytest.mark.skipif(sys.platform != "linux", reason="wants a file system that keeps nothing, even for root")
@pytest.mark.parametrize("root", ["/proc", "/sys"])
def test_a_place_that_keeps_nothing_is_told_to_root_as_well(root: str) -> None:
    home = Path(root, "assay-home")
    for refused in (
        lambda: require_space(home / "runs", 1),
        lambda: write_atomic(home / "a" / "b.txt", "x"),
        lambda: locked(home / "a.lock").__enter__(),
    ):
        with pytest.raises(MachineError, match="cannot write here") as caught:
            refused()
        assert "ASSAY_HOME" in str(caught.value.hint)


def test_a_file_that_is_missing_is_no_refusal(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), machine_errors(tmp_path / "none"):
        (tmp_path / "none").unlink()


def test_a_regular_file_is_opened_and_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"abc")
    with open_regular(tmp_path / "file") as file:
        assert file.read() == b"abc"
    os.mkfifo(tmp_path / "pipe")
    for name in ("pipe", ".", "nothing"):
        with pytest.raises(OSError, match=r"regular|No such"):
            open_regular(tmp_path / name)
