from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from assay.base.settings import Settings
from assay.cm.repository import create_repository, local_repository
from assay.errors import InvalidInputError
from assay.loadgen.record import RunRecord
from assay.results.cm_row import row_of
from assay.results.from_run import results_of
from assay.results.importers.cm import CmImporter
from assay.results.index_files import Priority, ResultFile, priority_of, published_file, read_rows, result_files
from assay.results.row import uid_of

from .rows import make_row

CM_ROW = {
    "version": "v3.0", "MlperfModel": "resnet", "Scenario": "Offline", "Result": 5.0, "Units": "Samples/s",
    "Location": "closed/Acme/results/box/resnet/Offline", "uid": "0123456789abcdef",
}  # fmt: skip


def write(path: Path, value: object) -> str:
    path.write_bytes(value if isinstance(value, bytes) else msgspec.json.encode(value))
    return str(path)


def test_ours_and_cms_rows_of_one_file(tmp_path: Path) -> None:
    path = write(tmp_path / "x.json", [CM_ROW, {"assay_row": make_row(3)}, {"Benchmark": "training"}])
    ours, theirs = read_rows(path, CmImporter())
    assert ours == make_row(3)
    assert (theirs.value, theirs.cm_uid, theirs.source_kind) == (5.0, "0123456789abcdef", "cm")
    assert theirs.uid == uid_of("v3.0", CM_ROW["Location"], "resnet", "Offline")  # type: ignore[arg-type]


def test_a_run_that_was_recorded_before_there_were_rows(tmp_path: Path, make_record: Callable[..., RunRecord]) -> None:
    given = row_of(results_of([make_record()])[0], location="runs/x")
    del given["assay_row"]
    (row,) = read_rows(write(tmp_path / "x.json", json.loads(json.dumps([given]))), CmImporter())
    assert (row.value, row.location, row.source_kind) == (208.5, "runs/x", "run")
    assert (row.accelerator, row.labels[0]) == (None, "stand-in-model")
    broken = {**given, "assay": {"format": 99}}
    assert read_rows(write(tmp_path / "y.json", json.loads(json.dumps([broken, given]))), CmImporter()) == [row]


@pytest.mark.parametrize(
    "raw",
    [
        b"", b"[", b"{}", b"[1]", b'["a"]', b"null", b"\xff\xfe", b'[{"Result": NaN}]', b"[{}] x", b"[{}" * 10,
        b"[" * 100_000, b'[{"a": ' * 50_000, b'[{"uid": "\\ud800"}]', b"[" + b"9" * 5000 + b"]",
        b'[{"assay_row": {"uid": "x"}}]', b'[{"assay_row": []}]',
    ],
)  # fmt: skip
def test_files_that_are_none_are_told_with_their_name(tmp_path: Path, raw: bytes) -> None:
    path = write(tmp_path / "cm-result.json", raw)
    with pytest.raises(InvalidInputError, match="not a list of rows") as caught:
        read_rows(path, CmImporter())
    assert caught.value.where == path


@pytest.mark.parametrize(
    "changes",
    [
        {"qsl_seed": 2**64}, {"qsl_seed": -1}, {"schedule_seed": 10**30}, {"queries": -1}, {"queries": 2**63},
        {"memory": 10**30}, {"value": "fast"}, {"origin": "mars"}, {"category": "edge"}, {"uid": None},
        {"accuracies": [{"metric": "F1"}]}, {"logs": {"a": 1}},
    ],
)  # fmt: skip
def test_a_row_that_no_column_could_hold_is_refused_with_its_file(tmp_path: Path, changes: dict[str, Any]) -> None:
    raw = msgspec.to_builtins(make_row()) | changes
    path = write(tmp_path / "cm-result.json", [{"assay_row": raw}])
    with pytest.raises(InvalidInputError, match="not a list of rows"):
        read_rows(path, CmImporter())


def test_rows_of_a_later_form_are_not_taken_for_ones_of_this(tmp_path: Path) -> None:
    later = msgspec.to_builtins(make_row()) | {"format": 2, "new": [1]}
    path = write(tmp_path / "x.json", [{"assay_row": later}, {"assay_row": make_row(1)}])
    assert read_rows(path, CmImporter()) == [make_row(1)]


def test_a_huge_file_is_refused_without_being_read(tmp_path: Path) -> None:
    path = tmp_path / "cm-result.json"
    with path.open("wb") as stream:
        stream.truncate(1 << 30)
    with pytest.raises(InvalidInputError, match="too large") as caught:
        read_rows(str(path), CmImporter())
    assert caught.value.found is not None and caught.value.found.startswith("1")


