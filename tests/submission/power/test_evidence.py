from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from assay.submission.power import files
from assay.submission.power.evidence import CLIENT, PTD_LOG, RANGING, SPL, TESTING, Evidence
from assay.submission.power.record import MalformedError
from assay.submission.power.window import WindowError
from assay.submission.tree import TreeReader

from .measured import START, Measured, build


@pytest.fixture
def measured(tmp_path: Path) -> Measured:
    return build(tmp_path, "v3.0")


def evidence(measured: Measured) -> Evidence:
    return Evidence(str(measured.root), measured.relative, TreeReader(measured.root).read(measured.relative))


def test_windows_are_those_of_the_logs(measured: Measured) -> None:
    found = evidence(measured)
    assert (found.window(RANGING).begin, found.window(RANGING).end) == (
        START.timestamp() + 100,
        START.timestamp() + 1300,
    )
    assert found.window(TESTING).begin == START.timestamp() + 2100


def test_a_window_that_cannot_be_read_is_told_each_time(measured: Measured) -> None:
    (measured.path / TESTING / "mlperf_log_detail.txt").unlink()
    found = evidence(measured)
    for _ in range(2):
        with pytest.raises(WindowError) as told:
            found.window(TESTING)
        assert told.value.issue("x").detail == "no such file or directory"


def test_a_file_is_read_once_for_its_hash_and_its_content(measured: Measured) -> None:
    found = evidence(measured)
    for name in (PTD_LOG, f"{TESTING}/{SPL}", f"{RANGING}/mlperf_log_detail.txt"):
        digest = hashlib.sha1((measured.path / name).read_bytes()).hexdigest()
        assert found.sha1(name) == digest
    content = (measured.path / PTD_LOG).read_bytes()
    (measured.path / PTD_LOG).unlink()
    assert found.raw(PTD_LOG) == content


def test_only_what_is_judged_is_kept(measured: Measured) -> None:
    found = evidence(measured)
    assert found.sha1("power/client.log")
    with pytest.raises(MalformedError):
        found.raw("power/client.log")
    assert found.small("power/client.log") == b"the log of the client\n"


def test_a_log_that_is_too_large_is_hashed_and_not_kept(measured: Measured, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "MAX_TEXT", 100)
    found = evidence(measured)
    name = f"{TESTING}/{SPL}"
    assert found.sha1(name) == hashlib.sha1((measured.path / name).read_bytes()).hexdigest()
    with pytest.raises(MalformedError) as told:
        found.raw(name)
    assert told.value.issue("x").detail == "larger than 0 MiB"


def test_sessions(measured: Measured) -> None:
    session = evidence(measured).session(CLIENT, ["version"])
    assert session.path == f"{measured.relative}/{CLIENT}"
    assert session.text("version") == "1.0"
    with pytest.raises(MalformedError) as told:
        evidence(measured).session(CLIENT, ["colour"])
    assert told.value.issue("x").field == "colour"


def test_a_session_that_is_too_large(measured: Measured) -> None:
    measured.write(CLIENT, b"{}" + b" " * files.MAX_SESSION)
    with pytest.raises(MalformedError) as told:
        evidence(measured).session(CLIENT, [])
    assert told.value.issue("x").detail == "larger than 8 mib"


def test_a_folder_that_is_the_root_itself(measured: Measured) -> None:
    found = Evidence(str(measured.path), "", TreeReader(measured.path).read(""))
    assert found.place(PTD_LOG) == PTD_LOG
    assert found.window(RANGING).begin == START.timestamp() + 100
