"""Folders of runs, made by somebody who means harm: nothing outside them is read, nothing waits, nothing is too large."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from assay.base.files import write_json
from assay.errors import InvalidInputError, NotFoundError
from assay.loadgen.live import ProgressWriter, Snapshot
from assay.loadgen.record import RunStatus
from assay.playground import run_files
from assay.playground.run_files import files_of, find_run, list_runs, open_file, plain, progress, read_run, tail

from ..results.conftest import MakeRecord, MakeRun, make_record, make_run, settings  # noqa: F401


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    folder = tmp_path / "runs"
    folder.mkdir()
    return folder


def hostile(runs: Path, name: str, content: str | bytes) -> Path:
    path = runs / name
    path.mkdir()
    (path / "run.json").write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def test_runs_come_newest_first(make_run: MakeRun) -> None:  # noqa: F811
    old, new = make_run(tail="0001"), make_run(tail="0002")
    assert [each.id for each in list_runs(old.path.parent)] == [new.id, old.id]
    assert list_runs(old.path.parent)[0].record == new.read()


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{",
        "[]",
        "null",
        "{}",
        '{"format": 99}',
        '{"format": 1, "id": 7}',
        b"\xff\xfe\x00",
        "[" * 100_000,
        '{"a":' * 50_000,
        '"' + "x" * (5 << 20) + '"',
    ],
    ids=range(11),
)
def test_a_broken_record_is_told_in_a_line(runs: Path, content: str | bytes) -> None:
    hostile(runs, "20260101-bad", content)
    (listed,) = list_runs(runs)
    assert listed.record is None
    assert 0 < len(listed.problem) <= 300
    assert str(runs) not in listed.problem


def test_a_folder_without_a_record_is_told(runs: Path) -> None:
    (runs / "empty").mkdir()
    assert list_runs(runs)[0].problem == "empty: the run has no record"


def test_links_and_pipes_are_never_followed(runs: Path, tmp_path: Path, make_record: MakeRecord) -> None:  # noqa: F811
    secret = tmp_path / "secret"
    secret.mkdir()
    write_json(secret / "run.json", make_record().to_dict())
    (secret / "mlperf_log_summary.txt").write_text("secret words")
    (runs / "linked-folder").symlink_to(secret)
    inside = runs / "20260101-inside"
    inside.mkdir()
    for name in ("run.json", "mlperf_log_summary.txt", "progress.jsonl"):
        (inside / name).symlink_to(secret / name)
    os.mkfifo(inside / "mlperf_log_detail.txt")
    os.mkfifo(inside / "spl.txt")
    assert [(each.id, each.record) for each in list_runs(runs)] == [("20260101-inside", None)]
    with pytest.raises(NotFoundError):
        find_run(runs, "linked-folder")
    assert tail(inside) == ("", ())
    assert progress(inside).snapshots == ()
    assert files_of(inside, {}) == []
    assert not plain(inside, "spl.txt")
    for name in ("mlperf_log_summary.txt", "mlperf_log_detail.txt", "run.json"):
        with pytest.raises(NotFoundError):
            open_file(inside, name)


def test_a_record_that_is_a_pipe_does_not_wait(runs: Path) -> None:
    path = runs / "pipe"
    path.mkdir()
    os.mkfifo(path / "run.json")
    assert list_runs(runs)[0].record is None


def test_an_owner_that_is_a_pipe_does_not_wait(runs: Path, make_record: MakeRecord) -> None:  # noqa: F811
    path = hostile(runs, "owner", json.dumps(make_record(status=RunStatus.RUNNING).to_dict()))
    os.mkfifo(path / "owner.json")
    assert read_run(path).status is RunStatus.INTERRUPTED


def test_a_running_record_without_its_process_was_interrupted(runs: Path, make_record: MakeRecord) -> None:  # noqa: F811
    record = make_record(status=RunStatus.RUNNING)
    assert read_run(hostile(runs, "a", json.dumps(record.to_dict()))).status is RunStatus.INTERRUPTED


@pytest.mark.parametrize("name", ["..", ".", "", "../x", "a/../b", "/etc", "a\0b", "nothing", "20261123"])
def test_a_run_is_found_by_its_whole_name_alone(runs: Path, name: str) -> None:
    (runs / "20261123-a").mkdir()
    (runs / ".hidden").mkdir()
    with pytest.raises(NotFoundError):
        find_run(runs, name)
    assert find_run(runs, "20261123-a") == runs / "20261123-a"


def test_only_known_files_are_given(make_run: MakeRun) -> None:  # noqa: F811
    path = make_run().path
    (path / "notes.txt").write_text("private")
    for name in ("notes.txt", "../secret", "owner.json", "", "run.json/", "/etc/passwd", "mlperf_log_summary.txt"):
        with pytest.raises(NotFoundError):
            open_file(path, name)
    size, pieces = open_file(path, "run.json")
    content = b"".join(pieces)
    assert len(content) == size == (path / "run.json").stat().st_size


def test_hashes_are_those_of_the_files_and_differences_are_seen(make_run: MakeRun) -> None:  # noqa: F811
    path = make_run().path
    (path / "mlperf_log_detail.txt").write_text("changed")
    found = {each.name: each for each in files_of(path, {"mlperf_log_detail.txt": "ef" * 32})}
    assert found["mlperf_log_detail.txt"].changed
    assert not found["run.json"].changed
    assert len(found["run.json"].sha256) == 64


def test_a_large_file_is_not_read_for_its_hash(make_run: MakeRun) -> None:  # noqa: F811
    path = make_run().path
    with (path / "mlperf_log_detail.txt").open("wb") as stream:
        stream.truncate(10 << 30)
    (detail,) = [each for each in files_of(path, {"mlperf_log_detail.txt": "ab" * 32}) if "detail" in each.name]
    assert (detail.size, detail.sha256, detail.changed) == (10 << 30, "ab" * 32, False)
    assert run_files.messages(path) == ((), ())
    assert len(tail(path)[1]) <= 24


def test_a_tail_is_short_and_plain(make_run: MakeRun) -> None:  # noqa: F811
    path = make_run().path
    lines = [f"line {number}" for number in range(5000)] + ["x" * 10_000, "\x1b[31mred\x07 \u202e <b>"]
    (path / "mlperf_log_detail.txt").write_text("\n".join(lines), encoding="utf-8")
    name, told = tail(path, lines=4)
    assert name == "mlperf_log_detail.txt"
    assert told[-1] == "�[31mred� � <b>"
    assert all(len(line) <= 301 for line in told)


def test_progress_goes_on_where_it_was_left(make_run: MakeRun) -> None:  # noqa: F811
    path = make_run().path
    first = progress(path)
    assert len(first.snapshots) == 6
    assert first.offset == (path / "progress.jsonl").stat().st_size
    writer = ProgressWriter(path / "progress.jsonl")
    writer.phase("run", done=1, total=2)
    writer.snapshot(Snapshot(9.0, 1, 1, 1.0, None, None, None, 1.0))
    writer.close()
    then = progress(path, first.offset)
    assert [each.elapsed_s for each in then.snapshots] == [9.0]
    assert then.phase is not None
    assert then.phase.text() == "run 1/2"
    assert progress(path, then.offset).snapshots == ()
    assert progress(path, 1 << 50).snapshots == ()


def test_errors_and_warnings_are_told(make_run: MakeRun) -> None:  # noqa: F811
    path = make_run().path
    line = (
        ':::MLLOG {"key": "warning_generic_message", "value": "odd", "time_ms": 1.0, "namespace": "mlperf::logging", '
        '"event_type": "POINT_IN_TIME", "metadata": {"is_error": false, "is_warning": true, "file": "loadgen.cc", '
        '"line_no": 5, "pid": 1, "tid": 1}}\n'
    )
    (path / "mlperf_log_detail.txt").write_text(line)
    errors, warnings = run_files.messages(path)
    assert (errors, [each.text for each in warnings]) == ((), ["odd"])


def test_a_record_that_cannot_be_read_is_an_error_without_a_path(runs: Path) -> None:
    path = hostile(runs, "bad", "{")
    with pytest.raises(InvalidInputError) as caught:
        read_run(path)
    assert caught.value.where == "bad/run.json"