@pytest.mark.parametrize("what", ["nothing", "folder", "pipe", "loop"])
def test_things_that_are_no_files(tmp_path: Path, what: str) -> None:
    path = tmp_path / "cm-result.json"
    if what == "folder":
        path.mkdir()
    elif what == "pipe":
        os.mkfifo(path)
    elif what == "loop":
        path.symlink_to(path)
    with pytest.raises(InvalidInputError, match="cannot be read"):
        read_rows(str(path), CmImporter())


# ---- which files there are


def put(root: Path, experiment: str, stamp: str = "2024-01-01.00-00-00.000000") -> Path:
    path = root / "experiment" / experiment / stamp / "cm-result.json"
    path.parent.mkdir(parents=True)
    path.write_text("[]")
    return path


def test_result_files_of_repositories(tmp_path: Path) -> None:
    local = local_repository(Settings(tmp_path / "home"))
    other = create_repository(tmp_path / "other", "me@other", fields={"prefix": "deep"})
    wanted = [
        put(local.path, "a"), put(local.path, "a", "2024-01-02.00-00-00.000000"), put(local.path, "b"),
        put(other.path / "deep", "a"),
    ]  # fmt: skip
    put(local.path, ".hidden")
    put(other.path, "outside-of-the-prefix")
    (local.path / "experiment" / "file").write_text("")
    (local.path / "experiment" / "link").symlink_to(other.path / "deep" / "experiment" / "a")
    (local.path / "experiment" / "a" / "empty").mkdir()
    found = result_files([local, other])
    assert [file.path for file in found] == [str(path) for path in wanted]
    assert [file.repository for file in found] == ["local"] * 3 + ["me@other"]
    assert result_files([]) == []


def test_cms_copies_are_left_out_where_the_rounds_are(tmp_path: Path) -> None:
    local = local_repository(Settings(tmp_path))
    copy = put(local.path, "mlperf-inference--all--edge--closed--language--offline")
    assert [file.path for file in result_files([local])] == [str(copy)]
    single = put(local.path, "mlperf-inference--v3.0--edge--closed--language--offline")
    assert [file.path for file in result_files([local])] == [str(single)]


def test_the_stamp_of_a_file_tells_every_change(tmp_path: Path) -> None:
    local = local_repository(Settings(tmp_path))
    path = put(local.path, "a")
    stamps = []

    def stamp() -> str:
        (file,) = result_files([local])
        stamps.append(file.stamp)
        return file.stamp

    assert stamp() == stamp()
    path.write_text("[ ]")
    stamp()
    os.utime(path, ns=(1, 1))
    stamp()
    replacement = path.with_name("new")
    replacement.write_text("[1]")
    os.utime(replacement, ns=(1, 1))
    replacement.replace(path)
    stamp()
    assert len(set(stamps)) == 4


def test_a_name_that_is_no_text_has_a_key_that_is_one(tmp_path: Path) -> None:
    local = local_repository(Settings(tmp_path))
    for name in (b"a\xff", b"a\xfe", "aü".encode()):
        put(local.path, os.fsdecode(name))
    keys = [file.key for file in result_files([local])]
    assert len(set(keys)) == 3
    for key in keys:
        key.encode("utf-8")
    assert ResultFile("/plain", "", (1, 2, 3)).key == "/plain" and ResultFile("", "", (1, 2, 3)).stamp == "1-2-3"


def test_the_published_table_is_known_by_its_content(tmp_path: Path) -> None:
    path = tmp_path / "results.parquet"
    assert published_file(path) is None
    path.write_bytes(b"PAR1")
    first = published_file(path)
    os.utime(path, (1, 1))
    again = published_file(path)
    assert first is not None and again is not None and first.stamp == again.stamp
    path.write_bytes(b"PAR2")
    other = published_file(path)
    assert other is not None and other.stamp != first.stamp


def test_what_goes_first() -> None:
    assert sorted(Priority) == [Priority.RAW_LOGS, Priority.PUBLISHED, Priority.CM, Priority.SUMMARY]
    kinds = ["submission", "run", "cm", "summary", "tomorrow's", None]
    assert [priority_of(make_row(source_kind=kind)) for kind in kinds] == [
        Priority.RAW_LOGS, Priority.RAW_LOGS, Priority.CM, Priority.SUMMARY, Priority.CM, Priority.CM,
    ]  # fmt: skip
