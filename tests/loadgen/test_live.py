from __future__ import annotations

import json
import threading
from dataclasses import asdict
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.loadgen.live import Phase, ProgressReader, ProgressWriter, Snapshot, parse_line

SNAPSHOT = Snapshot(1.5, 10, 8, 5.33, 100, 200, 300, 2.0)
OFFLINE = Snapshot(0.5, 100, 0, 0.0, None, None, None, None)


def test_what_is_written_is_read_once(tmp_path: Path) -> None:
    path = tmp_path / "progress.jsonl"
    reader = ProgressReader(path)
    assert list(reader.new()) == []
    writer = ProgressWriter(path)
    writer.phase("preparing", done=3, total=1200)
    writer.snapshot(SNAPSHOT)
    assert list(reader.new()) == [Phase("preparing", 3, 1200), SNAPSHOT]
    assert list(reader.new()) == []
    writer.snapshot(OFFLINE)
    assert list(reader.new()) == [OFFLINE]
    writer.close()
    writer.phase("after the end")
    assert list(reader.new()) == []


def test_a_half_written_line_waits(tmp_path: Path) -> None:
    path = tmp_path / "progress.jsonl"
    text = json.dumps(asdict(SNAPSHOT)) + "\n"
    path.write_text(text + text[:20])
    reader = ProgressReader(path)
    assert list(reader.new()) == [SNAPSHOT]
    assert list(reader.new()) == []
    with path.open("a") as stream:
        stream.write(text[20:])
    assert list(reader.new()) == [SNAPSHOT]


def test_threads_share_a_writer(tmp_path: Path) -> None:
    path = tmp_path / "progress.jsonl"
    writer = ProgressWriter(path)
    threads = [threading.Thread(target=lambda: [writer.snapshot(SNAPSHOT) for _ in range(200)]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    writer.close()
    assert list(ProgressReader(path).new()) == [SNAPSHOT] * 800


@pytest.mark.parametrize(
    ("phase", "text"),
    [
        (Phase("load"), "load"),
        (Phase("prepare", 500, 1000), "prepare 500/1,000"),
        (Phase("prepare", 0, 1000), "prepare 0/1,000"),
        (Phase("prepare", 5, None), "prepare"),
    ],
)
def test_a_phase_for_a_person(phase: Phase, text: str) -> None:
    assert phase.text() == text


@pytest.mark.parametrize(
    "changes",
    [{"rate": "fast"}, {"done": None}, {"p50_ns": []}, {"eta_s": True}, {"elapsed_s": float("nan")}, {"new": 1}],
)
def test_a_snapshot_of_wrong_types_is_none(changes: dict[str, object]) -> None:
    assert parse_line(json.dumps({**asdict(SNAPSHOT), **changes}).encode()) is None


@pytest.mark.parametrize("name", [None, 3, [], {}])
def test_a_phase_without_a_name_is_none(name: object) -> None:
    assert parse_line(json.dumps({"name": name, "done": 1, "total": 2}).encode()) is None


@given(st.binary(max_size=200))
def test_no_line_crashes_the_reader(line: bytes) -> None:
    parse_line(line)


def test_a_line_too_long_to_be_ours_is_none() -> None:
    assert parse_line(json.dumps({"name": "x" * (1 << 17), "done": None, "total": None}).encode()) is None


def test_a_file_that_is_a_folder_holds_nothing(tmp_path: Path) -> None:
    assert list(ProgressReader(tmp_path).new()) == []


def test_another_reader_goes_on_where_one_has_stopped(tmp_path: Path) -> None:
    path = tmp_path / "progress.jsonl"
    writer, first = ProgressWriter(path), ProgressReader(path)
    writer.snapshot(SNAPSHOT)
    assert list(first.new()) == [SNAPSHOT]
    writer.snapshot(OFFLINE)
    writer.close()
    assert list(ProgressReader(path, first.offset).new()) == [OFFLINE]
    assert ProgressReader(path, 1 << 40).offset == 1 << 40
    assert list(ProgressReader(path, 1 << 40).new()) == []
